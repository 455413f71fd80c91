"""Causes ranked and grouped by what the affected objects are labelled with.

Knows labels of affected tops and of their namespaces' clusters; knows no mutes.
"""

from collections.abc import Iterable, Sequence

from fleettui.index.causes.board import Cause
from fleettui.index.index import Index

UNLABELLED = "–"


def label_values(index: Index, cause: Cause, label: str) -> dict[str, int]:
    """How many affected objects carry each value of a label, most first."""
    counts: dict[str, int] = {}
    for ref in cause.tops:
        row = index.get(ref)
        value = (row.label(label) if row is not None else None) or UNLABELLED
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def grouped(index: Index, causes: Iterable[Cause], label: str) -> list[tuple[str, list[Cause]]]:
    """Causes under each value of a label that they hit, in rank order; no value comes last."""
    groups: dict[str, list[Cause]] = {}
    for cause in causes:
        for value in label_values(index, cause, label):
            groups.setdefault(value, []).append(cause)
    return sorted(groups.items(), key=lambda item: (item[0] == UNLABELLED, item[0]))


def ranked_by(
    index: Index, causes: Sequence[Cause], label: str, order: Sequence[str]
) -> list[Cause]:
    """Causes that hit the first of the given values first; else in the order they have."""
    places = {value: place for place, value in enumerate(order)}

    def place(cause: Cause) -> int:
        values = label_values(index, cause, label)
        return min((places.get(value, len(places)) for value in values), default=len(places))

    return sorted(causes, key=place)
