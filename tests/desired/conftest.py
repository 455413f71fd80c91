"""Recorded clusters and small repositories for tests of desired state."""

import copy
import gzip
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleettui.desired.build import Builder
from fleettui.desired.desired_diff import NoSuchKindError, Tools
from fleettui.desired.git import GitCache
from fleettui.desired.sources import Sources

Document = dict[str, Any]


class FakeReader:
    """Live objects from a list; a small stand-in for a cluster."""

    def __init__(self, documents: list[Document]) -> None:
        self.kinds: set[tuple[str, str]] = {
            ("v1", "ConfigMap"),
            ("v1", "Secret"),
            ("v1", "Service"),
            ("v1", "Namespace"),
            ("apps/v1", "Deployment"),
        }
        self.documents: dict[tuple[str, str, str, str], Document] = {}
        self.reads: list[str] = []
        for document in documents:
            self.add(document)

    def add(self, document: Document) -> None:
        """Adds or replaces an object."""
        self.kinds.add((document["apiVersion"], document["kind"]))
        self.documents[self._key(document)] = document

    @staticmethod
    def _key(document: Document) -> tuple[str, str, str, str]:
        metadata = document["metadata"]
        group = document["apiVersion"].rpartition("/")[0]
        return group, document["kind"], metadata.get("namespace", ""), metadata["name"]

    async def get(
        self, api_version: str, kind: str, namespace: str, name: str
    ) -> Mapping[str, object] | None:
        """An object, as the protocol says."""
        self.reads.append(f"{kind}/{namespace}/{name}")
        if (api_version, kind) not in self.kinds:
            raise NoSuchKindError(f'no matches for kind "{kind}" in version "{api_version}"')
        found = self.documents.get((api_version.rpartition("/")[0], kind, namespace, name))
        return copy.deepcopy(found) if found else None


class Recording:
    """One recorded set of objects."""

    def __init__(self, folder: Path) -> None:
        self.reader = FakeReader([])
        self.reader.kinds.clear()
        for path in sorted(folder.glob("*.json.gz")):
            listing = json.loads(gzip.decompress(path.read_bytes()))
            kind, version = listing["kind"].removesuffix("List"), listing["apiVersion"]
            if kind == "PartialObjectMetadata":
                kind, version = "Secret", "v1"
            self.reader.kinds.add((version, kind))
            for item in listing["items"]:
                document = {**item, "apiVersion": version, "kind": kind}
                self.reader.documents[FakeReader._key(document)] = document | {
                    "kind": item.get("kind", kind)
                }

    def find(self, kind: str, namespace: str, name: str) -> Document:
        """The one object of a kind and name."""
        return next(
            document
            for (_, found, space, called), document in self.reader.documents.items()
            if (found, space, called) == (kind, namespace, name)
        )


@pytest.fixture(scope="session")
def flux_folder(shared_folder: Path) -> Path:
    """Recordings of real Flux controllers."""
    return shared_folder / "recordings" / "flux"


@pytest.fixture(scope="session")
def recordings(flux_folder: Path) -> dict[str, Recording]:
    """The recorded sets by name."""
    folders = {"healthy": "healthy", "incidents": "incidents", "edge-1": "healthy/remote/edge-1"}
    return {name: Recording(flux_folder / folder / "objects") for name, folder in folders.items()}


@pytest.fixture
def bundles(flux_folder: Path) -> dict[str, Path]:
    """Recorded repositories by the URL that the sources name."""
    return {
        f"http://127.0.0.1:18080/{path.stem}.git": path
        for path in (flux_folder / "git").glob("*.bundle")
    }


@pytest.fixture
def bundle_tools(bundles: dict[str, Path], tmp_path: Path) -> Tools:
    """Sources and builder over the recorded repositories."""
    cache = GitCache(tmp_path / "git", local=bundles)
    return Tools(Sources(cache), Builder(tmp_path / "builds"))


def git(folder: Path, *arguments: str) -> str:
    """Output of a git command, with a fixed identity and date."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_DATE": "2026-11-01T10:00:00+00:00" for who in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


MakeRepository = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def make_repository(tmp_path: Path) -> MakeRepository:
    """Makes a repository with one commit from paths and texts."""

    def make(files: Mapping[str, str]) -> Path:
        folder = tmp_path / "repository"
        folder.mkdir(exist_ok=True)
        git(folder, "init", "--quiet")
        commit_files(folder, files, "First version")
        return folder

    return make


@pytest.fixture(name="run_git")
def _run_git() -> Callable[..., str]:
    """The git command."""
    return git


@pytest.fixture(name="commit_files")
def _commit_files() -> Callable[[Path, Mapping[str, str], str], str]:
    """Commits files into a folder."""
    return commit_files


@pytest.fixture
def make_reader() -> Callable[[list[Document]], FakeReader]:
    """Makes a reader of some objects."""
    return FakeReader


def commit_files(folder: Path, files: Mapping[str, str], subject: str) -> str:
    """Writes files, commits everything and answers the commit."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", subject)
    return git(folder, "rev-parse", "HEAD")
