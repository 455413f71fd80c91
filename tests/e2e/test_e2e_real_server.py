"""What only a real API server can answer: rights, schemas, its own rules.

``FLEETTUI_TEST_KUBECONFIG`` names an administrator's kubeconfig of a server on which
namespaces, definitions of ``../shared/crds`` and a role may be made; no controllers are
needed. The same server takes every action in ``test_e2e_acts``.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from transplant import Api, Refused, install

from fleettui.actions.facts import SchemaRequest
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.audit import Result
from fleettui.errors import ExitCode
from fleettui.fleet import Fleet
from fleettui.fleet.acts import person
from fleettui.fleet.hands import Hands
from fleettui.fleet.live_link import LiveLink
from fleettui.fleet.opening import Opening, open_fleet
from fleettui.fleet.outcome import StepState
from fleettui.kinds import ObjectRef

REAL = os.environ.get("FLEETTUI_TEST_KUBECONFIG", "")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not REAL, reason="FLEETTUI_TEST_KUBECONFIG names no real API server"),
]
CAPI = "cluster.x-k8s.io"
SOURCES = "source.toolkit.fluxcd.io"
NAME = f"fleettui-real-{os.getpid()}"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
VIEWER = f"{NAME}-viewer"


def deployment(namespace: str) -> dict[str, Any]:
    """A MachineDeployment as small as its definition allows."""
    pointer = {"apiGroup": f"bootstrap.{CAPI}", "kind": "KubeadmConfigTemplate", "name": "x"}
    template = {
        "clusterName": "c",
        "version": "v1.34.1",
        "bootstrap": {"configRef": pointer},
        "infrastructureRef": {
            "apiGroup": f"infrastructure.{CAPI}",
            "kind": "DevMachineTemplate",
            "name": "x",
        },
    }
    return {
        "apiVersion": f"{CAPI}/v1beta2",
        "kind": "MachineDeployment",
        "metadata": {"name": "md", "namespace": namespace},
        "spec": {
            "clusterName": "c",
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": template},
        },
    }


@pytest.fixture(scope="module")
def api(shared_folder: Path) -> Iterator[Api]:
    """The server, with definitions, two objects, and a person who may only look."""
    found = Api(Path(REAL))
    install(found, shared_folder / "crds", [CAPI, SOURCES])
    repository = {
        "apiVersion": f"{SOURCES}/v1",
        "kind": "GitRepository",
        "metadata": {"name": "repo", "namespace": NAME},
        "spec": {"url": "https://git.example.com/x", "interval": "1m"},
    }
    role = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]}
    binding = {
        "roleRef": {"apiGroup": RBAC.split("/")[2], "kind": "ClusterRole", "name": VIEWER},
        "subjects": [{"apiGroup": RBAC.split("/")[2], "kind": "User", "name": VIEWER}],
    }
    made = [
        ("/api/v1/namespaces", {"metadata": {"name": NAME}}),
        (f"/apis/{CAPI}/v1beta2/namespaces/{NAME}/machinedeployments", deployment(NAME)),
        (f"/apis/{SOURCES}/v1/namespaces/{NAME}/gitrepositories", repository),
        (f"{RBAC}/clusterroles", {"metadata": {"name": VIEWER}, **role}),
        (f"{RBAC}/clusterrolebindings", {"metadata": {"name": VIEWER}, **binding}),
    ]
    paths = []
    try:
        for collection, body in made:
            name = body["metadata"]["name"]  # type: ignore[index]  # every document has one
            found.call(collection, method="POST", body=body)
            paths.append(f"{collection}/{name}")
        yield found
    finally:
        for path in reversed(paths):
            found.call(path, method="DELETE", body={"propagationPolicy": "Background"})
        try:
            place = f"/api/v1/namespaces/{NAME}"
            document = found.call(place)
            document["spec"]["finalizers"] = []
            found.call(f"{place}/finalize", method="PUT", body=document)
        except Refused as error:
            assert error.code == 404, error  # a namespace controller was quicker


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLEETTUI_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("FLEETTUI_READ_ONLY", raising=False)


@asynccontextmanager
async def opened(kubeconfig: Path) -> AsyncIterator[Fleet]:
    """The namespace of this run, followed, as front ends open it."""
    fleet = open_fleet(Opening(kubeconfig=kubeconfig, namespace=NAME))
    await fleet.start()
    try:
        assert await fleet.wait_synced(120)
        fleet.settle()
        yield fleet
    finally:
        await fleet.close()


def objects(fleet: Fleet, kind: str) -> list[ObjectRef]:
    """This run's objects of a kind."""
    return [row.ref for row in fleet.index.rows() if row.kind == kind and row.namespace == NAME]


async def test_viewer_is_read_only_by_rights_and_told_the_rule(api: Api, tmp_path: Path) -> None:
    """A real authorizer says no before anything is sent, and whom one stands in for is seen."""
    document = yaml.safe_load(Path(REAL).read_text())
    for entry in document["users"]:
        entry["user"]["as"] = VIEWER
    kubeconfig = tmp_path / "viewer"
    kubeconfig.write_text(yaml.safe_dump(document))
    kubeconfig.chmod(0o600)
    async with opened(kubeconfig) as fleet:
        async with asyncio.timeout(30):
            while not (info := fleet.contexts()[0]).lacks:
                await asyncio.sleep(0.1)
        assert info.lacks.endswith(f"in namespace {NAME}")
        assert (info.impersonating, info.user) == (True, VIEWER)
        assert fleet.acts is not None
        (ref,) = objects(fleet, "GitRepository")
        found = await fleet.acts.plan("pause", [ref])
        assert isinstance(found, Refusal)
        assert found.missing_rule == f"patch gitrepositories.{SOURCES} in namespace {NAME}"
        assert (await fleet.acts.rights(ref))["pause"] == found.missing_rule
        assert not list(fleet.acts.journal.read())


async def test_fields_are_those_that_the_server_publishes(api: Api) -> None:
    """Both API versions are served at once, each with its own word for a rollout."""
    async with opened(Path(REAL)) as fleet:
        link = fleet.link_called(fleet.contexts()[0].name)
        assert isinstance(link, LiveLink)
        hands = Hands(lambda name: link.context)
        fields = {"v1beta1": ("spec", "rolloutAfter"), "v1beta2": ("spec", "rollout", "after")}
        for version, path in fields.items():
            request = SchemaRequest(link.name, CAPI, version, "MachineDeployment")
            schema = await hands.schema(request)
            assert schema is not None
            found = {p: schema.has(p) for p in fields.values()}
            assert found == {p: p == path for p in fields.values()}
        assert fleet.acts is not None
        (ref,) = objects(fleet, "MachineDeployment")
        plan = await fleet.acts.plan("rollout", [ref])
        assert isinstance(plan, Plan), plan
        body = plan.steps[0].patch.body
        assert list(body["spec"]) == [
            "rollout" if "v1beta2" in str(plan.targets) else "rolloutAfter"
        ]


async def test_rules_of_the_server_are_told_in_its_own_words(api: Api) -> None:
    """What a schema or a rule refuses changes nothing, and the journal says who refused it."""
    path = f"/apis/{SOURCES}/v1/namespaces/{NAME}/gitrepositories/repo"
    before = api.call(path)
    async with opened(Path(REAL)) as fleet:
        assert fleet.acts is not None
        (ref,) = objects(fleet, "GitRepository")
        plan = await fleet.acts.plan("pause", [ref])
        assert isinstance(plan, Plan), plan
        text = plan.steps[0].patch.body
        text["spec"]["suspend"] = "yes"
        outcome = await fleet.acts.execute(plan, who=person(fleet.contexts()))
        assert outcome.exit_code is ExitCode.FAILED
        assert outcome.state(0) is StepState.REJECTED
        assert "spec.suspend" in outcome.stopped_by
        results = [entry.result for entry in fleet.acts.journal.read() if entry.result]
        assert results == [Result.REJECTED]
    assert api.call(path) == before


async def test_pause_by_a_person_is_in_the_servers_own_record(api: Api) -> None:
    """The field belongs to us by name, so that git and colleagues can tell who wrote it."""
    path = f"/apis/{SOURCES}/v1/namespaces/{NAME}/gitrepositories/repo"
    async with opened(Path(REAL)) as fleet:
        assert fleet.acts is not None
        (ref,) = objects(fleet, "GitRepository")
        plan = await fleet.acts.plan("pause", [ref], Options(who="ann", reason="disk"))
        assert isinstance(plan, Plan), plan
        outcome = await fleet.acts.execute(
            plan, who=person(fleet.contexts()), why="disk", mirrors_events=True
        )
        assert outcome.exit_code is ExitCode.OK, outcome.stopped_by
        held = api.call(path)
        (claim,) = [m for m in held["metadata"]["managedFields"] if m["manager"] == "fleettui"]
        assert "f:suspend" in claim["fieldsV1"]["f:spec"]
        assert held["metadata"]["annotations"]["fleettui.dev/paused-reason"] == "disk"
        events = api.call(f"/api/v1/namespaces/{NAME}/events")["items"]
        assert [event["involvedObject"]["uid"] for event in events] == [held["metadata"]["uid"]]
        assert plan.undo is not None
        undone = await fleet.acts.execute(plan.undo, who=person(fleet.contexts()))
        assert undone.exit_code is ExitCode.OK, undone.stopped_by
    assert "suspend" not in api.call(path)["spec"]
