"""What was applied never differs from what is rendered, for manifests of many projects.

Once against an oracle that fills in and owns as the definitions' schemas say, and once
against the API server of FLEETTUI_TEST_KUBECONFIG, where one is given.
"""

import json
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from crd_server import CrdServer
from sample_manifests import as_files, sample_documents

from fleettui.desired.build import Builder
from fleettui.desired.desired_diff import LiveReader, NoSuchKindError, Tools
from fleettui.desired.files import FileTree
from fleettui.desired.git import GitCache
from fleettui.desired.kustomization_diff import diff_kustomization
from fleettui.desired.object_diff import Change
from fleettui.desired.render import Rendered, render_kustomization
from fleettui.desired.sources import Sources, Wanted
from fleettui.desired.substitution import Variables
from fleettui.errors import FleettuiError

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
URL = "https://git.example.org/samples.git"
MANAGER = "kustomize-controller"
NAMESPACE = "fleettui-desired"
KUBECONFIG = os.environ.get("FLEETTUI_TEST_KUBECONFIG", "")
KUSTOMIZATION: dict[str, Any] = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    "kind": "Kustomization",
    "metadata": {"name": "samples", "namespace": NAMESPACE},
    "spec": {"path": "./samples", "prune": True, "commonMetadata": {"labels": {"a": "b"}}},
}
SOURCE: dict[str, Any] = {"kind": "GitRepository", "metadata": {"name": "x"}, "spec": {"url": URL}}
MAIN = Wanted(reference="main")


@pytest.fixture(scope="module")
def files(shared_folder: Path) -> dict[str, str]:
    """The samples as files of a repository."""
    found = as_files(sample_documents(shared_folder / "samples", NAMESPACE))
    return {f"samples/{path}": text for path, text in found.items()}


@pytest.fixture(scope="module")
def server(shared_folder: Path, files: dict[str, str]) -> CrdServer:
    """A server with the definitions of the samples' kinds."""
    kinds = {
        line[6:] for text in files.values() for line in text.splitlines() if line[:6] == "kind: "
    }
    return CrdServer(shared_folder / "crds", kinds)


@pytest.fixture
def tools(make_repository: Callable[..., Path], tmp_path: Path) -> Callable[..., Tools]:
    """Makes a repository of some files and what reads it."""

    def make(files: dict[str, str]) -> Tools:
        folder = make_repository(files)
        return Tools(Sources(GitCache(tmp_path / "git", local={URL: folder})), Builder(None))

    return make


async def _rendered(files: dict[str, str]) -> tuple[Rendered, ...]:
    tree = FileTree("samples", {path: text.encode() for path, text in files.items()})
    render = await render_kustomization(KUSTOMIZATION, tree, Variables(), Builder(None))
    return render.objects


async def _differences(tools: Tools, reader: LiveReader) -> list[Any]:
    found = await diff_kustomization(KUSTOMIZATION, SOURCE, reader, tools, now=NOW, wanted=MAIN)
    assert found.error == ""
    return [
        (item.change.value, item.api_version, str(item.id), [hunk.path_text for hunk in item.hunks])
        for item in found.objects
        if item.change is not Change.UNCHANGED
    ]


async def _served(files: dict[str, str], server: CrdServer) -> dict[str, str]:
    """The files whose objects the server takes, applied."""
    taken = [item.source for item in await _rendered(files) if server.apply(item.document, MANAGER)]
    return {path: files[path] for path in taken}


async def test_samples_applied_with_defaults_never_differ(
    files: dict[str, str], server: CrdServer, tools: Callable[..., Tools]
) -> None:
    """A false difference on an untouched object makes everybody ignore the true ones."""
    chosen = await _served(files, server)
    versions = {text.partition("\n")[0] for text in chosen.values()}
    assert len(chosen) > 330
    assert "apiVersion: cluster.x-k8s.io/v1beta1" in versions
    assert "apiVersion: cluster.x-k8s.io/v1beta2" in versions
    documents = [item.document for item in await _rendered(chosen)]
    filled = [one for one in documents if server.stored(one).get("spec") != one.get("spec")]
    assert len(filled) > 100
    assert await _differences(tools(chosen), server) == []


def _list_maps(value: Any, fields: Any, path: str = "") -> Iterator[tuple[Any, str, str]]:
    """Scalars that our manager owns inside items of list-maps: holder, field and its path."""
    if isinstance(value, list):
        for item in value:
            for element, inner in fields.items():
                keys = json.loads(element[2:]) if element.startswith("k:") else None
                if keys is None or any(item.get(name) != given for name, given in keys.items()):
                    continue
                named = ",".join(f"{name}={given}" for name, given in sorted(keys.items()))
                place = f"{path}[{named}]"
                for name, found in item.items():
                    is_ours = f"f:{name}" in inner and name not in keys
                    if is_ours and isinstance(found, str):
                        yield item, name, f"{place}.{name}"
                yield from _list_maps(item, inner, place)
    elif isinstance(value, dict):
        for name, found in value.items():
            if f"f:{name}" in fields:
                inner_path = f"{path}.{name}" if path else name
                yield from _list_maps(found, fields[f"f:{name}"], inner_path)


async def test_samples_edited_inside_a_list_map_give_one_hunk_and_its_commit(
    files: dict[str, str], server: CrdServer, tools: Callable[..., Tools], run_git: Any
) -> None:
    """Whoever is woken needs the one field that differs, and whom to ask about it."""
    chosen = await _served(files, server)
    ready = tools(chosen)
    edited = 0
    for item in await _rendered(chosen):
        stored = server.stored(item.document)
        owned = stored["metadata"]["managedFields"][0]["fieldsV1"]
        place = next(_list_maps(stored, owned), None)
        if place is None or edited > 12:
            continue
        holder, name, path = place
        before, holder[name] = holder[name], "by-hand"
        found = await diff_kustomization(KUSTOMIZATION, SOURCE, server, ready, now=NOW, wanted=MAIN)
        holder[name] = before
        (changed,) = [one for one in found.objects if one.change is not Change.UNCHANGED]
        assert (changed.id, [hunk.path_text for hunk in changed.hunks]) == (item.id, [path])
        behind = found.provenance[item.source]
        assert behind.commit is not None
        assert (behind.commit.author, behind.commit.subject) == ("Ada", "First version")
        edited += 1
    assert edited > 5


class RealServer:
    """An API server with the right to get alone, and an administrator who applies."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._resources: dict[str, dict[str, Any]] = {}
        self.applied: list[str] = []

    async def resource(self, api_version: str, kind: str) -> dict[str, Any] | None:
        """How a kind is served, None if it is not."""
        if api_version not in self._resources:
            root = "/apis" if "/" in api_version else "/api"
            async with self._session.get(f"{self._url}{root}/{api_version}") as answer:
                listed = (await answer.json()).get("resources") or [] if answer.ok else []
            self._resources[api_version] = {
                item["kind"]: item for item in listed if "/" not in item["name"]
            }
        return self._resources[api_version].get(kind)

    async def path(self, api_version: str, kind: str, namespace: str, name: str) -> str:
        """Where an object is."""
        resource = await self.resource(api_version, kind)
        if resource is None:
            raise NoSuchKindError(f"{kind} is not served")
        root = "/apis" if "/" in api_version else "/api"
        place = f"/namespaces/{namespace}" if resource["namespaced"] else ""
        return f"{self._url}{root}/{api_version}{place}/{resource['name']}/{name}"

    async def apply(self, item: Rendered) -> bool:
        """Applies an object as the controller does; whether the server took it."""
        one = item.id
        url = await self.path(item.api_version, one.kind, one.namespace, one.name)
        async with self._session.patch(
            url,
            params={"fieldManager": MANAGER, "force": "true"},
            data=json.dumps(item.document),
            headers={"Content-Type": "application/apply-patch+yaml"},
        ) as answer:
            if answer.ok:
                self.applied.append(url)
            return answer.ok

    async def edit(self, item: Rendered, patch: Any) -> None:
        """One edit of a person."""
        one = item.id
        url = await self.path(item.api_version, one.kind, one.namespace, one.name)
        async with self._session.patch(
            url,
            params={"fieldManager": "kubectl-edit"},
            data=json.dumps(patch),
            headers={"Content-Type": "application/strategic-merge-patch+json"},
        ) as answer:
            assert answer.ok, await answer.text()

    async def get(
        self, api_version: str, kind: str, namespace: str, name: str
    ) -> dict[str, Any] | None:
        """An object; of a Secret the metadata."""
        url = await self.path(api_version, kind, namespace, name)
        partial = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        accept = partial if kind == "Secret" else "application/json"
        async with self._session.get(url, headers={"Accept": accept}) as answer:
            if answer.status == 404:
                return None
            if not answer.ok:
                raise FleettuiError(await answer.text())
            found: dict[str, Any] = await answer.json()
            return found

    async def converts(self) -> bool:
        """Whether the old versions of Cluster API are converted by their webhook."""
        name = "kubeadmconfigtemplates.bootstrap.cluster.x-k8s.io"
        url = f"{self._url}/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
        async with self._session.get(url) as answer:
            found = (await answer.json()).get("spec", {}) if answer.ok else {}
        return bool(found.get("conversion", {}).get("strategy") == "Webhook")

    async def clear(self) -> None:
        """Takes away what was applied here."""
        for url in self.applied:
            async with self._session.delete(url):
                pass


@pytest.fixture
async def real() -> AsyncIterator[RealServer]:
    """The server of FLEETTUI_TEST_KUBECONFIG."""
    document = yaml.safe_load(Path(KUBECONFIG).read_text())
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    token = document["users"][0]["user"]["token"]
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {token}"}, connector=aiohttp.TCPConnector(ssl=trust)
    ) as session:
        server = RealServer(session, document["clusters"][0]["cluster"]["server"])
        async with session.post(
            f"{document['clusters'][0]['cluster']['server']}/api/v1/namespaces",
            json={"metadata": {"name": NAMESPACE}},
        ) as answer:
            assert answer.status in (201, 409)
        yield server
        await server.clear()


CONVERTED = ("cluster.x-k8s.io/v1beta1",)
"""Versions that a server without their conversion webhook stores with a loss."""
INERT = ("Template", "ClusterClass", "KubeadmConfig")
"""Kinds of those versions that no controller acts on by itself."""

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: fleettui-web, namespace: fleettui-desired}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example.org/web:1
        env: [{name: LEVEL, value: info}, {name: REGION, value: eu}]
        resources: {requests: {cpu: "0.5", memory: 1024Mi}}
        ports: [{containerPort: 8080}]
"""


@pytest.mark.skipif(not KUBECONFIG, reason="FLEETTUI_TEST_KUBECONFIG names no server")
async def test_samples_on_a_real_server_never_differ_and_an_edit_is_one_hunk(
    files: dict[str, str], tools: Callable[..., Tools], real: RealServer
) -> None:
    """Nothing proves a prediction of a server but the server."""
    files = {**files, "samples/web.yaml": WEB}
    rendered = await _rendered(files)
    taken: dict[str, str] = {}
    converts = await real.converts()
    for item in rendered:
        resource = await real.resource(item.api_version, item.id.kind)
        is_converted = item.api_version.endswith(CONVERTED)
        if resource is None or not resource["namespaced"]:
            continue
        if is_converted and not (converts and item.id.kind.endswith(INERT)):
            continue
        if converts and not is_converted and "cluster.x-k8s.io/" in item.api_version:
            continue  # its controllers would begin to work
        if await real.apply(item):
            taken[item.source] = files[item.source]
    assert len(taken) > (10 if converts else 200)
    ready = tools(taken)
    assert await _differences(ready, real) == []
    (web,) = [item for item in rendered if item.source == "samples/web.yaml"]
    env = [{"name": "REGION", "value": "us"}]
    inner = {"containers": [{"name": "web", "env": env}]}
    await real.edit(web, {"spec": {"template": {"spec": inner}}})
    path = "spec.template.spec.containers[name=web].env[name=REGION].value"
    assert await _differences(ready, real) == [("changed", "apps/v1", str(web.id), [path])]
