"""Upgrade, approve, replan, annotate and label."""

import pytest

from fleettui.actions import annotate, approve, label, replan, upgrade
from fleettui.actions.acknowledge import Notice, answer_of
from fleettui.actions.documents import apply_merge, uid_of
from fleettui.actions.facts import ListRequest
from fleettui.actions.options import Options
from fleettui.actions.plan import Danger, Plan, Refusal
from fleettui.actions.precheck import precheck
from fleettui.actions.versions import is_same_version, step_problem

CAPI = "cluster.x-k8s.io"


def options(version="v1.33.2", **more):
    allowed = frozenset({"upgrade", "approve"})
    return Options(version=version, enabled={"mgmt": allowed}, **more)


def planned(answer):
    assert isinstance(answer, Plan), answer
    return answer


def refused(answer):
    assert isinstance(answer, Refusal), answer
    return answer


def topology_cluster(make, version="v1.32.5"):
    topology = {"classRef": {"name": "k"}, "version": version}
    return make("Cluster", "c", {"spec": {"topology": topology}})


def plain_cluster(make):
    pointer = {"apiGroup": f"controlplane.{CAPI}", "kind": "KubeadmControlPlane", "name": "cp"}
    cluster = make("Cluster", "c", {"spec": {"controlPlaneRef": pointer}})
    control_plane = make(
        "KubeadmControlPlane", "cp", {"spec": {"version": "v1.32.5", "replicas": 3}}
    )
    worker = {"spec": {"template": {"spec": {"version": "v1.32.5"}}}}
    lists = {
        ListRequest("mgmt", CAPI, "MachineDeployment", "ns", "c"): (
            make("MachineDeployment", "md", worker),
        ),
        ListRequest("mgmt", CAPI, "MachinePool", "ns", "c"): (make("MachinePool", "mp", worker),),
    }
    return cluster, control_plane, lists


def test_upgrade_is_off_until_enabled(make, facts_of, now):
    """A version cannot be taken back."""
    answer = upgrade.plan(
        facts_of(topology_cluster(make)), now=now, options=Options(version="v1.33.2")
    )
    assert "off in this context" in refused(answer).reason


def test_upgrade_of_topology_is_one_field(make, facts_of, now):
    """The topology orders the rest; anything else would be reverted."""
    answer = planned(upgrade.plan(facts_of(topology_cluster(make)), now=now, options=options()))
    (step,) = answer.steps
    assert step.patch.body == {"spec": {"topology": {"version": "v1.33.2"}}}
    assert (answer.danger, answer.undo) == (Danger.DESTRUCTIVE, None)


def test_upgrade_without_topology_waits_for_the_control_plane(make, facts_of, now):
    """Workers newer than their control plane are not created at all."""
    cluster, control_plane, lists = plain_cluster(make)
    facts = facts_of(cluster, control_plane, lists=lists)
    assert not upgrade.needs(facts, options=options())
    answer = planned(upgrade.plan(facts, now=now, options=options()))
    assert [(s.patch.target.kind, s.after) for s in answer.steps] == [
        ("KubeadmControlPlane", ()),
        ("MachineDeployment", (0,)),
        ("MachinePool", (0,)),
    ]
    assert answer.steps[1].patch.body == {"spec": {"template": {"spec": {"version": "v1.33.2"}}}}


def test_upgrade_asks_for_control_plane_and_workers(make, facts_of):
    """A worker group that was not read would stay behind unnoticed."""
    cluster, _, lists = plain_cluster(make)
    request = upgrade.needs(facts_of(cluster), options=options())
    assert [ref.name for ref in request.bodies] == ["cp"]
    assert set(request.lists) == set(lists)


def test_upgrade_with_unknown_workers_is_refused(make, facts_of, now):
    """Half a cluster upgraded is worse than none."""
    cluster, control_plane, lists = plain_cluster(make)
    unknown = dict.fromkeys(lists)
    facts = facts_of(cluster, control_plane, lists=unknown)
    assert "not all" in refused(upgrade.plan(facts, now=now, options=options())).reason


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("v1.31.0", "older"),
        ("v1.32.5", "already"),
        ("v1.34.0", "skipped"),
        ("latest", "no version"),
    ],
)
def test_upgrade_step_that_kubernetes_forbids_is_refused(version, words, make, facts_of, now):
    """The webhook refuses some of these, and some break etcd."""
    answer = upgrade.plan(facts_of(topology_cluster(make)), now=now, options=options(version))
    assert words in refused(answer).reason


def test_upgrade_over_several_minors_works_where_the_class_chains(make, facts_of, now):
    """Cluster API makes the steps between when its class lists the versions."""
    cluster_class = make(
        "ClusterClass", "k", {"spec": {"kubernetesVersions": ["v1.33.2", "v1.34.1"]}}
    )
    facts = facts_of(topology_cluster(make), cluster_class)
    assert isinstance(upgrade.plan(facts, now=now, options=options("v1.34.1")), Plan)
    assert isinstance(upgrade.plan(facts, now=now, options=options("v1.34.2")), Refusal)


@pytest.mark.parametrize(
    ("seen", "wanted", "is_same"),
    [
        ("v1.33.2", "v1.33.2", True),
        ("1.33.2-eks-abc", "v1.33.2", True),
        ("1.33", "v1.33.2", True),
        ("v1.33.1", "v1.33.2", False),
        ("", "v1.33.2", False),
    ],
)
def test_version_written_differently_is_recognised(seen, wanted, is_same):
    """Clouds drop the v or the patch; waiting for the exact text would time out."""
    assert is_same_version(seen, wanted) is is_same


def test_version_unknown_before_is_no_obstacle():
    """Managed control planes may leave their version out."""
    assert step_problem("", "v1.33.2") == ""


@pytest.mark.parametrize(("current", "words"), [("v1.32.5", "v1.33.0"), ("v1.32", "")])
def test_version_without_a_patch_is_refused_where_there_was_one(current, words):
    """There is no image v1.33; EKS and GKE take a minor version alone."""
    assert words in step_problem(current, "1.33")
    assert bool(step_problem(current, "1.33")) is bool(words)


PENDING = "plan-main-0123456789"


def terraform(make, **spec):
    return make("Terraform", "tf", {"spec": spec, "status": {"plan": {"pending": PENDING}}})


def test_approve_writes_the_full_id_and_puts_the_old_value_back(make, facts_of, now):
    """A prefix would approve another plan as well, and a left-over id the next one never."""
    document = terraform(make, approvePlan="")
    answer = planned(approve.plan(facts_of(document), now=now, options=options(plan_id=PENDING)))
    first, second = answer.steps
    assert first.patch.wire_body("9") == {
        "metadata": {"uid": "uid-Terraform-tf", "resourceVersion": "9"},
        "spec": {"approvePlan": PENDING},
    }
    assert second.patch.body == {"spec": {"approvePlan": ""}}
    assert (second.after, second.is_cleanup) == ((0,), True)
    facts = facts_of(terraform(make))
    absent = planned(approve.plan(facts, now=now, options=options(plan_id=PENDING)))
    assert absent.steps[1].patch.body == {"spec": {"approvePlan": None}}


def test_approve_plan_that_changed_since_is_not_sent(make, facts_of, now):
    """What is applied must be what was read."""
    document = terraform(make)
    answer = planned(approve.plan(facts_of(document), now=now, options=options(plan_id=PENDING)))
    newer = document | {"status": {"plan": {"pending": "plan-main-other"}}}
    assert isinstance(precheck(answer.steps[0].patch, newer), Refusal)


@pytest.mark.parametrize(
    ("spec", "plan_id", "words"),
    [
        ({}, "plan-main", "not plan-main"),
        ({}, "", "no plan id"),
        ({"planOnly": True}, PENDING, "only plans"),
        ({"approvePlan": "auto"}, PENDING, "by itself"),
        ({"suspend": True}, PENDING, "paused"),
    ],
)
def test_approve_that_would_do_nothing_or_another_thing_is_refused(
    spec, plan_id, words, make, facts_of, now
):
    """Each of these looks like an approval and is none."""
    answer = approve.plan(
        facts_of(terraform(make, **spec)), now=now, options=options(plan_id=plan_id)
    )
    assert words in refused(answer).reason


def test_approve_is_off_until_enabled(make, facts_of, now):
    """An apply changes real clouds."""
    answer = approve.plan(facts_of(terraform(make)), now=now, options=Options(plan_id=PENDING))
    assert "off in this context" in refused(answer).reason


def test_replan_clears_the_plan_and_then_asks(make, facts_of, now):
    """A request alone keeps the old plan."""
    answer = planned(replan.plan(facts_of(terraform(make)), now=now, options=Options()))
    first, second = answer.steps
    assert first.patch.subresource == "status"
    assert first.patch.body == {
        "status": {"plan": {"pending": ""}, "lastPlannedRevision": "", "lastAttemptedRevision": ""}
    }
    assert second.after == (0,)
    assert "reconcile.fluxcd.io/requestedAt" in second.patch.body["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("planned_revision", "ready", "notice"),
    [
        ("", "failed before", Notice.WAITING),
        ("main@sha1:1", "failed before", Notice.ACKNOWLEDGED),
        ("", "init failed", Notice.FAILED),
    ],
)
def test_replan_is_done_when_there_is_a_plan_whatever_failed_before(
    planned_revision, ready, notice, make, facts_of, now
):
    """The failure that one plans again for must not be told as that of the new plan."""
    failed = {"type": "Ready", "status": "False", "reason": "TFExecApplyFailed"}
    document = terraform(make) | {"status": {"conditions": [failed | {"message": "failed before"}]}}
    answer = planned(replan.plan(facts_of(document), now=now, options=Options()))
    patch = answer.steps[1].patch
    token = patch.body["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"]
    status = {
        "lastHandledReconcileAt": token,
        "lastPlannedRevision": planned_revision,
        "conditions": [failed | {"message": ready}],
    }
    seen = document | {"status": status}
    told = answer_of(patch.acknowledged_by, seen, uid=uid_of(document), generation=1)
    assert told.notice is notice


def test_annotate_sets_and_removes_keys(make, facts_of, now):
    """Both in one patch, and back again with undo."""
    document = make("Cluster", "c", {"metadata": {"annotations": {"team": "a", "old": "x"}}})
    wish = Options(set={"team": "b", "old": None, "example.com/new": "1"})
    answer = planned(annotate.plan(facts_of(document), now=now, options=wish))
    after = apply_merge(document, answer.steps[0].patch.body)
    assert after["metadata"]["annotations"] == {"team": "b", "example.com/new": "1"}
    back = apply_merge(after, answer.undo.steps[0].patch.body)
    assert back == document


@pytest.mark.parametrize(
    ("verb", "wish", "words"),
    [
        (annotate, {}, "no key"),
        (annotate, {"cluster.x-k8s.io/paused": "true"}, "verb of its own"),
        (annotate, {"bad key": "x"}, "no key such as"),
        (annotate, {"UPPER.example/x": "x"}, "no key such as"),
        (annotate, {"a": "x" * 300_000}, "256 KiB"),
        (label, {"a": "no spaces here"}, "no value for a label"),
        (label, {"cluster.x-k8s.io/cluster-name": "d"}, "belongs to a controller"),
        (label, {"team": "a"}, "that way already"),
    ],
)
def test_metadata_wish_that_cannot_be_met_is_refused(verb, wish, words, make, facts_of, now):
    """The server would refuse some of these, and a controller would undo the others."""
    document = make("Cluster", "c", {"metadata": {"labels": {"team": "a"}}})
    answer = verb.plan(facts_of(document), now=now, options=Options(set=wish))
    assert words in refused(answer).reason


def test_label_of_any_kind_is_possible(make, facts_of, now):
    """Labels belong to every object, also of kinds without other verbs."""
    answer = planned(
        label.plan(facts_of(make("ConfigMap", "a")), now=now, options=Options(set={"team": "a"}))
    )
    assert answer.steps[0].patch.target.path() == "/api/v1/namespaces/ns/configmaps/a"


APPLY_FAILED = {
    "type": "Apply",
    "status": "False",
    "reason": "TFExecApplyFailed",
    "message": "error running Apply: quota exceeded",
    "lastTransitionTime": "2026-08-23T10:05:00Z",
}


@pytest.mark.parametrize(
    ("before", "after", "notice"),
    [
        ([], [APPLY_FAILED], Notice.FAILED),
        ([APPLY_FAILED], [APPLY_FAILED], Notice.WAITING),
        (
            [APPLY_FAILED],
            [{**APPLY_FAILED, "lastTransitionTime": "2026-08-23T11:00:00Z"}],
            Notice.FAILED,
        ),
        ([], [{**APPLY_FAILED, "type": "Ready"}], Notice.FAILED),
        ([], [{**APPLY_FAILED, "type": "Ready", "reason": "ArtifactFailed"}], Notice.WAITING),
        ([], [{**APPLY_FAILED, "status": "Unknown"}], Notice.WAITING),
    ],
    ids=["new", "old", "again", "run", "elsewhere", "unknown"],
)
def test_approve_notices_a_failed_apply_at_once(before, after, notice, make, facts_of, now):
    """An hour of waiting for what has failed after a minute; an old failure is no answer."""
    document = terraform(make)
    document["status"]["conditions"] = before
    answer = planned(approve.plan(facts_of(document), now=now, options=options(plan_id=PENDING)))
    awaited = answer.steps[0].patch.acknowledged_by
    document["status"]["conditions"] = after
    seen = answer_of(awaited, document, uid=document["metadata"]["uid"])
    assert seen.notice is notice
    if notice is Notice.FAILED:
        assert "quota exceeded" in seen.words
