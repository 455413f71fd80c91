"""What the source controllers of a management cluster serve: archives of manifests.

Packs the artifacts of sources that are no git repository, writes their true digests into the
objects, and answers for them behind the API server's proxy of their service.

Source: Flux source API v1 `status.artifact`; pkg/tar (regular files only).
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fleettui.demo.apiserver.backends import Backends
from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.store import Store
from fleettui.demo.world.catalogue import resource_of
from fleettui.demo.world.manifests import owned_manifests
from fleettui.demo.world.platform import platform_drafts
from fleettui.demo.world.providers import data_file

_NAMESPACE = "flux-system"
_SOURCE = "source.toolkit.fluxcd.io"


def serve_artifacts(store: Store, backends: Backends) -> None:
    """Put the platform's artifacts behind their controllers' services."""
    policies = {"policies.yaml": owned_manifests(platform_drafts(), "policies")}
    infrastructure = {
        path.removeprefix("infrastructure/"): text
        for path, text in data_file("git.yaml").items()
        if path.startswith("infrastructure/controllers/")
    }
    told = (
        ("source-controller", "OCIRepository", "policies", policies),
        ("source-watcher", "ExternalArtifact", "monitoring", infrastructure),
    )
    for service, kind, name, files in told:
        archive = packed(files)
        try:
            document = store.mutate(
                resource_of(_SOURCE, kind),
                _NAMESPACE,
                name,
                lambda own, archive=archive: _record(own, archive),  # type: ignore[misc]  # mypy cannot type a lambda's default
                manager=service,
                subresource="status",
            )
        except ApiError:
            continue  # this fleet does not have it
        path = str(document["status"]["artifact"]["path"])
        backends.add((_NAMESPACE, service, 80), {path: archive})


def packed(files: Mapping[str, str]) -> bytes:
    """A `.tar.gz` of some files, the same for the same files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path, text in sorted(files.items()):
            content = text.encode()
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def _record(document: dict[str, Any], archive: bytes) -> None:
    artifact = document["status"]["artifact"]
    artifact["digest"] = f"sha256:{sha256(archive).hexdigest()}"
    artifact["size"] = len(archive)
