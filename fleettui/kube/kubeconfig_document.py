"""One kubeconfig file as sections that know their line.

Knows YAML and where things stand in it; knows nothing of what a kubeconfig
means. Only what is asked for is converted, so shared anchors cost nothing, and
every complaint can name file and line.

Source: YAML 1.1 as sigs.k8s.io/yaml reads it (a key given twice is an error,
tagged objects are refused).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

MAX_FILE_BYTES = 5 << 20
"""Largest kubeconfig that is read."""

MAX_ALIASES = 200
"""Most YAML aliases in one file."""

MAX_DEPTH = 40
"""Deepest nesting that is converted."""

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"true", "yes", "on", "y"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it."""

    message: str
    file: Path
    line: int = 0
    """1-based; 0 when the whole file is meant."""
    hint: str = ""

    @property
    def where(self) -> str:
        """``FILE:LINE``, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else str(self.file)

    def __str__(self) -> str:
        """One line with the place in front."""
        return f"{self.where}: {self.message}"


class KubeconfigError(Exception):
    """Carries a problem from where it is met to where it is kept."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem."""
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping in the file."""

    node: yaml.MappingNode
    file: Path

    @property
    def line(self) -> int:
        """1-based line where the mapping begins."""
        return int(self.node.start_mark.line) + 1

    def get(self, key: str) -> yaml.Node | None:
        """The node under a key; None if it is absent or null."""
        for key_node, value in self.node.value:
            if key_node.value == key:
                return None if value.tag == _TAG + "null" else value
        return None

    def line_of(self, key: str) -> int:
        """1-based line of a key's value, or of the mapping if the key is absent."""
        node = self.get(key)
        return self.line if node is None else int(node.start_mark.line) + 1

    def fail(self, message: str, *, key: str = "", hint: str = "") -> KubeconfigError:
        """The error that names this place."""
        line = self.line_of(key) if key else self.line
        return KubeconfigError(Problem(message, self.file, line, hint))

    def text(self, key: str) -> str:
        """The scalar under a key as text, empty if absent.

        Raises:
            KubeconfigError: the value is a list or mapping.
        """
        node = self.get(key)
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            raise self.fail(f"{key} must be text", key=key)
        return str(node.value)

    def flag(self, key: str) -> bool:
        """The boolean under a key, False if absent.

        Raises:
            KubeconfigError: the value is no boolean.
        """
        node = self.get(key)
        if node is None:
            return False
        if node.tag != _TAG + "bool":
            raise self.fail(f"{key} must be true or false", key=key)
        return str(node.value).lower() in _TRUE

    def section(self, key: str) -> "Section | None":
        """The mapping under a key, None if absent or null.

        Raises:
            KubeconfigError: the value is something else.
        """
        node = self.get(key)
        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            raise self.fail(f"{key} must be a mapping", key=key)
        return section_of(node, self.file)

    def sections(self, key: str) -> Iterator["Section"]:
        """The mappings of a list under a key; nothing if absent, null or empty.

        Raises:
            KubeconfigError: the value is no list of mappings.
        """
        for node in self._sequence(key):
            if not isinstance(node, yaml.MappingNode):
                raise self.fail(f"{key} must be a list of mappings", key=key)
            yield section_of(node, self.file)

    def texts(self, key: str) -> tuple[str, ...]:
        """The scalars of a list under a key.

        Raises:
            KubeconfigError: the value is no list of scalars.
        """
        result = []
        for node in self._sequence(key):
            if not isinstance(node, yaml.ScalarNode):
                raise self.fail(f"{key} must be a list of texts", key=key)
            result.append(str(node.value))
        return tuple(result)

    def keys(self) -> Iterator[str]:
        """Keys in the order of the file."""
        for key_node, _ in self.node.value:
            yield str(key_node.value)

    def plain(self, key: str) -> object:
        """The value under a key as JSON-like data; moments stay text.

        Raises:
            KubeconfigError: nested deeper than ``MAX_DEPTH``.
        """
        node = self.get(key)
        return None if node is None else _plain(node, self.file, MAX_DEPTH)

    def _sequence(self, key: str) -> list[yaml.Node]:
        node = self.get(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.fail(f"{key} must be a list", key=key)
        return list(node.value)


def section_of(node: yaml.MappingNode, file: Path) -> Section:
    """A section over a mapping whose keys are plain and given once.

    Raises:
        KubeconfigError: a key is given twice, merged in, or is no text.
    """
    section = Section(node, file)
    seen: set[str] = set()
    for key_node, _ in node.value:
        line = int(key_node.start_mark.line) + 1
        if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
            raise KubeconfigError(Problem("keys must be plain text", file, line))
        if key_node.value in seen:
            raise KubeconfigError(Problem(f"{key_node.value} is given twice", file, line))
        seen.add(key_node.value)
    return section


def _plain(node: yaml.Node, file: Path, depth: int) -> object:
    if depth == 0:
        raise KubeconfigError(Problem("nested too deeply", file, int(node.start_mark.line) + 1))
    if isinstance(node, yaml.MappingNode):
        section = section_of(node, file)
        return {key.value: _plain(value, file, depth - 1) for key, value in section.node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value, file, depth - 1) for value in node.value]
    return _scalar(node)


def _scalar(node: yaml.Node) -> object:
    text = str(node.value)
    if node.tag == _TAG + "null":
        return None
    if node.tag == _TAG + "bool":
        return text.lower() in _TRUE
    if node.tag in (_TAG + "int", _TAG + "float"):
        try:
            return int(text, 10) if node.tag == _TAG + "int" else float(text)
        except ValueError:
            return text
    return text


def read_document(content: bytes, file: Path) -> Section | None:
    """The one document of a kubeconfig file; None for a file without content.

    Args:
        content: the file's bytes.
        file: its path, for messages only.

    Raises:
        KubeconfigError: too large, no YAML, more than one document, too many
            aliases, or no mapping.
    """
    if len(content) > MAX_FILE_BYTES:
        raise KubeconfigError(Problem("larger than 5 MB, which no kubeconfig is", file))
    try:
        aliases = sum(isinstance(e, yaml.AliasEvent) for e in yaml.parse(content, Loader=_LOADER))
        node = None if aliases > MAX_ALIASES else yaml.compose(content, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise KubeconfigError(Problem(f"no valid YAML: {error.problem}", file, line)) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise KubeconfigError(Problem("no valid YAML", file)) from error
    if aliases > MAX_ALIASES:
        raise KubeconfigError(Problem(f"more than {MAX_ALIASES} YAML aliases", file))
    if node is None or node.tag == _TAG + "null":
        return None
    if not isinstance(node, yaml.MappingNode):
        raise KubeconfigError(Problem("a kubeconfig is a mapping", file, 1))
    return section_of(node, file)
