"""Which objects an object has to wait for: sources, charts, dependsOn.

Knows the pointers of GitOps objects as they stand in a document; looks nothing
up. Source: Flux spec.dependsOn, spec.sourceRef, spec.chartRef; helm-controller
names a generated HelmChart ``<namespace>-<name>`` in the source's namespace.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fleettui.actions.documents import group_of, items_at, text_at, value_at
from fleettui.actions.facts import Document
from fleettui.kinds.record import ObjectRef

SOURCE_GROUP = "source.toolkit.fluxcd.io"
_SOURCE_PATHS = (
    ("spec", "sourceRef"),
    ("spec", "chart", "spec", "sourceRef"),
    ("spec", "chartRef"),
)


def pointed_at(
    pointer: Mapping[str, Any], ref: ObjectRef, *, group: str = SOURCE_GROUP
) -> ObjectRef | None:
    """The object of a ``{apiVersion, kind, name, namespace}``, None when it has no name."""
    kind, name = str(pointer.get("kind") or ""), str(pointer.get("name") or "")
    if not kind or not name:
        return None
    named = group_of(str(pointer.get("apiVersion") or ""))
    namespace = str(pointer.get("namespace") or ref.namespace)
    return ObjectRef(ref.context, named or group, kind, namespace, name)


def source_of(ref: ObjectRef, document: Document, path: Sequence[str]) -> ObjectRef | None:
    """The source that a reference at ``path`` names."""
    pointer = value_at(document, path)
    return pointed_at(pointer, ref) if isinstance(pointer, Mapping) else None


def chart_of(ref: ObjectRef, document: Document) -> ObjectRef | None:
    """What a HelmRelease takes its chart from: a chart reference or its generated HelmChart."""
    referred = source_of(ref, document, ("spec", "chartRef"))
    if referred is not None:
        return referred
    namespace, found, name = text_at(document, ("status", "helmChart")).partition("/")
    if found:
        return ObjectRef(ref.context, SOURCE_GROUP, "HelmChart", namespace, name)
    origin = source_of(ref, document, ("spec", "chart", "spec", "sourceRef"))
    if origin is None:
        return None
    name = f"{ref.namespace}-{ref.name}"
    return ObjectRef(ref.context, SOURCE_GROUP, "HelmChart", origin.namespace, name)


def dependencies_of(ref: ObjectRef, document: Document) -> tuple[ObjectRef, ...]:
    """Objects that must be ready before this one: dependsOn and its source."""
    found = [
        ref._replace(
            namespace=str(entry.get("namespace") or ref.namespace), name=str(entry.get("name", ""))
        )
        if "kind" not in entry
        else pointed_at(entry, ref, group=ref.group)
        for entry in items_at(document, ("spec", "dependsOn"))
    ]
    found += [source_of(ref, document, path) for path in _SOURCE_PATHS]
    return tuple(dict.fromkeys(item for item in found if item is not None))
