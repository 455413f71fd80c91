"""The resource types of a store: seeded, compiled in, installed and removed at run time.

Keeps the tables. Source: apiextensions-apiserver (what a change of a definition does to the
watches of its type, as captured from a real server).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from fleettui.demo.apiserver import definitions, objects
from fleettui.demo.apiserver.builtins import BUILTINS, DEFINITIONS
from fleettui.demo.apiserver.changes import Change, ChangeType
from fleettui.demo.apiserver.errors import NotFound
from fleettui.demo.apiserver.history import end_watches
from fleettui.demo.apiserver.resources import Resource, api_version_of
from fleettui.demo.apiserver.seeds import Converter, Seeds, Streamer
from fleettui.demo.apiserver.table import Key, Table

Document = dict[str, Any]
_REINITIALIZING_S = 1.0


class ServedTypes:
    """Tables by (group, plural)."""

    def __init__(self, seeds: Seeds, *, first_revision: int) -> None:
        self.tables: dict[tuple[str, str], Table] = {}
        self.seeded_to = first_revision
        """The revision of the last seed."""
        self._seeds = seeds
        self._load()

    def _load(self) -> None:
        seeded = [r for r in self._seeds.resources() if r.key != DEFINITIONS.key]
        keys = {resource.key for resource in seeded}
        for resource in BUILTINS:
            if resource.key not in keys and resource.key != DEFINITIONS.key:
                self._add(resource, ())
        for resource in seeded:
            self._add(resource, self._seeds.keys(resource))
        crds = sorted((r for r in seeded if r.is_crd), key=definitions.definition_name)
        self._add(
            DEFINITIONS,
            [("", definitions.definition_name(resource)) for resource in crds],
            lambda index: objects.encoded(definitions.definition_of(crds[index], revision="@RV@")),
        )
        for table in self.tables.values():
            table.floor = self.seeded_to

    def _add(
        self,
        resource: Resource,
        keys: Sequence[Key],
        body: Callable[[int], bytes] | None = None,
    ) -> Table:
        made = body or (lambda index: self._seeds.body(resource, index))
        table = Table(resource, keys, made, base=self.seeded_to)
        if body is None and isinstance(self._seeds, Streamer):
            table.stream = partial(self._seeds.bodies, resource)
        self.seeded_to += len(keys)
        self.tables[resource.key] = table
        return table

    @property
    def resources(self) -> list[Resource]:
        """All served resource types, in a fixed order."""
        return [table.resource for table in self.tables.values()]

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The served resource type of a URL, None if there is none."""
        table = self.tables.get((group, plural))
        if table is None or version not in table.resource.served:
            return None
        return table.resource

    def table(self, resource: Resource) -> Table:
        """The table of a resource type.

        Raises:
            NotFound: the type is not (or no longer) served.
        """
        table = self.tables.get(resource.key)
        if table is None:
            raise NotFound(resource.qualified, "")
        return table

    def redefine(self, change: Change, *, revision: int) -> Table | None:
        """Follow a change of a definition; the table whose type is gone, if it is."""
        document = change.new
        assert document is not None
        spec = document["spec"]
        table = self.tables.get((spec["group"], spec["names"]["plural"]))
        if change.type is ChangeType.DELETED:
            return table
        resource = definitions.resource_of(document)
        if table is None:
            self._add(resource, ()).floor = revision
            return None
        old = change.old
        table.resource = resource
        if old is None or old["spec"] != spec:
            table.floor = revision
            table.busy_until = time.monotonic() + _REINITIALIZING_S
            end_watches(table)
        return None

    def drop(self, table: Table) -> None:
        """Serve a type no longer; its watches end."""
        del self.tables[table.resource.key]
        end_watches(table)

    def convert(self, resource: Resource, data: bytes, version: str) -> bytes:
        """Stored JSON in another served version."""
        if version == resource.version:
            return data
        if isinstance(self._seeds, Converter):
            converted = self._seeds.convert(resource, msgspec.json.decode(data), version)
            return objects.encoded(converted)
        old = f'"apiVersion":"{resource.api_version}"'.encode()
        new = f'"apiVersion":"{api_version_of(resource.group, version)}"'.encode()
        return data.replace(old, new, 1)

    def to_storage(self, resource: Resource, document: Document, version: str) -> Document:
        """A document sent in another served version, in the storage version."""
        if version == resource.version:
            return document
        if isinstance(self._seeds, Converter):
            return self._seeds.convert(resource, document, resource.version)
        return {**document, "apiVersion": resource.api_version}
