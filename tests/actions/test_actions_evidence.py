"""What a document gives away: who would revert a field, and whether a run was noticed."""

import pytest

from fleettui.actions.acknowledge import Notice, answer_of
from fleettui.actions.managed import appliers_of, is_stopped, reverter_of
from fleettui.actions.plan import Acknowledgement, Check, Signal

SUSPEND = ("spec", "suspend")


def managed(make, fields, *, manager="kustomize-controller", labels=None, **entry):
    claim = {"manager": manager, "operation": "Apply", "fieldsV1": fields} | entry
    return make("Cluster", "c", {"metadata": {"managedFields": [claim], "labels": labels or {}}})


@pytest.mark.parametrize(
    ("fields", "path", "is_claimed"),
    [
        ({"f:spec": {"f:suspend": {}}}, SUSPEND, True),
        ({"f:spec": {"f:interval": {}}}, SUSPEND, False),
        ({"f:spec": {}}, SUSPEND, True),
        (
            {"f:metadata": {"f:annotations": {"f:a/b": {}}}},
            ("metadata", "annotations", "a/b"),
            True,
        ),
        (
            {"f:spec": {"f:list": {'k:{"name":"mine"}': {"f:replicas": {}}}}},
            ("spec", "list", "mine", "replicas"),
            True,
        ),
        (
            {"f:spec": {"f:list": {'k:{"name":"other"}': {"f:replicas": {}}}}},
            ("spec", "list", "mine", "replicas"),
            False,
        ),
        ({"f:spec": {"f:list": {"k:rubbish": {}}}}, ("spec", "list", "mine"), False),
        ("rubbish", SUSPEND, False),
        (None, SUSPEND, False),
    ],
)
def test_reverter_is_who_claims_exactly_the_path(fields, path, is_claimed, make):
    """A warning about a field that git leaves alone teaches people to ignore warnings."""
    assert (reverter_of(managed(make, fields), path, context="m") is not None) is is_claimed


def test_reverter_of_status_or_by_a_person_is_none(make):
    """Status writers and people do not put spec fields back."""
    fields = {"f:spec": {"f:suspend": {}}}
    status = managed(make, fields, subresource="status")
    assert reverter_of(status, SUSPEND, context="m") is None
    person = managed(make, fields, manager="kubectl-edit")
    assert reverter_of(person, SUSPEND, context="m") is None


def test_reverter_names_the_object_to_suspend(make):
    """The offer is only as good as the name in it."""
    labels = {"cluster.x-k8s.io/cluster-name": "c"}
    document = managed(make, {"f:spec": {"f:replicas": {}}}, manager="capi-topology", labels=labels)
    found = reverter_of(document, ("spec", "replicas"), context="m")
    assert str(found.owner) == "m:Cluster/ns/c"
    unknown = reverter_of(managed(make, {"f:spec": {"f:suspend": {}}}), SUSPEND, context="m")
    assert unknown.owner is None


@pytest.mark.parametrize(
    ("tracking", "namespace", "name"),
    [("web:apps/Deployment:ns/x", "argocd", "web"), ("team_web:apps/x:ns/x", "team", "web")],
)
def test_applier_from_argo_tracking_id(tracking, namespace, name, make):
    """Applications in other namespaces carry theirs in the tracking id."""
    annotations = {"argocd.argoproj.io/tracking-id": tracking}
    document = make("Cluster", "c", {"metadata": {"annotations": annotations}})
    (owner,) = appliers_of(document, "m")
    assert (owner.kind, owner.namespace, owner.name) == ("Application", namespace, name)


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("Kustomization", {"spec": {"suspend": True}}, True),
        ("Kustomization", {"spec": {}}, False),
        ("Application", {"spec": {"syncPolicy": {"automated": {}}}}, False),
        ("Application", {"spec": {"syncPolicy": {"automated": {"enabled": False}}}}, True),
        ("Application", {"spec": {}}, True),
    ],
)
def test_applier_that_is_stopped_puts_nothing_back(kind, more, expected, make):
    """Once the owner is suspended the warning has done its work."""
    assert is_stopped(make(kind, "a", more)) is expected


def test_unknown_applier_is_not_taken_for_stopped():
    """Not knowing is no reason to drop a warning."""
    assert is_stopped(None) is False


@pytest.mark.parametrize(
    ("observed", "notice"),
    [(4, Notice.ACKNOWLEDGED), (3, Notice.WAITING), (None, Notice.ACKNOWLEDGED)],
)
def test_condition_of_an_older_generation_does_not_count(observed, notice, make):
    """The condition from before our write would be taken for its answer."""
    entry = {"type": "Paused", "status": "True"}
    if observed is not None:
        entry["observedGeneration"] = observed
    document = make("Cluster", "c", {"status": {"conditions": [entry]}})
    wanted = Acknowledgement(checks=(Check(Signal.CONDITION, ("Paused",), "True"),))
    assert answer_of(wanted, document, uid="uid-Cluster-c", generation=4).notice is notice


@pytest.mark.parametrize(
    ("status", "notice"),
    [
        ({"observedGeneration": 3, "replicas": 3, "upToDateReplicas": 3}, Notice.ACKNOWLEDGED),
        ({"observedGeneration": 2, "replicas": 3, "upToDateReplicas": 3}, Notice.WAITING),
        ({"observedGeneration": 3, "replicas": 4, "upToDateReplicas": 3}, Notice.WAITING),
        ({"observedGeneration": 3, "replicas": 3, "updatedReplicas": 1}, Notice.WAITING),
        ({}, Notice.WAITING),
    ],
)
def test_rollout_is_done_when_all_machines_are_new(status, notice, make):
    """The next wave must not start while the last one still replaces machines."""
    document = make("MachineDeployment", "a", {"spec": {"replicas": 3}, "status": status})
    wanted = Acknowledgement(checks=(Check(Signal.SETTLED),))
    uid = "uid-MachineDeployment-a"
    assert answer_of(wanted, document, uid=uid, generation=3).notice is notice


@pytest.mark.parametrize(
    ("signal", "notice"), [(Signal.GONE, Notice.WAITING), (Signal.DELETING, Notice.ACKNOWLEDGED)]
)
def test_deletion_that_has_begun_is_told_from_one_that_is_done(signal, notice, make):
    """A cluster takes an hour to go; a machine is waited for."""
    going = make("Machine", "m", {"metadata": {"deletionTimestamp": "2026-08-23T10:00:00Z"}})
    wanted = Acknowledgement(checks=(Check(signal),))
    assert answer_of(wanted, going, uid="uid-Machine-m").notice is notice
    assert answer_of(wanted, None, uid="uid-Machine-m").notice is Notice.ACKNOWLEDGED


def test_moment_of_an_earlier_operation_does_not_count(make):
    """Argo CD keeps the last operation's end until the next one has ended."""
    ended = ("status", "operationState", "finishedAt")
    wanted = Acknowledgement(checks=(Check(Signal.AFTER, ended, "2026-08-23T10:00:00Z"),))

    def notice(text):
        state = {"status": {"operationState": {"finishedAt": text}}}
        return answer_of(wanted, make("Application", "a", state), uid="uid-Application-a").notice

    assert notice("2026-08-23T10:00:00Z") is Notice.WAITING
    assert notice("2026-08-23T10:00:05Z") is Notice.ACKNOWLEDGED
    assert notice("rubbish") is Notice.WAITING
