"""A Kustomization's next sync is foretold as a whole: what it makes, changes and deletes."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleettui.desired.build import Builder
from fleettui.desired.desired_diff import DesiredDiff, Mode, Tools, with_provenance
from fleettui.desired.git import GitCache
from fleettui.desired.kustomization_diff import diff_kustomization
from fleettui.desired.sources import Sources, Wanted
from fleettui.errors import FleettuiError, RefusedError

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
URL = "https://git.example.org/fleet.git"
SOURCE: dict[str, Any] = {
    "kind": "GitRepository",
    "metadata": {"name": "fleet"},
    "spec": {"url": URL},
    "status": {},
}
OWNED = {
    "kustomize.toolkit.fluxcd.io/name": "app",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
}


def _kustomization(**spec: Any) -> dict[str, Any]:
    names = ("settings", "old", "kept", "foreign", "gone")
    entries = [{"id": f"prod_{name}__ConfigMap", "v": "v1"} for name in names]
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "app", "namespace": "flux-system"},
        "spec": {"path": "./app", "prune": True, **spec},
        "status": {"inventory": {"entries": entries}},
    }


def _config(name: str, *, value: str = "1", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "prod", "labels": OWNED, **metadata},
        "data": {"a": value},
    }


MANIFEST = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: prod}\ndata: {a: '1'}\n"
)


@pytest.fixture
def tools(make_repository: Callable[..., Path], tmp_path: Path) -> Tools:
    """Tools over a repository with one ConfigMap."""
    folder = make_repository({"app/a.yaml": MANIFEST})
    return Tools(Sources(GitCache(tmp_path / "git", local={URL: folder})), Builder(None))


async def _diff(
    kustomization: dict[str, Any], reader: Any, tools: Tools, **more: Any
) -> DesiredDiff:
    more.setdefault("wanted", Wanted(reference="main"))
    return await diff_kustomization(kustomization, SOURCE, reader, tools, now=NOW, **more)


def _summary(found: DesiredDiff) -> dict[str, str]:
    return {item.id.name: item.change.value for item in found.objects}


def _cluster(make_reader: Callable[..., Any]) -> Any:
    foreign = {**OWNED, "kustomize.toolkit.fluxcd.io/name": "other"}
    kept = {"kustomize.toolkit.fluxcd.io/prune": "Disabled"}
    return make_reader(
        [
            _config("settings", value="2"),
            _config("old"),
            _config("kept", annotations=kept),
            _config("foreign", labels=foreign),
        ]
    )


async def test_sync_prunes_what_git_dropped_but_not_what_is_protected(
    make_reader: Callable[..., Any], tools: Tools
) -> None:
    """A deletion that is not foretold, or foretold wrongly, costs data or trust."""
    found = await _diff(_kustomization(), _cluster(make_reader), tools)
    assert _summary(found) == {
        "old": "pruned",
        "settings": "changed",
        "foreign": "ignored",
        "kept": "ignored",
    }
    assert found.objects[0].change.value == "pruned"
    reasons = {item.id.name: item.reason for item in found.objects}
    assert reasons["kept"] == "kustomize.toolkit.fluxcd.io/prune: disabled (in the cluster)"
    assert reasons["foreign"] == "owned by Kustomization flux-system/other"
    assert found.has_differences
    assert not found.has_errors


@pytest.mark.parametrize("spec", [{"prune": False}, {"deletionPolicy": "Orphan"}])
async def test_sync_without_pruning_deletes_nothing(
    spec: dict[str, Any], make_reader: Callable[..., Any], tools: Tools
) -> None:
    """Without prune the controller leaves things behind."""
    found = await _diff(_kustomization(**spec), _cluster(make_reader), tools)
    assert _summary(found) == {"settings": "changed"}


async def test_sync_that_cannot_be_rendered_prunes_nothing(
    make_reader: Callable[..., Any], tools: Tools
) -> None:
    """An empty render must never look like the deletion of everything."""
    found = await _diff(_kustomization(path="./nowhere"), _cluster(make_reader), tools)
    assert found.objects == ()
    assert "path ./nowhere does not exist" in found.error
    assert (found.has_errors, found.has_differences) == (True, False)


async def test_object_that_may_not_be_read_is_an_error_in_its_row_only(
    make_reader: Callable[..., Any], tools: Tools
) -> None:
    """One forbidden kind must not hide the rest, nor count as equal."""
    cluster = _cluster(make_reader)

    class Partly:
        async def get(self, version: str, kind: str, namespace: str, name: str) -> Any:
            if name == "settings":
                raise RefusedError("configmaps is forbidden")
            return await cluster.get(version, kind, namespace, name)

    found = await _diff(_kustomization(), Partly(), tools)
    assert _summary(found)["settings"] == "error"
    assert _summary(found)["old"] == "pruned"
    assert found.has_errors


async def test_dry_run_shows_what_the_server_answers(
    make_reader: Callable[..., Any], tools: Tools
) -> None:
    """Webhooks and defaults that only the server knows are seen in dry-run mode."""
    asked: list[str] = []

    async def answer(manifest: Any) -> dict[str, Any]:
        asked.append(manifest["metadata"]["name"])
        return {**_config("settings", value="1"), "data": {"a": "1", "added": "by a webhook"}}

    found = await _diff(_kustomization(), _cluster(make_reader), tools, dry_run_apply=answer)
    assert found.mode is Mode.DRY_RUN
    assert asked == ["settings"]
    settings = next(item for item in found.objects if item.id.name == "settings")
    assert [hunk.path_text for hunk in settings.hunks] == ["data.a", "data.added"]


@pytest.mark.parametrize(
    ("complaint", "change"),
    [
        ("spec.selector: Invalid value: field is immutable", "immutable"),
        ("admission webhook denied the request", "refused"),
    ],
)
async def test_dry_run_that_the_server_refuses_is_told(
    complaint: str, change: str, make_reader: Callable[..., Any], tools: Tools
) -> None:
    """The sync would fail with these words."""

    async def refuse(manifest: Any) -> dict[str, Any]:
        raise FleettuiError(complaint)

    found = await _diff(_kustomization(), _cluster(make_reader), tools, dry_run_apply=refuse)
    settings = next(item for item in found.objects if item.id.name == "settings")
    assert (settings.change.value, settings.reason) == (change, complaint)


async def test_dry_run_that_was_none_is_an_error(
    make_reader: Callable[..., Any], tools: Tools
) -> None:
    """A foreign API server may ignore the parameter: then the answer must not look like one."""

    async def store(manifest: Any) -> dict[str, Any]:
        stored = _config("settings", value="1")
        return {**stored, "metadata": {**stored["metadata"], "resourceVersion": "8"}}

    found = await _diff(_kustomization(), _cluster(make_reader), tools, dry_run_apply=store)
    settings = next(item for item in found.objects if item.id.name == "settings")
    assert settings.change.value == "error"
    assert "dry run" in settings.reason


async def test_live_objects_are_read_at_the_version_of_the_manifest(
    make_repository: Callable[..., Path], make_reader: Callable[..., Any], tmp_path: Path
) -> None:
    """git may hold v1beta1 where the server stores v1beta2: only one of them compares."""
    text = (
        "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\n"
        "metadata: {name: c, namespace: prod}\nspec: {paused: true}\n"
    )
    folder = make_repository({"app/a.yaml": text})
    tools = Tools(Sources(GitCache(tmp_path / "git", local={URL: folder})), Builder(None))
    asked: list[str] = []

    class Reader:
        async def get(self, version: str, kind: str, namespace: str, name: str) -> Any:
            asked.append(version)
            return {
                "apiVersion": version,
                "kind": kind,
                "metadata": {"name": name, "namespace": namespace, "labels": OWNED},
                "spec": {"paused": True},
            }

    found = await _diff({**_kustomization(), "status": {}}, Reader(), tools)
    assert (_summary(found), asked) == ({"c": "unchanged"}, ["cluster.x-k8s.io/v1beta1"])


async def test_provenance_of_many_is_one_walk_and_the_same_as_of_each(
    make_reader: Callable[..., Any], tools: Tools
) -> None:
    """A board of a thousand rows must not ask git a thousand times."""
    single = await _diff(_kustomization(), _cluster(make_reader), tools)
    bare_tools = Tools(tools.sources, tools.builder, blames=False)
    bare = [await _diff(_kustomization(), _cluster(make_reader), bare_tools) for _ in range(3)]
    assert all(not item.provenance for item in bare)
    many = await with_provenance(bare)
    assert [item.provenance for item in many] == [single.provenance] * 3
    commit = single.provenance["app/a.yaml"].commit
    assert commit is not None
    assert (commit.author, commit.subject) == ("Ada", "First version")
