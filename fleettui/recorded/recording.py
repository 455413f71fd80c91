"""A recorded cluster: objects of files as one read-only context.

Knows folders of lists, ``clusterctl move --to-directory`` folders, must-gather
trees and single files: all of them are files that hold objects, so one walk
serves them. An object found twice (two served versions, two moments) is kept
once: the version that the table prefers, then the newest resourceVersion.
Objects of different API servers in one folder (their kube-system Namespaces
have different uids) become contexts of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleettui.errors import FleettuiError, UnreadableError
from fleettui.kinds import KindTable
from fleettui.kinds.moments import unix_seconds
from fleettui.kinds.record import ObjectKey
from fleettui.recorded.documents import Document, is_readable_name, read_documents

MAX_FILES = 200_000
_EVENT_GROUPS = ("", "events.k8s.io")


@dataclass(slots=True)
class Recording:
    """One recorded cluster."""

    name: str
    path: Path
    objects: dict[ObjectKey, Document] = field(default_factory=dict)
    """Every object but Events, insertion order = order of files."""
    events: list[Document] = field(default_factory=list)
    taken_at: int = 0
    """The latest moment that any object mentions as past, Unix seconds."""
    files: int = 0
    skipped: list[str] = field(default_factory=list)
    """Files that hold no objects and were not meant to, each with the reason."""
    broken: list[str] = field(default_factory=list)
    """Files and objects that could not be read whole, each with the reason: what they held
    is missing."""


def open_recordings(path: Path, table: KindTable) -> list[Recording]:
    """Every cluster recorded under a file or folder, the largest first.

    Raises:
        UnreadableError: there is nothing there, a single file is broken, or no file of the
            folder holds an object.
    """
    if not path.exists():
        raise UnreadableError("does not exist", where=str(path), hint="give a file or a folder")
    if path.is_file():
        recording = Recording(name=_label(path), path=path, files=1)
        _add(recording, read_documents(path), table, path)
        recordings = [recording]
    else:
        recordings = _open_folder(path, table)
    found = [recording for recording in recordings if recording.objects or recording.events]
    if not found:
        broken = [reason for recording in recordings for reason in recording.broken]
        if broken:
            raise UnreadableError(
                "holds no objects in files that can be read whole",
                where=str(path),
                hint=f"the first that cannot: {broken[0]}",
            )
        raise UnreadableError(
            "holds no Kubernetes objects",
            where=str(path),
            hint="record some with: kubectl get clusters,machines -A -o yaml > fleet.yaml",
        )
    for recording in found:
        recording.taken_at = _moment_of(recording)
    return sorted(found, key=lambda recording: -len(recording.objects))


def _label(path: Path) -> str:
    name = path.name
    for suffix in (".gz", ".json", ".yaml", ".yml", ".jsonl"):
        name = name.removesuffix(suffix)
    return name or str(path)


def _open_folder(path: Path, table: KindTable) -> list[Recording]:
    root = Recording(name=_label(path.resolve()), path=path)
    owners = {path: root}
    for folder in _cluster_folders(path, table):
        relative = folder.relative_to(path).as_posix()
        owners[folder] = Recording(name=f"{root.name}/{relative}", path=folder)
    for file in _files(path):
        owner = next(owners[parent] for parent in file.parents if parent in owners)
        if not is_readable_name(file):
            owner.skipped.append(f"{file}: not JSON or YAML")
            continue
        owner.files += 1
        try:
            if not _add(owner, read_documents(file), table, file):
                owner.skipped.append(f"{file}: holds no objects")
        except FleettuiError as exc:
            owner.broken.append(str(exc))
    return list(owners.values())


def _files(path: Path) -> Iterator[Path]:
    count = 0
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.is_symlink():
            count += 1
            if count > MAX_FILES:
                raise UnreadableError(
                    f"holds more than {MAX_FILES} files",
                    where=str(path),
                    hint="name one below",
                )
            yield file


def _cluster_folders(path: Path, table: KindTable) -> Iterator[Path]:
    """Folders that hold another API server's kube-system Namespace than the rest."""
    seen: dict[str, Path] = {}
    for file in _files(path):
        if "namespaces" not in file.name or not is_readable_name(file):
            continue
        try:
            uids = [
                str(_metadata(document).get("uid", ""))
                for document in read_documents(file)
                if document.get("kind") == "Namespace"
                and _metadata(document).get("name") == "kube-system"
            ]
        except FleettuiError:  # told again, with its reason, when the file is read for good
            continue
        for uid in uids:
            if uid not in seen and seen:
                folder = file.parent
                yield folder.parent if folder.name in ("objects", "lists") else folder
            seen.setdefault(uid, file)


def _metadata(document: Document) -> Mapping[str, Any]:
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def split_api_version(api_version: str) -> tuple[str, str]:
    """Group and version of an apiVersion; the core group is empty."""
    group, _, version = api_version.rpartition("/")
    return group, version


def _add(recording: Recording, documents: Iterator[Document], table: KindTable, file: Path) -> int:
    count = 0
    for document in documents:
        if document.get("kind") == "PartialObjectMetadata":
            found = _named_by_file(document, file, table)
            if found is None:
                continue
            document = found
        count += 1
        group, _ = split_api_version(str(document["apiVersion"]))
        kind = str(document["kind"])
        metadata = _metadata(document)
        if kind == "Event" and group in _EVENT_GROUPS:
            recording.events.append(document)
            continue
        key = ObjectKey(group, kind, str(metadata.get("namespace") or ""), str(metadata["name"]))
        if document.get("__deleted__"):
            recording.objects.pop(key, None)
            continue
        known = recording.objects.get(key)
        if known is None or _is_better(document, known, table, group, kind):
            recording.objects[key] = document
    return count


def _named_by_file(document: Document, file: Path, table: KindTable) -> Document | None:
    """Metadata-only lists do not name their kind; the file's name does: ``core_v1_secrets``."""
    plural = file.name.partition(".json")[0].removesuffix(".metadata").rpartition("_")[2]
    specs = table.find(plural)
    if len(specs) != 1:
        return None
    spec = specs[0]
    version = spec.versions[0] if spec.versions else "v1"
    api_version = f"{spec.group}/{version}" if spec.group else version
    return {**document, "apiVersion": api_version, "kind": spec.kind}


def _is_better(new: Document, old: Document, table: KindTable, group: str, kind: str) -> bool:
    spec = table.spec_for(group, kind)
    preferred: Sequence[str] = spec.versions if spec else ()

    def rank(document: Document) -> int:
        version = split_api_version(str(document["apiVersion"]))[1]
        return preferred.index(version) if version in preferred else len(preferred)

    def revision(document: Document) -> int:
        text = str(_metadata(document).get("resourceVersion") or "")
        return int(text) if text.isdecimal() else 0

    if rank(new) != rank(old):
        return rank(new) < rank(old)
    return revision(new) > revision(old)


def _moment_of(recording: Recording) -> int:
    latest = 0
    for document in (*recording.objects.values(), *recording.events):
        metadata = _metadata(document)
        latest = max(latest, unix_seconds(metadata.get("creationTimestamp")))
        fields = metadata.get("managedFields")
        for entry in fields if isinstance(fields, list) else ():
            if isinstance(entry, Mapping):
                latest = max(latest, unix_seconds(entry.get("time")))
        status = document.get("status")
        conditions = status.get("conditions") if isinstance(status, Mapping) else None
        for condition in conditions if isinstance(conditions, list) else ():
            if isinstance(condition, Mapping):
                latest = max(latest, unix_seconds(condition.get("lastTransitionTime")))
        latest = max(latest, unix_seconds(document.get("lastTimestamp")))
    return latest
