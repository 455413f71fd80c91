"""What comparing with git is made of: sources of check-outs, targets, artifacts, signals."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from fleettui.config import Settings
from fleettui.desired.argo_diff import ARGO_MANAGERS
from fleettui.desired.git import GitCache
from fleettui.desired.helm_diff import HELM_MANAGERS
from fleettui.desired.kustomization_diff import FLUX_MANAGERS
from fleettui.desired.sources import SourceError, Sources, Wanted
from fleettui.errors import UsageError
from fleettui.fleet.appliers import (
    APPLICATION,
    HELM_RELEASE,
    KUSTOMIZATION,
    remote_target,
    source_ref,
)
from fleettui.fleet.artifacts import read_artifact
from fleettui.fleet.diffs_of_kinds import KINDS
from fleettui.fleet.listing_reader import LIST_AFTER, LIST_OBJECTS, PAGE, ListingReader
from fleettui.fleet.local_sources import local_sources, parse_local
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.framing import read_page
from fleettui.kube.gate import Policy
from fleettui.kube.resource import Resource
from fleettui.kube.source import PageBody

CONFIG_MAP = Resource("", "v1", "configmaps", "ConfigMap")


def test_local_sources_earlier_places_win(tmp_path: Path) -> None:
    """What somebody types must beat what lies beside the kubeconfig."""
    beside = "sources: [{url: u1, path: a}, {url: u2, path: b}, {url: u3, path: c}]"
    (tmp_path / "local-sources.yaml").write_text(beside)
    settings = Settings(local_sources={"u1": Path("/s"), "u2": Path("/s")})
    found = local_sources(["u1=/t"], settings, kubeconfig=tmp_path / "kubeconfig")
    assert found == {"u1": Path("/t"), "u2": Path("/s"), "u3": tmp_path / "c"}


@pytest.mark.parametrize("text", ["sources: 1", "[]", "sources: [{url: x}]", "a: &a [*a]"])
def test_local_sources_file_that_is_wrong_is_told_by_name(tmp_path: Path, text: str) -> None:
    """A mistake in the file would otherwise look like a repository that cannot be reached."""
    (tmp_path / "local-sources.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"local-sources\.yaml"):
        local_sources([], Settings(), kubeconfig=tmp_path / "kubeconfig")


def test_local_option_divides_at_the_last_sign() -> None:
    """URLs may hold an equals sign themselves."""
    assert parse_local("https://h/x?a=b=/tmp/c") == ("https://h/x?a=b", Path("/tmp/c"))
    with pytest.raises(UsageError, match="URL=PATH"):
        parse_local("nonsense")


def _release(**spec: Any) -> dict[str, Any]:
    return {
        "kind": "HelmRelease",
        "metadata": {"namespace": "ns", "name": "web"},
        "spec": spec,
        "status": {},
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"chartRef": {"kind": "OCIRepository", "name": "c"}}, ("OCIRepository", "ns", "c")),
        (
            {"chart": {"spec": {"sourceRef": {"kind": "HelmRepository", "name": "r"}}}},
            ("HelmChart", "ns", "ns-web"),
        ),
        (
            {
                "chart": {
                    "spec": {"sourceRef": {"kind": "GitRepository", "name": "g", "namespace": "f"}}
                }
            },
            ("GitRepository", "f", "g"),
        ),
    ],
)
def test_source_of_a_release_is_where_its_chart_comes_from(
    spec: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """The wrong source would render another chart and show differences that are not there."""
    ref = source_ref(_release(**spec), "ctx")
    assert ref is not None
    assert (ref.kind, ref.namespace, ref.name) == expected


def test_remote_target_is_told_for_kubeconfigs_and_destinations() -> None:
    """Comparing with the wrong cluster would call everything missing."""
    assert remote_target({"kind": "Kustomization", "spec": {}}) == ""
    kubeconfig = {"kubeConfig": {"secretRef": {"name": "edge-kubeconfig"}}}
    assert "edge-kubeconfig" in remote_target({"kind": "Kustomization", "spec": kubeconfig})
    own = {"destination": {"server": "https://kubernetes.default.svc"}}
    assert remote_target({"kind": "Application", "spec": own}) == ""
    other = {"destination": {"server": "https://10.0.0.1:6443"}}
    assert remote_target({"kind": "Application", "spec": other}) == "https://10.0.0.1:6443"


class FakeClient:
    """Objects of one kind, counting what is asked."""

    def __init__(self, names: list[str], *, may_list: bool = True) -> None:
        self.names = names
        self.may_list = may_list
        self.gets: list[str] = []
        self.lists = 0

    async def body(self, resource: Resource, *, namespace: str, name: str) -> bytes:
        self.gets.append(name)
        if name not in self.names:
            raise ApiError("gone", fault=Fault.NOT_FOUND)
        return b'{"metadata":{"namespace":"ns","name":"%s"}}' % name.encode()

    async def read_page(self, part: Any, *, limit: int, token: str) -> PageBody:
        if not self.may_list:
            raise ApiError("no", fault=Fault.FORBIDDEN)
        self.lists += 1
        start = int(token or 0)
        shown = self.names[start : start + limit]
        left = len(self.names) - start - len(shown)
        more = {"continue": str(start + limit), "remainingItemCount": left} if left else {}
        head = {"resourceVersion": "7", **more}
        items = [{"metadata": {"namespace": "ns", "name": name}} for name in shown]
        text = json.dumps({"metadata": head, "items": items})
        return PageBody(read_page(text.encode(), where="here"))

    async def get_raw(self, path: str, **more: Any) -> bytes:
        self.gets.append(path)
        return b"archive"


class FakeContext:
    """A context that serves ConfigMaps."""

    def __init__(self, client: FakeClient, *, writes: bool = True) -> None:
        self.client = client
        self.discovery = self
        self.policy = Policy(writes=writes)

    async def resolve(self, group: str, kind: str, **more: Any) -> Resource:
        return CONFIG_MAP


async def _read_all(client: FakeClient, names: list[str]) -> list[Any]:
    reader = ListingReader(FakeContext(client))  # type: ignore[arg-type]  # what is asked is there
    return await asyncio.gather(*(reader.get("v1", "ConfigMap", "ns", name) for name in names))


async def test_listing_reader_lists_once_after_a_few_single_reads() -> None:
    """A drift board of a fleet would otherwise wait minutes for the rate limit."""
    names = [f"c{number}" for number in range(50)]
    client = FakeClient(names)
    found = await _read_all(client, [*names, "absent"])
    assert (len(client.gets), client.lists) == (LIST_AFTER, 1)
    assert found[-1] is None
    assert [item["metadata"]["name"] for item in found[:-1]] == names
    assert found[-2]["kind"] == "ConfigMap"


async def test_listing_reader_pages_and_leaves_crowded_kinds_alone() -> None:
    """A hundred thousand objects must not be read for the sake of ten."""
    names = [f"c{number}" for number in range(PAGE + 7)]
    client = FakeClient(names)
    found = await _read_all(client, [names[0], names[-1]])
    assert (client.lists, [item["metadata"]["name"] for item in found]) == (2, ["c0", names[-1]])
    crowd = FakeClient([f"c{number}" for number in range(LIST_OBJECTS + 1)])
    await _read_all(crowd, ["c0", "c1", "c2"])
    assert (crowd.lists, len(crowd.gets)) == (1, 3)


async def test_listing_reader_without_the_right_to_list_reads_one_by_one() -> None:
    """Somebody with get alone must get the same answers."""
    names = [f"c{number}" for number in range(12)]
    client = FakeClient(names, may_list=False)
    found = await _read_all(client, names)
    assert [item["metadata"]["name"] for item in found] == names
    assert (len(client.gets), client.lists) == (12, 0)


def _source(url: str) -> dict[str, Any]:
    return {"kind": "Bucket", "metadata": {"name": "b"}, "status": {"artifact": {"url": url}}}


async def test_artifact_is_read_through_the_proxy_of_its_controller() -> None:
    """Sources that are no git repository could not be compared at all."""
    client = FakeClient([])
    url = "http://source-controller.flux-system.svc.cluster.local./bucket/ns/b/x.tar.gz"
    context: Any = FakeContext(client)
    assert await read_artifact(context, _source(url)) == b"archive"
    assert client.gets == [
        "/api/v1/namespaces/flux-system/services/http:source-controller:80/proxy"
        "/bucket/ns/b/x.tar.gz"
    ]


@pytest.mark.parametrize(
    ("url", "writes", "words"),
    [
        ("http://169.254.169.254/latest/meta-data", True, "no address inside the cluster"),
        ("https://evil.example/x.tar.gz", True, "no address inside the cluster"),
        ("http://source-controller.flux-system.svc.cluster.local./b/x.tar.gz", False, "through"),
    ],
)
async def test_artifact_elsewhere_or_in_read_only_mode_is_refused(
    url: str, writes: bool, words: str
) -> None:
    """A source's status is written by others: it must not make us call any address."""
    client = FakeClient([])
    context: Any = FakeContext(client, writes=writes)
    with pytest.raises(SourceError, match=words):
        await read_artifact(context, _source(url))
    assert not client.gets


async def test_artifact_source_is_read_from_a_folder_that_stands_for_it(tmp_path: Path) -> None:
    """Where no proxy may be used, a folder of the person is the way."""
    (tmp_path / "a.yaml").write_text("a: 1\n")
    registry: dict[str, Any] = {
        "kind": "OCIRepository",
        "metadata": {"name": "policies"},
        "spec": {"url": "oci://registry.example.org/policies"},
        "status": {"artifact": {"revision": "latest@sha256:1", "digest": "sha256:1"}},
    }
    bucket = {
        **registry,
        "kind": "Bucket",
        "spec": {"endpoint": "s3.example.org", "bucketName": "b"},
    }
    addresses = {"oci://registry.example.org/policies": registry, "s3.example.org/b": bucket}
    for address, source in addresses.items():
        closed = Sources(GitCache(tmp_path / "git"))
        with pytest.raises(SourceError) as refused:
            await closed.find(source, Wanted())
        assert f"--local {address}=PATH" in refused.value.hint
        opened = Sources(GitCache(tmp_path / "git"), local={address: tmp_path})
        found = await opened.find(source, Wanted())
        assert (dict(found.tree.files), found.revision) == ({"a.yaml": b"a: 1\n"}, str(tmp_path))


def test_dry_run_applies_as_the_controller_itself() -> None:
    """As another manager nothing would be removed that git no longer has."""
    known = (
        (KUSTOMIZATION, FLUX_MANAGERS, "kustomize-controller"),
        (HELM_RELEASE, HELM_MANAGERS, "helm-controller"),
        (APPLICATION, ARGO_MANAGERS, "argocd-controller"),
    )
    for kind, managers, name in known:
        assert KINDS[kind].manager == name
        assert name in managers
