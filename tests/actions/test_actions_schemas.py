"""Every body against the schemas that upstream ships: no field that a server would drop."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml

from fleettui.actions import verbs
from fleettui.actions.documents import apply_merge, value_at
from fleettui.actions.facts import ListRequest
from fleettui.actions.options import Options
from fleettui.actions.plan import ContentType, Method, Plan

OPTIONS = Options(
    replicas=5,
    version="v1.33.2",
    plan_id="plan-main-1",
    set={"team": "a"},
    who="ann",
    reason="test",
    expires_s=60,
    enabled={"mgmt": frozenset({"upgrade", "approve", "delete-cluster"})},
)
CAPI = "cluster.x-k8s.io"


@cache
def schemas(folder: Path):
    """Group, version, kind to (schema, subresources)."""
    found = {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(folder.rglob("*.yaml"), reverse=True):  # newest Cluster API last
        text = path.read_text()
        if "kind: CustomResourceDefinition" not in text or not _is_wanted(path, text):
            continue
        for crd in yaml.load_all(text, Loader=loader):
            spec = crd["spec"]
            for version in (v for v in spec["versions"] if v["served"]):
                key = (spec["group"], version["name"], spec["names"]["kind"])
                schema = version["schema"]["openAPIV3Schema"]
                found[key] = (schema, set(version.get("subresources") or ()))
    return found


_KINDS = (
    "Cluster",
    "MachineDeployment",
    "MachinePool",
    "MachineSet",
    "Machine",
    "KubeadmControlPlane",
    "RKE2ControlPlane",
    "Kustomization",
    "HelmRelease",
    "GitRepository",
    "HelmRepository",
    "HelmChart",
    "ArtifactGenerator",
    "FluxInstance",
    "ResourceSet",
    "Application",
    "ApplicationSet",
    "Terraform",
    "Alert",
)


def _is_wanted(path: Path, text: str) -> bool:
    match = re.search(r"^    kind: (\w+)$", text, re.MULTILINE)
    return match is not None and match.group(1) in _KINDS


@pytest.fixture(scope="module")
def installed(shared_folder):
    """Schemas by group, version and kind."""
    folder = shared_folder / "crds"
    if not folder.is_dir():
        pytest.skip("no ../shared/crds beside the project")
    return schemas(folder)


def problems(schema, value, path=""):
    """What a strict server would say about a merged value."""
    if value is None or schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    if isinstance(value, dict):
        known = schema.get("properties")
        extra = schema.get("additionalProperties")
        for key, item in value.items():
            if known and key in known:
                yield from problems(known[key], item, f"{path}.{key}")
            elif isinstance(extra, dict):
                yield from problems(extra, item, f"{path}.{key}")
            elif not (schema.get("type") == "object" and not known and extra is None):
                yield f"{path}.{key}: unknown field"
        return
    yield from _scalar_problems(schema, value, path)


def _scalar_problems(schema, value, path):
    types = {str: "string", bool: "boolean", int: "integer", list: "array"}
    if not schema.get("x-kubernetes-int-or-string") and schema.get("type") != types[type(value)]:
        yield f"{path}: {value!r} is no {schema.get('type')}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"


def _documents(make, kind, version):
    """A target of the kind and what has to be around it."""
    labels = {f"{CAPI}/cluster-name": "c"}
    more = {"metadata": {"labels": labels}, "spec": {"replicas": 3, "clusterName": "c"}}
    if kind == "Cluster":
        topology = {"version": "v1.32.5", "controlPlane": {"replicas": 3}}
        more = {"spec": {"topology": topology}}
    if kind == "Terraform":
        more = {"status": {"plan": {"pending": "plan-main-1"}}}
    if kind == "Application":
        more = {"spec": {"syncPolicy": {"automated": {"prune": True}}}}
    return make(kind, "a", more, version=version)


@pytest.mark.parametrize("kind", _KINDS)
def test_bodies_of_every_verb_fit_the_schema(kind, installed, make, facts_of, now):
    """An unknown field is dropped without a word: the action would do nothing."""
    versions = [key for key in installed if key[2] == kind and key[0] != "k0smotron.io"]
    assert versions, f"no schema of {kind}"
    checked = 0
    for group, version, _ in versions:
        document = _documents(make, kind, version)
        if not document["apiVersion"].startswith(f"{group}/"):
            continue
        schema, subresources = installed[(group, version, kind)]
        for patch in _patches(document, facts_of, now):
            checked += 1
            _check(patch, schema, subresources, document)
    assert checked


_FORMS = ("", "rollout", "freeze", "legacy", "hard", "sync", "direct")


def _patches(document, facts_of, now):
    """Patches of every verb in every form; a deprecated API version is left out."""
    machine = ListRequest("mgmt", CAPI, "Machine", "ns", "c")
    checks = ListRequest("mgmt", CAPI, "MachineHealthCheck", "ns")
    selecting = {"metadata": {"name": "x"}, "spec": {"clusterName": "c", "selector": {}}}
    facts = facts_of(document, lists={machine: (), checks: (selecting,)})
    for verb in verbs.VERBS.values():
        for form in _FORMS:
            plan = verb.plan(facts, now=now, options=_with_form(form))
            if isinstance(plan, Plan):
                undo = plan.undo.steps if plan.undo else ()
                yield from (step.patch for step in (*plan.steps, *undo))


def _with_form(form):
    return replace(OPTIONS, form=form)


def _check(patch, schema, subresources, document):
    if patch.method is Method.DELETE:
        return
    assert patch.subresource in ("", *subresources)
    assert patch.content_type is ContentType.MERGE
    body = {key: value for key, value in patch.body.items() if key != "metadata"}
    if patch.subresource == "scale":
        assert set(body) == {"spec"}
        return
    found = list(problems(schema, body))
    assert not found, (patch.target, patch.body)
    after = apply_merge(document, patch.body)
    emptied = value_at(after, ("spec", "rollout"))
    assert emptied is None or emptied, "an empty rollout is refused by minProperties"


@pytest.mark.parametrize(
    ("verb", "version"), [("scale", "v1beta1"), ("scale", "v1beta2"), ("rollout", "v1beta2")]
)
def test_topology_paths_are_in_the_schema(verb, version, installed, make, facts_of, now):
    """A list-index patch with a wrong path adds a field that nobody reads."""
    entry = {"name": "md-0", "replicas": 3}
    topology = {"workers": {"machineDeployments": [entry]}}
    cluster = make("Cluster", "c", {"spec": {"topology": topology}}, version=version)
    labels = {
        f"{CAPI}/cluster-name": "c",
        f"topology.{CAPI}/owned": "",
        f"topology.{CAPI}/deployment-name": "md-0",
    }
    more = {"metadata": {"labels": labels}, "spec": {"replicas": 3}}
    deployment = make("MachineDeployment", "md", more, version=version)
    plan = verbs.VERBS[verb].plan(facts_of(deployment, cluster), now=now, options=OPTIONS)
    schema, _ = installed[(CAPI, version, "Cluster")]
    entries = value_at(
        schema["properties"]["spec"]["properties"]["topology"],
        ("properties", "workers", "properties", "machineDeployments", "items"),
    )
    operation = plan.steps[0].patch.body[-1]
    field = operation["path"].rpartition("/")[2]
    assert not list(problems(entries, {field: operation["value"]}))
