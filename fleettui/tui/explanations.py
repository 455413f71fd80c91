"""Why an object is as it is: its causes, its stuck stories, where it comes from.

Documents over the index; fetch nothing. Knows rows, traces and stories; knows no
widget.
"""

from collections.abc import Callable, Iterator, Sequence

from fleettui.fleet.pausing_namespaces import read_pausing_namespace
from fleettui.fleet.pointed_metadata import read_pointed, users_of_kubeconfigs
from fleettui.fleet.trace_forms import is_unread
from fleettui.index.causes import explain
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.stuck import Story, stories_of
from fleettui.index.trace import Step, origin_of, trace
from fleettui.kinds.columns import short_revision
from fleettui.kinds.record import ObjectRef
from fleettui.text import one_line
from fleettui.tui.cause_board import explanation_lines, ref_cell
from fleettui.tui.cells import GLYPHS
from fleettui.tui.documents import Manner
from fleettui.tui.lines import Cell, Line, Span, spans_line, text_line
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import paragraph
from fleettui.tui.theme import VERDICT_TONES, Tone

MAX_DEPTH = 12


class Explanation:
    """Why an object is not well or does not move, in sentences with their evidence."""

    manners: frozenset[str] = frozenset()

    def __init__(self, fleet: FleetPort, ref: ObjectRef) -> None:
        """Explain this object."""
        self.title = f"why {ref.kind}/{ref.name}"
        self._fleet = fleet
        self._ref = ref

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Ask whether the namespace pauses it; everything else is in the index."""
        row = self._fleet.index.get(self._ref)
        if row is not None:
            await read_pausing_namespace(self._fleet, row)

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return stories, then causes."""
        index, now = self._fleet.index, self._fleet.now()
        row = index.get(self._ref)
        if row is None:
            return [text_line(f"{self._ref} is no longer there", Tone.DIM)]
        lines = [_head(row), text_line()]
        for story in stories_of(index, row, now):
            lines += _story_lines(story, width)
        findings = explain(index, row, now)
        if findings:
            lines += [text_line("CAUSES, best explanation first", Tone.TITLE), text_line()]
            lines += explanation_lines(index, findings, now=now, width=width)
        if len(lines) == 2:
            lines.append(text_line("nothing holds it up, as far as it has been read", Tone.DIM))
        return lines


def _head(row: Row) -> Line:
    tone = VERDICT_TONES[row.health]
    return spans_line(
        Span(f"{GLYPHS[row.health]} ", tone),
        Span(f"{row.kind} ", Tone.DIM),
        Span(row.name, Tone.STRONG),
        Span(f"  {row.reason}", tone),
        target=row.ref,
    )


def _story_lines(story: Story, width: int) -> Iterator[Line]:
    yield text_line(story.title.upper(), Tone.TITLE)
    for sentence in story.sentences:
        mark, tone = ("✗", Tone.FAILED) if sentence.is_blocking else ("·", Tone.DIM)
        first, *rest = paragraph(sentence.text, width - 4)
        yield spans_line(Span(f"  {mark} ", tone), Span(first.text))
        for line in rest:
            yield text_line(f"    {line.text}")
        if sentence.evidence:
            yield from paragraph(sentence.evidence, width, indent=6, tone=Tone.DIM)
    for step in story.next_steps:
        yield from paragraph(f"→ {step}", width, indent=2, tone=Tone.ACCENT)
    yield text_line()


class Chain:
    """Where an object comes from and what depends on it, through every kind of pointer."""

    manners: frozenset[str] = frozenset()

    def __init__(self, fleet: FleetPort, ref: ObjectRef) -> None:
        """Trace this object."""
        self.title = f"trace {ref.kind}/{ref.name}"
        self._fleet = fleet
        self._ref = ref
        self._unread: list[str] = []

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Ask for the kubeconfig objects that decide which cluster is meant."""
        row = self._fleet.index.get(self._ref)
        if row is not None:
            users = users_of_kubeconfigs(self._fleet.index, row)
            self._unread = await read_pointed(self._fleet, users)

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return both directions from the object."""
        index = self._fleet.index
        row = index.get(self._ref)
        if row is None:
            return [text_line(f"{self._ref} is no longer there", Tone.DIM)]
        found = trace(index, row)
        lines = [_head(row)]
        for title, steps in (("COMES FROM", found.up), ("WHAT DEPENDS ON IT", found.down)):
            lines += [text_line(), text_line(title, Tone.TITLE)]
            lines += _step_lines(index, steps, 1)
            if not steps:
                lines.append(text_line("  nothing known", Tone.DIM))
        if self._unread:
            lines += [text_line(), text_line("JOINED BY NAME ONLY, NOT READ", Tone.TITLE)]
            lines += [text_line(f"  {one_line(words)}", Tone.DIM) for words in self._unread]
        return lines


def _origin_words(step: Step) -> str:
    """Path, revision and the like of an applier or source."""
    if step.row is None or step.is_repeated:
        return ""
    words = [f"{name} {short_revision(value)}" for name, value in origin_of(step.row).items()]
    return f"  {'  '.join(words)}" if words else ""


def _end_of(index: Index, step: Step) -> Cell:
    """What stands at the end of a step; what was never asked for is not called missing."""
    if step.ref is None:
        return (Span("not decided", Tone.UNKNOWN),)
    if step.row is None and is_unread(index, step.ref):
        return (
            Span(f"{step.ref.kind}/", Tone.DIM),
            Span(step.ref.name),
            Span(" not read", Tone.DIM),
        )
    return ref_cell(index, step.ref)


def _step_lines(index: Index, steps: Sequence[Step], depth: int) -> Iterator[Line]:
    for step in steps:
        margin = "  " * min(depth, MAX_DEPTH)
        what = _end_of(index, step)
        yield spans_line(
            Span(f"{margin}{step.words} ", Tone.DIM),
            *what,
            Span(_origin_words(step)),
            Span("  (told above)" if step.is_repeated else "", Tone.DIM),
            Span(f"  {one_line('; '.join(step.evidence))}", Tone.DIM),
            target=step.ref if step.row is not None else None,
        )
        if step.doubt and not step.is_repeated:
            yield text_line(f"{margin}  {one_line(step.doubt)}", Tone.UNKNOWN)
        for words in step.against:
            yield text_line(f"{margin}  but: {one_line(words)}", Tone.STALLED)
        yield from _step_lines(index, step.steps, depth + 1)
        if step.more:
            yield text_line(f"{margin}and {step.more} more", Tone.DIM)
