"""Texts with holes that are compiled once and filled by splicing bytes.

A hole is written `${name}`. Knows nothing of Kubernetes: JSON, YAML and names are all just text.
Values must be safe inside a JSON string (plain ASCII without quotes or backslashes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import itemgetter

_HOLE = re.compile(rb"\$\{([a-z0-9]+)\}")

Values = Mapping[str, bytes]


class Template:
    """A text whose holes are filled in one formatting call (about 3 µs for 6 KB)."""

    __slots__ = ("_format", "_pick", "names")

    def __init__(self, text: bytes) -> None:
        holes = [hole.decode() for hole in _HOLE.findall(text)]
        self.names = frozenset(holes)
        """Names of the holes that occur."""
        self._format = _HOLE.sub(b"%b", text.replace(b"%", b"%%"))
        self._pick = _picker(holes)

    def fill(self, values: Values) -> bytes:
        """The text with every hole replaced.

        Raises:
            KeyError: `values` lacks a name that occurs.
        """
        return self._format % self._pick(values)


def fill_text(text: str, values: Values) -> str:
    """A short text with its holes replaced; for texts that are filled rarely."""
    return Template(text.encode()).fill(values).decode()


def _picker(holes: list[str]) -> Callable[[Values], tuple[bytes, ...]]:
    if not holes:
        return lambda values: ()
    if len(holes) == 1:
        only = holes[0]
        return lambda values: (values[only],)
    return itemgetter(*holes)
