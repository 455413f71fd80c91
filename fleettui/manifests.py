"""Reads and writes the YAML and JSON documents of the Kubernetes world.

Knows YAML as Kubernetes tools read it: ``true`` and ``false`` are the only
booleans, dates and ``on``/``yes``/``no`` stay strings, whole numbers may be octal
(``0644``) or hexadecimal, duplicate keys are errors. Refuses documents made to
hurt: too large, too deep, aliases that expand without end, aliases to themselves.
Knows nothing of what a document means.

Source: YAML 1.2.2 core schema; go-yaml v3 resolve rules (octal, underscores) as
used by sigs.k8s.io/yaml and kustomize.
"""

import math
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from fleettui.errors import UnreadableError

_BOOLEAN = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_INTEGER = re.compile(r"^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$")
_FLOAT = re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_DIGITS = list("-+0123456789")


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much a text may ask of the reader."""

    size_bytes: int = 5 * 1024 * 1024
    """Longest text."""
    depth: int = 100
    """Deepest nesting of one document."""
    nodes: int = 1_000_000
    """Most nodes of one text once every alias is expanded."""


CUT_OFF = "the file may have been cut off, or is something else"
DEFAULT_LIMITS = ReadLimits()


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a text."""

    value: object
    """Mappings, lists, strings, numbers, booleans and None; shares nothing."""
    line: int
    """Line of the text where the document's content begins, from 1."""


class _Loader(yaml.CSafeLoader):
    """Scalars resolved as Kubernetes tools do, whatever YAML 1.1 says."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 — PyYAML's own protocol


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").lower()
    if digits.startswith("0") and digits[1:2].isdigit():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).lower()
    if text.endswith("inf"):
        return -math.inf if text.startswith("-") else math.inf
    return math.nan if text == ".nan" else float(text)


def _boolean(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return str(loader.construct_scalar(node)).lower() in {"true", "yes", "on"}


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _set_up(loader: type[_Loader]) -> None:
    loader.yaml_implicit_resolvers = {}
    loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOLEAN, list("tTfF"))
    loader.add_implicit_resolver("tag:yaml.org,2002:null", _NULL, ["~", "n", "N", ""])
    loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, _DIGITS)
    loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, [*_DIGITS, "."])
    loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("^<<$"), ["<"])
    loader.add_constructor("tag:yaml.org,2002:int", _integer)
    loader.add_constructor("tag:yaml.org,2002:float", _float)
    loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
    loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


_set_up(_Loader)


class _Inspector:
    """Measures node graphs before anything is built from them."""

    def __init__(self, limits: ReadLimits, name: str) -> None:
        self.limits = limits
        self.name = name
        self.shared = False
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def size_of(self, node: yaml.Node, depth: int = 0) -> int:
        """Nodes below and with this one, each alias counted in full."""
        if isinstance(node, yaml.ScalarNode):
            return 1
        key = id(node)
        known = self._sizes.get(key)
        if known is not None:
            self.shared = True
            return known
        if key in self._open:
            raise self._refused(node, "an alias contains itself")
        if depth > self.limits.depth:
            raise self._refused(node, f"nested deeper than {self.limits.depth} levels")
        self._open.add(key)
        total = 1
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node)
            for name_node, value_node in node.value:
                total += self.size_of(name_node, depth + 1) + self.size_of(value_node, depth + 1)
        else:
            for item in node.value:
                total += self.size_of(item, depth + 1)
        if total > self.limits.nodes:
            raise self._refused(node, f"expands to more than {self.limits.nodes} nodes")
        self._open.discard(key)
        self._sizes[key] = total
        return total

    def _check_keys(self, node: yaml.MappingNode) -> None:
        seen: set[Hashable] = set()
        for name_node, _ in node.value:
            if not isinstance(name_node, yaml.ScalarNode):
                raise self._refused(name_node, "a key that is not a plain value")
            if name_node.tag == "tag:yaml.org,2002:merge":
                continue
            if name_node.value in seen:
                raise self._refused(name_node, f"key {name_node.value!r} occurs twice")
            seen.add(name_node.value)

    def _refused(self, node: yaml.Node, message: str) -> UnreadableError:
        return UnreadableError(message, where=f"{self.name}:{node.start_mark.line + 1}")


def _unshared(value: object) -> object:
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unshared(item) for item in value]
    return value


def _yaml_documents(text: str, name: str, limits: ReadLimits) -> Iterator[Document]:
    loader = _Loader(text)
    left = limits.nodes
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                continue
            inspector = _Inspector(ReadLimits(limits.size_bytes, limits.depth, left), name)
            left -= inspector.size_of(node)
            value = loader.construct_document(node)
            yield Document(
                _unshared(value) if inspector.shared else value, node.start_mark.line + 1
            )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise UnreadableError(
            f"not YAML: {error.problem or error.context}", where=where, hint=CUT_OFF
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        message = " ".join(str(error).split())
        raise UnreadableError(f"not YAML: {message}", where=name, hint=CUT_OFF) from error
    finally:
        loader.dispose()


def _depth_of(value: object, limit: int) -> int:
    """Nesting of a value; stops counting above the limit."""
    level: list[object] = [value]
    depth = 0
    while level and depth <= limit:
        depth += 1
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return depth


def read_documents(
    text: str | bytes, *, name: str = "<text>", limits: ReadLimits = DEFAULT_LIMITS
) -> list[Document]:
    """Documents of a YAML stream or a JSON text, in order, empty ones left out.

    Args:
        text: the whole text; bytes are UTF-8.
        name: file name used in errors.
        limits: how much the text may ask.

    Raises:
        UnreadableError: with ``file:line``, in one line.
    """
    size_bytes = len(text)
    if size_bytes > limits.size_bytes:
        raise UnreadableError(
            f"{size_bytes} bytes, more than the {limits.size_bytes} that are read", where=name
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableError("not UTF-8 text", where=name) from error
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            value = None  # not JSON: YAML's flow style begins the same way
        if value is not None and _depth_of(value, limits.depth) <= limits.depth:
            return [Document(value, 1)]
    found = _yaml_documents(text.removeprefix("\ufeff"), name, limits)
    return [document for document in found if document.value is not None]


def read_document(
    text: str | bytes, *, name: str = "<text>", limits: ReadLimits = DEFAULT_LIMITS
) -> object:
    """The one document of a text; None for an empty text.

    Raises:
        UnreadableError: as ``read_documents``, and for more than one document.
    """
    documents = read_documents(text, name=name, limits=limits)
    if len(documents) > 1:
        raise UnreadableError(
            f"{len(documents)} documents where one is expected", where=f"{name}:{documents[1].line}"
        )
    return documents[0].value if documents else None


def read_file(path: Path, *, limits: ReadLimits = DEFAULT_LIMITS) -> list[Document]:
    """Documents of a file; blocks on the disk.

    Raises:
        UnreadableError: as ``read_documents``, and for a file that cannot be read.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(limits.size_bytes + 1)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error), where=str(path)) from error
    return read_documents(text, name=str(path), limits=limits)


class _Dumper(yaml.CSafeDumper):
    """Writes what every YAML reader, 1.1 or 1.2, reads back as the same value."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _needs_quotes(text: str) -> bool:
    return bool(
        _BOOLEAN.match(text) or _NULL.match(text) or _INTEGER.match(text) or _FLOAT.match(text)
    )


def _dumped_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if _needs_quotes(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _dumped_text)


def dump_yaml(value: Any, *, sort_keys: bool = False) -> str:
    """YAML in block style, texts of several lines as literal blocks, never folded.

    Args:
        value: plain mappings, lists and scalars.
        sort_keys: keys in the order of the alphabet instead of insertion.
    """
    return yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=sort_keys,
        width=1_000_000,
    )
