"""Entries for providers that no data file names, from what their CRDs tell.

Knows contract labels, group names and printer columns; the rules of roles are
``kinds.contract``'s. One CRD is read whole only when its kind is not known, because
printer columns are not metadata. Source: Cluster API contract, infrastructure and other
providers; apiextensions/v1 additionalPrinterColumns.
"""

from collections.abc import Mapping, Sequence

import msgspec

from fleettui.errors import FleettuiError
from fleettui.kinds import KindTable, has_contract
from fleettui.kinds.contract import PrinterColumn
from fleettui.kube.catalog import Catalog
from fleettui.kube.context import KubeContext
from fleettui.kube.resource import Resource

CAPI_SUFFIX = ".cluster.x-k8s.io"
"""Groups of providers, even of those whose CRDs carry no labels."""
_DEFINITIONS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)


class _Column(msgspec.Struct, rename="camel"):
    name: str = ""
    json_path: str = ""
    type: str = "string"
    priority: int = 0


class _Version(msgspec.Struct, rename="camel"):
    name: str = ""
    additional_printer_columns: list[_Column] | None = None


class _Spec(msgspec.Struct):
    versions: list[_Version] | None = None


class _Definition(msgspec.Struct):
    spec: _Spec = msgspec.field(default_factory=_Spec)


_decoder = msgspec.json.Decoder(_Definition)


async def learn_kinds(context: KubeContext, catalog: Catalog, table: KindTable) -> None:
    """Adds every provider's kind that the server offers and the table does not know.

    Awaits one read for each kind that is new.
    """
    is_settled = context.definitions.is_settled
    for (group, kind), resources in catalog.kinds.items():
        if table.spec_for(group, kind) is not None or "list" not in resources[0].verbs:
            continue
        plural = resources[0].plural
        definition = context.definitions.definitions.get(f"{plural}.{group}")
        labels: Mapping[str, str] = definition.labels if definition is not None else {}
        # Without its labels a kind is known by its group alone, once they cannot come any more.
        if not has_contract(labels) and not (is_settled and group.endswith(CAPI_SUFFIX)):
            continue
        served = [resource.version for resource in resources]
        table.add_contract(
            group=group,
            kind=kind,
            plural=plural,
            labels=labels,
            served=served,
            namespaced=resources[0].namespaced,
            short_names=resources[0].short_names,
            columns=await _printer_columns(context, f"{plural}.{group}", served),
        )


async def _printer_columns(
    context: KubeContext, name: str, served: Sequence[str]
) -> list[PrinterColumn]:
    """What the CRD's author thinks worth printing; nothing when it cannot be read."""
    try:
        body = await context.client.body(_DEFINITIONS, namespace="", name=name)
        versions = _decoder.decode(body).spec.versions or []
    except (FleettuiError, msgspec.MsgspecError):
        return []  # columns are an extra: rows of the kind are shown without
    columns = {version.name: version.additional_printer_columns or [] for version in versions}
    found = next((columns[version] for version in served if columns.get(version)), [])
    return [
        PrinterColumn(column.name, column.json_path, column.type, column.priority)
        for column in found
    ]
