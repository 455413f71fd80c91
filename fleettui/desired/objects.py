"""Identities of the objects that git describes, and the switches they carry.

Knows how a document says what it is, Flux's inventory entries, and the labels and
annotations that turn single features off. Knows nothing of files or clusters.

Source: Flux kustomize v1 ``status.inventory`` (``<namespace>_<name>_<group>_<kind>``);
Flux per-object switches, kustomize-controller documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fleettui.errors import FleettuiError

Manifest = Mapping[str, object]
"""One Kubernetes object as plain values."""

_TOOLKIT = "kustomize.toolkit.fluxcd.io"
OWNER_LABELS = (f"{_TOOLKIT}/name", f"{_TOOLKIT}/namespace")


class InvalidManifestError(FleettuiError):
    """A document is not a Kubernetes object."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectId:
    """What makes an object the same object in git and in a cluster."""

    group: str
    kind: str
    namespace: str
    """Empty for cluster-wide objects."""
    name: str

    def __str__(self) -> str:
        """``Kind/namespace/name`` as Flux writes it."""
        middle = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind}/{middle}{self.name}"


def text_of(value: object) -> str:
    """A string value, or an empty string for anything else."""
    return value if isinstance(value, str) else ""


def mapping_of(value: object) -> Manifest:
    """A mapping value, or an empty mapping for anything else."""
    # Nearly all are dicts, and asking for the abstract class costs ten times as much.
    return value if isinstance(value, dict) or isinstance(value, Mapping) else {}  # noqa: SIM101 - in this order


def nested(value: object, *keys: str) -> object:
    """The value below some keys, or None."""
    for key in keys:
        if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - as above
            value = value.get(key)
        else:
            return None
    return value


def items_of(value: object) -> list[object]:
    """A list's items, or nothing for anything else."""
    return list(value) if isinstance(value, list | tuple) else []


def api_version_of(document: Manifest) -> str:
    """``group/version`` or ``version``."""
    return text_of(document.get("apiVersion"))


def group_of(api_version: str) -> str:
    """The group in an apiVersion; empty for the core."""
    return api_version.rpartition("/")[0]


def id_of(document: Manifest) -> ObjectId:
    """Identity of a document."""
    metadata = mapping_of(document.get("metadata"))
    return ObjectId(
        group_of(api_version_of(document)),
        text_of(document.get("kind")),
        text_of(metadata.get("namespace")),
        text_of(metadata.get("name")),
    )


def checked_manifest(value: object, *, where: str) -> dict[str, object]:
    """A document that is a Kubernetes object.

    Raises:
        InvalidManifestError: no mapping, or without apiVersion, kind or name.
    """
    if not isinstance(value, dict):
        raise InvalidManifestError("not a Kubernetes object", where=where)
    for key in ("apiVersion", "kind"):
        if not text_of(value.get(key)):
            raise InvalidManifestError(f"not a Kubernetes object: no {key}", where=where)
    metadata = mapping_of(value.get("metadata"))
    named = text_of(metadata.get("name")) or text_of(metadata.get("generateName"))
    if not named and not is_list(value):
        raise InvalidManifestError("not a Kubernetes object: no metadata.name", where=where)
    return value


def is_list(document: Manifest) -> bool:
    """Whether a document only carries other documents."""
    return text_of(document.get("kind")).endswith("List") and isinstance(
        document.get("items"), list
    )


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """An object that a Kustomization has applied."""

    id: ObjectId
    api_version: str


def inventory_of(kustomization: Manifest) -> list[InventoryEntry]:
    """Objects that were applied last, in the order of the inventory; unreadable ids left out."""
    entries: list[InventoryEntry] = []
    for item in items_of(nested(kustomization, "status", "inventory", "entries")):
        parts = text_of(nested(item, "id")).split("_", 1)
        tail = parts[-1].rsplit("_", 2)
        if len(parts) != 2 or len(tail) != 3:
            continue
        name, group, kind = tail
        version = text_of(nested(item, "v"))
        entries.append(
            InventoryEntry(
                ObjectId(group, kind, parts[0], name.replace("__", ":")),
                f"{group}/{version}" if group else version,
            )
        )
    return entries


def switch_of(document: Manifest, name: str) -> str:
    """Lower-case value of a per-object switch: label or annotation, empty if not set.

    Args:
        document: an object.
        name: last part of its key: ``reconcile``, ``ssa``, ``prune``, ``force``, …
    """
    metadata = mapping_of(document.get("metadata"))
    key = f"{_TOOLKIT}/{name}"
    for where in ("annotations", "labels"):
        value = text_of(mapping_of(metadata.get(where)).get(key))
        if value:
            return value.lower()
    return ""


def switch_text(document: Manifest, name: str) -> str:
    """A switch as it stands in the object: ``key: value``."""
    return f"{_TOOLKIT}/{name}: {switch_of(document, name)}"
