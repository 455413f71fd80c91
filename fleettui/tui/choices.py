"""What pickers offer: contexts and namespaces with how they stand.

Knows contexts and counts; knows no widget.
"""

from collections.abc import Iterator

from fleettui.fleet.context import ContextInfo
from fleettui.index.index import Index
from fleettui.index.rollup import Rollup, rollup_sum
from fleettui.tui.cells import rollup_cell
from fleettui.tui.lines import cell
from fleettui.tui.ports import FleetPort
from fleettui.tui.screens.picker import Choice
from fleettui.tui.staleness import FADED_STATES
from fleettui.tui.status import state_words
from fleettui.tui.theme import Tone


def context_choices(fleet: FleetPort) -> Iterator[Choice]:
    """Every context that is or can be opened, with its state."""
    infos = {info.name: info for info in fleet.contexts()}
    left_out = {info.name: info for info in fleet.left_out()}
    for name in dict.fromkeys((*infos, *fleet.available_contexts())):
        info = infos.get(name)
        words = _words(info, left_out.get(name), fleet.now())
        yield Choice(
            name,
            cell(name, Tone.STRONG if info else Tone.PLAIN),
            cell(words, Tone.DIM if info is None else Tone.ACCENT),
        )


def _words(info: ContextInfo | None, left_out: ContextInfo | None, now: int) -> str:
    if info is not None:
        said = info.error if info.state in FADED_STATES else info.note
        parts = [state_words(info, now), said, info.server]
    elif left_out is not None:
        parts = ["left out", left_out.error, left_out.server]
    else:
        parts = ["not open"]
    return " · ".join(part for part in parts if part)


def namespace_choices(index: Index) -> Iterator[Choice]:
    """All namespaces together, then each with its counts, by name."""
    yield Choice("", cell("all", Tone.STRONG))
    counts: dict[str, list[Rollup]] = {}
    for realm in index.realms():
        if realm.namespace:
            rollup = index.rollup_of(realm.context, realm.namespace)
            counts.setdefault(realm.namespace, []).append(rollup)
    for name in sorted(counts):
        yield Choice(name, cell(name), rollup_cell(rollup_sum(counts[name])))
