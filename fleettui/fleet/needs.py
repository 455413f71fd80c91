"""Kinds that explaining needs beside those that are always followed."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from fleettui.fleet.fleet import Fleet
from fleettui.fleet.opening import Opening, user_kinds
from fleettui.index.controllers import KINDS_NEEDED
from fleettui.kinds import load_table
from fleettui.kinds.batch import Phase
from fleettui.kinds.spec import Depth, KindSpec, Role

KindKey = tuple[str, str]
_ROLES: Final = frozenset({Role.TEMPLATE, Role.INVENTORY, Role.ADDON, Role.CLOUD, Role.IMAGE})
"""Templates that may be missing, extensions and operators, what is put into clusters."""


def kinds_for_causes(table: Iterable[KindSpec]) -> frozenset[KindKey]:
    """Kinds to ask for so that causes are complete; those not served cost nothing."""
    asked = {
        (spec.group, spec.kind)
        for spec in table
        if spec.depth is Depth.ASKED and spec.role in _ROLES
    }
    return frozenset(asked | KINDS_NEEDED)


def extra_kinds(fleet: Fleet) -> frozenset[KindKey]:
    """Kinds without which causes are still told, only not all of them.

    Rights to Pods, Leases, Endpoints and webhooks are often missing; what they would have
    told is named as not seen.
    """
    return kinds_for_causes(fleet.table)


def not_permitted(fleet: Fleet, context: str, kinds: frozenset[KindKey]) -> tuple[str, ...]:
    """Those of some kinds that may not be read in a context, as ``plural.group``, in order."""
    forbidden = {
        (scope.group, scope.kind)
        for scope, status in fleet.index.coverage.scopes().items()
        if scope.context == context and status.phase is Phase.FORBIDDEN
    }
    specs = [spec for spec in fleet.table if (spec.group, spec.kind) in forbidden & kinds]
    return tuple(sorted(f"{spec.plural}.{spec.group}".rstrip(".") for spec in specs))


def also_asking(opening: Opening, kinds: frozenset[KindKey] = frozenset()) -> Opening:
    """The opening with further kinds to follow: those given, else all that causes need.

    Recordings are read whole anyway.

    Raises:
        UnreadableError: a file of kinds that the person added is wrong.
    """
    if opening.sources:
        return opening
    wanted = kinds or kinds_for_causes(load_table(user_kinds()))
    return replace(opening, asked=opening.asked | wanted)
