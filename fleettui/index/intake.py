"""How news of scopes becomes rows: order, identity, lists, deletions, time.

Knows the rules of the list-and-watch contract and when timers start and stop;
refuses to know how anything is read. Source: design.md, rules of the index;
protocol.md 1.7.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from fleettui.index.backlog import AT_ONCE, NO_WORK, Backlog, Work
from fleettui.index.changes import ChangeLog, Transition
from fleettui.index.coverage import Coverage
from fleettui.index.health import (
    judge,
    unit_of_row,
)
from fleettui.index.packing import (
    UidOf,
    fact_values_of,
    links_of,
    numbers_of,
    pack_revision,
    pack_uid,
)
from fleettui.index.places import Place
from fleettui.index.rollup import VERDICTS
from fleettui.index.rows import Row, make_row
from fleettui.index.shapes import State
from fleettui.index.standing import DELETING, RANK
from fleettui.index.store import Store
from fleettui.index.timers import Timers
from fleettui.index.tree import Tree
from fleettui.index.unread import LOOKED_AT, Unread
from fleettui.kinds.batch import Batch, Deleted, Mark, Scope, ScopeStatus
from fleettui.kinds.record import Owner, Record
from fleettui.kinds.spec import Role


class Intake:
    """Writes to a store; the only one that does."""

    def __init__(
        self, store: Store, coverage: Coverage, log: ChangeLog, *, at_once: int = AT_ONCE
    ) -> None:
        """Write to this store and keep the log; what looks at more rows waits its turn."""
        self.stale_events = 0
        """News dropped because something newer was known."""
        self._store = store
        self._coverage = coverage
        self._log = log
        self._tree = Tree(store, coverage, log, at_once=at_once)
        self._unread = Unread(store, coverage, self._tree)
        self._timers = Timers()
        self._epoch = 0
        self._lists: dict[Scope, int] = {}
        self._transitions: list[Transition] = []
        self._arrived: set[Row] = set()
        self._backlog = Backlog(at_once=at_once)

    @property
    def is_behind(self) -> bool:
        """Whether rows wait to be looked at because of marks and statuses taken already."""
        return bool(self._backlog)

    def apply(self, batch: Batch, now: int) -> Sequence[Transition]:
        """Take over the news of one scope, in order; returns what came of it."""
        for _ in self._steps(batch, now, self._backlog.now_or_later):
            pass
        return self._finish(batch.scope not in self._lists, now)

    def catching_up(self, now: int) -> Iterator[Sequence[Transition]]:
        """Do what is late, some rows between two yields; gives what came of them."""
        for _ in self._backlog.taking():
            yield self._finish(False, now)

    def applying(self, batch: Batch, now: int, *, every: int) -> Iterator[Sequence[Transition]]:
        """Do the same a little between two yields; gives what came of each part."""
        for count, _ in enumerate(self._steps(batch, now, _all_of), start=1):
            if count % every == 0:
                yield self._finish(batch.scope not in self._lists, now)
        yield self._finish(batch.scope not in self._lists, now)

    def _steps(
        self, batch: Batch, now: int, do: Callable[[Work], Iterator[None]]
    ) -> Iterator[None]:
        scope = batch.scope
        for event in batch.events:
            if isinstance(event, Record):
                self._upsert(scope, event, now)
            elif isinstance(event, Deleted):
                self._delete(scope, event, now)
            elif isinstance(event, ScopeStatus):
                yield from do(self._note_status(scope, event))
            elif event is Mark.INIT:
                self._epoch += 1
                self._lists[scope] = self._epoch
            elif event is Mark.INIT_DONE:
                yield from do(self._sweep(scope, now))
            else:
                yield from do(self._forget(scope, now))
            yield

    def advance(self, now: int) -> Sequence[Transition]:
        """Let what is due fail; does what is late unless somebody is at it."""
        self._backlog.clear()
        for row in self._timers.due(now):
            self._log.mark(row)
            self._tree.settle(row)
        self._store.shapes.sweep()
        return self._finish(True, now)

    def _upsert(self, scope: Scope, record: Record, now: int) -> None:
        store = self._store
        place = store.place_of(scope.context, record.group, record.kind, record.namespace)
        row = place.rows.get(record.name)
        observed = scope not in self._lists
        if row is not None and row.identity != pack_uid(record.uid):
            self._remove(row, now, observed=observed)
            place = store.place_of(scope.context, record.group, record.kind, record.namespace)
            row = None
        if row is None:
            row = make_row(place, record, store.shapes, self._uid_of(place))
            row.epoch = self._epoch
            place.rows[row.name] = row
            store.size += 1
            judge(row, None, now=now, observed=observed)
            self._timers.start(row, now)
            self._log.note_added(row)
            self._tree.insert(row)
            while self._tree.waiting_for:
                self._backlog.put_off(self._adopting(self._tree.waiting_for.pop()))
            if observed:
                self._arrived.add(row)
        else:
            row.epoch = self._epoch
            if self._is_news(row, record):
                self._update(row, record, now, observed=observed)
        if place.spec.role is Role.HEALTH_CHECK:
            for machine in self._timers.restarted_by(row, now):
                self._tree.settle(machine)

    def _adopting(self, rows: Sequence[Row]) -> Iterator[None]:
        """Look for the home of rows that waited for a parent."""
        for first in range(0, len(rows), LOOKED_AT):
            for row in rows[first : first + LOOKED_AT]:
                self._tree.rehome(row)
            yield

    def _uid_of(self, place: Place) -> UidOf:
        find = self._store.find

        def uid_of(owner: Owner) -> int | str:
            uid = pack_uid(owner.uid)
            row = find(place.context, owner.group, owner.kind, place.namespace, owner.name)
            return row.identity if row is not None and row.identity == uid else uid

        return uid_of

    def _is_news(self, row: Row, record: Record) -> bool:
        revision, known = pack_revision(record.resource_version), row.revision
        if isinstance(revision, int) and isinstance(known, int):
            if revision < known:
                self.stale_events += 1
            return revision > known
        return not revision or revision != known

    def _update(self, row: Row, record: Record, now: int, *, observed: bool) -> None:
        shapes = self._store.shapes
        unit = unit_of_row(row)
        before = row.state
        state = shapes.state_of(record)
        links = links_of(record, self._uid_of(row.place))
        moved = links != row.links or not _same_pointers(before, state)
        old = self._tree.targets_of(row) if moved else []
        row.state = state
        row.links = links
        row.labels = shapes.pairs_of(record.labels)
        row.annotations = shapes.pairs_of(record.annotations)
        row.fact_values = fact_values_of(record)
        row.numbers = numbers_of(record)
        row.cluster = record.cluster
        row.standing = row.standing & ~DELETING | (DELETING if record.deleted_at else 0)
        judge(row, before, now=now, observed=observed)
        self._timers.start(row, now)
        self._log.mark(row)
        self._tree.recount(row, unit)
        self._tree.settle(row)
        if moved:
            self._tree.relink(row, old)

    def _delete(self, scope: Scope, event: Deleted, now: int) -> None:
        row = self._store.find(scope.context, event.group, event.kind, event.namespace, event.name)
        if row is None or (event.uid and row.identity != pack_uid(event.uid)):
            return
        if scope.cluster and self._is_covered(row, besides=scope):
            return
        self._remove(row, now, observed=scope not in self._lists)

    def _remove(self, row: Row, now: int, *, observed: bool, silent: bool = False) -> None:
        if not silent:
            rank = self._tree.touched.get(row, row.standing & RANK)
            self._transitions.append(Transition(row.ref, VERDICTS[rank], None, observed, now))
        self._timers.stop(row)
        self._arrived.discard(row)
        self._tree.remove(row)

    def _sweep(self, scope: Scope, now: int) -> Work:
        """Remove what a finished list did not mention."""
        epoch = self._lists.pop(scope, None)
        if epoch is None:
            return NO_WORK
        return self._store.count(scope), self._sweeping(scope, epoch, now)

    def _sweeping(self, scope: Scope, epoch: int, now: int) -> Iterator[None]:
        for rows in self._store.pieces(scope, LOOKED_AT):
            for row in rows:
                if row.epoch < epoch and not row.is_gone:
                    self._remove(row, now, observed=False)
            yield

    def _forget(self, scope: Scope, now: int) -> Work:
        """Remove what nobody follows any more, without saying that it was deleted."""
        self._lists.pop(scope, None)
        before = self._coverage.unread_kinds(scope.context)
        self._coverage.forget(scope)
        self._log.note_coverage()
        # What is told after this moment belongs to somebody who follows it again.
        epoch = self._epoch
        self._epoch += 1
        unread, settling = self._unread.settle(scope.context, before)
        forgetting = self._forgetting(scope, epoch, now)
        return unread + self._store.count(scope), chain(settling, forgetting)

    def _forgetting(self, scope: Scope, epoch: int, now: int) -> Iterator[None]:
        for rows in self._store.pieces(scope, LOOKED_AT):
            for row in rows:
                is_old = row.epoch <= epoch and not row.is_gone
                if is_old and not self._is_covered(row, besides=scope):
                    self._remove(row, now, observed=False, silent=True)
            yield

    def _is_covered(self, row: Row, *, besides: Scope) -> bool:
        place = row.place
        scopes = self._coverage.covering(
            place.context, place.group, place.kind, namespace=place.namespace, cluster=row.cluster
        )
        return any(scope != besides for scope in scopes)

    def _note_status(self, scope: Scope, status: ScopeStatus) -> Work:
        before = self._coverage.unread_kinds(scope.context)
        has_changed = self._coverage.put(scope, status)
        self._log.note_coverage()
        return self._unread.settle(scope.context, before) if has_changed else NO_WORK

    def next_deadline(self) -> int:
        """Return when ``advance`` may have something to do next, Unix seconds; 0 for never."""
        return self._timers.next_at()

    def _finish(self, observed: bool, now: int) -> Sequence[Transition]:
        tree = self._tree
        tree.retry_circles()
        found, self._transitions = self._transitions, []
        for row, rank in tree.touched.items():
            after = row.standing & RANK
            if row not in self._arrived and after != rank:
                found.append(
                    Transition(row.ref, VERDICTS[rank], VERDICTS[after], observed, now, row.reason)
                )
        tree.touched.clear()
        for row in self._arrived:
            found.append(Transition(row.ref, None, row.health, True, now, row.reason))
        self._arrived.clear()
        self._log.trim()
        return found


def _all_of(work: Work) -> Iterator[None]:
    return work[1]


def _same_pointers(before: State, after: State) -> bool:
    return before.owner_shapes == after.owner_shapes and before.link_shapes == after.link_shapes
