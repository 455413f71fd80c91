"""What a plan is made from: facts a verb asks for, and facts it is given.

Knows how to say which bodies, lists and rights are needed; fetches nothing.
A verb is asked again with what has been read so far until it asks for nothing
new, because an owner is known only once the object has been read.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fleettui.actions.documents import group_of, text_at
from fleettui.actions.plan import Refusal, Target
from fleettui.actions.schema import Schema
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import KindSpec

Document = Mapping[str, Any]
"""A whole object as the server sent it, managedFields included."""

SpecLookup = Callable[[str, str], KindSpec | None]
"""Group and kind to the kind's entry."""

MAX_ROUNDS = 8
"""Most rounds of questions: target, owner, cluster, topology, class, git, its source, spare."""


class ListRequest(NamedTuple):
    """A list that a plan needs: all objects of a kind in a namespace."""

    context: str
    group: str
    kind: str
    namespace: str
    cluster: str = ""
    """Only objects labelled with this Cluster's name."""


class SchemaRequest(NamedTuple):
    """The fields of a kind, as one server has them."""

    context: str
    group: str
    version: str
    kind: str


class AccessRequest(NamedTuple):
    """A right that a plan needs."""

    context: str
    verb: str
    group: str
    plural: str
    subresource: str
    namespace: str

    @property
    def rule(self) -> str:
        """The missing rule, in words: ``patch clusters.cluster.x-k8s.io in namespace a``."""
        resource = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        where = f"in namespace {self.namespace}" if self.namespace else "cluster-wide"
        return f"{self.verb} {resource}{'.' + self.group if self.group else ''} {where}"


class Access(NamedTuple):
    """The server's answer about a right."""

    allowed: bool | None
    """None: it would not say."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FactRequest:
    """Facts that are still missing."""

    bodies: tuple[ObjectRef, ...] = ()
    lists: tuple[ListRequest, ...] = ()
    access: tuple[AccessRequest, ...] = ()
    schemas: tuple[SchemaRequest, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.bodies or self.lists or self.access or self.schemas)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that has been read for a plan."""

    refs: tuple[ObjectRef, ...]
    """What the person asked for, in their order, without doubles."""
    spec_of: SpecLookup
    bodies: Mapping[ObjectRef, Document | None] = field(default_factory=dict)
    """None: the server says that there is no such object (or will not show it)."""
    lists: Mapping[ListRequest, tuple[Document, ...] | None] = field(default_factory=dict)
    """None: the list is not known (forbidden or broken)."""
    access: Mapping[AccessRequest, Access] = field(default_factory=dict)
    schemas: Mapping[SchemaRequest, Schema | None] = field(default_factory=dict)
    """None: the server publishes none, or it cannot be read."""
    scope_gaps: tuple[str, ...] = ()
    """Parts of the selection's scope that are not known, in words."""
    read_only: frozenset[str] = frozenset()
    """Contexts that may not be written to."""

    def body(self, ref: ObjectRef | None) -> Document | None:
        """The object, None when it is absent or has not been read."""
        return self.bodies.get(ref) if ref else None

    def list(self, request: ListRequest) -> tuple[Document, ...] | None:
        """The objects of a list, None when it is not known."""
        return self.lists.get(request)

    def has_field(self, target: Target, path: tuple[str, ...]) -> bool | None:
        """Whether the server's schema of a target has a field; None when it is not known."""
        schema = self.schemas.get(schema_request(target))
        return schema.has(path) if schema is not None else None

    def target(self, ref: ObjectRef) -> Target | None:
        """The endpoint to write the object through; None when it or its kind is not known.

        The version is the one it was read at, so that bodies fit what was seen.
        """
        body = self.body(ref)
        spec = self.spec_of(ref.group, ref.kind)
        if body is None or spec is None:
            return None
        version = text_at(body, ("apiVersion",)).rpartition("/")[2]
        return Target(
            context=ref.context,
            group=ref.group,
            version=version,
            kind=ref.kind,
            plural=spec.plural,
            namespace=ref.namespace,
            name=ref.name,
        )

    def with_more(
        self,
        *,
        bodies: Mapping[ObjectRef, Document | None] | None = None,
        lists: Mapping[ListRequest, tuple[Document, ...] | None] | None = None,
        access: Mapping[AccessRequest, Access] | None = None,
        schemas: Mapping[SchemaRequest, Schema | None] | None = None,
    ) -> "Facts":
        """These facts and what has been read since."""
        return replace(
            self,
            bodies={**self.bodies, **(bodies or {})},
            lists={**self.lists, **(lists or {})},
            access={**self.access, **(access or {})},
            schemas={**self.schemas, **(schemas or {})},
        )

    def missing(
        self,
        bodies: Iterable[ObjectRef | None],
        lists: Iterable[ListRequest] = (),
        access: Iterable[AccessRequest] = (),
        schemas: Iterable[SchemaRequest] = (),
    ) -> FactRequest:
        """Of these wishes, those that have not been answered yet, without doubles."""
        return FactRequest(
            bodies=tuple(dict.fromkeys(r for r in bodies if r and r not in self.bodies)),
            lists=tuple(dict.fromkeys(r for r in lists if r not in self.lists)),
            access=tuple(dict.fromkeys(r for r in access if r not in self.access)),
            schemas=tuple(dict.fromkeys(r for r in schemas if r not in self.schemas)),
        )


def schema_request(target: Target) -> SchemaRequest:
    """The question for the fields of what a target is written through."""
    return SchemaRequest(target.context, target.group, target.version, target.kind)


def ref_of(document: Document, context: str) -> ObjectRef:
    """Identity of a document that was read from a context."""
    return ObjectRef(
        context,
        group_of(text_at(document, ("apiVersion",))),
        text_at(document, ("kind",)),
        text_at(document, ("metadata", "namespace")),
        text_at(document, ("metadata", "name")),
    )


def refuse(ref: ObjectRef, reason: str, *, hint: str = "", offer: tuple[str, ...] = ()) -> Refusal:
    """A refusal about one object."""
    return Refusal(target=str(ref), reason=reason, hint=hint, offer=offer)
