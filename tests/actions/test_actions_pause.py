"""Pause and resume: bodies, notes, refusals and predictions."""

import json
from dataclasses import replace

import pytest

from fleettui.actions import pause, resume
from fleettui.actions.documents import apply_merge
from fleettui.actions.facts import Access, AccessRequest
from fleettui.actions.options import Options
from fleettui.actions.pausing import is_expired
from fleettui.actions.plan import ContentType, Plan, Refusal, Signal

PLAIN = Options()
NOTED = Options(who="ann@desk", reason="disk work", expires_s=7200)


def planned(answer):
    assert isinstance(answer, Plan), answer
    return answer


def refused(answer):
    assert isinstance(answer, Refusal), answer
    return answer


CASES = [
    ("Cluster", {"spec": {"paused": True}}, {"spec": {"paused": None}}),
    (
        "KubeadmControlPlane",
        {"metadata": {"annotations": {"cluster.x-k8s.io/paused": "true"}}},
        {"metadata": {"annotations": {"cluster.x-k8s.io/paused": None}}},
    ),
    (
        "GCPMachine",
        {"metadata": {"annotations": {"cluster.x-k8s.io/paused": "true"}}},
        {"metadata": {"annotations": {"cluster.x-k8s.io/paused": None}}},
    ),
    ("Kustomization", {"spec": {"suspend": True}}, {"spec": {"suspend": None}}),
    ("Terraform", {"spec": {"suspend": True}}, {"spec": {"suspend": None}}),
    (
        "FluxInstance",
        {"metadata": {"annotations": {"fluxcd.controlplane.io/reconcile": "disabled"}}},
        {"metadata": {"annotations": {"fluxcd.controlplane.io/reconcile": "enabled"}}},
    ),
    (
        "ArtifactGenerator",
        {"metadata": {"annotations": {"source.extensions.fluxcd.io/reconcile": "disabled"}}},
        {"metadata": {"annotations": {"source.extensions.fluxcd.io/reconcile": None}}},
    ),
    (
        "ManagedCluster",
        {"metadata": {"annotations": {"serviceoperator.azure.com/reconcile-policy": "skip"}}},
        {"metadata": {"annotations": {"serviceoperator.azure.com/reconcile-policy": None}}},
    ),
]


@pytest.mark.parametrize(("kind", "paused", "resumed"), CASES, ids=[case[0] for case in CASES])
def test_pause_each_family_sends_its_own_body(kind, paused, resumed, make, facts_of, now):
    """A family paused with another family's field would go on reconciling."""
    document = make(kind, "a")
    answer = planned(pause.plan(facts_of(document), now=now, options=PLAIN))
    patch = answer.steps[0].patch
    assert patch.body == paused
    assert patch.content_type is ContentType.MERGE
    assert patch.wire_body()["metadata"]["uid"] == document["metadata"]["uid"]
    stopped = apply_merge(document, patch.body)
    back = planned(resume.plan(facts_of(stopped), now=now, options=PLAIN))
    assert back.steps[0].patch.body == resumed


def test_pause_with_reason_writes_who_why_and_until(make, facts_of, now):
    """A pause without a name and an end is forgotten and outlives its purpose."""
    answer = planned(pause.plan(facts_of(make("Kustomization", "a")), now=now, options=NOTED))
    assert answer.steps[0].patch.body["metadata"]["annotations"] == {
        "fleettui.dev/paused-by": "ann@desk",
        "fleettui.dev/paused-reason": "disk work",
        "fleettui.dev/paused-until": "2026-08-23T12:00:00Z",
    }


def test_resume_after_noted_pause_removes_every_note(make, facts_of, now):
    """Notes left behind would show an object as paused that is not."""
    document = make("Kustomization", "a", {"spec": {"suspend": False}})
    first = planned(pause.plan(facts_of(document), now=now, options=NOTED))
    stopped = apply_merge(document, first.steps[0].patch.body)
    second = planned(resume.plan(facts_of(stopped), now=now, options=PLAIN))
    after = apply_merge(stopped, second.steps[0].patch.body)
    assert after["metadata"]["annotations"] == {}
    assert after["spec"] == {"suspend": False}, "an explicit false is put back as false"


def test_resume_previous_azure_policy_is_put_back(make, facts_of, now):
    """An object that was detach-on-delete must not come back as one that deletes."""
    key = "serviceoperator.azure.com/reconcile-policy"
    annotations = {"metadata": {"annotations": {key: "detach-on-delete"}}}
    document = make("ManagedCluster", "a", annotations)
    first = planned(pause.plan(facts_of(document), now=now, options=PLAIN))
    stopped = apply_merge(document, first.steps[0].patch.body)
    assert stopped["metadata"]["annotations"][key] == "skip"
    second = planned(resume.plan(facts_of(stopped), now=now, options=PLAIN))
    assert apply_merge(stopped, second.steps[0].patch.body)["metadata"]["annotations"] == {
        key: "detach-on-delete"
    }


def test_pause_argo_automation_needs_automation(make, facts_of, now):
    """Writing automated.enabled to an application without it would switch automation on later."""
    manual = make("Application", "a", {"spec": {"syncPolicy": {}}})
    assert (
        "does not sync by itself"
        in refused(pause.plan(facts_of(manual), now=now, options=PLAIN)).reason
    )
    automatic = make("Application", "a", {"spec": {"syncPolicy": {"automated": {"prune": True}}}})
    answer = planned(pause.plan(facts_of(automatic), now=now, options=PLAIN))
    assert answer.steps[0].patch.body == {"spec": {"syncPolicy": {"automated": {"enabled": False}}}}
    stopped = apply_merge(automatic, answer.steps[0].patch.body)
    back = planned(resume.plan(facts_of(stopped), now=now, options=PLAIN))
    assert back.steps[0].patch.body == {"spec": {"syncPolicy": {"automated": {"enabled": None}}}}


def test_pause_argo_legacy_remembers_what_it_removes(make, facts_of, now):
    """Before 3.1 the whole block goes; its prune and self-heal must come back on resume."""
    automated = {"prune": True, "selfHeal": True}
    document = make("Application", "a", {"spec": {"syncPolicy": {"automated": automated}}})
    options = Options(form="legacy")
    first = planned(pause.plan(facts_of(document), now=now, options=options))
    stopped = apply_merge(document, first.steps[0].patch.body)
    assert "automated" not in stopped["spec"]["syncPolicy"]
    second = planned(resume.plan(facts_of(stopped), now=now, options=PLAIN))
    after = apply_merge(stopped, second.steps[0].patch.body)
    assert after["spec"]["syncPolicy"]["automated"] == automated


def test_pause_rollout_of_machine_deployment_uses_its_field(make, facts_of, now):
    """The annotation would also stop scaling, which was not asked for."""
    document = make("MachineDeployment", "md")
    answer = planned(pause.plan(facts_of(document), now=now, options=Options(form="rollout")))
    assert answer.steps[0].patch.body == {"spec": {"paused": True}}
    stopped = apply_merge(document, answer.steps[0].patch.body)
    back = planned(resume.plan(facts_of(stopped), now=now, options=PLAIN))
    assert back.steps[0].patch.body == {"spec": {"paused": False}}


def test_pause_paused_object_is_refused_with_an_offer(make, facts_of, now):
    """Pausing twice would overwrite who paused first."""
    document = make("Cluster", "c", {"spec": {"paused": True}})
    answer = refused(pause.plan(facts_of(document), now=now, options=PLAIN))
    assert "already" in answer.reason
    assert answer.offer == ("fleettui resume Cluster/ns/c --context mgmt",)


def test_pause_annotation_with_any_value_counts_as_paused(make, facts_of, now):
    """Cluster API pauses on presence, even with the value "false"."""
    document = make(
        "Machine", "m", {"metadata": {"annotations": {"cluster.x-k8s.io/paused": "false"}}}
    )
    assert isinstance(pause.plan(facts_of(document), now=now, options=PLAIN), Refusal)
    assert isinstance(resume.plan(facts_of(document), now=now, options=PLAIN), Plan)


def test_resume_cluster_paused_twice_removes_both(make, facts_of, now):
    """With one pause left the cluster would stay still after "resume"."""
    document = make(
        "Cluster",
        "c",
        {
            "metadata": {"annotations": {"cluster.x-k8s.io/paused": ""}},
            "spec": {"paused": True},
        },
    )
    answer = planned(resume.plan(facts_of(document), now=now, options=PLAIN))
    assert answer.steps[0].patch.body == {
        "metadata": {"annotations": {"cluster.x-k8s.io/paused": None}},
        "spec": {"paused": None},
    }


def test_resume_object_of_paused_cluster_points_at_the_cluster(make, facts_of, now):
    """A person would look for a pause that the object does not have."""
    labels = {"metadata": {"labels": {"cluster.x-k8s.io/cluster-name": "c"}}}
    machine = make("Machine", "m", labels)
    cluster = make("Cluster", "c", {"spec": {"paused": True}})
    answer = refused(resume.plan(facts_of(machine, cluster), now=now, options=PLAIN))
    assert answer.offer == ("fleettui resume Cluster/ns/c --context mgmt",)


def test_pause_field_set_by_git_warns_with_the_order_that_works(make, facts_of, now):
    """Flux would put the field back minutes later and the pause would silently end."""
    managed = {
        "metadata": {
            "labels": {
                "kustomize.toolkit.fluxcd.io/name": "clusters",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            },
            "managedFields": [
                {
                    "manager": "kustomize-controller",
                    "operation": "Apply",
                    "fieldsV1": {"f:spec": {"f:paused": {}}},
                }
            ],
        },
        "spec": {"paused": False},
    }
    document = make("Cluster", "c", managed)
    owner = make("Kustomization", "clusters", {"metadata": {"namespace": "flux-system"}})
    facts = facts_of(document, owner)
    assert not pause.needs(facts, options=PLAIN).bodies, "the owner was asked for and is there"
    answer = planned(pause.plan(facts, now=now, options=PLAIN))
    assert answer.warnings[0].sequence == (
        "fleettui pause Kustomization/flux-system/clusters --context mgmt",
        "fleettui pause Cluster/ns/c --context mgmt",
    )
    stopped = make(
        "Kustomization",
        "clusters",
        {"metadata": {"namespace": "flux-system"}, "spec": {"suspend": True}},
    )
    quiet = planned(pause.plan(facts_of(document, stopped), now=now, options=PLAIN))
    assert not quiet.warnings, "a suspended owner puts nothing back"


def test_pause_needs_asks_for_owner_once_the_target_is_known(make, facts_of):
    """Without the owner's body nobody can say whether git will revert the change."""
    labels = {
        "kustomize.toolkit.fluxcd.io/name": "clusters",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }
    facts = facts_of(make("Cluster", "c", {"metadata": {"labels": labels}}))
    unread = replace(facts, bodies={})
    assert pause.needs(unread, options=PLAIN).bodies == facts.refs
    second = pause.needs(facts, options=PLAIN)
    assert [ref.name for ref in second.bodies] == ["clusters"]


def test_pause_managed_control_plane_warns_of_expiring_token(make, facts_of, now):
    """Fifteen minutes into the pause every Flux object of that cluster would fail."""
    document = make(
        "Cluster", "c", {"spec": {"controlPlaneRef": {"kind": "AWSManagedControlPlane"}}}
    )
    answer = planned(pause.plan(facts_of(document), now=now, options=PLAIN))
    assert any("15 minutes" in warning.text for warning in answer.warnings)


def test_pause_azure_object_of_capz_offers_the_owner(make, facts_of, now):
    """CAPZ writes the policy itself and would undo the pause."""
    owner = {
        "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1",
        "kind": "AzureASOManagedControlPlane",
        "name": "cp",
        "controller": True,
    }
    document = make("ManagedCluster", "a", {"metadata": {"ownerReferences": [owner]}})
    answer = refused(pause.plan(facts_of(document), now=now, options=PLAIN))
    assert answer.offer == ("fleettui pause AzureASOManagedControlPlane/ns/cp --context mgmt",)


def test_pause_without_right_names_the_missing_rule(make, facts_of, now):
    """A person cannot ask for a right whose name they are not told."""
    facts = facts_of(make("Cluster", "c"))
    right = AccessRequest("mgmt", "patch", "cluster.x-k8s.io", "clusters", "", "ns")
    denied = facts.with_more(access={right: Access(allowed=False)})
    answer = refused(pause.plan(denied, now=now, options=PLAIN))
    assert answer.missing_rule == "patch clusters.cluster.x-k8s.io in namespace ns"


def test_pause_waits_for_condition_only_where_there_is_one(make, facts_of, now):
    """Waiting for a condition that older providers never write would always time out."""
    old = planned(pause.plan(facts_of(make("Cluster", "c")), now=now, options=PLAIN))
    assert old.steps[0].patch.acknowledged_by.checks == ()
    conditions = {"status": {"conditions": [{"type": "Paused", "status": "False"}]}}
    new = planned(pause.plan(facts_of(make("Cluster", "c", conditions)), now=now, options=PLAIN))
    check = new.steps[0].patch.acknowledged_by.checks[0]
    assert (check.signal, check.path, check.value) == (Signal.CONDITION, ("Paused",), "True")


def test_pause_incomplete_scope_of_a_filter_is_refused(make, facts_of, now):
    """ "All matching" over a half-known scope would miss objects without saying so."""
    facts = facts_of(make("Cluster", "c"), scope_gaps=("clusters in namespace b: forbidden",))
    answer = refused(pause.plan(facts, now=now, options=Options(all_matching=True)))
    assert "clusters in namespace b" in answer.reason
    assert isinstance(pause.plan(facts, now=now, options=PLAIN), Plan)


def test_pause_previous_value_is_recorded_as_json(make, facts_of, now):
    """Resume can only put back what the pause wrote down."""
    document = make("Cluster", "c", {"spec": {"paused": False}})
    answer = planned(pause.plan(facts_of(document), now=now, options=PLAIN))
    notes = answer.steps[0].patch.body["metadata"]["annotations"]
    assert json.loads(notes["fleettui.dev/paused-previous"]) is False


def test_pause_detach_stops_flux_for_one_object_only(make, facts_of, now):
    """One object is edited by hand in an incident; the rest of git goes on."""
    labels = {"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}}
    document = make("ConfigMap", "a", labels)
    answer = planned(pause.plan(facts_of(document), now=now, options=Options(form="detach")))
    key = "kustomize.toolkit.fluxcd.io/reconcile"
    assert answer.steps[0].patch.body == {"metadata": {"annotations": {key: "disabled"}}}
    stopped = apply_merge(document, answer.steps[0].patch.body)
    back = planned(resume.plan(facts_of(stopped), now=now, options=PLAIN))
    assert back.steps[0].patch.body == {"metadata": {"annotations": {key: None}}}
    stranger = facts_of(make("ConfigMap", "a"))
    assert (
        "no Kustomization"
        in refused(pause.plan(stranger, now=now, options=Options(form="detach"))).reason
    )
    assert isinstance(pause.plan(stranger, now=now, options=PLAIN), Refusal)


def test_pause_note_that_is_past_its_end_is_expired(now):
    """The pause board shows what was forgotten."""
    assert is_expired({"fleettui.dev/paused-until": "2026-08-23T09:59:59Z"}, now)
    assert not is_expired({"fleettui.dev/paused-until": "2026-08-23T10:00:01Z"}, now)
    assert not is_expired({}, now)
