"""From what a person types to the object meant: ``CONTEXT:KIND/NAMESPACE/NAME``.

Context, kind and namespace may be left out where what is left is unambiguous; an
ambiguous reference is an error that lists the candidates. Kinds go by name,
plural, short name or alias.
"""

import difflib
from collections.abc import Iterator

from fleettui.errors import UsageError
from fleettui.fleet.fleet import Fleet
from fleettui.index import Row
from fleettui.kinds import KindTable
from fleettui.kinds.spec import KindSpec

_SHOWN = 8


def kinds_named(table: KindTable, word: str) -> list[KindSpec]:
    """Kinds that a word means; several when groups share the name.

    Raises:
        UsageError: no kind is called so.
    """
    found = list(table.find(word))
    if not found:
        near = difflib.get_close_matches(word.lower(), table.words(), n=1)
        raise UsageError(
            f"no kind is called {word!r}",
            hint=f"did you mean {near[0]!r}?" if near else "see: fleettui kinds",
        )
    return found


def find_rows(fleet: Fleet, text: str, *, kind: str = "") -> list[Row]:
    """Every row that a reference can mean.

    Args:
        fleet: settled fleet.
        text: ``[CONTEXT:][KIND/[NAMESPACE/]]NAME``.
        kind: the kind when the text has none.
    """
    context, path = _context_of(fleet, text)
    parts = path.split("/")
    specs: set[tuple[str, str]] | None = None
    if len(parts) == 3 or (len(parts) == 2 and not kind):
        specs = {(s.group, s.kind) for s in kinds_named(fleet.table, parts.pop(0))}
    elif kind:
        specs = {(s.group, s.kind) for s in kinds_named(fleet.table, kind)}
    name = parts[-1]
    namespace = parts[0] if len(parts) == 2 else ""
    return [
        row
        for row in _rows(fleet, specs)
        if row.name == name
        and (not namespace or row.namespace == namespace)
        and (not context or row.ref.context == context)
    ]


def _context_of(fleet: Fleet, text: str) -> tuple[str, str]:
    """Context names may hold colons and slashes themselves (ARNs do): the longest known wins."""
    names = sorted((info.name for info in fleet.contexts()), key=len, reverse=True)
    for name in names:
        if text.startswith(f"{name}:"):
            return name, text[len(name) + 1 :]
    return "", text


def _rows(fleet: Fleet, specs: set[tuple[str, str]] | None) -> Iterator[Row]:
    if specs is None:
        yield from fleet.index.rows()
        return
    for group, kind in sorted(specs):
        yield from fleet.index.rows((group, kind))


def one_row(fleet: Fleet, text: str, *, kind: str = "") -> Row:
    """The one row meant.

    Raises:
        UsageError: nothing is called so, or several are (the candidates are listed).
    """
    rows = find_rows(fleet, text, kind=kind)
    if not rows:
        raise UsageError(f"nothing is called {text!r}", hint="see: fleettui tree")
    if len(rows) > 1:
        shown = ", ".join(str(row.ref) for row in rows[:_SHOWN])
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        raise UsageError(f"{text!r} is ambiguous", hint=f"one of {shown}{more}")
    return rows[0]
