"""Settings of the program: frozen groups, a strict file, the strictest of all sources.

Knows the names, types and defaults of settings and where the file lies; knows
nothing of what they do. Every refusal names file:line and the nearest key.
Source of the folders: platformdirs (XDG on Linux, Library on macOS).
"""

import difflib
import fnmatch
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs
import yaml

from fleettui.errors import UsageError

READ_ONLY_VARIABLE = "FLEETTUI_READ_ONLY"
MAX_CONFIG_BYTES = 1 << 20
_DANGEROUS = ("approve", "delete-cluster", "upgrade")
_CHOICES = {
    "first_screen": ("auto", "causes", "overview", "tree"),
    "theme": ("auto", "dark", "light"),
    "depth": ("auto", "full", "spine"),
    "colour": ("", "blue", "cyan", "green", "magenta", "red", "yellow"),
}


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """What holds for the contexts whose names match ``pattern``."""

    pattern: str = "*"
    """Shell pattern over context names."""
    read_only: bool = False
    protected: bool = False
    """Actions ask for the context's name to be typed."""
    banner: str = ""
    """Words shown in the header while the context is open."""
    colour: str = ""
    depth: str = ""
    """``auto``, ``spine`` or ``full``; empty: the general setting."""
    allow: tuple[str, ...] = ()
    """Dangerous verbs that are enabled here: approve, delete-cluster, upgrade."""


@dataclass(frozen=True, slots=True)
class BulkSettings:
    """Limits of actions on many objects."""

    limit: int = 20
    """Targets above which the count has to be typed."""
    in_flight: int = 10
    """Targets that may wait for their acknowledgement at once."""
    per_minute: int = 120
    canary: int = 1
    """Targets of the first wave."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a person can set."""

    read_only: bool = False
    first_screen: str = "auto"
    theme: str = "auto"
    depth: str = "auto"
    group_label: str = ""
    """Label by which causes and the overview are grouped, such as ``environment``."""
    bulk: BulkSettings = BulkSettings()
    contexts: tuple[ContextSettings, ...] = ()
    local_sources: Mapping[str, Path] = field(default_factory=dict)
    """Git URL to the check-out that stands for it."""
    source: Path | None = None
    """The file that was read; None: defaults."""

    def for_context(self, name: str) -> ContextSettings:
        """What holds for one context: every matching entry, the strictest value of each."""
        matching = [entry for entry in self.contexts if fnmatch.fnmatchcase(name, entry.pattern)]

        def last(attribute: str) -> Any:
            return next((v for e in reversed(matching) if (v := getattr(e, attribute))), "")

        allowed = [set(entry.allow) for entry in matching]
        return ContextSettings(
            pattern=name,
            read_only=self.read_only or any(entry.read_only for entry in matching),
            protected=any(entry.protected for entry in matching),
            banner=last("banner"),
            colour=last("colour"),
            depth=last("depth") or self.depth,
            allow=tuple(sorted(set.intersection(*allowed))) if allowed else (),
        )


def config_folder() -> Path:
    """Where the settings file and ``kinds.d`` lie."""
    return Path(os.environ.get("FLEETTUI_CONFIG_HOME") or platformdirs.user_config_path("fleettui"))


def cache_folder() -> Path:
    """Where saved indexes and git repositories lie; everything in it may be deleted."""
    return Path(os.environ.get("FLEETTUI_CACHE_HOME") or platformdirs.user_cache_path("fleettui"))


def state_folder() -> Path:
    """Where the journal, history and muted causes lie."""
    return Path(os.environ.get("FLEETTUI_STATE_HOME") or platformdirs.user_state_path("fleettui"))


def read_only_from_environment() -> bool:
    """Whether the environment asks for read-only mode; anything but empty, 0, no, false does."""
    value = os.environ.get(READ_ONLY_VARIABLE, "").strip().lower()
    return value not in ("", "0", "no", "false")


def load_settings(path: Path | None = None) -> Settings:
    """Settings of the file, or defaults when there is none.

    Raises:
        UsageError: the named file is missing, or any file has an unknown key or a wrong value.
    """
    file = path or config_folder() / "config.yaml"
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise UsageError("is larger than 1 MiB", where=str(file))
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        if path is None:
            return Settings()
        raise UsageError("does not exist", where=str(file), hint="check --config") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"cannot be read: {exc}", where=str(file)) from exc
    return parse_settings(text, file)


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
