"""What can be done to the chosen objects, and why some of it cannot.

Knows rows, offers and rights; asks nothing of a person. Of many objects that are
alike one speaks for all: the plan looks at each.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef
from fleettui.tui.lines import cell
from fleettui.tui.ports import ActsPort, VerbOffer
from fleettui.tui.screens.picker import Choice
from fleettui.tui.theme import Tone

MAX_SPEAKERS = 24
"""Most objects of different sorts whose rights are asked for."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A verb for one sort of objects."""

    verb: VerbOffer
    why_not: str
    """Empty when it can be done."""


class ActChoices:
    """Verbs and their ways for a selection."""

    def __init__(self, acts: ActsPort, index: Index) -> None:
        """Offer what these acts can do to rows of this index."""
        self._acts = acts
        self._index = index

    async def offers(self, refs: Iterable[ObjectRef]) -> Mapping[str, _Offer]:
        """Verb to its offer; greyed only if it is for every sort of the objects."""
        speakers = self._speakers(refs)
        denied = await asyncio.gather(*(self._acts.rights(row.ref) for row in speakers))
        found: dict[str, _Offer] = {}
        for row, rules in zip(speakers, denied, strict=True):
            for offer in self._verbs(row):
                why_not = _reason(offer, rules)
                known = found.get(offer.verb.id)
                if known is None or (known.why_not and not why_not):
                    found[offer.verb.id] = _Offer(offer, why_not)
        return found

    def asks_for(self, verb: str, refs: Iterable[ObjectRef]) -> tuple[str, ...]:
        """Fields of the options that a person has to fill in for a verb."""
        for row in self._speakers(refs):
            for offer in self._verbs(row):
                if offer.verb.id == verb:
                    return offer.verb.asks_for
        return ()

    def _verbs(self, row: Row) -> Sequence[VerbOffer]:
        return self._acts.verbs(row.ref, is_paused=row.is_paused, is_deleting=row.is_deleting)

    def _speakers(self, refs: Iterable[ObjectRef]) -> list[Row]:
        """One object of each sort: context, kind, state."""
        found: dict[object, Row] = {}
        for ref in refs:
            row = self._index.get(ref)
            if row is not None:
                sort = (ref.context, ref.group, ref.kind, row.is_paused, row.is_deleting)
                found.setdefault(sort, row)
        return list(found.values())[:MAX_SPEAKERS]


def choices_of(offers: Mapping[str, _Offer]) -> list[Choice]:
    """Items to choose from, keyed by verb and place of the way; greyed ones say why."""
    return [
        Choice(
            (verb, place),
            cell(
                ", ".join(part for part in (offer.verb.verb.label, way.label) if part),
                Tone.DIM if offer.why_not else Tone.STRONG,
            ),
            cell(offer.why_not or way.note or verb, Tone.DIM),
        )
        for verb, offer in offers.items()
        for place, way in enumerate(offer.verb.ways)
    ]


def _reason(offer: VerbOffer, denied: Mapping[str, str]) -> str:
    """Why a verb is greyed, empty when it is not."""
    rule = denied.get(offer.verb.id, "")
    return offer.why_not or (f"missing right: {rule}" if rule else "")
