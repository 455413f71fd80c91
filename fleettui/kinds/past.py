"""What an object says happened to it before: releases, revisions, deployments.

Knows how a data entry's ``history`` is read out of a whole object; knows no kind. Controllers
keep a few entries: Flux five releases, Argo CD ten deployments.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fleettui.kinds.columns import RENDERERS, Cell
from fleettui.kinds.paths import is_given, text_of, value_at
from fleettui.kinds.spec import ColumnSpec, HistorySpec, KindSpec


class Past(NamedTuple):
    """The entries of one object, newest first."""

    columns: tuple[ColumnSpec, ...]
    """Those of which any entry says something."""
    entries: tuple[Mapping[str, str], ...]
    """Raw texts by column name."""

    def cells(self, entry: Mapping[str, str]) -> tuple[Cell, ...]:
        """One entry as cells, one for each column."""
        return tuple(RENDERERS[c.render](entry.get(c.name, "")) for c in self.columns)


def past_of(spec: KindSpec, body: Mapping[str, Any]) -> Past:
    """Return what the object says of its past; empty for kinds that say nothing."""
    if spec.history is None:
        return Past((), ())
    found = value_at(body, spec.history.path)
    items = [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
    if spec.history.is_newest_last:
        items.reverse()
    entries = tuple(_entry(spec.history, item) for item in items)
    columns = tuple(c for c in spec.history.columns if any(c.name in e for e in entries))
    return Past(columns, entries)


def _entry(history: HistorySpec, item: Mapping[str, Any]) -> Mapping[str, str]:
    found = {}
    for column in history.columns:
        given = (value for path in column.paths if is_given(value := value_at(item, path)))
        text = text_of(next(given, None))
        if text:
            found[column.name] = text
    return found
