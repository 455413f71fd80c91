"""What is at fault for an object that is not well, in the few lines a glance takes.

Knows findings; asks nothing of a server and spends a bounded time on one object: what
takes longer is left to the document that explains everything.
"""

import time
from collections.abc import Iterator

from fleettui.index.causes.explain import Finding, explaining
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import Verdict
from fleettui.tui.cause_board import STATE_SIGNS, root_cell
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.prose import heading, paragraph
from fleettui.tui.theme import Tone

BUDGET_S = 0.015
"""Most processor time that one object's causes are looked for between two keys."""
MAX_FINDINGS = 2
MAX_MESSAGE_LINES = 4


def because_lines(index: Index, row: Row, *, now: int, width: int) -> Iterator[Line]:
    """The deepest objects at fault, best explanation first; nothing for what is well.

    An object that is its own cause is not repeated: its reason is on the line above.
    """
    if row.health is Verdict.CURRENT and not row.is_deleting:
        return
    findings = _found_in_time(index, row, now)
    if findings is None:
        yield from heading("BECAUSE", "much hangs on it; X explains")
        return
    others = [finding for finding in findings if finding.root != row.ref]
    if not others:
        return
    yield from heading("BECAUSE")
    for finding in others[:MAX_FINDINGS]:
        yield from _finding_lines(index, finding, width)
    if len(others) > MAX_FINDINGS:
        yield text_line(f"  and {len(others) - MAX_FINDINGS} more; X explains", Tone.DIM)


def _found_in_time(index: Index, row: Row, now: int) -> list[Finding] | None:
    end = time.thread_time() + BUDGET_S
    work = explaining(index, row, now)
    while time.thread_time() < end:
        try:
            next(work)
        except StopIteration as done:
            found: list[Finding] = done.value
            return found
    return None


def _finding_lines(index: Index, finding: Finding, width: int) -> Iterator[Line]:
    signal = finding.signal
    tone = STATE_SIGNS[signal.state][1]
    target = finding.root if index.get(finding.root) is not None else None
    yield spans_line(
        Span("  "),
        *root_cell(index, finding.root, signal.state),
        Span(f"  {signal.reason}", tone),
        target=target,
    )
    words = list(paragraph(signal.message, width, indent=4)) if signal.message else []
    yield from words[:MAX_MESSAGE_LINES]
    if len(words) > MAX_MESSAGE_LINES:
        yield text_line("    …", Tone.DIM)
