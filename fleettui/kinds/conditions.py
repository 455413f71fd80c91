"""Condition lists of every family, brought into one form.

Knows where entries stand, how the two Cluster API schemes are told apart entry by
entry, and which side of a type is the abnormal one. What the entries add up to is
decided in ``dialects``. Source: cluster-api util/conditions/getter.go and
internal/util/tree/tree.go (polarity); metav1.Condition.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

import msgspec

from fleettui.kinds.moments import parsed_seconds
from fleettui.kinds.paths import number_of
from fleettui.kinds.record import Condition

NEGATIVE = frozenset(
    {
        # Cluster API
        "Paused", "Deleting", "RollingOut", "ScalingUp", "ScalingDown", "Updating", "Remediating",
        # Flux and its neighbours
        "Stalled", "Reconciling", "FetchFailed", "BuildFailed", "StorageOperationFailed",
        "ArtifactOutdated", "IncludeUnavailable", "Remediated", "Drifted", "StateLocked",
        # Argo CD
        "ErrorOccurred", "InvalidRolloutConfig", "RolloutProgressing",
        # clouds and workloads
        "ACK.Terminal", "ACK.Recoverable", "ACK.Advisory", "ReplicaFailure", "Failed",
        "FailureTarget", "Suspended", "MemoryPressure", "DiskPressure", "PIDPressure",
        "NetworkUnavailable", "DisruptionTarget",
    }
)  # fmt: skip
"""Types whose True side is abnormal or busy."""

POSITIVE = frozenset({"Progressing"})
"""Types that end like busy ones, yet are well when True."""

BUSY = frozenset({"RollingOut", "ScalingUp", "ScalingDown", "Updating", "Remediating"})
"""Negative types whose True side is ordinary progress."""


@lru_cache(maxsize=4096)
def is_negative(kind: str) -> bool:
    """Whether True is the abnormal or busy side of a condition type.

    Unknown types that end in ``ing`` are busy ones, except those that say that
    something runs (``VMRunning``).
    """
    if kind in NEGATIVE:
        return True
    return kind.endswith("ing") and kind not in POSITIVE and not kind.endswith("Running")


class RawCondition(msgspec.Struct, frozen=True, gc=False):
    """One entry as documents write it, of either scheme."""

    type: str = ""
    status: Literal["True", "False", "Unknown"] | None = None
    reason: str | None = None
    message: str | None = None
    lastTransitionTime: str | None = None
    severity: str | None = None
    observedGeneration: int | None = None


_STATUSES: Mapping[str, Literal["True", "False", "Unknown"]] = {
    "true": "True",
    "false": "False",
    "unknown": "Unknown",
}


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def raw_conditions(value: object) -> list[RawCondition] | None:
    """Entries of a decoded list, odd ones left out; None when there is no list."""
    if not isinstance(value, list):
        return None
    found = []
    for item in value:
        if isinstance(item, Mapping):
            status = item.get("status")
            known = None if status is None else _STATUSES.get(str(status).lower(), "Unknown")
            seen = number_of(item.get("observedGeneration"))
            found.append(
                RawCondition(
                    _word(item.get("type")) or "",
                    known,
                    _word(item.get("reason")),
                    _word(item.get("message")),
                    _word(item.get("lastTransitionTime")),
                    _word(item.get("severity")),
                    seen if seen >= 0 else None,
                )
            )
    return found


def is_old(entry: Condition) -> bool:
    """Whether an entry follows the old Cluster API scheme.

    Source: metav1.Condition requires a reason and knows no severity.
    """
    return entry.deprecated or bool(entry.severity) or not entry.reason


def _entries(entries: Iterable[RawCondition], deprecated: bool) -> list[Condition]:
    # a dozen entries an object: one comprehension is a third faster than a call for each
    seconds, negative = parsed_seconds, is_negative
    return [
        Condition(
            entry.type,
            entry.status or "True",
            entry.reason or "",
            entry.message or "",
            seconds(entry.lastTransitionTime) if entry.lastTransitionTime else 0,
            entry.severity or "",
            -1 if entry.observedGeneration is None else entry.observedGeneration,
            deprecated,
            negative(entry.type),
        )
        for entry in entries
    ]


def conditions_of(
    main: Iterable[RawCondition] | None,
    newer: Iterable[RawCondition] | None,
    older: Iterable[RawCondition] | None,
) -> tuple[Condition, ...]:
    """All entries in the order of the document, those of the old scheme last.

    Args:
        main: ``status.conditions``.
        newer: ``status.v1beta2.conditions``; when it has entries, ``main`` is the old list.
        older: ``status.deprecated.v1beta1.conditions``.
    """
    if not newer and not older:
        return tuple(_entries(main, False)) if main else ()
    current = newer or main or ()
    legacy = [*(main or ())] if newer else []
    legacy.extend(older or ())
    return (*_entries(current, False), *_entries(legacy, True))


def with_gates(conditions: tuple[Condition, ...], gates: Iterable[object]) -> tuple[Condition, ...]:
    """The entries, with the polarity that the object's own gates declare.

    Source: Cluster API ``spec.availabilityGates`` and ``spec.readinessGates``.
    """
    polarity: dict[str, bool] = {}
    for gate_list in gates:
        for gate in gate_list if isinstance(gate_list, list) else ():
            if isinstance(gate, Mapping) and isinstance(gate.get("conditionType"), str):
                polarity[gate["conditionType"]] = gate.get("polarity") == "Negative"
    return tuple(
        [
            msgspec.structs.replace(entry, negative=polarity[entry.type])
            if polarity.get(entry.type, entry.negative) != entry.negative
            else entry
            for entry in conditions
        ]
    )


def named(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """The first entry of a type; the list's order puts the newer scheme first."""
    for condition in conditions:
        if condition.type == kind:
            return condition
    return None
