"""Strict reading of YAML nodes, with the line of everything that is wrong.

Knows how to say where a value stands and which key was probably meant; knows nothing
of kinds. Source: PyYAML's node marks; the base loader, to which
every scalar is a text.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import yaml

from fleettui.errors import UnreadableError

T = TypeVar("T")
SEE = "see: fleettui kinds example"
PATHS = "a path is like status.phase, status.list[0].name, status.list[].name or label:KEY"
Fields = dict[str, yaml.Node]


class Source:
    """One YAML text and the file name that its errors carry."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self.name = name

    def documents(self) -> list[yaml.Node]:
        """The roots of all documents that are not empty.

        Raises:
            UnreadableError: the text is no YAML, with its line.
        """
        try:
            found = list(yaml.compose_all(self._text, Loader=yaml.CBaseLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{self.name}:{mark.line + 1}" if mark else self.name
            hint = "check brackets, quotes and indentation"
            raise UnreadableError(f"not YAML: {error.problem}", where=where, hint=hint) from error
        except yaml.YAMLError as error:
            raise UnreadableError(f"not YAML: {error}", where=self.name) from error
        return [node for node in found if node is not None and node.value != ""]

    def refused(self, node: yaml.Node, message: str, *, hint: str = "") -> UnreadableError:
        """What is wrong with a node, with its line, to be raised."""
        line = node.start_mark.line + 1
        return UnreadableError(message, hint=hint or SEE, where=f"{self.name}:{line}")

    def fields(self, node: yaml.Node, known: Iterable[str]) -> Fields:
        """Values of a mapping by key, all keys known and none twice.

        Raises:
            UnreadableError: with the nearest known key.
        """
        names = tuple(known)
        found: Fields = {}
        for name, key, value in self._pairs(node):
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
                raise self.refused(key, f"unknown key {name!r}", hint=hint)
            if name in found:
                raise self.refused(key, f"key {name!r} occurs twice")
            found[name] = value
        return found

    def entries(self, node: yaml.Node) -> Fields:
        """Values of a mapping with free keys, in order."""
        found: Fields = {}
        for name, key, value in self._pairs(node):
            if name in found:
                raise self.refused(key, f"key {name!r} occurs twice")
            found[name] = value
        return found

    def _pairs(self, node: yaml.Node) -> Iterable[tuple[str, yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self.refused(node, "expected a mapping")
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.refused(key, "expected a plain key")
            yield str(key.value), key, value

    def text(self, node: yaml.Node) -> str:
        """A text; numbers and words of YAML read as they are written."""
        if not isinstance(node, yaml.ScalarNode):
            raise self.refused(node, "expected a text")
        return str(node.value)

    def flag(self, node: yaml.Node) -> bool:
        """True or false."""
        if isinstance(node, yaml.ScalarNode) and node.value in ("true", "false"):
            return bool(node.value == "true")
        raise self.refused(node, "expected true or false")

    def number(self, node: yaml.Node) -> int:
        """A whole number that is not negative."""
        if isinstance(node, yaml.ScalarNode) and str(node.value).isdecimal():
            return int(node.value)
        raise self.refused(node, "expected a whole number")

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        """Elements of a sequence."""
        if not isinstance(node, yaml.SequenceNode):
            raise self.refused(node, "expected a list")
        return list(node.value)

    def texts(self, node: yaml.Node) -> tuple[str, ...]:
        """Texts of a sequence; a single text counts as a list of one."""
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.text(item) for item in node.value)
        return (self.text(node),)

    def choice(self, node: yaml.Node, choices: Mapping[str, T], *, what: str) -> T:
        """One of several named values.

        Raises:
            UnreadableError: with the nearest name.
        """
        name = self.text(node)
        if name in choices:
            return choices[name]
        near = difflib.get_close_matches(name, choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(choices)}"
        raise self.refused(node, f"unknown {what} {name!r}", hint=hint)

    def checked(self, node: yaml.Node, check: Callable[[str], object]) -> str:
        """A text that a function accepts; its ValueError becomes the error here."""
        text = self.text(node)
        try:
            check(text)
        except ValueError as error:
            raise self.refused(node, str(error), hint=PATHS) from error
        return text
