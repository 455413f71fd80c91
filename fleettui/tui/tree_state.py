"""What limits and orders the tree: namespace, filter, faults, order, grouping.

Knows views and filters; knows no widget. Everything here can be cleared again,
and ``notes`` says all that is in force, so that nobody takes a part for the whole.
"""

from collections.abc import Iterator, Mapping

from fleettui.index.coverage import KindKey, Kinds
from fleettui.index.perspectives import PERSPECTIVES, by_kind, named_perspective
from fleettui.index.query import Query, parse
from fleettui.index.rows import Row
from fleettui.index.sorting import ORDERS, Column
from fleettui.index.syntax import All
from fleettui.index.upgrades import shown_version
from fleettui.index.view import Filter, TreeView
from fleettui.tui.theme import Tone

ORDER_WORDS: Mapping[str, str] = {
    "name": "name",
    "health": "worst first, then longest broken",
    "age": "youngest first",
    "kind": "kind",
    "since": "longest in this state first",
    "reason": "reason",
    "version": "Kubernetes version",
    "replicas": "fewest ready replicas first",
}
"""Orders that a person can choose, in the order of the picker."""


def _ready_share(row: Row) -> float | None:
    replicas = row.replicas
    if replicas is None or replicas.desired <= 0:
        return None
    return max(replicas.ready, 0) / replicas.desired


_COLUMN_ORDERS: Mapping[str, Column] = {
    "since": lambda row: row.since or None,
    "reason": lambda row: row.reason or None,
    "version": lambda row: shown_version(row) or None,
    "replicas": _ready_share,
}
GROUPINGS = (*PERSPECTIVES, "kind")
"""Groupings by the word that ``:perspective`` takes, beside ``label NAME``."""


class Narrowing:
    """A namespace and an expression together, as one filter of a view."""

    def __init__(self, namespace: str, expression: Filter | None) -> None:
        """Want rows of this namespace (empty: all) that the expression wants, too."""
        self._namespace = namespace
        self._expression = expression

    def matches(self, row: Row) -> bool:
        """Whether the row itself is wanted."""
        if self._namespace and row.namespace != self._namespace:
            return False
        return self._expression is None or self._expression.matches(row)

    def may_hold(self, root: Row) -> bool | None:
        """Whether anything in the root's home tree may match; None: rows must be tried."""
        return None if self._expression is None else self._expression.may_hold(root)

    def holding(self) -> Iterator[Row] | None:
        """Yield all roots that may hold a match; None: each must be asked."""
        return None if self._expression is None else self._expression.holding()


class TreeState:
    """What the tree shows, of what there is."""

    def __init__(self, view: TreeView) -> None:
        """Start with everything, by name."""
        self._view = view
        self.namespace = ""
        self.expression = ""
        """The filter as typed."""
        self._filter: Filter | None = None
        self.order = "name"
        self.is_reversed = False

    @property
    def is_narrowed(self) -> bool:
        """Whether anything hides rows."""
        return bool(self.namespace or self.expression or self._view.faults_only)

    def query(self, kinds: Kinds) -> Query | None:
        """Return all that narrows the tree as one filter; None where nothing does."""
        words = [f"ns:{self.namespace}"] if self.namespace else []
        kind = self._view.perspective.kind
        spec = kinds.spec_for(*kind) if kind is not None else None
        words += [f"kind:{spec.plural}.{spec.group}"] if spec is not None else []
        words += ["health:bad"] if self._view.faults_only else []
        terms = [parse(word).term for word in words]
        if self.expression:
            words.append(self.expression)
            terms.append(parse(self.expression).term)
        return Query(" ".join(words), All(tuple(terms))) if terms else None

    def set_namespace(self, namespace: str) -> None:
        """Show one namespace; empty: all."""
        self.namespace = namespace
        self._apply()

    def set_filter(self, expression: str, wanted: Filter | None) -> None:
        """Show what a filter wants; None: everything."""
        self.expression = expression
        self._filter = wanted
        self._apply()

    def _apply(self) -> None:
        if not self.namespace:
            self._view.set_filter(self._filter)
        else:
            self._view.set_filter(Narrowing(self.namespace, self._filter))

    def toggle_faults(self) -> None:
        """Show only what is broken, or everything."""
        self._view.set_faults_only(faults_only=not self._view.faults_only)

    def sort(self, order: str, *, is_reversed: bool = False) -> None:
        """Sort siblings by one of ``ORDER_WORDS``."""
        self.order = order
        self.is_reversed = is_reversed
        by = order if order in ORDERS else _COLUMN_ORDERS[order]
        self._view.sort(by, reverse=is_reversed)

    def invert(self) -> None:
        """Turn the order round."""
        self.sort(self.order, is_reversed=not self.is_reversed)

    def group(self, words: str, *, now: int = 0) -> None:
        """Group roots as the words say; without words as at first.

        Args:
            words: a grouping, or ``label NAME``.
            now: Unix seconds, to mark versions out of support.

        Raises:
            UsageError: there is no such grouping.
        """
        self._view.set_perspective(named_perspective(words.strip() or "cluster", now=now))

    def show_kind(self, kind: KindKey) -> None:
        """Show every object of one kind, flat."""
        self._view.set_perspective(by_kind(kind))

    @property
    def is_home(self) -> bool:
        """Whether the tree is grouped as at first."""
        return self._view.perspective.name == "cluster"

    def notes(self) -> Iterator[tuple[str, Tone]]:
        """Everything in force that a person must know of to read the tree right."""
        if self.namespace:
            yield f"namespace {self.namespace}", Tone.MATCH
        if self._view.faults_only:
            yield "only what is broken", Tone.MATCH
        if self.expression:
            yield f"/{self.expression}", Tone.MATCH
        if self.order != "name" or self.is_reversed:
            turned = ", reversed" if self.is_reversed else ""
            yield f"sorted by {self.order}{turned}", Tone.DIM
