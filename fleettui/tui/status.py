"""What the header says: mode, contexts and how they stand, who one is.

Knows contexts' states and the words for them; knows no widget.
"""

from collections.abc import Iterable, Iterator, Sequence

from fleettui.fleet.context import ContextInfo, ContextState, recorded_words, silent_s
from fleettui.fleet.depth import LoadPlan
from fleettui.index.rollup import Rollup
from fleettui.text import age_text
from fleettui.tui.cells import count_text, rollup_cell
from fleettui.tui.lines import Span
from fleettui.tui.theme import Tone, banner_tone

_STATES: dict[ContextState, tuple[str, Tone]] = {
    ContextState.CONNECTING: ("◌", Tone.PROGRESS),
    ContextState.SYNCING: ("◐", Tone.PROGRESS),
    ContextState.LIVE: ("●", Tone.CURRENT),
    ContextState.STALE: ("◍", Tone.STALLED),
    ContextState.FAILED: ("✗", Tone.FAILED),
    ContextState.RECORDED: ("▣", Tone.ACCENT),
    ContextState.CLOSED: ("○", Tone.DIM),
}
SETTLED_STATES = frozenset(ContextState) - {ContextState.CONNECTING, ContextState.SYNCING}
"""States in which nothing more is about to be read."""
MAX_CONTEXTS = 6
"""Contexts named one by one; of more only those that are not live, then a count."""


def state_words(info: ContextInfo, now: int) -> str:
    """How a context stands, in few words: ``live``, ``silent 15s``, ``stale 5m``, ``34%``."""
    if silence := silent_s(info, now):
        return f"silent {age_text(silence)}"
    match info.state:
        case ContextState.SYNCING if info.expected > 0:
            return f"{min(info.loaded * 100 // info.expected, 99)}%"
        case ContextState.SYNCING:
            return f"reading {count_text(info.loaded)}"
        case ContextState.STALE | ContextState.FAILED | ContextState.CONNECTING if info.since:
            return f"{info.state.value} {age_text(now - info.since)}"
        case ContextState.RECORDED if info.since:
            return f"as of {recorded_words(info)}"
        case _:
            return info.state.value


def banner_span(info: ContextInfo) -> Span:
    """The banner that the settings give a context, in its colour; empty without one."""
    return Span(f" {info.banner} " if info.banner else "", banner_tone(info.colour))


def context_spans(info: ContextInfo, now: int) -> Iterator[Span]:
    """One context: name, state, and what must not be missed about it."""
    glyph, tone = _STATES[ContextState.STALE if silent_s(info, now) else info.state]
    yield Span(f" {glyph} ", tone)
    yield Span(info.name, banner_tone(info.colour) if info.colour else Tone.STRONG)
    yield Span(f" {state_words(info, now)}", tone if tone is not Tone.CURRENT else Tone.DIM)
    if info.cached_at:
        yield Span(f" as of {age_text(now - info.cached_at)} ago", Tone.STALLED)
    if info.banner:
        yield Span(" ")
        yield banner_span(info)
    if info.lacks:
        yield Span(" ")
        yield Span(" READ-ONLY BY RIGHTS ", Tone.BADGE)
    if info.impersonating:
        yield Span(" ")
        yield Span(f" AS {info.user or 'somebody else'} ", Tone.ALARM)
    if info.insecure:
        yield Span(" ")
        yield Span(" TLS NOT VERIFIED ", Tone.ALARM)
    if info.missing:
        yield Span(f" ({len(info.missing)} not read)", Tone.STALLED)
    if info.note:
        yield Span(f" ({info.note.partition(':')[0]})", Tone.DIM)


def header_spans(contexts: Sequence[ContextInfo], *, now: int, read_only: bool) -> Iterator[Span]:
    """The header: the program, the mode, every context."""
    yield Span(" fleettui ", Tone.STRONG)
    if read_only:
        yield Span(" READ-ONLY ", Tone.BADGE)
    shown = contexts
    if len(contexts) > MAX_CONTEXTS:
        shown = [info for info in contexts if info.state is not ContextState.LIVE][:MAX_CONTEXTS]
    for info in shown:
        yield from context_spans(info, now)
    hidden = len(contexts) - len(shown)
    if hidden:
        live = sum(1 for info in contexts if info.state is ContextState.LIVE)
        yield Span(f"  {len(contexts)} contexts, {live} live", Tone.DIM)


NAMED_KINDS = 3
"""Kinds named one by one that are left out."""


def user_spans(contexts: Sequence[ContextInfo], namespace: str) -> Iterator[Span]:
    """The right end of the header: namespace and user."""
    yield Span(f" ns {namespace or 'all'} ", Tone.ACCENT if namespace else Tone.DIM)
    users = {info.user for info in contexts if info.user}
    if len(users) == 1:
        yield Span(f" {next(iter(users))} ", Tone.DIM)
    elif users:
        yield Span(f" {len(users)} users ", Tone.DIM)


def depth_notes(plans: Iterable[LoadPlan]) -> Iterator[tuple[str, Tone]]:
    """What is too many to read unasked, what is only known through its parent, at what cost."""
    plans = list(plans)
    left_out = sorted({kind for plan in plans for _, kind in plan.left_out})
    if left_out:
        hidden = len(left_out) - NAMED_KINDS
        more = f" and {hidden} more" if hidden > 0 else ""
        names = ", ".join(left_out[:NAMED_KINDS])
        yield f"too many to read unasked: {names}{more} (:load reads all)", Tone.STALLED
    unread = [plan for plan in plans if plan.is_decided and plan.known_through_parent]
    if not unread:
        return
    objects = sum(plan.missing.objects for plan in unread)
    if not objects:
        return
    wire = sum(plan.missing.wire_bytes or plan.missing.json_bytes for plan in unread)
    seconds = max(plan.missing.seconds for plan in unread)
    read = sum(plan.clusters for plan in unread)
    cost = f"{count_text(objects)} objects, {bytes_text(wire)}, {age_text(int(seconds) or 1)}"
    yield f"machines read of {read} clusters, :load reads all ({cost})", Tone.DIM


def bytes_text(count: int) -> str:
    """A number of bytes in at most six characters: ``412MB``."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count}B"


def crumb_spans(
    title: str,
    rollup: Rollup,
    *,
    notes: Sequence[tuple[str, Tone]] = (),
) -> Iterator[Span]:
    """The line above a pane: what it shows, the counts, and what limits it."""
    yield Span(f" {title}  ", Tone.ACCENT)
    yield from rollup_cell(rollup)
    if rollup.paused:
        yield Span(f"  ⏸ {count_text(rollup.paused)}", Tone.PAUSED)
    if rollup.deleting:
        yield Span(f"  ✂ {count_text(rollup.deleting)}", Tone.DELETING)
    for text, tone in notes:
        yield Span("  │ ", Tone.DIM)
        yield Span(text, tone)


def way_spans(rollup: Rollup) -> Iterator[Span]:
    """The way to what is broken, where anything is."""
    if rollup.failed or rollup.stalled:
        yield Span(" n", Tone.KEY)
        yield Span(" next fault ", Tone.DIM)
        yield Span(" :causes", Tone.KEY)
        yield Span(" why ", Tone.DIM)
