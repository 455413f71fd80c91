"""The ways in which a verb can be done to a kind, as a person chooses among them.

Knows which wishes make sense for a kind, from the same table that plans are made
from; makes no plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleettui.actions import pause, resync, rollout, scale
from fleettui.actions.forms import form_for, forms, pause_forms
from fleettui.kinds.spec import KindSpec


@dataclass(frozen=True, slots=True)
class Way:
    """A verb with wishes of its own."""

    label: str = ""
    """Behind the verb's own label; empty: the usual way."""
    note: str = ""
    """What this way does, in words."""
    wishes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``Options`` that are filled in already."""


_PAUSE_LABELS = {
    "rollout": "rollouts only",
    "freeze": "freeze",
    "legacy": "as older versions understand it",
    "detach": "detach from git",
}
_ARGO = (
    Way(note="compare with git again"),
    Way("without the cache", "render git again, then compare", {"form": "hard"}),
    Way("sync", "apply what git says", {"form": "sync"}),
    Way("sync and prune", "and delete what git no longer has", {"form": "sync", "prune": True}),
    Way("sync, dry run", "Argo CD only tells", {"form": "sync", "argo_dry_run": True}),
)
_DIRECT = Way("past the topology", "write the object itself", {"form": "direct"})


def ways_for(verb: str, spec: KindSpec) -> tuple[Way, ...]:
    """The ways of a verb for a kind, the usual one first."""
    if verb == pause.VERB:
        return tuple(_pauses(spec))
    if verb == resync.VERB:
        return tuple(_resyncs(spec))
    table = {rollout.VERB: forms().rollout, scale.VERB: forms().scale}.get(verb, ())
    form = form_for(table, spec)
    has_topology = form is not None and (form.topology_list or form.topology_control_plane)
    return (Way(), _DIRECT) if has_topology else (Way(),)


def _pauses(spec: KindSpec) -> Iterator[Way]:
    by_name = {form.name: form for form in reversed(pause_forms(spec))}
    for name in sorted(by_name, key=bool):
        label = _PAUSE_LABELS.get(name, name)
        yield Way(label, f"stops {by_name[name].stops}", {"form": name} if name else {})


def _resyncs(spec: KindSpec) -> Iterator[Way]:
    form = form_for(forms().resync, spec)
    if form is None or form.refuse:
        return
    if form.form == "argo":
        yield from _ARGO
        return
    yield Way()
    if form.source or form.chart:
        yield Way("source first", "and wait for it", {"with_source": True})
    if form.force:
        yield Way("forced", "even if nothing has changed", {"force": True})
    if form.reset:
        yield Way("with a reset", "of the counters of failures", {"reset": True})
