"""All kinds that are understood, by group and kind and by every name people use.

Knows entries and makes readers of them; knows no document.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from fleettui.errors import UsageError
from fleettui.kinds.contract import PrinterColumn, contract_spec
from fleettui.kinds.loader import Roles, file_specs, package_roles, package_specs
from fleettui.kinds.reader import Reader
from fleettui.kinds.spec import Depth, KindSpec, Role

_ALIASES: Mapping[Role, tuple[str, ...]] = {
    Role.CONTROL_PLANE: ("controlplanes",),
    Role.INFRA_CLUSTER: ("infraclusters",),
    Role.INFRA_MACHINE: ("inframachines",),
    Role.INFRA_POOL: ("infrapools",),
    Role.BOOTSTRAP: ("bootstraps",),
    Role.SOURCE: ("sources",),
    Role.APPLIER: ("appliers",),
    Role.TEMPLATE: ("templates",),
}
"""Words for every kind of a role."""


class KindTable:
    """Kinds by group and kind, by name, and by role; readers made once."""

    def __init__(self, specs: Iterable[KindSpec], roles: Roles) -> None:
        """Keep entries; a later entry of the same group and kind replaces an earlier one."""
        self._roles = roles
        self._specs: dict[tuple[str, str], KindSpec] = {}
        self._names: dict[str, list[tuple[str, str]]] = {}
        self._readers: dict[tuple[str, str, str], Reader] = {}
        for spec in specs:
            self._add(spec)

    def __iter__(self) -> Iterator[KindSpec]:
        """Entries in the order in which they were given."""
        return iter(tuple(self._specs.values()))

    def __len__(self) -> int:
        """How many kinds are understood."""
        return len(self._specs)

    def _add(self, spec: KindSpec) -> None:
        key = (spec.group, spec.kind)
        if key in self._specs:
            for keys in self._names.values():
                if key in keys:
                    keys.remove(key)
            self._readers = {k: r for k, r in self._readers.items() if (k[0], k[2]) != key}
        self._specs[key] = spec
        words = {spec.kind.lower(), spec.plural, *spec.short_names}
        words |= {f"{word}.{spec.group}" for word in (spec.plural, spec.kind.lower())}
        words.update(_ALIASES.get(spec.role, ()))
        for word in words:
            self._names.setdefault(word.lower(), []).append(key)

    def spec_for(self, group: str, kind: str) -> KindSpec | None:
        """The entry of a kind; None for a kind without one."""
        return self._specs.get((group, kind))

    def known(self, group: str, kind: str) -> bool:
        """Whether objects of a kind are rows that others may point at."""
        spec = self._specs.get((group, kind))
        return spec is not None and not spec.metadata_only

    def of_role(self, role: Role) -> tuple[KindSpec, ...]:
        """Entries of a role, in order."""
        return tuple(spec for spec in self._specs.values() if spec.role is role)

    def of_depth(self, depth: Depth) -> tuple[KindSpec, ...]:
        """Entries that are read at a depth, in order."""
        return tuple(spec for spec in self._specs.values() if spec.depth is depth)

    def find(self, word: str) -> tuple[KindSpec, ...]:
        """Kinds that a word means: kind, plural, short name, ``plural.group``; any case.

        Several when groups share the name or the word stands for a role; none if unknown.
        """
        keys = self._names.get(word.lower(), ())
        return tuple(self._specs[key] for key in keys)

    def words(self) -> tuple[str, ...]:
        """Every word that ``find`` knows."""
        return tuple(self._names)

    def named(self, word: str) -> KindSpec:
        """The one kind that a word means.

        Raises:
            UsageError: no kind is called so, or several are; the hint names them.
        """
        found = self.find(word)
        if len(found) == 1:
            return found[0]
        if not found:
            near = difflib.get_close_matches(word.lower(), self._names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "see: fleettui kinds"
            raise UsageError(f"no kind is called {word!r}", hint=hint)
        candidates = ", ".join(f"{spec.plural}.{spec.group}" for spec in found)
        raise UsageError(f"{word!r} means several kinds", hint=f"say one of {candidates}")

    def reader(self, group: str, version: str, kind: str) -> Reader:
        """The reader of a kind at a version, compiled at first use.

        A kind without an entry is read generically: metadata and common conditions.
        """
        key = (group, version, kind)
        reader = self._readers.get(key)
        if reader is None:
            spec = self._specs.get((group, kind)) or self._generic(group, kind)
            reader = self._readers[key] = Reader(spec, version, known=self.known)
        return reader

    def _generic(self, group: str, kind: str) -> KindSpec:
        return contract_spec(
            self._roles, group=group, kind=kind, plural=f"{kind.lower()}s", labels={}, served=()
        )

    def add_contract(
        self,
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
        """The entry of a kind, made by the Cluster API contract if there is none yet.

        Args:
            group: API group of the CRD.
            kind: its kind.
            plural: its plural.
            labels: its labels.
            served: versions offered, preferred first.
            namespaced: its scope.
            short_names: its short names.
            columns: its printer columns.
        """
        known = self._specs.get((group, kind))
        if known is not None:
            return known
        spec = contract_spec(
            self._roles,
            group=group,
            kind=kind,
            plural=plural,
            labels=labels,
            served=served,
            namespaced=namespaced,
            short_names=short_names,
            columns=columns,
        )
        self._add(spec)
        return spec

    def origins(self) -> dict[str, int]:
        """Where entries come from, and how many from each place."""
        found: dict[str, int] = {}
        for spec in self._specs.values():
            found[spec.origin] = found.get(spec.origin, 0) + 1
        return found


def load_table(files: Iterable[Path] = ()) -> KindTable:
    """The kinds that come with the package, and those of the person's own files over them.

    Raises:
        UnreadableError: a file holds a mistake, with its line.
    """
    roles = package_roles()
    specs = package_specs(roles)
    for path in files:
        specs.extend(file_specs(path, roles))
    return KindTable(specs, roles)


def check_file(path: Path) -> list[KindSpec]:
    """Entries of a file as they would be used; compiles each of them.

    Raises:
        UnreadableError: the file holds a mistake, with its line.
    """
    specs = file_specs(path, package_roles())
    for spec in specs:
        Reader(spec, spec.versions[0] if spec.versions else "")
    return specs
