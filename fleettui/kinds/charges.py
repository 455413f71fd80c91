"""Which Deployment reconciles which kinds, by ``charges.yaml``.

Knows how an entry is read and what it covers; names no controller itself. Kinds follow
from API groups and from the provider that a kind's data entry names.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

import yaml

from fleettui.errors import UnreadableError
from fleettui.kinds.spec import KindSpec, Role

_UNWATCHED: Final = frozenset({Role.TEMPLATE, Role.POLICY})
_FILE: Final = "charges.yaml"
_KEYS: Final = frozenset({"deployment", "groups", "provider", "kinds"})


@dataclass(frozen=True, slots=True)
class Charge:
    """What one controller is in charge of."""

    deployment: str
    """Name of the Deployment or StatefulSet, a pattern."""
    groups: tuple[str, ...]
    """API groups, patterns."""
    provider: str = ""
    """Only kinds of this provider; empty: all of the groups."""
    kinds: tuple[str, ...] = ()
    """Only these kinds; empty: all."""

    def covers(self, spec: KindSpec) -> bool:
        """Whether the controller reconciles objects of a kind."""
        if spec.role in _UNWATCHED or (self.provider and spec.provider != self.provider):
            return False
        if self.kinds and spec.kind not in self.kinds:
            return False
        return any(fnmatchcase(spec.group, pattern) for pattern in self.groups)


@cache
def all_charges() -> tuple[Charge, ...]:
    """Every entry of the package's table, in its order.

    Raises:
        UnreadableError: an entry has a key that means nothing.
    """
    text = resources.files("fleettui.kinds").joinpath(_FILE).read_text(encoding="utf-8")
    return read_charges(text)


def read_charges(text: str) -> tuple[Charge, ...]:
    """Entries of a table of this form.

    Raises:
        UnreadableError: an entry has a key that means nothing, or lacks one.
    """
    table: Any = yaml.safe_load(text)
    named: dict[str, list[str]] = table.get("groups", {})
    return tuple(_charge(entry, named) for entry in table["controllers"])


def _charge(entry: dict[str, Any], named: dict[str, list[str]]) -> Charge:
    wrong = set(entry) - _KEYS or {"deployment", "groups"} - set(entry)
    if wrong:
        name = entry.get("deployment", "an entry")
        raise UnreadableError(
            f"{name}: {', '.join(sorted(wrong))} is wrong or missing",
            where=_FILE,
            hint=f"keys are {', '.join(sorted(_KEYS))}",
        )
    groups = [group for word in entry["groups"] for group in named.get(word, [word])]
    return Charge(
        entry["deployment"], tuple(groups), entry.get("provider", ""), tuple(entry.get("kinds", ()))
    )


@lru_cache(maxsize=4096)
def charges_of(deployment: str) -> tuple[Charge, ...]:
    """What a Deployment of this name is in charge of, by the table."""
    return tuple(c for c in all_charges() if fnmatchcase(deployment, c.deployment))
