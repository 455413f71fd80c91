"""Fields are looked up in what the server publishes, not guessed from a version's name."""

import json

import pytest

from fleettui.actions import pause, rollout
from fleettui.actions.facts import SchemaRequest
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.actions.schema import Schema, schemas_of

TEXT = {"type": "string"}
CAPI = "cluster.x-k8s.io"
NOW_TEXT = "2026-08-23T10:00:00Z"


def shape(*paths):
    """A schema with just these fields."""
    found = {}
    for path in paths:
        place = found
        for name in path.split("."):
            place = place.setdefault(name, {})
    return Schema(found)


def document(**definitions):
    """An OpenAPI document as a server publishes it."""
    return json.dumps({"openapi": "3.0.0", "components": {"schemas": definitions}}).encode()


def kind(name, properties, **more):
    """A definition of a kind of its own."""
    named = {"group": CAPI, "version": "v1beta2", "kind": name}
    return {
        "type": "object",
        "properties": properties,
        "x-kubernetes-group-version-kind": [named],
        **more,
    }


@pytest.fixture
def published():
    """A kind with everything that definitions are made of."""
    meta = {"type": "object", "properties": {"labels": {"additionalProperties": TEXT}}}
    entry = {"type": "object", "properties": {"name": TEXT}}
    spec = {
        "type": "object",
        "properties": {
            "replicas": {"type": "integer"},
            "entries": {"type": "array", "items": entry},
            "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "some": {
                "type": "object",
                "properties": {"known": TEXT},
                "x-kubernetes-preserve-unknown-fields": True,
            },
            "self": {"$ref": "#/components/schemas/b.Loop"},
        },
    }
    loop = {"type": "object", "properties": {"again": {"$ref": "#/components/schemas/b.Loop"}}}
    reference = {"allOf": [{"$ref": "#/components/schemas/b.Meta"}], "description": "x"}
    deployment = kind("MachineDeployment", {"metadata": reference, "spec": spec})
    options = {"x-kubernetes-group-version-kind": [{"kind": "DeleteOptions"}] * 2}
    definitions = {"a.MachineDeployment": deployment, "b.Loop": loop, "b.Meta": meta}
    return schemas_of(document(**definitions, **{"b.Options": options}))


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("spec.replicas", True),
        ("spec.entries.name", True),
        ("spec.entries.other", False),
        ("spec.rollout.after", False),
        ("spec.replicas.below", False),
        ("metadata.labels.any", True),
        ("spec.anything.at.all", None),
        ("spec.some.known", True),
        ("spec.some.other", None),
        ("spec.self.again.again", True),
        ("other", False),
    ],
)
def test_schema_says_which_fields_exist_and_what_it_does_not_know(path, answer, published):
    """A field that is guessed wrong is dropped by the server without a word."""
    assert set(published) == {"MachineDeployment"}
    assert published["MachineDeployment"].has(path.split(".")) is answer


def test_schema_document_without_definitions_knows_nothing():
    """Servers without OpenAPI must not make every action impossible."""
    assert schemas_of(b"{}") == {}
    assert Schema(None).has(("spec",)) is None


def deployment_with(make, facts_of, version, *fields):
    """Facts of a deployment on a server that has these fields."""
    target = make("MachineDeployment", "md", {"spec": {"replicas": 1}}, version=version)
    request = SchemaRequest("mgmt", CAPI, version, "MachineDeployment")
    return facts_of(target, schemas={request: shape(*fields)})


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2", "v1"])
@pytest.mark.parametrize(
    ("published_field", "body"),
    [
        ("spec.rollout.after", {"spec": {"rollout": {"after": NOW_TEXT}}}),
        ("spec.rolloutAfter", {"spec": {"rolloutAfter": NOW_TEXT}}),
    ],
)
def test_rollout_follows_the_schema_whatever_the_version_is_called(
    version, published_field, body, make, facts_of, now
):
    """Version names of providers lie; a rollout written into a wrong field never starts."""
    facts = deployment_with(make, facts_of, version, published_field)
    answer = rollout.plan(facts, now=now, options=Options())
    assert isinstance(answer, Plan)
    assert answer.steps[0].patch.body == body


def test_rollout_without_the_field_in_the_schema_is_refused(make, facts_of, now):
    """Before Cluster API had the field nothing would happen."""
    facts = deployment_with(make, facts_of, "v1beta1", "spec.replicas")
    answer = rollout.plan(facts, now=now, options=Options())
    assert isinstance(answer, Refusal)
    assert "no field" in answer.reason


def test_rollout_asks_for_the_schemas_of_target_and_cluster_once(make, facts_of):
    """The topology's field came later than the object's own, so both are looked up."""
    labels = {"metadata": {"labels": {f"{CAPI}/cluster-name": "c"}}}
    facts = facts_of(make("MachineDeployment", "md", labels), make("Cluster", "c"))
    wanted = rollout.needs(facts, options=Options()).schemas
    assert {request.kind for request in wanted} == {"MachineDeployment", "Cluster"}
    answered = facts.with_more(schemas=dict.fromkeys(wanted))
    assert rollout.needs(answered, options=Options()).schemas == ()


@pytest.mark.parametrize(("has_field", "body"), [(True, {"enabled": False}), (False, None)])
def test_pause_of_argo_uses_the_way_that_this_version_understands(
    has_field, body, make, facts_of, now
):
    """Argo CD before 3.1 ignores automated.enabled and would go on syncing."""
    more = {"spec": {"syncPolicy": {"automated": {"prune": True}}}}
    application = make("Application", "a", more)
    field = "spec.syncPolicy.automated" + (".enabled" if has_field else ".prune")
    request = SchemaRequest("mgmt", "argoproj.io", "v1alpha1", "Application")
    facts = facts_of(application, schemas={request: shape(field)})
    assert pause.needs(facts_of(application), options=Options()).schemas == (request,)
    answer = pause.plan(facts, now=now, options=Options())
    assert isinstance(answer, Plan)
    assert answer.steps[0].patch.body["spec"] == {"syncPolicy": {"automated": body}}
