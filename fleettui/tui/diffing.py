"""From ``D`` and ``:drift`` to comparisons, in the background and within limits.

Knows what is compared, what is being compared and what was found; knows neither git
nor transport. What is asked for twice at once is compared once.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from fleettui.desired.desired_diff import DesiredDiff
from fleettui.desired.object_diff import ObjectDiff
from fleettui.desired.objects import ObjectId
from fleettui.desired.references import TargetDiff
from fleettui.errors import FleettuiError
from fleettui.fleet.appliers import all_appliers, appliers_of, is_applier
from fleettui.fleet.diffs import Progress, Question
from fleettui.fleet.drift import DriftBoard
from fleettui.kinds.record import ObjectRef
from fleettui.tui.diff_boards import AppliedList, DriftList
from fleettui.tui.diff_text import ObjectDifference
from fleettui.tui.diffing_branch import (
    BranchDiff,
    BranchList,
    BranchPort,
    difference_of,
    parse_asked,
)
from fleettui.tui.screens.board import BoardScreen
from fleettui.tui.screens.diff import DiffScreen

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

AUTOMATIC = 300
"""Appliers that ``:drift`` compares by itself, those with signals first; others on ``D``."""


def _nothing() -> None:
    """What a list of chosen appliers compares by itself."""


class DiffsPort(BranchPort, Protocol):
    """Comparisons of one run, as the screens see them."""

    async def diff_all(
        self,
        refs: Iterable[ObjectRef],
        question: Question | None = None,
        *,
        progress: Progress | None = None,
        blames: bool = True,
    ) -> Mapping[ObjectRef, DesiredDiff]:
        """Compare appliers with git."""
        ...


class Diffing:
    """Lets a person compare with git."""

    def __init__(self, app: "FleetApp", make: Callable[[], DiffsPort]) -> None:
        """Compare through what ``make`` gives: one run each, which looks at git anew."""
        self._app = app
        self._make = make
        self._running: dict[ObjectRef, asyncio.Task[None]] = {}
        self._asked: set[ObjectRef] = set()
        self._began: set[ObjectRef] = set()
        """What ``:drift`` compared by itself since it was opened."""
        self._is_told = False
        self._branches: set[BranchDiff] = set()
        self.drift = DriftBoard()

    # -- what is opened -------------------------------------------------------------------
    def show(self, ref: ObjectRef | None, question: Question | None = None) -> None:
        """Opens the difference of an object, or of all that it is made by.

        Args:
            ref: the object; None: there is none to look at.
            question: compares anew with this revision and in this way; None: as usual.
        """
        row = self._app.index.get(ref) if ref is not None else None
        if ref is None:
            return
        known = self._rendered_by(ref)
        if row is None and known is None:
            self._app.say(f"{ref} is not known here")
            return
        owners = [owner.ref for owner in appliers_of(row, self._app.index)] if row else []
        if known is not None and known not in owners:
            owners = [known]
        if not owners:
            name = f"{ref.kind}/{ref.name}"
            self._app.say(
                f"nothing says which Kustomization, HelmRelease or Application made {name}"
            )
        elif row is not None and is_applier(row):
            self.compare([ref], question)
            self._app.push_screen(BoardScreen(self.applied(ref)), self._leaves(ref))
        elif len(owners) == 1 and question is None:
            identity = ObjectId(ref.group, ref.kind, ref.namespace, ref.name)
            self.read(owners[0], identity)
        else:
            self._open(self._list(frozenset(owners), f"drift › {ref.kind}/{ref.name}"))
            self.compare(owners, question)

    def _rendered_by(self, ref: ObjectRef) -> ObjectRef | None:
        """The applier of a comparison that holds an object, rows or no rows."""
        identity = ObjectId(ref.group, ref.kind, ref.namespace, ref.name)
        for applier, diff in self.drift.diffs.items():
            if applier.context == ref.context and any(i.id == identity for i in diff.objects):
                return applier
        return None

    def show_board(self, ref: ObjectRef | None = None) -> None:
        """Opens the drift of the fleet and compares what has signals first."""
        if ref is not None:
            self.show(ref)
            return
        self._began.clear()
        self._is_told = False
        self._app.push_screen(BoardScreen(self._list(None, "drift")), self._left)

    def _left(self, ref: ObjectRef | None) -> None:
        """The drift of the fleet was left: what is not compared yet is not asked for any more."""
        done, asked = self._progress()
        if self.stop():
            self._app.say(f"stopped comparing: {done} of {asked} done")
        self._follow(ref)

    # -- before the merge -----------------------------------------------------------------
    def show_branch(self, argument: str) -> None:
        """Opens what a branch would change: ``--ref BRANCH [URL]``.

        Raises:
            UsageError: it says something else.
        """
        branch = BranchDiff(parse_asked(argument))
        self._branches.add(branch)

        def read(target: TargetDiff, item: ObjectDiff) -> None:
            if branch.found is not None:
                document = difference_of(branch.found, target, item)
                self._app.push_screen(DiffScreen(document), self._follow)

        def left(ref: ObjectRef | None) -> None:
            self._branches.discard(branch)
            if branch.stop():
                self._app.say("stopped comparing the branch")
            self._follow(ref)

        branch.begin(
            self._make,
            [row.ref for row in all_appliers(self._app.index)],
            self._app.repaint,
        )
        self._app.push_screen(BoardScreen(BranchList(branch, read)), left)

    def _compare_more(self) -> None:
        """Compares appliers that came since, those with signals first, up to the limit."""
        ranked = [row.ref for row in self.drift.rows(quiet=True)]
        new = [ref for ref in ranked if ref not in self._began]
        room = AUTOMATIC - len(self._began)
        self._began.update(new[:room])
        self.compare(new[:room])
        if len(new) > room and not self._is_told:
            self._is_told = True
            self._app.say(f"only {AUTOMATIC} appliers are compared by themselves: D on the others")

    def _open(self, board: DriftList | AppliedList) -> None:
        self._app.push_screen(BoardScreen(board), self._follow)

    def _follow(self, ref: ObjectRef | None) -> None:
        if ref is not None:
            self._app.go_to(ref)

    def _list(self, only: frozenset[ObjectRef] | None, name: str) -> DriftList:
        return DriftList(
            self._app.fleet,
            self.drift,
            self._opened,
            self._progress,
            self._running.__contains__,
            only,
            name,
            self._compare_more if only is None else _nothing,
        )

    def _opened(self, ref: ObjectRef) -> AppliedList:
        if ref not in self.drift.diffs:
            self.compare([ref])
        return self.applied(ref)

    def applied(self, ref: ObjectRef) -> AppliedList:
        """The objects of an applier as a board."""
        return AppliedList(ref, self.drift, self.read, self._running.__contains__, self._app.say)

    def read(self, applier: ObjectRef, identity: ObjectId) -> None:
        """Opens one object's difference."""
        document = self.difference(applier, identity)
        self._app.push_screen(DiffScreen(document), self._leaves(applier))

    def _leaves(self, applier: ObjectRef) -> Callable[[ObjectRef | None], None]:
        """What is done when a screen about one applier is left."""

        def left(ref: ObjectRef | None) -> None:
            task = self._running.get(applier)
            # A run over many appliers is not ended for the sake of one.
            if task is not None and list(self._running.values()).count(task) == 1:
                task.cancel()
                self._app.say(f"stopped comparing {applier.kind}/{applier.name}")
            self._follow(ref)

        return left

    def difference(self, applier: ObjectRef, identity: ObjectId) -> ObjectDifference:
        """One object's difference as a document; what is known is shown at once."""

        async def compare() -> DesiredDiff:
            self.compare([applier])
            await asyncio.wait({self._running[applier]})  # whoever stops it stops no reader
            diff = self.drift.diffs.get(applier)
            if diff is None:
                raise FleettuiError("it was not compared", hint="ctrl-r asks again")
            return diff

        return ObjectDifference(identity, compare, known=self.drift.diffs.get(applier))

    # -- what is compared -----------------------------------------------------------------
    def compare(self, refs: Iterable[ObjectRef], question: Question | None = None) -> None:
        """Compares appliers in the background, anew; those under way are not begun again."""
        chosen = [ref for ref in dict.fromkeys(refs) if ref not in self._running]
        if not chosen:
            return
        if not self._running:
            self._asked = set()
        self._asked.update(chosen)
        task = asyncio.create_task(self._work(chosen, question), name="compare with git")
        self._running.update(dict.fromkeys(chosen, task))

    async def _work(self, refs: list[ObjectRef], question: Question | None) -> None:
        def progress(done: int, total: int, ref: ObjectRef, diff: DesiredDiff) -> None:
            if len(refs) > 1:
                self.drift.diffs[ref] = diff
            self._app.repaint()

        try:
            found = await self._make().diff_all(refs, question, progress=progress)
            self.drift.diffs.update(found)
        except FleettuiError as error:
            self._app.say_error(error)
        finally:
            for ref in refs:
                self._running.pop(ref, None)
            self._app.repaint()

    def stop(self) -> bool:
        """Ends what is being compared; what was found stays. Whether there was anything."""
        tasks = set(self._running.values())
        for task in tasks:
            task.cancel()
        self._asked = {ref for ref in self._asked if ref in self.drift.diffs}
        return bool(tasks)

    def _progress(self) -> tuple[int, int]:
        done = sum(ref in self.drift.diffs for ref in self._asked)
        return done, len(self._asked)

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = set(self._running.values())
        tasks |= {branch.work for branch in self._branches if branch.work is not None}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
