"""The terms of a filter.

Knows their shapes; how they are written is in ``query``, what they mean in ``terms``.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Substring, lower case."""

    needle: str


@dataclass(frozen=True, slots=True)
class Regex:
    """Regular expression over the same places as ``Text``."""

    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Letters of a cluster's name, in order."""

    letters: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field whose text is, holds or looks like one of some values."""

    name: str
    values: tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Value:
    """What a text is compared with: ``=`` whole, ``~`` part, ``/`` pattern; lower case."""

    how: str
    text: str
    pattern: re.Pattern[str] | None = None

    def fits(self, text: str) -> bool:
        """Whether the text, of any case, is meant."""
        if self.pattern is not None:
            return self.pattern.search(text) is not None
        low = text.lower()
        return self.text in low if self.how == "~" else self.text == low


@dataclass(frozen=True, slots=True)
class Health:
    """Derived health, by rank."""

    ranks: frozenset[int]


@dataclass(frozen=True, slots=True)
class Time:
    """Age or time since, in seconds."""

    name: str
    is_longer: bool
    limit_s: int


@dataclass(frozen=True, slots=True)
class Version:
    """Kubernetes version compared with a whole or partial one."""

    operator: str
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """A label's presence or value."""

    name: str
    value: str | None
    is_equal: bool = True


@dataclass(frozen=True, slots=True)
class FlagTerm:
    """``paused`` or ``deleting``."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    term: "Term"


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the terms; none for everything."""

    terms: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of the terms."""

    terms: tuple["Term", ...]


Term = (
    Text | Regex | Fuzzy | Field | Health | Time | Version | Label | FlagTerm | Not | All | Either
)
