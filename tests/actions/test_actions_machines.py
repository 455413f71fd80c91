"""Remediate and delete: guards, and what must not be touched by hand."""

import pytest

from fleettui.actions import delete, remediate
from fleettui.actions.facts import ListRequest
from fleettui.actions.machines import selects
from fleettui.actions.options import Options
from fleettui.actions.plan import Danger, Method, Plan, Refusal

CAPI = "cluster.x-k8s.io"
PLAIN = Options()
OPEN = Options(enabled={"mgmt": frozenset({"delete-cluster"})})


def planned(answer):
    assert isinstance(answer, Plan), answer
    return answer


def refused(answer):
    assert isinstance(answer, Refusal), answer
    return answer


def owner(kind, name="owner"):
    group = f"controlplane.{CAPI}" if kind == "KubeadmControlPlane" else CAPI
    return {"apiVersion": f"{group}/v1beta2", "kind": kind, "name": name, "controller": True}


def machine(make, name="m", *, kind="MachineSet", annotations=None, **labels):
    metadata = {
        "labels": {f"{CAPI}/cluster-name": "c", **labels},
        "annotations": annotations or {},
        "ownerReferences": [owner(kind)] if kind else [],
    }
    return make("Machine", name, {"metadata": metadata, "spec": {"clusterName": "c"}})


def check(make, name="mhc", selector=None, **more):
    spec = {"spec": {"clusterName": "c", "selector": selector or {}}}
    return make("MachineHealthCheck", name, spec | more)


def lists(*, checks=(), machines=()):
    return {
        ListRequest("mgmt", CAPI, "MachineHealthCheck", "ns"): tuple(checks),
        ListRequest("mgmt", CAPI, "Machine", "ns", "c"): tuple(machines),
    }


def test_remediate_with_matching_check_marks_the_machine(make, facts_of, now):
    """The mark is an annotation with an empty value; its presence counts."""
    target = machine(make, pool="a")
    checks = [check(make, selector={"matchLabels": {"pool": "a"}})]
    answer = planned(
        remediate.plan(facts_of(target, lists=lists(checks=checks)), now=now, options=PLAIN)
    )
    patch = answer.steps[0].patch
    key = "cluster.x-k8s.io/remediate-machine"
    assert patch.body == {"metadata": {"annotations": {key: ""}}}
    assert patch.acknowledged_by.may_vanish
    assert answer.undo.steps[0].patch.body == {"metadata": {"annotations": {key: None}}}


def test_remediate_needs_owner_peers_and_checks(make, facts_of):
    """Without any of the three the mark might do nothing."""
    request = remediate.needs(facts_of(machine(make)), options=PLAIN)
    assert {ref.kind for ref in request.bodies} == {"MachineSet", "Cluster"}
    assert set(request.lists) == set(lists())


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ((), "no health check selects it"),
        (None, "cannot be read"),
    ],
)
def test_remediate_without_check_is_refused_and_delete_offered(checks, words, make, facts_of, now):
    """The annotation alone does nothing at all."""
    known = lists() if checks == () else {}
    answer = refused(remediate.plan(facts_of(machine(make), lists=known), now=now, options=PLAIN))
    assert words in answer.reason
    if checks == ():
        assert answer.offer == ("fleettui delete Machine/ns/m --context mgmt",)


def test_remediate_check_of_another_cluster_does_not_count(make, facts_of, now):
    """An empty selector selects everything, but only in its own cluster."""
    other = make("MachineHealthCheck", "x", {"spec": {"clusterName": "d", "selector": {}}})
    facts = facts_of(machine(make), lists=lists(checks=[other]))
    assert isinstance(remediate.plan(facts, now=now, options=PLAIN), Refusal)


@pytest.mark.parametrize("kind", ["MachinePool", None])
def test_remediate_machine_of_pool_or_alone_is_refused(kind, make, facts_of, now):
    """Nobody remediates those; a pool's machine is deleted instead."""
    facts = facts_of(machine(make, kind=kind), lists=lists(checks=[check(make)]))
    answer = refused(remediate.plan(facts, now=now, options=PLAIN))
    assert bool(answer.offer) is (kind == "MachinePool")


@pytest.mark.parametrize(
    "annotations",
    [
        {"cluster.x-k8s.io/skip-remediation": ""},
        {"cluster.x-k8s.io/remediate-machine": ""},
        {"cluster.x-k8s.io/paused": ""},
    ],
)
def test_remediate_marked_skipped_or_paused_is_refused(annotations, make, facts_of, now):
    """Each of these makes a health check pass the machine by."""
    target = machine(make, annotations=annotations)
    facts = facts_of(target, lists=lists(checks=[check(make)]))
    assert isinstance(remediate.plan(facts, now=now, options=PLAIN), Refusal)


def test_remediate_paused_check_does_not_count(make, facts_of, now):
    """A paused health check marks nothing."""
    paused = check(make, metadata={"annotations": {"cluster.x-k8s.io/paused": ""}, "name": "x"})
    facts = facts_of(machine(make), lists=lists(checks=[paused]))
    assert "paused" in refused(remediate.plan(facts, now=now, options=PLAIN)).reason


def test_remediate_check_that_may_not_act_warns(make, facts_of, now):
    """With too many unhealthy machines nothing will happen for now."""
    condition = {"type": "RemediationAllowed", "status": "False", "reason": "TooManyUnhealthy"}
    short = check(make, status={"conditions": [condition], "remediationsAllowed": 0})
    answer = planned(
        remediate.plan(facts_of(machine(make), lists=lists(checks=[short])), now=now, options=PLAIN)
    )
    assert "TooManyUnhealthy" in answer.warnings[0].text


def control_plane(make, *names, deleting=()):
    label = {"cluster.x-k8s.io/control-plane": ""}
    found = [machine(make, name, kind="KubeadmControlPlane", **label) for name in names]
    for document in found:
        if document["metadata"]["name"] in deleting:
            document["metadata"]["deletionTimestamp"] = "2026-08-23T09:00:00Z"
    return found


@pytest.mark.parametrize(
    ("names", "deleting", "is_fine"),
    [
        (("m",), (), False),
        (("m", "m2", "m3"), (), True),
        (("m", "m2", "m3"), ("m2",), False),
    ],
)
@pytest.mark.parametrize("verb", [remediate, delete])
def test_control_plane_machine_goes_only_while_quorum_is_safe(
    verb, names, deleting, is_fine, make, facts_of, now
):
    """Taking the second of three etcd members loses the cluster."""
    machines = control_plane(make, *names, deleting=deleting)
    facts = facts_of(machines[0], lists=lists(checks=[check(make)], machines=machines))
    assert isinstance(verb.plan(facts, now=now, options=PLAIN), Plan) is is_fine


@pytest.mark.parametrize("verb", [remediate, delete])
def test_control_plane_machine_with_unknown_peers_is_left_alone(verb, make, facts_of, now):
    """Not knowing the others is no reason to hope."""
    target = control_plane(make, "m")[0]
    known = {ListRequest("mgmt", CAPI, "MachineHealthCheck", "ns"): (check(make),)}
    answer = refused(verb.plan(facts_of(target, lists=known), now=now, options=PLAIN))
    assert "not known" in answer.reason


def test_remediate_while_control_plane_remediates_is_refused(make, facts_of, now):
    """Two at once would be refused by the controller, and confuse whoever looks."""
    machines = control_plane(make, "m", "m2", "m3")
    key = "controlplane.cluster.x-k8s.io/remediation-in-progress"
    above = make("KubeadmControlPlane", "owner", {"metadata": {"annotations": {key: "{}"}}})
    facts = facts_of(machines[0], above, lists=lists(checks=[check(make)], machines=machines))
    assert "still remediating" in refused(remediate.plan(facts, now=now, options=PLAIN)).reason


def test_delete_machine_is_pinned_to_what_was_looked_at(make, facts_of, now):
    """A machine that has changed since, or its namesake, is not deleted."""
    answer = planned(delete.plan(facts_of(machine(make), lists=lists()), now=now, options=PLAIN))
    patch = answer.steps[0].patch
    assert patch.method is Method.DELETE
    assert patch.wire_body() == {"preconditions": {"uid": "uid-Machine-m", "resourceVersion": "7"}}
    assert answer.undo is None
    assert answer.danger is Danger.DESTRUCTIVE
    assert answer.typed_confirmation == answer.targets[0].name


def test_delete_machine_with_hook_warns(make, facts_of, now):
    """The deletion would seem stuck for no visible reason."""
    hook = "pre-drain.delete.hook.machine.cluster.x-k8s.io/backup"
    target = machine(make, annotations={hook: "x"})
    answer = planned(delete.plan(facts_of(target, lists=lists()), now=now, options=PLAIN))
    assert any(hook in warning.text for warning in answer.warnings)


def test_delete_in_paused_cluster_is_refused(make, facts_of, now):
    """It would hang with its finalizer until somebody resumes the cluster."""
    paused = make("Cluster", "c", {"spec": {"paused": True}})
    facts = facts_of(machine(make), paused, lists=lists())
    assert "paused" in refused(delete.plan(facts, now=now, options=PLAIN)).reason


def test_delete_cluster_is_off_until_enabled_and_wants_its_name(make, facts_of, now):
    """The most harmful verb must not be a key away by default."""
    cluster = make("Cluster", "c")
    facts = facts_of(cluster, lists=lists(machines=[machine(make)]))
    assert "off in this context" in refused(delete.plan(facts, now=now, options=PLAIN)).reason
    answer = planned(delete.plan(facts, now=now, options=OPEN))
    assert answer.typed_confirmation == "c"
    assert answer.needs_typed_confirmation
    assert answer.danger is Danger.DESTRUCTIVE
    assert "1 machines" in answer.blast_radius[0].words


def test_delete_cluster_in_protected_context_wants_both_names(make, facts_of, now):
    """In production the context's name is typed as well."""
    options = Options(enabled=OPEN.enabled, protected=frozenset({"mgmt"}))
    answer = planned(delete.plan(facts_of(make("Cluster", "c")), now=now, options=options))
    assert answer.typed_confirmation == "mgmt/c"


def test_delete_cluster_that_git_applies_warns(make, facts_of, now):
    """Flux would build a new, empty cluster of that name."""
    labels = {
        "kustomize.toolkit.fluxcd.io/name": "clusters",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }
    facts = facts_of(make("Cluster", "c", {"metadata": {"labels": labels}}))
    answer = planned(delete.plan(facts, now=now, options=OPEN))
    assert answer.warnings[0].sequence[0] == "remove it from git"


@pytest.mark.parametrize("kind", ["DevCluster", "KubeadmControlPlane", "MachineSet", "GCPMachine"])
def test_delete_what_another_object_owns_is_refused(kind, make, facts_of, now):
    """Deleting an infrastructure object by hand leaves a cluster that cannot be repaired."""
    answer = refused(delete.plan(facts_of(make(kind, "a")), now=now, options=OPEN))
    assert "delete the Machine or the Cluster" in answer.hint


def test_delete_twice_is_refused(make, facts_of, now):
    """A second delete changes nothing and would claim to have done something."""
    going = machine(make)
    going["metadata"]["deletionTimestamp"] = "2026-08-23T09:00:00Z"
    assert (
        "being deleted"
        in refused(delete.plan(facts_of(going, lists=lists()), now=now, options=PLAIN)).reason
    )


@pytest.mark.parametrize(
    ("selector", "is_match"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "Unheard"}]}, False),
    ],
)
def test_selector_is_read_as_the_api_server_reads_it(selector, is_match):
    """A health check that seems to match but does not would make remediation a no-op."""
    assert selects(selector, {"a": "1"}) is is_match
