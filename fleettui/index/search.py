"""Filters over the whole fleet as one types.

Knows one lower-cased text per home tree, which rules most trees out before a row
is looked at; refuses to know the language. A text may hold what is no longer
so (then rows decide), never less than what is so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleettui.index.bags import rows_of
from fleettui.index.coverage import Coverage, KindKey, Kinds
from fleettui.index.index import Index
from fleettui.index.query import Query
from fleettui.index.rollup import total_of
from fleettui.index.rows import Row
from fleettui.index.syntax import All, Term, Text
from fleettui.index.terms import (
    Glance,
    Test,
    fields_of,
    fits_kind,
    glance_of,
    reads_text,
    test_of,
    text_test_of,
)
from fleettui.index.texts import Texts

CAP: Final = 2000
"""Hits listed before a key is answered."""
SLACK: Final = 2
"""A text is made anew when it has grown to so many times its first length."""
MADE_AT_ONCE: Final = 600
"""Rows of trees that changed whose texts are made anew before a key is answered."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found."""

    rows: tuple[Row, ...]
    """In the order of the home trees, at most the cap asked for."""
    count: int
    """Found so far."""
    is_exact: bool
    """Whether everything was looked at, so that there are no more."""


class Searcher:
    """Texts of the home trees of an index; follows it by itself."""

    def __init__(self, index: Index) -> None:
        """Search this index."""
        self._index = index
        self._cursor = index.cursor()
        self._texts = Texts()
        self._lengths: dict[Row, int] = {}
        """First lengths of texts that have grown since."""
        self._unread: dict[Row, None] = {}
        """Trees that came or changed, whose texts are to be made."""

    def refresh(self) -> None:
        """Take over what changed since the last time; few texts are made anew at once."""
        change = self._index.changes(self._cursor)
        if change.reset:
            self.forget()
            return
        for row in change.removed:
            self._drop(row)
            self._unread.pop(row, None)
        for root in change.structure:
            self._drop(root)
            self._unread[root] = None
        for row in change.dirty:
            root = row.root
            text = self._texts.get(root)
            if text is not None:
                new = [field for field in fields_of(row) if field not in text]
                if new:
                    self._grow(root, text, new)
        self._catch_up()

    def _grow(self, root: Row, text: str, new: list[str]) -> None:
        grown = "\n".join([text, *new])
        if len(grown) > SLACK * self._lengths.setdefault(root, len(text)) + 1024:
            self._drop(root)
            self._unread[root] = None
        else:
            self._texts.put(root, grown)

    def _catch_up(self) -> None:
        left = MADE_AT_ONCE
        while self._unread and left > 0:
            root, _ = self._unread.popitem()
            if not root.is_gone and root.parent is None:
                left -= total_of(root.counts)
                self.text_of(root)

    def _drop(self, root: Row) -> None:
        self._texts.drop(root)
        self._lengths.pop(root, None)

    def forget(self) -> None:
        """Give the texts' memory back; they are made anew when needed."""
        self._texts.clear()
        self._lengths.clear()
        self._unread.clear()

    def text_of(self, root: Row) -> str:
        """Return the text of a home tree, made now if need be; costs some µs a row then."""
        text = self._texts.get(root)
        if text is None:
            found: dict[str, None] = {}
            stack = [root]
            while stack:
                row = stack.pop()
                found.update(dict.fromkeys(fields_of(row)))
                stack.extend(rows_of(row.kids))
            text = "\n".join(found)
            self._texts.put(root, text)
        return text

    def texts(self) -> list[str]:
        """Return all texts made so far."""
        return [text for _, text in self._texts.parts()]

    def known_text(self, root: Row) -> str | None:
        """Return the text of a home tree if it has been made."""
        return self._texts.get(root)

    @property
    def is_whole(self) -> bool:
        """Whether every home tree has its text, so that no row has to be tried for lack of it."""
        return len(self._texts) == sum(len(realm.roots) for realm in self._index.realms())

    def warming(self) -> Iterator[None]:
        """Make all texts, a tree between two yields; for whoever has time."""
        self.refresh()
        for realm in self._index.realms():
            for root in list(realm.roots):
                if not root.is_gone and root.parent is None and root not in self._texts:
                    self.text_of(root)
                    yield

    def bind(self, query: Query, *, now: int = 0) -> "BoundQuery":
        """Return the filter for views and searches.

        Args:
            query: what is wanted.
            now: Unix seconds, for ages.
        """
        self.refresh()
        return BoundQuery(query, test_of(query.term, now), glance_of(query.term), self)

    def holding(self, query: Query) -> Iterator[Row] | None:
        """Yield roots whose home trees may hold a match; None while each must be asked."""
        kinds = tuple(self._index.kinds())
        glance = glance_of(query.term, kinds)
        if glance is None:
            return None
        if not reads_text(query.term):
            return (root for root in self._roots() if glance(root, ""))
        if not self.is_whole:
            return None
        if isinstance(query.term, Text):
            return self._texts.holding(query.term.needle)
        cheap = glance_of(_without_texts(query.term))
        if cheap is not None:
            roots = (root for root in self._roots() if cheap(root, ""))
            return (root for root in roots if glance(root, self._texts.get(root) or ""))
        found = self._texts.where(text_test_of(query.term, kinds))
        return (root for root, text in found if glance(root, text))

    def _roots(self) -> Iterator[Row]:
        """Yield all roots; the index may be written to meanwhile."""
        for realm in self._index.realms():
            yield from list(realm.roots)

    def find(self, wanted: "BoundQuery", *, cap: int = CAP) -> Hits:
        """Return the first hits; trees whose text has not been made are read now."""
        found: list[Row] = []
        for row in self._matches(wanted):
            found.append(row)
            if len(found) >= cap:
                return Hits(tuple(found), len(found), False)
        return Hits(tuple(found), len(found), True)

    def finding(self, wanted: "BoundQuery", *, cap: int = CAP) -> Iterator[Hits]:
        """Search everything, a tree between two yields; yields what was found so far.

        The last one is exact if the index was not written to meanwhile.
        """
        found: list[Row] = []
        count = 0
        for root in list(self._index.roots()):
            if root.is_gone or not self._may_hold(wanted, root):
                continue
            for row in _below(root):
                if wanted.matches(row):
                    count += 1
                    if len(found) < cap:
                        found.append(row)
            yield Hits(tuple(found), count, False)
        yield Hits(tuple(found), count, True)

    def _matches(self, wanted: "BoundQuery") -> Iterator[Row]:
        found = wanted.holding()
        hopeful = None if found is None else set(found)
        for root in self._index.roots():
            if root in hopeful if hopeful is not None else self._may_hold(wanted, root):
                yield from filter(wanted.matches, _below(root))

    def _may_hold(self, wanted: "BoundQuery", root: Row) -> bool:
        return wanted.glance is None or wanted.glance(root, self.text_of(root))


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A query with everything it needs: what views take as a filter."""

    query: Query
    matches: Test
    """Whether a row is meant."""
    glance: Glance | None
    searcher: Searcher

    def may_hold(self, root: Row) -> bool | None:
        """Whether the root's home tree may hold a match; None when that is not known at once."""
        if self.glance is None:
            return None
        text = self.searcher.known_text(root)
        return None if text is None else self.glance(root, text)

    def holding(self) -> Iterator[Row] | None:
        """Roots whose home trees may hold a match, in no order; None: each has to be asked."""
        return self.searcher.holding(self.query)


def unsearchable(query: Query, coverage: Coverage, table: Kinds) -> list[tuple[str, KindKey]]:
    """Return what a query could not search: context and kind, for kinds not wholly loaded.

    Kinds that the query does not ask for are left out.
    """
    wanted = query.kinds()
    found = []
    for context in coverage.contexts():
        for key in sorted(coverage.unloaded_kinds(context)):
            spec = table.spec_for(*key)
            if wanted is None or spec is None or any(fits_kind(value, spec) for value in wanted):
                found.append((context, key))
    return found


def _without_texts(term: Term) -> Term:
    """Return what of a conjunction can be told of a root without its text, such as its health."""
    terms = term.terms if isinstance(term, All) else ()
    return All(tuple(part for part in terms if not reads_text(part)))


def _below(root: Row) -> Iterator[Row]:
    stack = [root]
    while stack:
        row = stack.pop()
        yield row
        stack.extend(rows_of(row.kids))
