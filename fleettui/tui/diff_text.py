"""One object's difference as lines to read: who, what, why, and the lines that differ.

Knows how a difference looks in a pane, one below the other or side by side, and where
its hunks begin; asks for it through a function. Texts are raw: the painter makes them
safe. Knows no widget.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from fleettui.desired.desired_diff import DesiredDiff
from fleettui.desired.diff_forms import object_patch
from fleettui.desired.diff_lines import Line as DiffLine
from fleettui.desired.diff_lines import LineKind, Pair, side_by_side, unified_lines
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import ObjectId
from fleettui.desired.sources import Provenance
from fleettui.text import safe_text
from fleettui.tui.documents import Manner
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.prose import paragraph
from fleettui.tui.theme import Tone

SIDE_BY_SIDE_CELLS = 130
"""Panes at least this wide begin with both sides beside each other."""
SIGNS: dict[Change, tuple[str, Tone]] = {
    Change.PRUNED: ("-", Tone.FAILED),
    Change.IMMUTABLE: ("!", Tone.STALLED),
    Change.REFUSED: ("!", Tone.STALLED),
    Change.ERROR: ("!", Tone.UNKNOWN),
    Change.RECREATED: ("±", Tone.FAILED),
    Change.CREATED: ("+", Tone.CURRENT),
    Change.CHANGED: ("~", Tone.PROGRESS),
    Change.IGNORED: ("·", Tone.DIM),
    Change.UNCHANGED: ("=", Tone.DIM),
}
"""Mark and tone of each change; the mark says it without colours."""
_LINE_SIGNS = {
    LineKind.REMOVED: ("-", Tone.FAILED),
    LineKind.ADDED: ("+", Tone.CURRENT),
    LineKind.CONTEXT: (" ", Tone.PLAIN),
}


class ObjectDifference:
    """What git says of one object, and what is there."""

    manners: frozenset[str] = frozenset({"refresh", "wrap"})

    def __init__(
        self,
        identity: ObjectId,
        compare: Callable[[], Awaitable[DesiredDiff]],
        *,
        known: DesiredDiff | None = None,
    ) -> None:
        """Show this object.

        Args:
            identity: the object.
            compare: compares what it belongs to, anew.
            known: a comparison that is there already; shown at once.
        """
        self.title = f"diff {identity}"
        self.beside: bool | None = None
        """Side by side or not; None: by the width."""
        self.unfolded = False
        self._identity = identity
        self._compare = compare
        self._diff = known
        self._is_first = True

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Compare; what is already known is not asked for a second time at once."""
        if self._is_first and self._diff is not None:
            self._is_first = False
            return
        self._is_first = False
        self._diff = await self._compare()

    @property
    def found(self) -> ObjectDiff | None:
        """The object in the comparison; None: not compared yet, or not part of it."""
        objects = self._diff.objects if self._diff is not None else ()
        return next((item for item in objects if item.id == self._identity), None)

    @property
    def behind(self) -> Provenance | None:
        """File and commit behind it, as far as they are known."""
        item = self.found
        return self._diff.provenance.get(item.source) if self._diff and item else None

    def file(self) -> tuple[str, bytes | None, str]:
        """Path of its manifest, its contents, and the check-out it lies in; empty if unknown."""
        item, diff = self.found, self._diff
        if item is None or diff is None or not item.source or diff.found is None:
            return "", None, ""
        repository = diff.found.repository
        folder = repository.checkout if repository is not None else None
        return item.source, diff.found.tree.files.get(item.source), str(folder or "")

    def patch(self) -> str:
        """The difference as a patch; empty if nothing differs."""
        return object_patch(self.found) if self.found is not None else ""

    def is_beside(self, width: int) -> bool:
        """Whether both sides stand beside each other at this width."""
        item = self.found
        if item is not None and item.change in (Change.CREATED, Change.PRUNED):
            return False
        return width >= SIDE_BY_SIDE_CELLS if self.beside is None else self.beside

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return head, provenance and difference; hunks' first lines have a target."""
        diff = self._diff
        if diff is None:
            return []
        item = self.found
        lines = list(applier_lines(diff, width))
        if item is None:
            if not diff.error:
                text = f"{self._identity} is neither rendered nor pruned by it"
                lines.append(text_line(text, Tone.DIM))
            return lines
        lines += head_lines(item, self.behind, width)
        lines.append(text_line())
        if item.change is Change.UNCHANGED:
            lines.append(text_line("nothing differs", Tone.CURRENT))
            return lines
        context = None if self.unfolded else 3
        if self.is_beside(width):
            lines += _beside(side_by_side(item, context=context), width)
        else:
            lines += _below(unified_lines(item, context=context), width if manner.wrap else 0)
        return lines


def applier_lines(diff: DesiredDiff, width: int) -> Iterator[Line]:
    """What it belongs to, at which revision, and what could not be done."""
    name = f"{diff.kind} {diff.namespace}/{diff.name}"
    at = diff.revision or diff.wanted
    suspended = ", suspended" if diff.is_suspended else ""
    yield spans_line(
        Span(name, Tone.STRONG), Span(f" at {at} ({diff.mode.value}{suspended})", Tone.DIM)
    )
    if diff.error:
        yield from paragraph(f"not compared: {diff.error}", width, tone=Tone.FAILED)
        if diff.hint:
            yield from paragraph(diff.hint, width, tone=Tone.DIM)
    for note in diff.notes:
        yield from paragraph(f"note: {note}", width, tone=Tone.DIM)


def head_lines(item: ObjectDiff, behind: Provenance | None, width: int) -> Iterator[Line]:
    """What happens to an object, whose commit it is, who changed what is there."""
    sign, tone = SIGNS[item.change]
    yield spans_line(
        Span(f"{sign} {item.change.value} ", tone),
        Span(f"{item.id}", Tone.STRONG),
        Span(f"  {item.api_version}", Tone.DIM),
    )
    if item.reason:
        yield from paragraph(item.reason, width, indent=2, tone=tone)
    if behind is not None and behind.commit is not None:
        commit = behind.commit
        yield spans_line(
            Span(f"  {commit.sha[:12]} ", Tone.ACCENT),
            Span(f"{commit.author}, {commit.authored_at.date().isoformat()}: "),
            Span(commit.subject, Tone.STRONG),
        )
    if behind is not None or item.source:
        yield text_line(f"  {behind.url if behind is not None else item.source}", Tone.LINK)
    for hunk in item.hunks:
        if hunk.reason:
            yield spans_line(
                Span(f"  {hunk.path_text}", Tone.ACCENT), Span(f"  {hunk.reason}", Tone.DIM)
            )


def _spans(sign: str, tone: Tone, text: str) -> tuple[Span, ...]:
    """A YAML line with its key told apart from its value."""
    key, colon, rest = text.partition(":")
    bare = key.strip().removeprefix("- ")
    if not colon or (rest and not rest.startswith(" ")) or " " in bare:
        return (Span(f"{sign}{text}", tone),)
    key_tone = Tone.ACCENT if tone is Tone.PLAIN else tone
    value_tone = Tone.PLAIN if tone is Tone.PLAIN else Tone.STRONG
    return Span(f"{sign}{key}:", key_tone), Span(rest, value_tone)


def _below(lines: Sequence[DiffLine], width: int) -> Iterator[Line]:
    was_changed, hunk = False, 0
    for line in lines:
        if line.kind is LineKind.FOLD:
            yield text_line(safe_text(line.text), Tone.DIM)
            was_changed = False
            continue
        sign, tone = _LINE_SIGNS[line.kind]
        is_changed = line.kind is not LineKind.CONTEXT
        target = None
        if is_changed and not was_changed:
            hunk += 1
            target = ("hunk", hunk)
        was_changed = is_changed
        text = safe_text(line.text)
        if width and cell_len(text) >= width:
            parts = paragraph(text, width - 1, tone=tone)
            for place, part in enumerate(parts):
                mark = Span(sign if place == 0 else " ", tone)
                yield spans_line(mark, *part.cells[0], target=target if place == 0 else None)
            continue
        yield spans_line(*_spans(sign, tone, text), target=target)


def _beside(pairs: Sequence[Pair], width: int) -> Iterator[Line]:
    half = max((width - 3) // 2, 10)
    was_changed, hunk = False, 0
    for pair in pairs:
        if pair.left is None and pair.right is None:
            yield text_line("┄" * (2 * half + 3), Tone.DIM)
            was_changed = False
            continue
        is_changed = any(
            side and side.kind is not LineKind.CONTEXT for side in (pair.left, pair.right)
        )
        target = None
        if is_changed and not was_changed:
            hunk += 1
            target = ("hunk", hunk)
        was_changed = is_changed
        left, right = _half(pair.left, half), _half(pair.right, half)
        yield spans_line(*left, Span(" │ ", Tone.DIM), *right, target=target)


def _half(line: DiffLine | None, width: int) -> tuple[Span, ...]:
    """One side, exactly as wide as asked; longer lines are cut."""
    if line is None:
        return (Span(" " * width),)
    sign, tone = _LINE_SIGNS[line.kind]
    text = set_cell_size(safe_text(line.text), width - 1)
    return _spans(sign, tone, text)
