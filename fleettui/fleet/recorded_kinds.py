"""Entries for providers that no data file names, from what a recording holds of them.

Knows recorded CRDs (labels, printer columns), group names, and that whatever a Cluster API
object refers to is part of its cluster. Source: Cluster API contract, discovering
providers; ``learning`` does the same over a live server's CRDs.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleettui.fleet.learning import CAPI_SUFFIX
from fleettui.kinds import KindTable, has_contract
from fleettui.kinds.contract import PrinterColumn
from fleettui.kinds.loader import plural_of
from fleettui.kinds.paths import value_at
from fleettui.kinds.pointers import group_of, list_of, mapping_of, word
from fleettui.recorded.recording import Recording, split_api_version

_CORE = "cluster.x-k8s.io"
_POINTERS = (
    "spec.infrastructureRef",
    "spec.controlPlaneRef",
    "spec.bootstrap.configRef",
    "spec.template.spec.infrastructureRef",
    "spec.template.spec.bootstrap.configRef",
)
"""Where core objects refer to a provider's."""

Document = Mapping[str, Any]


def learn_recorded(recording: Recording, table: KindTable) -> None:
    """Adds every provider's kind that the recording holds and the table does not know."""
    unknown: dict[tuple[str, str], list[str]] = {}
    for key, document in recording.objects.items():
        if table.spec_for(key.group, key.kind) is None:
            version = split_api_version(str(document["apiVersion"]))[1]
            unknown.setdefault((key.group, key.kind), []).append(version)
    if not unknown:
        return
    definitions = {_names_of(body): body for body in _definitions(recording)}
    referred = set(_referred(recording))
    for (group, kind), versions in unknown.items():
        definition = definitions.get((group, kind), {})
        labels = {k: str(v) for k, v in mapping_of(value_at(definition, "metadata.labels")).items()}
        is_provider = has_contract(labels) or group.endswith(CAPI_SUFFIX)
        if not is_provider and (group, kind) not in referred:
            continue
        table.add_contract(
            group=group,
            kind=kind,
            plural=word(value_at(definition, "spec.names.plural")) or plural_of(kind),
            labels=labels,
            served=list(dict.fromkeys(versions)),
            columns=list(_columns(definition, versions)),
        )


def unserved_kinds(
    recording: Recording, named: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Those of some groups and kinds that the recorded server is known not to have served.

    Whoever records a definition records all of its group; without any, nothing is known.
    """
    defined = {_names_of(body) for body in _definitions(recording)}
    held = {(key.group, key.kind) for key in recording.objects}
    groups = {group for group, kind in defined if kind}
    for key in sorted(set(named) - held - defined):
        # A definition without a body tells of no group; the core has no definitions at all.
        if key[0] and key[0] in groups:
            yield key


def _definitions(recording: Recording) -> Iterator[Document]:
    for key, document in recording.objects.items():
        if key.kind == "CustomResourceDefinition":
            yield document


def _names_of(definition: Document) -> tuple[str, str]:
    group, kind = value_at(definition, "spec.group"), value_at(definition, "spec.names.kind")
    return word(group), word(kind)


def _referred(recording: Recording) -> Iterator[tuple[str, str]]:
    for key, document in recording.objects.items():
        if key.group != _CORE:
            continue
        for path in _POINTERS:
            found = mapping_of(value_at(document, path))
            group = word(found.get("apiGroup")) or group_of(word(found.get("apiVersion")))
            yield group, word(found.get("kind"))


def _columns(definition: Document, versions: list[str]) -> Iterator[PrinterColumn]:
    """What the CRD's author thinks worth printing, of a version that was recorded."""
    for version in list_of(value_at(definition, "spec.versions")):
        if mapping_of(version).get("name") not in versions:
            continue
        for column in list_of(mapping_of(version).get("additionalPrinterColumns")):
            fields = mapping_of(column)
            name, path = word(fields.get("name")), word(fields.get("jsonPath"))
            priority = fields.get("priority")
            if name and path:
                kind = word(fields.get("type")) or "string"
                yield PrinterColumn(name, path, kind, priority if type(priority) is int else 0)
        return
