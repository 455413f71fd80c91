"""What is shown when there is nothing to show, and what to do next.

Knows contexts' states; knows no widget. One calm screen for each way in which a
fleet can be empty.
"""

from collections.abc import Iterator, Mapping, Sequence

from fleettui.fleet.context import ContextInfo, ContextState
from fleettui.fleet.gaps import summed_up
from fleettui.kinds.record import Verdict
from fleettui.recorded.shards import Head
from fleettui.text import age_text
from fleettui.tui.cells import GLYPHS, count_text
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.prose import paragraph
from fleettui.tui.theme import VERDICT_TONES, Tone

MIN_WIDTH, MIN_HEIGHT = 50, 10
"""Smallest terminal, in cells, in which the tree can be read."""
_VERDICTS = frozenset(verdict.value for verdict in Verdict)
_WAITING = frozenset({ContextState.CONNECTING, ContextState.SYNCING})


def is_too_small(width: int, height: int) -> bool:
    """Whether a terminal of this size cannot show a tree that a person can read."""
    return width < MIN_WIDTH or height < MIN_HEIGHT


def too_small_lines(width: int, height: int) -> list[Line]:
    """What to say in a terminal that is too small."""
    return [
        text_line(f"{width}×{height} is too small", Tone.STALLED),
        text_line(f"needs {MIN_WIDTH}×{MIN_HEIGHT}, better 80×24", Tone.DIM),
    ]


def head_lines(heads: Mapping[str, Head], *, now: int) -> list[Line]:
    """The clusters of last time, with their age, until the rows themselves are there."""
    lines: list[Line] = []
    for name, head in heads.items():
        age = age_text(now - head.taken_at)
        words = f"  {count_text(head.total)} clusters as of {age} ago"
        lines.append(spans_line(Span(f"  {name}", Tone.STRONG), Span(words, Tone.STALLED)))
        for root in head.lines:
            verdict = Verdict(root.health) if root.health in _VERDICTS else Verdict.UNKNOWN
            lines.append(
                spans_line(
                    Span(f"    {GLYPHS[verdict]} ", VERDICT_TONES[verdict]),
                    Span(f"{f'{root.namespace}/{root.name}':<48}", Tone.DIM),
                    Span(f"  {root.counts:>12}  {root.reason}", Tone.DIM),
                )
            )
    return lines


def empty_lines(
    contexts: Sequence[ContextInfo], *, now: int, width: int, is_narrowed: bool
) -> list[Line]:
    """What to say instead of an empty tree.

    Args:
        contexts: every open context.
        now: Unix seconds.
        width: cells to wrap at.
        is_narrowed: whether a filter, faults only or a namespace hides rows.
    """
    lines = [text_line()]
    if not contexts:
        lines.append(text_line("  No context is open.", Tone.STRONG))
        lines += paragraph("Open one with :ctx NAME.", width, indent=2, tone=Tone.DIM)
        return lines
    if is_narrowed and not any(info.state in _WAITING for info in contexts):
        lines.append(text_line("  Nothing matches.", Tone.STRONG))
        lines += paragraph(
            "esc clears the filter, ctrl-z shows what is healthy too, :ns all shows all "
            "namespaces.",
            width,
            indent=2,
            tone=Tone.DIM,
        )
        return lines
    for info in contexts:
        lines += _about(info, now, width)
        lines.append(text_line())
    return lines


def _about(info: ContextInfo, now: int, width: int) -> Iterator[Line]:
    title, advice = _words(info, now)
    yield spans_line(Span("  "), Span(info.name, Tone.STRONG), Span(f"  {title}", Tone.ACCENT))
    if info.server and info.server not in info.error:
        yield from paragraph(info.server, width, indent=4, tone=Tone.DIM)
    if info.error:
        yield from paragraph(info.error, width, indent=4, tone=Tone.FAILED)
    is_lost = info.state is ContextState.FAILED and info.origin
    origin = (f"Opened as {info.origin}.",) if is_lost else ()
    for text in (info.hint, *origin, *advice):
        if text:
            yield from paragraph(text, width, indent=4, tone=Tone.DIM)
    if info.missing:
        yield text_line(f"    not read ({len(info.missing)}):", Tone.STALLED)
        for words in summed_up(info.missing):
            yield from paragraph(words, width, indent=6, tone=Tone.DIM)


def _words(info: ContextInfo, now: int) -> tuple[str, tuple[str, ...]]:
    match info.state:
        case ContextState.CONNECTING:
            waited = f" for {age_text(now - info.since)}" if info.since else ""
            return f"connecting{waited} …", ()
        case ContextState.SYNCING:
            return f"reading … {info.loaded} objects so far", ()
        case ContextState.FAILED:
            return "cannot be read", ("It is tried again by itself. :ctx opens another one.",)
        case ContextState.STALE:
            return "connection lost, nothing was read before", ("It is tried again by itself.",)
        case ContextState.RECORDED:
            return "a recording without any known kind of object", (
                "Recordings hold objects as kubectl get -o json or yaml prints them.",
            )
        case _ if info.missing:
            return "connected, but nothing may be read", (
                "Ask for the right to list these kinds; nothing else is needed to look.",
                f"What you may do: kubectl auth can-i --list --context {info.name}",
            )
        case _:
            return "connected, and there is nothing to show", (
                "Neither Cluster API nor GitOps kinds are there (in this namespace).",
                ":ctx opens another context, :ns all shows all namespaces.",
            )
