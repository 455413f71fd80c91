"""What a branch would change before it is merged, as a board: deletions first.

Knows one question about one branch: whether it is being worked out, how far, and what
was found. Knows neither git nor transport, and no widget.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from fleettui.desired.desired_diff import DesiredDiff, Mode
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.references import ReferenceDiff, TargetDiff
from fleettui.errors import FleettuiError, UsageError
from fleettui.kinds.record import ObjectRef
from fleettui.tui.boards import BoardRow
from fleettui.tui.cells import flat_text
from fleettui.tui.diff_boards import fields_of, place_of
from fleettui.tui.diff_text import SIGNS, ObjectDifference
from fleettui.tui.layout import Column
from fleettui.tui.lines import Span, cell
from fleettui.tui.theme import Tone

_ORDER = {change: place for place, change in enumerate(Change)}


class BranchPort(Protocol):
    """Comparisons of branches, as the screens see them."""

    async def compare_reference(
        self,
        refs: Iterable[ObjectRef],
        url: str,
        reference: str,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> ReferenceDiff:
        """What a branch would change; an empty URL: of the only repository that is read."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person typed behind ``:diff``."""

    reference: str
    url: str = ""


def parse_asked(argument: str) -> Asked:
    """The branch in ``--ref BRANCH [URL]``.

    Raises:
        UsageError: it says something else.
    """
    words = argument.replace("--ref=", "--ref ").split()
    if len(words) not in (2, 3) or words[0] != "--ref":
        raise UsageError(f"not understood: {argument}", hint=":diff --ref BRANCH [URL], or OBJECT")
    return Asked(*words[1:])


@dataclass(slots=True, eq=False)
class BranchDiff:
    """One branch, being compared or compared."""

    asked: Asked
    work: "asyncio.Task[None] | None" = None
    found: ReferenceDiff | None = None
    error: FleettuiError | None = None
    progress: tuple[int, int] = (0, 0)
    """Renders that are done, of how many."""
    is_stopped: bool = False

    def begin(
        self, make: Callable[[], BranchPort], refs: Iterable[ObjectRef], changed: Callable[[], None]
    ) -> None:
        """Compares in the background.

        Args:
            make: makes a run, which looks at git anew.
            refs: appliers of the fleet.
            changed: told when there is something new to show.
        """
        self.error, self.found, self.is_stopped = None, None, False
        chosen = list(refs)

        def told(done: int, total: int) -> None:
            self.progress = (done, total)
            changed()

        async def compare() -> None:
            try:
                self.found = await make().compare_reference(
                    chosen, self.asked.url, self.asked.reference, progress=told
                )
            except FleettuiError as error:
                self.error = error
            finally:
                self.work = None
                changed()

        self.work = asyncio.create_task(compare(), name=f"compare {self.asked.reference}")

    def stop(self) -> bool:
        """Ends the work; whether there was any."""
        if self.work is None:
            return False
        self.is_stopped = True
        self.work.cancel()
        return True


@dataclass(frozen=True, slots=True)
class BranchList:
    """Every object that a branch changes, over all clusters."""

    branch: BranchDiff
    reads: Callable[[TargetDiff, ObjectDiff], None]
    """Opens one difference."""
    columns: Sequence[Column] = field(
        default=(
            Column("change", "CHANGE", 12, 13, 0),
            Column("object", "OBJECT", 30, 70, 1),
            Column("fields", "FIELDS", 18, 60, 3),
            Column("commit", "COMMIT", 18, 60, 2),
            Column("applier", "KUSTOMIZATION", 14, 40, 4),
            Column("context", "CONTEXT", 10, 30, 1),
        )
    )

    @property
    def title(self) -> str:
        """The branch, and how many clusters and objects it changes."""
        name = f"branch {self.branch.asked.reference}"
        found = self.branch.found
        if found is None:
            done, total = self.branch.progress
            return f"{name}  rendered {done}/{total}, esc stops" if self.branch.work else name
        objects = ", ".join(
            f"{found.counts[change]} {change.value}" for change in Change if found.counts[change]
        )
        clusters = len(found.contexts)
        where = f"{clusters} management cluster{'' if clusters == 1 else 's'}"
        return f"{name} against {found.before}  {objects or 'no changes'} in {where}"

    @property
    def empty(self) -> str:
        """Why there are no rows."""
        branch = self.branch
        if branch.work is not None:
            return "rendering every Kustomization that reads the repository, twice …"
        if branch.error is not None:
            hint = f" ({branch.error.hint})" if branch.error.hint else ""
            return f"not compared: {branch.error}{hint}"
        if branch.is_stopped:
            return "stopped before it was compared"
        compared = branch.found.compared if branch.found is not None else 0
        return f"nothing changes in {compared} Kustomizations that read the repository"

    def rows(self) -> Sequence[BoardRow]:
        """Return objects, deletions first; Kustomizations that do not render at the end."""
        found = self.branch.found
        if found is None:
            return []
        pairs = [(target, item) for target in found.targets for item in target.objects]
        pairs.sort(key=lambda pair: (_ORDER[pair[1].change], pair[1].id, pair[0].context))
        return [*(self._row(target, item) for target, item in pairs), *_errors(found.targets)]

    def _row(self, target: TargetDiff, item: ObjectDiff) -> BoardRow:
        sign, tone = SIGNS[item.change]
        behind = target.behind.get(item.id)
        commit = behind.commit if behind is not None else None
        who = f"{commit.sha[:8]} {commit.author}: {commit.subject}" if commit else ""
        one = item.id
        ref = ObjectRef(target.context, one.group, one.kind, one.namespace, one.name)
        cells = (
            cell(f"{sign} {item.change.value}", tone),
            (Span(f"{one.kind}/", Tone.DIM), Span(place_of(one))),
            cell(item.reason or fields_of(item), tone if item.reason else Tone.DIM),
            cell(flat_text(who), Tone.DIM),
            cell(f"{target.namespace}/{target.name}", Tone.DIM),
            cell(target.context, Tone.DIM),
        )
        key = (target.context, target.namespace, target.name, one)
        return BoardRow(key, cells, ref, shows=lambda: self.reads(target, item))


def _errors(targets: Iterable[TargetDiff]) -> Iterator[BoardRow]:
    for target in targets:
        if target.error:
            name = f"{target.namespace}/{target.name}"
            told = cell(flat_text(target.error), Tone.UNKNOWN)
            cells = (
                cell("! error", Tone.UNKNOWN),
                cell(f"Kustomization/{name}", Tone.UNKNOWN),
                told,
                (),
                cell(name, Tone.DIM),
                cell(target.context, Tone.DIM),
            )
            yield BoardRow((target.context, name), cells)


def difference_of(found: ReferenceDiff, target: TargetDiff, item: ObjectDiff) -> ObjectDifference:
    """One object of a branch as a document to read."""
    behind = target.behind.get(item.id)
    known = DesiredDiff(
        "Kustomization",
        target.namespace,
        target.name,
        Mode.READ_ONLY,
        found.after,
        datetime.now(UTC),
        f"{found.after}, against what is {found.before}",
        (item,),
        provenance={item.source: behind} if behind is not None else {},
    )

    async def same() -> DesiredDiff:
        return known

    return ObjectDifference(item.id, same, known=known)
