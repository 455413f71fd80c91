"""What hands did beside git: changed objects, and objects that git may not touch.

Knows field managers (those of a control plane's Secrets too), drift conditions and the
switch that makes an applier leave an object alone. Source: kustomize-controller drops
fields of managers whose names begin with ``kubectl`` at its next apply (domain.md rule 7),
so that such a manager beside its own proves a change since; annotation
``kustomize.toolkit.fluxcd.io/reconcile: disabled`` on a live object; condition Drifted of
helm-controller.
"""

from collections.abc import Iterator
from typing import Final

from fleettui.index.causes.signal import CauseState, Signal
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import Verdict
from fleettui.kinds.spec import Role

MANAGERS: Final = "managers"
"""Fact with the field managers of an object."""
LEFT_ALONE: Final = "kustomize.toolkit.fluxcd.io/reconcile"
_SHARED: Final = "kustomize.toolkit.fluxcd.io/ssa"
_HANDS: Final = ("kubectl", "before-first-apply")
_APPLIERS: Final = frozenset({"kustomize-controller", "helm-controller"})
_OWNED: Final = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")
_PARTS: Final = frozenset({Role.PLATFORM, Role.CONTROLLER})
_SECRET: Final = ("", "Secret")
_DRIFTED: Final = "Drifted"
_NAMED: Final = 3


def conduct_of(index: Index, row: Row) -> Iterator[Signal]:
    """Reasons that lie in what hands did to the object or to what it applies."""
    if row.is_deleting:
        return
    drifted = next((c for c in row.conditions if c.type == _DRIFTED and c.status == "True"), None)
    if drifted is not None:
        yield Signal(
            CauseState.WAITING,
            weight=58,
            condition=drifted.type,
            reason=drifted.reason,
            message=drifted.message,
            since=drifted.since,
            is_hard=True,
        )
    yield from _secret(index, row)
    is_part = row.spec.role in _PARTS
    if is_left_alone(row) and (not is_part or hands_of(row)):
        yield _left_alone(row, is_part=is_part)
    if row.spec.role is Role.APPLIER:
        changed = [part for part in _parts(index, row) if hands_of(part) and not _is_exempt(part)]
        if changed:
            yield _changed(changed)


def is_left_alone(row: Row) -> bool:
    """Whether an annotation on the live object keeps its applier from touching it."""
    return (row.annotation(LEFT_ALONE) or "").lower() == "disabled"


def hands_of(row: Row) -> str:
    """The manager of a hand that changed an applied object since it was applied."""
    managers = row.fact(MANAGERS)
    if not managers:
        return ""
    names = [name.strip() for name in managers.split(",")]
    if _APPLIERS.isdisjoint(names) and all(row.label(name) is None for name in _OWNED):
        return ""
    return next((name for name in names if name.startswith(_HANDS)), "")


def _is_exempt(row: Row) -> bool:
    return is_left_alone(row) or (row.annotation(_SHARED) or "").lower() in (
        "ifnotpresent",
        "ignore",
        "merge",
    )


def _parts(index: Index, row: Row) -> Iterator[Row]:
    for relation in ("applies", "argo_applies"):
        for edge in index.edges(row, relation):
            if edge.target is not None and edge.target.spec.role in _PARTS:
                yield edge.target


def _left_alone(row: Row, *, is_part: bool) -> Signal:
    """A part that hands hold fast has drifted; an applier that is held fast is frozen."""
    return Signal(
        CauseState.WAITING if is_part else CauseState.PAUSED,
        weight=40 if is_part else 86,
        condition=f"annotation {LEFT_ALONE}",
        reason="LeftAlone",
        message=f"its applier leaves it alone: annotation {LEFT_ALONE} is disabled"
        + (f"; changed by {hands_of(row)}" if is_part else ", so git no longer changes it"),
        since=0,
        is_hard=True,
    )


def made_by_hand(index: Index, control_plane: Row) -> Iterator[Row]:
    """Secrets that an unwell control plane made and hands changed since."""
    above = control_plane.parent
    if all(row is None or row.health is Verdict.CURRENT for row in (control_plane, above)):
        return
    for edge in index.reverse(control_plane, "owner"):
        if edge.target is not None and _hand_beside_maker(edge.target):
            yield edge.target


def _hand_beside_maker(row: Row) -> str:
    if (row.group, row.kind) != _SECRET:
        return ""
    names = [name.strip() for name in row.fact(MANAGERS).split(",")]
    if all(name.startswith(_HANDS) for name in names):
        return ""
    return next((name for name in names if name.startswith(_HANDS)), "")


def _secret(index: Index, row: Row) -> Iterator[Signal]:
    """A certificate or kubeconfig of a control plane that is not well.

    Of a Secret only the metadata is known: that it was changed, not what is wrong with it.
    """
    hand = _hand_beside_maker(row)
    maker = next((e.target for e in index.edges(row, "owner")), None) if hand else None
    if maker is None or maker.spec.role is not Role.CONTROL_PLANE:
        return
    if any(secret is row for secret in made_by_hand(index, maker)):
        yield Signal(
            CauseState.WAITING,
            weight=57,
            condition="metadata.managedFields",
            reason="ChangedByHand",
            message=f"changed by hand ({hand}) since {maker.kind} {maker.name} made it; what is "
            "in it decides whether the cluster's API server can be asked and machines can join",
            since=0,
            is_hard=True,
        )


def _changed(changed: list[Row]) -> Signal:
    names = [f"{row.kind} {row.name} by {hands_of(row)}" for row in changed[:_NAMED]]
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return Signal(
        CauseState.WAITING,
        weight=57,
        condition="metadata.managedFields",
        reason="ChangedByHand",
        message=f"changed by hand since it was applied: {', '.join(names)}{more}; "
        "the next apply takes it back",
        since=0,
        is_hard=True,
    )
