"""Scale and rollout: where the field is written, and who would put it back."""

import pytest

from fleettui.actions import rollout, scale
from fleettui.actions.documents import apply_merge
from fleettui.actions.options import Options
from fleettui.actions.plan import ContentType, Plan, Refusal
from fleettui.actions.precheck import precheck

OWNED = {
    "metadata": {
        "labels": {
            "cluster.x-k8s.io/cluster-name": "c",
            "topology.cluster.x-k8s.io/owned": "",
            "topology.cluster.x-k8s.io/deployment-name": "md-0",
        }
    },
    "spec": {"replicas": 3},
}
NOW_TEXT = "2026-08-23T10:00:00Z"


def planned(answer):
    assert isinstance(answer, Plan), answer
    return answer


def refused(answer):
    assert isinstance(answer, Refusal), answer
    return answer


def cluster(make, *entries, **control_plane):
    topology = {"workers": {"machineDeployments": list(entries)}, "controlPlane": control_plane}
    return make("Cluster", "c", {"spec": {"topology": topology}})


def test_scale_goes_through_the_subresource(make, facts_of, now):
    """The right on /scale is smaller than the right on the object."""
    document = make("MachineDeployment", "md", {"spec": {"replicas": 3}})
    answer = planned(scale.plan(facts_of(document), now=now, options=Options(replicas=5)))
    patch = answer.steps[0].patch
    assert (patch.body, patch.subresource) == ({"spec": {"replicas": 5}}, "scale")
    assert patch.target.path("scale").endswith("/namespaces/ns/machinedeployments/md/scale")
    assert answer.undo.steps[0].patch.body == {"spec": {"replicas": 3}}


def test_scale_kind_without_subresource_patches_itself(make, facts_of, now):
    """RKE2 control planes have no /scale; the request would answer 404."""
    document = make("RKE2ControlPlane", "cp", {"spec": {"replicas": 3}})
    answer = planned(scale.plan(facts_of(document), now=now, options=Options(replicas=5)))
    assert answer.steps[0].patch.subresource == ""


def test_scale_in_topology_tests_the_name_of_the_entry(make, facts_of, now):
    """By index alone another worker group could be scaled after somebody edits the list."""
    above = cluster(make, {"name": "other", "replicas": 1}, {"name": "md-0", "replicas": 3})
    facts = facts_of(make("MachineDeployment", "md", OWNED), above)
    answer = planned(scale.plan(facts, now=now, options=Options(replicas=5)))
    patch = answer.steps[0].patch
    root = "/spec/topology/workers/machineDeployments/1"
    assert (patch.target.kind, patch.content_type) == ("Cluster", ContentType.JSON)
    assert patch.body == [
        {"op": "test", "path": f"{root}/name", "value": "md-0"},
        {"op": "test", "path": f"{root}/replicas", "value": 3},
        {"op": "add", "path": f"{root}/replicas", "value": 5},
    ]
    wire = patch.wire_body("42")
    assert wire[:2] == [
        {"op": "test", "path": "/metadata/uid", "value": "uid-Cluster-c"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "42"},
    ]


def test_scale_in_topology_follows_an_entry_that_has_moved(make, facts_of, now):
    """The list may change between confirmation and sending."""
    above = cluster(make, {"name": "other", "replicas": 1}, {"name": "md-0", "replicas": 3})
    facts = facts_of(make("MachineDeployment", "md", OWNED), above)
    patch = planned(scale.plan(facts, now=now, options=Options(replicas=5))).steps[0].patch
    moved = precheck(patch, cluster(make, {"name": "md-0", "replicas": 3}))
    assert moved.body[0]["path"] == "/spec/topology/workers/machineDeployments/0/name"
    assert isinstance(precheck(patch, cluster(make, {"name": "other"})), Refusal)


def test_scale_topology_that_leaves_the_number_open_patches_the_object(make, facts_of, now):
    """With no number in the topology the deployment's own one stays."""
    facts = facts_of(make("MachineDeployment", "md", OWNED), cluster(make, {"name": "md-0"}))
    answer = planned(scale.plan(facts, now=now, options=Options(replicas=5)))
    assert answer.steps[0].patch.target.kind == "MachineDeployment"


@pytest.mark.parametrize("verb", [scale, rollout])
def test_direct_change_of_what_a_topology_sets_offers_the_topology(verb, make, facts_of, now):
    """Under a paused Cluster nothing would be scaled or rolled out at all."""
    fields = {"f:spec": {"f:replicas": {}, "f:rollout": {"f:after": {}}}}
    claim = {"manager": "capi-topology", "operation": "Apply", "fieldsV1": fields}
    labels = {
        "cluster.x-k8s.io/cluster-name": "c",
        "topology.cluster.x-k8s.io/owned": "",
        "topology.cluster.x-k8s.io/deployment-name": "md-0",
    }
    document = make(
        "MachineDeployment",
        "md",
        {
            "metadata": {"labels": labels, "managedFields": [claim]},
            "spec": {"clusterName": "c", "replicas": 3},
        },
    )
    facts = facts_of(document, cluster(make, {"name": "md-0", "replicas": 3}))
    answer = planned(verb.plan(facts, now=now, options=Options(form="direct", replicas=5)))
    (warning,) = (one for one in answer.warnings if "put back" in one.text)
    (line,) = warning.sequence
    assert line.startswith(f"fleettui {verb.VERB} MachineDeployment/ns/md")
    assert "direct" not in line


def test_scale_control_plane_in_topology_patches_the_cluster(make, facts_of, now):
    """A control plane scaled directly is scaled back by its topology."""
    labels = {"cluster.x-k8s.io/cluster-name": "c", "topology.cluster.x-k8s.io/owned": ""}
    document = make(
        "KubeadmControlPlane", "cp", {"metadata": {"labels": labels}, "spec": {"replicas": 3}}
    )
    facts = facts_of(document, cluster(make, replicas=3))
    answer = planned(scale.plan(facts, now=now, options=Options(replicas=5)))
    assert answer.steps[0].patch.body == {"spec": {"topology": {"controlPlane": {"replicas": 5}}}}


@pytest.mark.parametrize(
    ("replicas", "is_fine"), [(-1, False), (0, False), (1, True), (2, False), (5, True)]
)
def test_scale_control_plane_keeps_quorum(replicas, is_fine, make, facts_of, now):
    """The webhook refuses even counts with stacked etcd; we say so before asking."""
    document = make("KubeadmControlPlane", "cp", {"spec": {"replicas": 3}})
    answer = scale.plan(facts_of(document), now=now, options=Options(replicas=replicas))
    assert isinstance(answer, Plan) is is_fine


def test_scale_control_plane_with_external_etcd_may_be_even(make, facts_of, now):
    """Parity is etcd's rule; without etcd on the machines it does not hold."""
    external = {"clusterConfiguration": {"etcd": {"external": {"endpoints": ["x"]}}}}
    document = make(
        "KubeadmControlPlane", "cp", {"spec": {"replicas": 3, "kubeadmConfigSpec": external}}
    )
    assert isinstance(scale.plan(facts_of(document), now=now, options=Options(replicas=2)), Plan)


def test_scale_pool_managed_by_an_autoscaler_is_refused(make, facts_of, now):
    """There the number is an output; writing it does nothing."""
    key = "cluster.x-k8s.io/replicas-managed-by"
    document = make(
        "MachinePool", "mp", {"metadata": {"annotations": {key: "aks"}}, "spec": {"replicas": 3}}
    )
    assert (
        "aks"
        in refused(scale.plan(facts_of(document), now=now, options=Options(replicas=5))).reason
    )
    document["metadata"]["annotations"][key] = "false"
    assert isinstance(scale.plan(facts_of(document), now=now, options=Options(replicas=5)), Plan)


def test_scale_outside_autoscaler_limits_warns(make, facts_of, now):
    """The autoscaler would move it back within a minute."""
    prefix = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-"
    limits = {"annotations": {f"{prefix}min-size": "1", f"{prefix}max-size": "4"}}
    document = make("MachineDeployment", "md", {"metadata": limits, "spec": {"replicas": 3}})
    outside = planned(scale.plan(facts_of(document), now=now, options=Options(replicas=9)))
    assert any("back into its limits" in warning.text for warning in outside.warnings)
    inside = planned(scale.plan(facts_of(document), now=now, options=Options(replicas=4)))
    assert any("may change it again" in warning.text for warning in inside.warnings)


def test_scale_machine_set_of_a_deployment_points_at_it(make, facts_of, now):
    """The deployment puts the number back at once."""
    owner = {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "MachineDeployment",
        "name": "md",
        "controller": True,
    }
    document = make(
        "MachineSet", "ms", {"metadata": {"ownerReferences": [owner]}, "spec": {"replicas": 3}}
    )
    answer = refused(scale.plan(facts_of(document), now=now, options=Options(replicas=5)))
    assert answer.offer == ("fleettui scale MachineDeployment/ns/md --context mgmt --replicas N",)


def test_scale_kind_without_replicas_is_refused(make, facts_of, now):
    """A cluster has no number of its own."""
    assert (
        "no replicas"
        in refused(
            scale.plan(facts_of(make("Cluster", "c")), now=now, options=Options(replicas=5))
        ).reason
    )


@pytest.mark.parametrize(
    ("kind", "version", "body"),
    [
        ("MachineDeployment", "v1beta2", {"spec": {"rollout": {"after": NOW_TEXT}}}),
        ("KubeadmControlPlane", "v1beta2", {"spec": {"rollout": {"after": NOW_TEXT}}}),
        ("MachineDeployment", "v1beta1", {"spec": {"rolloutAfter": NOW_TEXT}}),
        ("KubeadmControlPlane", "v1beta1", {"spec": {"rolloutAfter": NOW_TEXT}}),
    ],
)
def test_rollout_uses_the_field_of_its_api_version(kind, version, body, make, facts_of, now):
    """The other version's field is dropped silently and nothing rolls."""
    document = make(kind, "a", {"spec": {"replicas": 3}}, version=version)
    answer = planned(rollout.plan(facts_of(document), now=now, options=Options()))
    assert answer.steps[0].patch.body == body
    assert answer.steps[0].patch.target.version == version


def test_rollout_undo_removes_the_map_it_made(make, facts_of, now):
    """An empty spec.rollout is refused by the schema, so undo would fail."""
    answer = planned(
        rollout.plan(facts_of(make("MachineDeployment", "a")), now=now, options=Options())
    )
    assert answer.undo.steps[0].patch.body == {"spec": {"rollout": None}}
    kept = make("MachineDeployment", "a", {"spec": {"rollout": {"strategy": {"type": "X"}}}})
    answer = planned(rollout.plan(facts_of(kept), now=now, options=Options()))
    assert answer.undo.steps[0].patch.body == {"spec": {"rollout": {"after": None}}}


def test_rollout_in_topology_keeps_what_the_entry_says(make, facts_of, now):
    """Replacing the whole rollout would drop its strategy."""
    entry = {"name": "md-0", "rollout": {"strategy": {"type": "RollingUpdate"}}}
    facts = facts_of(make("MachineDeployment", "md", OWNED), cluster(make, entry))
    patch = planned(rollout.plan(facts, now=now, options=Options())).steps[0].patch
    assert patch.body[-1] == {
        "op": "add",
        "path": "/spec/topology/workers/machineDeployments/0/rollout",
        "value": {"strategy": {"type": "RollingUpdate"}, "after": NOW_TEXT},
    }


def test_rollout_of_topology_control_plane_is_a_merge(make, facts_of, now):
    """The control plane's entry is no list; its path is fixed."""
    labels = {"cluster.x-k8s.io/cluster-name": "c", "topology.cluster.x-k8s.io/owned": ""}
    document = make("KubeadmControlPlane", "cp", {"metadata": {"labels": labels}})
    facts = facts_of(document, cluster(make, replicas=3))
    answer = planned(rollout.plan(facts, now=now, options=Options()))
    assert answer.steps[0].patch.body == {
        "spec": {"topology": {"controlPlane": {"rollout": {"after": NOW_TEXT}}}}
    }
    direct = planned(rollout.plan(facts, now=now, options=Options(form="direct")))
    assert direct.steps[0].patch.target.kind == "KubeadmControlPlane"


def test_rollout_kind_without_the_field_is_refused(make, facts_of, now):
    """RKE2, Talos and managed control planes have no such field at all."""
    answer = refused(
        rollout.plan(facts_of(make("RKE2ControlPlane", "cp")), now=now, options=Options())
    )
    assert "no field" in answer.reason


def test_rollout_paused_or_planned_for_later_is_refused(make, facts_of, now):
    """A paused deployment does not roll; a planned moment is somebody's intention."""
    paused = make("MachineDeployment", "md", {"spec": {"paused": True}})
    assert "paused" in refused(rollout.plan(facts_of(paused), now=now, options=Options())).reason
    later = make(
        "MachineDeployment", "md", {"spec": {"rollout": {"after": "2026-08-24T10:00:00Z"}}}
    )
    assert (
        "planned already"
        in refused(rollout.plan(facts_of(later), now=now, options=Options())).reason
    )


def test_rollout_with_on_delete_strategy_warns(make, facts_of, now):
    """Nothing would move, and the person would wait for an hour."""
    spec = {"spec": {"rollout": {"strategy": {"type": "OnDelete"}}}}
    answer = planned(
        rollout.plan(facts_of(make("MachineDeployment", "md", spec)), now=now, options=Options())
    )
    assert any("OnDelete" in warning.text for warning in answer.warnings)


def test_scale_applied_and_undone_is_as_before(make, facts_of, now):
    """Undo must end where it began."""
    document = make("RKE2ControlPlane", "cp", {"spec": {"replicas": 3}})
    answer = planned(scale.plan(facts_of(document), now=now, options=Options(replicas=5)))
    after = apply_merge(document, answer.steps[0].patch.body)
    assert apply_merge(after, answer.undo.steps[0].patch.body) == document
