"""Commits to the fleet's repository take effect: sources move, changed manifests are applied.

Source: source-controller and kustomize-controller as far as a person sees them.
"""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any, Protocol

import yaml

from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.world.catalogue import resource_of_document
from fleettui.demo.world.conditions import modern, modern_of, put

_POLL_S = 2.0
_SOURCE = "source.toolkit.fluxcd.io"
_KUSTOMIZE = "kustomize.toolkit.fluxcd.io"


class Repository(Protocol):
    """The repository as it is read here; implemented by demo.git.FleetRepository."""

    def head(self) -> str:
        """Commit at the tip of main."""
        ...

    def changed_files(self, old: str, new: str) -> list[str]:
        """Paths that differ between two commits."""
        ...

    def read(self, commit: str, path: str) -> str | None:
        """A file's text at a commit."""
        ...


async def follow_repository(kit: Kit, repository: Repository) -> None:
    """Look every two seconds for new commits and let them take effect, until cancelled."""
    seen = await asyncio.to_thread(repository.head)
    while True:
        await asyncio.sleep(_POLL_S)
        try:
            head = await asyncio.to_thread(repository.head)
        except (OSError, subprocess.SubprocessError):
            continue
        if head != seen:
            await take_effect(kit, repository, seen, head)
            seen = head


async def take_effect(kit: Kit, repository: Repository, old: str, new: str) -> None:
    """Move sources and Kustomizations to a commit and apply what changed."""
    changed = await asyncio.to_thread(repository.changed_files, old, new)
    revision = f"main@sha1:{new}"
    sources = set()
    for source in kit.all_of(_SOURCE, "GitRepository", None):
        if not _follows(source):
            continue
        sources.add((source["metadata"]["namespace"], source["metadata"]["name"]))
        kit.change_status(source, lambda own: _fetch(kit, own, revision, new))
    await kit.pace.wait(0.3)
    for kustomization in kit.all_of(_KUSTOMIZE, "Kustomization", None):
        if _source_of(kustomization) not in sources or not _is_applied(kustomization):
            continue
        path = kustomization["spec"].get("path", "./").removeprefix("./").rstrip("/")
        own = [file for file in changed if file.startswith(f"{path}/")]
        if own and "kubeConfig" not in kustomization["spec"]:
            for file in own:
                text = await asyncio.to_thread(repository.read, new, file)
                _apply_file(kit, kustomization, file, text)
        kit.change_status(
            kustomization,
            lambda document: _applied(kit, document, revision),
            manager="gotk-kustomize-controller",
        )
        await kit.pace.wait(0.0)


def _follows(source: Document) -> bool:
    spec = source["spec"]
    ready: Document = next(iter(source.get("status", {}).get("conditions", ())), {})
    return (
        not spec.get("suspend")
        and spec.get("ref", {}).get("branch") == "main"
        and spec["url"].endswith("/fleet.git")
        and ready.get("status") != "False"
        and "artifact" in source.get("status", {})
    )


def _source_of(kustomization: Document) -> tuple[str, str]:
    reference = kustomization["spec"]["sourceRef"]
    own = kustomization["metadata"]["namespace"]
    return reference.get("namespace", own), reference["name"]


def _is_applied(kustomization: Document) -> bool:
    conditions = kustomization.get("status", {}).get("conditions", ())
    ready = next((item for item in conditions if item["type"] == "Ready"), None)
    return not kustomization["spec"].get("suspend") and bool(ready and ready["status"] == "True")


def _fetch(kit: Kit, own: Document, revision: str, commit: str) -> None:
    artifact = own["status"]["artifact"]
    old = artifact["revision"].rpartition(":")[2]
    for key in ("path", "url"):
        artifact[key] = artifact[key].replace(old, commit)
    artifact |= {"revision": revision, "lastUpdateTime": kit.now()}
    text = f"stored artifact for revision '{revision}'"
    where = {"at": kit.now(), "generation": own["metadata"].get("generation", 1)}
    for kind in ("Ready", "ArtifactInStorage"):
        put(modern_of(own), modern(kind, "True", "Succeeded", text, **where))


def _applied(kit: Kit, own: Document, revision: str) -> None:
    status = own["status"]
    status["lastAppliedRevision"] = status["lastAttemptedRevision"] = revision
    where = {"at": kit.now(), "generation": own["metadata"].get("generation", 1)}
    text = f"Applied revision: {revision}"
    put(modern_of(own), modern("Ready", "True", "ReconciliationSucceeded", text, **where))
    status["observedGeneration"] = where["generation"]


def _apply_file(kit: Kit, kustomization: Document, file: str, text: str | None) -> None:
    if text is None or not file.endswith((".yaml", ".yml")) or file.endswith("kustomization.yaml"):
        return
    try:
        documents: list[Any] = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return
    target = kustomization["spec"].get("targetNamespace")
    owner = kustomization["metadata"]
    for document in documents:
        if isinstance(document, dict) and document.get("kind"):
            if target:
                document.setdefault("metadata", {})["namespace"] = target
            labels = document["metadata"].setdefault("labels", {})
            labels[f"{_KUSTOMIZE}/name"] = owner["name"]
            labels[f"{_KUSTOMIZE}/namespace"] = owner["namespace"]
            _apply(kit, document)


def _apply(kit: Kit, document: Document) -> None:
    try:
        resource = resource_of_document(document)
        kit.store.apply(resource, document, manager="kustomize-controller", force=True)
    except (ApiError, KeyError):
        return
