"""The settings file: strict, every refusal names file:line and the nearest key.

Knows YAML nodes and the shapes of settings; knows nothing of what they do.
"""

import difflib
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from fleettui.config import BulkSettings, ContextSettings, Settings
from fleettui.errors import UsageError

_DANGEROUS = ("approve", "delete-cluster", "upgrade")
_CHOICES = {
    "first_screen": ("auto", "causes", "overview", "tree"),
    "theme": ("auto", "dark", "light"),
    "depth": ("auto", "full", "spine"),
    "colour": ("", "blue", "cyan", "green", "magenta", "red", "yellow"),
}


def parse_settings(text: str, file: Path) -> Settings:
    """Settings of a text; ``file`` is only named in errors.

    Raises:
        UsageError: the text is no YAML mapping, a key is unknown or a value has a wrong type.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(exc, "problem", None) or "not YAML"
        raise UsageError(f"is not YAML: {problem}", where=f"{file}{line}") from exc
    if node is None:
        return Settings(source=file)
    reader = _Reader(file)
    values = reader.group(node, Settings, special={"contexts", "local_sources", "bulk"})
    entries = reader.entries(node)
    if "bulk" in entries:
        values["bulk"] = BulkSettings(**reader.group(entries["bulk"], BulkSettings))
    if "contexts" in entries:
        values["contexts"] = tuple(
            ContextSettings(
                **{**reader.group(body, ContextSettings, hidden={"pattern"}), "pattern": pattern}
            )
            for pattern, body in reader.entries(entries["contexts"]).items()
        )
    if "local_sources" in entries:
        values["local_sources"] = {
            url: Path(reader.scalar(body, str, url)).expanduser()
            for url, body in reader.entries(entries["local_sources"]).items()
        }
    return Settings(**values, source=file)


class _Reader:
    """Turns YAML nodes into values, and says where they are wrong."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def refuse(self, node: yaml.Node, message: str, *, hint: str = "") -> UsageError:
        return UsageError(message, where=f"{self._file}:{node.start_mark.line + 1}", hint=hint)

    def entries(self, node: yaml.Node) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self.refuse(node, "expected keys and values here")
        result: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in result:
                raise self.refuse(key, f"{name!r} stands here twice")
            result[name] = value
        return result

    def group(
        self,
        node: yaml.Node,
        shape: type[Any],
        *,
        special: frozenset[str] | set[str] = frozenset(),
        hidden: frozenset[str] | set[str] = frozenset(),
    ) -> dict[str, Any]:
        known = {f.name: f for f in fields(shape) if f.name not in {"source", *hidden}}
        result: dict[str, Any] = {}
        for name, value in self.entries(node).items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                raise self.refuse(value, f"unknown setting {name!r}", hint=hint)
            if name in special:
                continue
            if name == "allow":
                result[name] = self._verbs(value)
            else:
                result[name] = self.scalar(value, type(known[name].default), name)
        return result

    def scalar(self, node: yaml.Node, kind: type[Any], name: str) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self.refuse(node, f"{name} takes one value")
        text = str(node.value)
        if kind is bool:
            if text not in ("true", "false"):
                raise self.refuse(node, f"{name} is true or false, not {text!r}")
            return text == "true"
        if kind is int:
            if not text.isdecimal() or int(text) < 1:
                raise self.refuse(node, f"{name} is a whole number from 1, not {text!r}")
            return int(text)
        choices = _CHOICES.get(name)
        if choices and text not in choices:
            shown = ", ".join(choice for choice in choices if choice)
            raise self.refuse(node, f"{name} is one of {shown}, not {text!r}")
        return text

    def _verbs(self, node: yaml.Node) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.refuse(node, "allow takes a list")
        for item in node.value:
            if str(item.value) not in _DANGEROUS:
                raise self.refuse(
                    item, f"unknown verb {item.value!r}", hint=f"known: {', '.join(_DANGEROUS)}"
                )
        return tuple(str(item.value) for item in node.value)
