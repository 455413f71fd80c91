"""Where rows stand: contexts, their namespaces, and kinds within.

Knows containers alone; what is in them is kept right by ``store`` and ``tree``.
"""

from typing import TYPE_CHECKING, NamedTuple

from fleettui.index.shapes import LinkShape
from fleettui.kinds.spec import KindSpec

if TYPE_CHECKING:
    from fleettui.index.rows import Row


class Realm:
    """A namespace of a context, or the context itself: where roots stand and counts end."""

    __slots__ = ("context", "counts", "namespace", "places", "roots", "whole")

    def __init__(self, context: str, namespace: str, whole: "Realm | None") -> None:
        """Start empty.

        Args:
            context: name of the context.
            namespace: empty for cluster-scoped objects and for the context itself.
            whole: the context's own realm; None for the context itself.
        """
        self.context = context
        self.namespace = namespace
        self.whole = whole
        self.counts = 0
        self.places = 0
        """Kinds of which there are objects; for a context, its namespaces."""
        self.roots: dict[Row, None] = {}


class Route(NamedTuple):
    """Where the targets of a shape are kept."""

    kind: tuple[str, str, str]
    """Context, group and kind."""
    namespace: str
    shape: LinkShape


class Place:
    """All objects of one kind in one namespace of one context, by name."""

    __slots__ = (
        "context",
        "group",
        "kind",
        "namespace",
        "realm",
        "reverse_homes",
        "routes",
        "rows",
        "spec",
    )

    def __init__(self, realm: Realm, spec: KindSpec) -> None:
        """Start empty in this realm."""
        self.context = realm.context
        self.group = spec.group
        self.kind = spec.kind
        self.namespace = realm.namespace
        self.spec = spec
        self.realm = realm
        self.rows: dict[str, Row] = {}
        self.routes: dict[int, Route] = {}
        """Where the targets of each shape are kept, by the identity of the shape, which the
        route keeps good."""
        self.reverse_homes = frozenset(name[1:] for name in spec.home if name.startswith("~"))
