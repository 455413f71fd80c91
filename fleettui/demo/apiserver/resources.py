"""What the API server knows of a resource type before it sees an object.

Plain values only. Refuses to know where objects come from and what they mean.
Source: CustomResourceDefinition v1 (names, versions, subresources, additionalPrinterColumns).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """One additional column that a server prints in a Table."""

    name: str
    type: str
    """OpenAPI type: string, integer, number, boolean or date (printed as an age)."""
    json_path: str
    priority: int = 0
    """Columns above 0 are shown with `-o wide` only."""


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the scale subresource finds its numbers in an object."""

    spec: str = ".spec.replicas"
    status: str = ".status.replicas"
    selector: str = ".status.selector"


@dataclass(frozen=True, slots=True)
class Resource:
    """One served resource type."""

    group: str
    """API group; empty for the core group."""
    version: str
    """Storage version, also the preferred one."""
    kind: str
    plural: str
    singular: str
    served: tuple[str, ...]
    """All served versions, the storage version included, preferred order."""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    namespaced: bool = True
    has_status: bool = True
    """Whether status is a subresource, so that ordinary writes never touch it."""
    scale: ScalePaths | None = None
    printer_columns: tuple[PrinterColumn, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Labels of the CustomResourceDefinition (contract, provider)."""
    is_crd: bool = True
    """False for what a real server has compiled in (namespaces, events, secrets…)."""
    verbs: tuple[str, ...] = (
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "create",
        "update",
        "watch",
    )

    @property
    def key(self) -> tuple[str, str]:
        """Group and plural: the version-free identity of the type."""
        return (self.group, self.plural)

    @property
    def api_version(self) -> str:
        """The storage version as objects spell it: `v1` or `group/version`."""
        return api_version_of(self.group, self.version)

    @property
    def qualified(self) -> str:
        """`plural.group` as messages and CustomResourceDefinitions spell it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def api_version_of(group: str, version: str) -> str:
    """`v1` for the core group, `group/version` for the others."""
    return f"{group}/{version}" if group else version
