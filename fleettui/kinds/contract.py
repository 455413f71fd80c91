"""Kinds that nobody wrote an entry for: what a CRD's labels and names tell.

Knows the Cluster API contracts' labels, group prefixes and the choice of a version.
Source: cluster-api internal/contract/version.go; contract pages for infrastructure,
bootstrap and control plane providers.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleettui.kinds.loader import Part, Roles
from fleettui.kinds.paths import parse_path
from fleettui.kinds.spec import ColumnSpec, Depth, Dialect, KindSpec, Role

ORIGIN = "contract"
PROVIDER_LABEL = "cluster.x-k8s.io/provider"
CONTRACTS = ("cluster.x-k8s.io/v1beta2", "cluster.x-k8s.io/v1beta1")
"""Contract labels, newest first."""

_VERSION = re.compile(r"^v(\d+)(?:(alpha|beta)(\d+))?$")
_STAGES = {"alpha": 0, "beta": 1, None: 2}
_GROUPS = (
    ("infrastructure.", Role.INFRA_MACHINE),
    ("bootstrap.", Role.BOOTSTRAP),
    ("controlplane.", Role.CONTROL_PLANE),
    ("ipam.", Role.ADDRESS),
    ("addons.", Role.ADDON),
)
_FAMILIES = (
    ("cluster.x-k8s.io", Dialect.CAPI),
    ("fluxcd.io", Dialect.FLUX),
    ("fluxcd.controlplane.io", Dialect.FLUX),
    ("azure.com", Dialect.ASO),
    ("services.k8s.aws", Dialect.ACK),
    ("cnrm.cloud.google.com", Dialect.CONFIG_CONNECTOR),
    ("upbound.io", Dialect.CROSSPLANE),
    ("crossplane.io", Dialect.CROSSPLANE),
)
"""Group suffix to the dialect that all its kinds speak."""
_COLUMN_TYPES = frozenset({"string", "integer", "number", "boolean"})


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """One additionalPrinterColumn of a CRD."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


def version_rank(version: str) -> tuple[int, int, int]:
    """Sort key of Kubernetes version order: v2 over v1 over v1beta2 over v1alpha3.

    Source: apimachinery pkg/version/helpers.go.
    """
    match = _VERSION.match(version)
    if match is None:
        return (-1, 0, 0)
    return (_STAGES[match[2]], int(match[1]), int(match[3] or 0))


def has_contract(labels: Mapping[str, str]) -> bool:
    """Whether a CRD belongs to a Cluster API provider."""
    return PROVIDER_LABEL in labels or any(label in labels for label in CONTRACTS)


def read_version(
    labels: Mapping[str, str], served: Sequence[str], *, understood: Sequence[str] = ()
) -> str:
    """The version in which objects of a CRD are to be read.

    Args:
        labels: the CRD's.
        served: versions that the server offers, its preferred one first.
        understood: versions that a data entry names, best first; the contract's choice wins
            over them, because version names of providers say nothing about their shape.

    Returns:
        The highest served version of the newest contract that has one, else the first that
        is understood, else the preferred one; empty when nothing is served.
    """
    for contract in CONTRACTS:
        offered = [v for v in labels.get(contract, "").split("_") if v in served]
        if offered:
            return max(offered, key=version_rank)
    for version in understood:
        if version in served:
            return version
    return served[0] if served else ""


def role_of(group: str, kind: str) -> Role:
    """What a provider's kind is to the fleet, by its names."""
    if kind.endswith("Template"):
        return Role.TEMPLATE
    role = next((role for prefix, role in _GROUPS if group.startswith(prefix)), Role.OTHER)
    if role is not Role.INFRA_MACHINE:
        return role
    if kind.endswith("ControlPlane"):
        return Role.CONTROL_PLANE
    if kind.endswith(("MachinePool", "NodePool", "FargateProfile")):
        return Role.INFRA_POOL
    if kind.endswith("Cluster"):
        return Role.INFRA_CLUSTER
    return role if kind.endswith(("Machine", "Server", "VM", "Instance")) else Role.OTHER


def dialect_of(group: str) -> Dialect:
    """How conditions of an unknown kind are read, by the family of its group."""
    for suffix, dialect in _FAMILIES:
        if group == suffix or group.endswith(f".{suffix}"):
            return dialect
    return Dialect.KSTATUS


def provider_of(labels: Mapping[str, str]) -> str:
    """Infrastructure family in words, out of ``infrastructure-aws``."""
    _, dash, name = labels.get(PROVIDER_LABEL, "").partition("-")
    return name if dash else labels.get(PROVIDER_LABEL, "")


def _columns(columns: Iterable[PrinterColumn]) -> tuple[ColumnSpec, ...]:
    found: list[ColumnSpec] = []
    for column in columns:
        path = column.json_path.removeprefix(".")
        if column.type not in _COLUMN_TYPES or column.name.lower() in ("age", "ready", "cluster"):
            continue
        try:
            parse_path(path)
        except ValueError:
            continue  # filters and scripts of JSONPath are left to the server's Table
        name = column.name.lower().replace(" ", "_")
        render = "count" if column.type in ("integer", "number") else "text"
        found.append(ColumnSpec(name, column.name.upper(), (path,), column.priority == 0, render))
    return tuple(found)


def contract_spec(
    roles: Roles,
    *,
    group: str,
    kind: str,
    plural: str,
    labels: Mapping[str, str],
    served: Sequence[str],
    namespaced: bool = True,
    short_names: Sequence[str] = (),
    columns: Iterable[PrinterColumn] = (),
) -> KindSpec:
    """The entry of a provider's kind that no data file names.

    Args:
        roles: what roles say by themselves: the contract's paths.
        group: API group.
        kind: kind.
        plural: plural of the CRD.
        labels: of the CRD.
        served: versions offered, preferred first.
        namespaced: scope of the CRD.
        short_names: of the CRD.
        columns: the CRD's printer columns; they become facts.
    """
    role = role_of(group, kind)
    dialect = Dialect.CAPI if has_contract(labels) else dialect_of(group)
    values: dict[str, object] = {
        "role": role,
        "plural": plural,
        "short_names": tuple(short_names),
        "namespaced": namespaced,
        "versions": (read_version(labels, served),) if served else (),
        "dialect": Dialect.STATIC if role is Role.TEMPLATE else dialect,
        "provider": provider_of(labels),
    }
    if role is Role.OTHER and (has_contract(labels) or group.endswith(".cluster.x-k8s.io")):
        values["depth"] = Depth.LEAF  # what its names do not tell may still be a machine's
    part = Part(values, _columns(columns))
    return roles.spec(group, kind, part, origin=ORIGIN)
