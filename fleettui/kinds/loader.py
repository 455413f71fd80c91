"""Reads data entries: the package's own and the person's ``kinds.d``.

Knows the keys of an entry, what roles add by themselves (``data/roles.yaml``), and how
defaults of a document combine with an entry. Every mistake is an error with file and
line. Knows no kind by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from fleettui.errors import UnreadableError
from fleettui.kinds.columns import RENDERERS
from fleettui.kinds.nodes import SEE, Fields, Source
from fleettui.kinds.paths import parse_path, parts_of
from fleettui.kinds.points import ALTERNATIVES
from fleettui.kinds.relations import OWNER, RELATIONS
from fleettui.kinds.spec import (
    UNLESS,
    ColumnSpec,
    Depth,
    Dialect,
    HistorySpec,
    KindSpec,
    Limits,
    RelationSpec,
    Role,
)

_TEXTS = (
    "versions", "short_names", "summary", "actions",
)  # fmt: skip
_PATHS = (
    "desired_replicas", "version_paths", "cluster_paths", "ready_paths", "failure_paths",
    "pause_paths",
)  # fmt: skip
_WORDS = ("provider", "deprecated", "plural")
_FLAGS = ("namespaced", "metadata_only")
_OTHERS = (
    "role", "depth", "dialect", "replica_paths", "pause_annotations", "deprecated_versions",
    "relations", "home", "columns", "limits", "history",
)  # fmt: skip
_BODY = (*_TEXTS, *_PATHS, *_WORDS, *_FLAGS, *_OTHERS)
_COUNTERS = ("current", "ready", "available", "up_to_date")
_ROLES_FILE = "roles.yaml"
_LIMIT_NAMES = tuple(item.name for item in fields(Limits))
_DATA = "fleettui.kinds"


def _choices(kind: Any) -> Mapping[str, Any]:
    return {member.value: member for member in kind}


_ROLES, _DEPTHS, _DIALECTS = _choices(Role), _choices(Depth), _choices(Dialect)
_RELATIONS = {name: name for name in RELATIONS}
_RENDERS = {name: name for name in RENDERERS}
_HOMES = {name: name for word in (OWNER, *RELATIONS) for name in (word, f"~{word}")}


@dataclass(frozen=True, slots=True)
class Part:
    """Some keys of an entry: a role's, a document's defaults, or the entry itself."""

    values: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[ColumnSpec, ...] = ()
    relations: tuple[RelationSpec, ...] = ()

    def over(self, base: "Part") -> "Part":
        """These keys where given, else the base's; columns and relations of both.

        A column or relation of the same name takes the base's place.
        """
        return Part(
            {**base.values, **self.values},
            _joined(base.columns, self.columns, lambda column: column.name),
            _joined(base.relations, self.relations, lambda relation: relation.relation),
        )


def _joined(base: Iterable[Any], added: Iterable[Any], name: Any) -> tuple[Any, ...]:
    added = tuple(added)
    names = {name(item) for item in added}
    return (*(item for item in base if name(item) not in names), *added)


def plural_of(kind: str) -> str:
    """The usual plural of a kind; entries whose plural is another one say so."""
    word = kind.lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


class _Entries:
    """Reads parts of entries out of the nodes of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def part(self, found: Fields) -> Part:
        values: dict[str, Any] = {}
        columns: tuple[ColumnSpec, ...] = ()
        relations: tuple[RelationSpec, ...] = ()
        for name, node in found.items():
            if name == "columns":
                columns = self._columns(node)
            elif name == "relations":
                relations = tuple(self._relation(item) for item in self._source.items(node))
            elif name in _BODY:
                values[name] = self._value(name, node)
        return Part(values, columns, relations)

    def _value(self, name: str, node: yaml.Node) -> Any:
        source = self._source
        if name in _TEXTS:
            return source.texts(node)
        if name == "pause_paths":
            return tuple(self._pause_path(item) for item in self._list(node))
        if name in _PATHS:
            return self._path_list(node)
        if name in _WORDS:
            return source.text(node)
        if name in _FLAGS:
            return source.flag(node)
        if name == "role":
            return source.choice(node, _ROLES, what="role")
        if name == "depth":
            return source.choice(node, _DEPTHS, what="depth")
        if name == "dialect":
            return source.choice(node, _DIALECTS, what="dialect")
        if name == "replica_paths":
            found = source.fields(node, _COUNTERS)
            return {key: self._path_list(value) for key, value in found.items()}
        if name in ("pause_annotations", "deprecated_versions"):
            return {key: source.text(value) for key, value in source.entries(node).items()}
        if name == "limits":
            limits = source.fields(node, _LIMIT_NAMES)
            return Limits(**{key: source.number(value) for key, value in limits.items()})
        if name == "history":
            return self._history(node)
        return tuple(self._home(item) for item in self._list(node))

    def _history(self, node: yaml.Node) -> HistorySpec:
        source = self._source
        found = source.fields(node, ("path", "columns", "newest_last"))
        for name in ("path", "columns"):
            if name not in found:
                raise source.refused(node, f"a history without {name}")
        is_newest_last = "newest_last" in found and source.flag(found["newest_last"])
        return HistorySpec(
            self._path(found["path"]), self._columns(found["columns"]), is_newest_last
        )

    def _list(self, node: yaml.Node) -> list[yaml.Node]:
        return [node] if isinstance(node, yaml.ScalarNode) else self._source.items(node)

    def _path(self, node: yaml.Node) -> str:
        def check(text: str) -> None:
            for part in parts_of(text) or (text,):
                parse_path(part)

        return self._source.checked(node, check)

    def _path_list(self, node: yaml.Node) -> tuple[str, ...]:
        return tuple(self._path(item) for item in self._list(node))

    def _pause_path(self, node: yaml.Node) -> str:
        return self._source.checked(node, lambda text: parse_path(text.removeprefix(UNLESS)))

    def _home(self, node: yaml.Node) -> str:
        return self._source.choice(node, _HOMES, what="relation")

    def _columns(self, node: yaml.Node) -> tuple[ColumnSpec, ...]:
        return tuple(
            self._column(title, value) for title, value in self._source.entries(node).items()
        )

    def _column(self, title: str, node: yaml.Node) -> ColumnSpec:
        name = title.lower().replace(" ", "_").replace("-", "_")
        if not isinstance(node, yaml.MappingNode):
            return ColumnSpec(name, title, self._path_list(node))
        source = self._source
        found = source.fields(node, ("name", "paths", "searchable", "render"))
        if "paths" not in found:
            raise source.refused(node, f"column {title!r} has no paths")
        render = "text"
        if "render" in found:
            render = source.choice(found["render"], _RENDERS, what="render")
        return ColumnSpec(
            source.text(found["name"]) if "name" in found else name,
            title,
            self._path_list(found["paths"]),
            source.flag(found["searchable"]) if "searchable" in found else False,
            render,
        )

    def _relation(self, node: yaml.Node) -> RelationSpec:
        source = self._source
        if isinstance(node, yaml.ScalarNode):
            return RelationSpec(source.choice(node, _RELATIONS, what="relation"))
        found = source.fields(node, _RELATIONS)
        if len(found) != 1:
            raise source.refused(node, "expected one relation in each element")
        ((name, value),) = found.items()
        if not isinstance(value, yaml.MappingNode):
            return RelationSpec(name, ALTERNATIVES.join(self._path_list(value)))
        options = source.fields(value, ("path", "group", "kind", "namespace", "annotation"))
        path = options.pop("path", None)
        return RelationSpec(
            name,
            ALTERNATIVES.join(self._path_list(path)) if path is not None else "",
            {key: source.text(item) for key, item in options.items()},
        )


@dataclass(frozen=True, slots=True)
class Roles:
    """What each role says of its kinds unless their entries say otherwise."""

    parts: Mapping[Role, Part]

    def spec(self, group: str, kind: str, part: Part, *, origin: str) -> KindSpec:
        """The entry of a kind: its own part over its role's."""
        role = part.values["role"]
        whole = part.over(self.parts.get(role, Part()))
        values = {"plural": plural_of(kind), **whole.values}
        return KindSpec(
            group=group,
            kind=kind,
            columns=whole.columns,
            relations=whole.relations,
            origin=origin,
            **values,
        )


def read_roles(text: str, name: str) -> Roles:
    """Roles of the package's ``roles.yaml``."""
    source = Source(text, name)
    entries = _Entries(source)
    parts: dict[Role, Part] = {}
    for document in source.documents():
        for word, node in source.fields(document, _ROLES).items():
            parts[Role(word)] = entries.part(source.fields(node, _BODY))
    return Roles(parts)


def read_specs(text: str, name: str, roles: Roles, *, built_in: bool = False) -> list[KindSpec]:
    """Entries of one file, in order.

    Raises:
        UnreadableError: with ``file:line`` and the nearest known word.
    """
    source = Source(text, name)
    origin = f"built in ({name})" if built_in else name
    entries = _Entries(source)
    specs: list[KindSpec] = []
    lines: dict[tuple[str, str], int] = {}
    for document in source.documents():
        found = source.fields(document, ("group", "defaults", "templates", "kinds"))
        group = source.text(found["group"]) if "group" in found else None
        defaults = Part()
        if "defaults" in found:
            defaults = entries.part(source.fields(found["defaults"], _BODY))
        if "kinds" not in found:
            raise source.refused(document, "a document without kinds")
        for node in source.items(found["kinds"]):
            body = source.fields(node, ("kind", "group", *_BODY))
            if "kind" not in body:
                raise source.refused(node, "an entry without kind")
            own = source.text(body["group"]) if "group" in body else group
            if own is None:
                raise source.refused(node, "an entry without group")
            part = entries.part(body).over(defaults)
            if "role" not in part.values:
                raise source.refused(node, "an entry without role")
            key = (own, source.text(body["kind"]))
            if key in lines:
                words = f"{key[1]}.{own} has an entry already, in line {lines[key]}"
                raise source.refused(node, words, hint="remove one of them")
            lines[key] = node.start_mark.line + 1
            specs.append(roles.spec(own, source.text(body["kind"]), part, origin=origin))
        if "templates" in found:
            specs.extend(
                _templates(source, found["templates"], defaults, group or "", roles, origin)
            )
    return specs


def _templates(
    source: Source, node: yaml.Node, defaults: Part, group: str, roles: Roles, origin: str
) -> Iterable[KindSpec]:
    """Entries of kinds that are only ever copied from: a list of names is enough."""
    shared = {
        key: value
        for key, value in defaults.values.items()
        if key in ("provider", "versions", "deprecated", "deprecated_versions")
    }
    for kind in source.texts(node):
        part = Part({**shared, "role": Role.TEMPLATE})
        yield roles.spec(group, kind, part, origin=origin)


def package_roles() -> Roles:
    """What roles say by themselves."""
    folder = resources.files(_DATA) / "data"
    return read_roles((folder / _ROLES_FILE).read_text("utf-8"), _ROLES_FILE)


def package_specs(roles: Roles) -> list[KindSpec]:
    """Entries that come with the package, file by file in alphabetic order."""
    folder = resources.files(_DATA) / "data"
    specs: list[KindSpec] = []
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if item.name.endswith(".yaml") and item.name != _ROLES_FILE:
            specs.extend(read_specs(item.read_text("utf-8"), item.name, roles, built_in=True))
    return specs


def file_specs(path: Path, roles: Roles) -> list[KindSpec]:
    """Entries of a person's own file.

    Raises:
        UnreadableError: the file cannot be read or holds a mistake.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        words = f"cannot be read: {error.strerror or error}"
        raise UnreadableError(words, where=str(path), hint="check the path") from error
    except UnicodeDecodeError as error:
        words = "cannot be read: it is no UTF-8 text"
        raise UnreadableError(words, where=str(path), hint="save it as UTF-8") from error
    specs = read_specs(text, str(path), roles)
    if not specs:
        raise UnreadableError("holds no kinds", where=str(path), hint=SEE)
    return specs


def example_text() -> str:
    """A file of kinds that shows every key, with comments."""
    return (resources.files(_DATA) / "example.yaml").read_text("utf-8")


def vocabulary() -> Mapping[str, tuple[str, ...]]:
    """The words that values of an entry may be, by what they are."""
    return {
        "roles": tuple(_ROLES),
        "depths": tuple(_DEPTHS),
        "dialects": tuple(_DIALECTS),
        "relations": tuple(_RELATIONS),
        "renders": tuple(_RENDERS),
    }
