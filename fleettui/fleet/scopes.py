"""Which slices of a context are followed; one pure function.

Knows depths and what views ask for; knows no connection. Source: the depth of a
kind's data entry (design: spine first, leaves as needed).
"""

from collections.abc import Callable, Iterable

from fleettui.kinds.batch import Scope
from fleettui.kinds.spec import Depth, KindSpec

KindKey = tuple[str, str]
RANKS = {Depth.SPINE: 0, Depth.LEAF: 1, Depth.ASKED: 2}
"""What is listed first when many kinds wait."""


def plan_scopes(
    context: str,
    specs: Iterable[KindSpec],
    *,
    is_served: Callable[[str, str], bool],
    namespace: str = "",
    with_leaves: bool = True,
    asked: frozenset[KindKey] = frozenset(),
) -> dict[Scope, KindSpec]:
    """Scopes to follow, spine first, each with its kind's entry.

    Args:
        context: the context's name.
        specs: every kind understood.
        is_served: whether the server offers a (group, kind).
        namespace: limits namespaced kinds; empty: all namespaces.
        with_leaves: whether machines and what is below them are read as a whole.
        asked: kinds of any depth that somebody asked for.
    """
    wanted: list[tuple[int, Scope, KindSpec]] = []
    for spec in specs:
        key = (spec.group, spec.kind)
        is_wanted = (
            key in asked or spec.depth is Depth.SPINE or (with_leaves and spec.depth is Depth.LEAF)
        )
        if is_wanted and is_served(*key):
            scope = Scope(context, *key, namespace=namespace if spec.namespaced else "")
            wanted.append((RANKS[spec.depth], scope, spec))
    return {scope: spec for _, scope, spec in sorted(wanted, key=lambda item: item[0])}
