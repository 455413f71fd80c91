"""Settings of the program: frozen groups, the strictest of all sources.

Knows the names, types and defaults of settings and where the file lies; knows
nothing of what they do, nor how the file is written (``config_file``).
Source of the folders: platformdirs (XDG on Linux, Library on macOS).
"""

import fnmatch
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from fleettui.errors import UsageError

READ_ONLY_VARIABLE = "FLEETTUI_READ_ONLY"
MAX_CONFIG_BYTES = 1 << 20


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
    from fleettui.config_file import parse_settings  # most people have no file, and no YAML to read

    return parse_settings(text, file)
