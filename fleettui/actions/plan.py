"""Plain values: what would be sent, in which order, and why not.

Knows the shape of patches, steps, plans and refusals and their JSON form;
knows no verb, no kind and no network. Nothing here changes after it was made,
so what a person confirmed is what is sent.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from fleettui.kinds.record import ObjectRef

FIELD_MANAGER = "fleettui"
"""Name under which every write is recorded in managedFields."""


class Method(StrEnum):
    """HTTP method of a write."""

    PATCH = "PATCH"
    DELETE = "DELETE"


class ContentType(StrEnum):
    """How the body of a PATCH is understood; custom resources take these two."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"
    NONE = "application/json"
    """Body of a DELETE."""


class Danger(StrEnum):
    """How much a person should hesitate, mildest first."""

    ORDINARY = "ordinary"
    DELICATE = "delicate"
    DESTRUCTIVE = "destructive"


class Target(msgspec.Struct, frozen=True):
    """An object together with the endpoint it is written through."""

    context: str
    group: str
    version: str
    kind: str
    plural: str
    namespace: str
    """Empty for a cluster-scoped object."""
    name: str

    @property
    def ref(self) -> ObjectRef:
        """Identity across contexts."""
        return ObjectRef(self.context, self.group, self.kind, self.namespace, self.name)

    def path(self, subresource: str = "") -> str:
        """Path of the object below the server's address."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        where = f"/namespaces/{self.namespace}" if self.namespace else ""
        tail = f"/{subresource}" if subresource else ""
        return f"{root}{where}/{self.plural}/{self.name}{tail}"

    def __str__(self) -> str:
        """``CONTEXT:KIND/NAMESPACE/NAME``."""
        return str(self.ref)


class FieldTest(msgspec.Struct, frozen=True):
    """A field that the plan relies on; checked again before anything is sent."""

    path: tuple[str, ...]
    value: Any = None
    absent: bool = False
    """The field must not be there (or be null); ``value`` is not looked at."""


class Preconditions(msgspec.Struct, frozen=True):
    """What must still hold for the patch to mean what the person confirmed."""

    uid: str
    """Sent along, so the server refuses an object recreated under the same name."""
    relies_on: tuple[FieldTest, ...] = ()
    pin_resource_version: bool = False
    """Deletes and list-index patches only: busy objects would conflict for ever."""
    resource_version: str = ""
    """The version that was planned from."""


class Signal(StrEnum):
    """What shows that a controller has taken notice."""

    EQUALS = "equals"
    ABSENT = "absent"
    PRESENT = "present"
    """The field is there and not empty."""
    AFTER = "after"
    """The moment at the path is later than ``value`` (RFC 3339)."""
    CONDITION = "condition"
    """``path`` is (type,), ``value`` its status, of the generation that was written."""
    OBSERVED = "observed"
    """The condition named by ``path`` was written for the new generation, whatever it says."""
    GENERATION = "generation"
    """status.observedGeneration has reached the generation that was written."""
    VERSION = "version"
    """The version at the path is the one asked for, with or without its ``v`` and build."""
    SETTLED = "settled"
    """Counters: updated, ready and asked-for replicas are equal."""
    GONE = "gone"
    DELETING = "deleting"
    """deletionTimestamp is set, or the object is gone."""
    TURNED = "turned"
    """The condition named by ``path`` is False otherwise than ``value`` told before the write;
    a second part of the path begins its reason."""


class Check(msgspec.Struct, frozen=True):
    """One thing to be seen in the object before the step counts as acknowledged."""

    signal: Signal
    path: tuple[str, ...] = ()
    value: Any = None


class Acknowledgement(msgspec.Struct, frozen=True):
    """How the effect of a write is recognised; without checks the answer is enough."""

    checks: tuple[Check, ...] = ()
    """All of them must hold."""
    judge: str = ""
    """Condition type whose False after the checks hold means that the run failed."""
    words: str = "the server's answer"
    timeout_s: int = 300
    may_vanish: bool = False
    """The object's end means that it was done as well."""
    fails_by: tuple[Check, ...] = ()
    """Any of these means that it failed, long before the time is up."""


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """One write, exactly as it would be sent."""

    target: Target
    method: Method = Method.PATCH
    content_type: ContentType = ContentType.MERGE
    subresource: str = ""
    body: Any = None
    """Merge object, list of JSON-patch operations, or None for a DELETE."""
    preconditions: Preconditions
    acknowledged_by: Acknowledgement = Acknowledgement()
    named_entry: tuple[str, ...] = ()
    """For a list-index patch: path of the list, then the entry's name; the index is looked
    up again when the list has changed."""

    @property
    def ref(self) -> ObjectRef:
        """The object that is written."""
        return self.target.ref

    def wire_body(self, resource_version: str = "") -> Any:
        """The body with its preconditions in it, as the server gets it.

        Args:
            resource_version: the version just read; used only where the patch pins it.

        Source: a merge body carrying ``metadata.uid`` of another object is refused by the API
        server (also on ``/scale``); DeleteOptions.preconditions; RFC 6902 ``test``.
        """
        held = self.preconditions
        version = resource_version or held.resource_version
        pinned = version if held.pin_resource_version else ""
        metadata = {"uid": held.uid} | ({"resourceVersion": pinned} if pinned else {})
        if self.method is Method.DELETE:
            return {"preconditions": metadata}
        if self.content_type is ContentType.JSON:
            tests = [
                {"op": "test", "path": f"/metadata/{key}", "value": value}
                for key, value in metadata.items()
            ]
            return [*tests, *self.body]
        merged = dict(self.body)
        merged["metadata"] = {**metadata, **merged.get("metadata", {})}
        return merged


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One patch of a plan and what it has to wait for."""

    id: int
    patch: Patch
    title: str
    """What the step does, in the words of its family: ``suspend``, ``resync source``."""
    after: tuple[int, ...] = ()
    """Steps that must be acknowledged first."""
    unit: int = 0
    """Number of the target it belongs to, for waves."""
    is_cleanup: bool = False
    """Puts something back: runs as soon as the steps before it were written, acknowledged or
    not."""


class Warning(msgspec.Struct, frozen=True):
    """Something that a person must know before confirming, and what works better."""

    text: str
    target: str = ""
    """The object it is about, as text; empty when it is about the whole plan."""
    sequence: tuple[str, ...] = ()
    """Command lines of this program that, in order, do what was meant."""


class Impact(msgspec.Struct, frozen=True):
    """One part of the blast radius: who will reconcile, and where."""

    target: str
    words: str
    cluster: str = ""
    """Cluster on which the effect is felt; empty: the management cluster itself."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing is planned for an object, and what would work."""

    target: str
    reason: str
    hint: str = ""
    offer: tuple[str, ...] = ()
    """Command lines of this program that, in order, do what was meant."""
    missing_rule: str = ""
    """RBAC rule that the person lacks: ``patch clusters.cluster.x-k8s.io in namespace a``."""
    others: tuple["Refusal", ...] = ()
    """The rest of a bulk of which every object was refused."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that one confirmation covers."""

    id: str
    """Fingerprint of what would be sent; two equal plans have the same."""
    verb: str
    created_at: str
    """RFC 3339, UTC."""
    targets: tuple[Target, ...]
    """What the person asked for; steps may also touch sources and owners of these."""
    steps: tuple[Step, ...]
    """In an order that respects ``after``."""
    waves: tuple[tuple[int, ...], ...]
    """Step ids, the canary first; a wave starts when the one before is acknowledged."""
    warnings: tuple[Warning, ...] = ()
    blast_radius: tuple[Impact, ...] = ()
    refused: tuple[Refusal, ...] = ()
    """Objects of the selection for which nothing is sent."""
    undo: "Plan | None" = None
    """What puts the fields back; None where nothing can."""
    typed_confirmation: str = ""
    """Text that the person must type; empty: a plain yes."""
    danger: Danger = Danger.ORDINARY
    in_flight: int = 1
    """Most steps waited for at a time."""
    rate_per_s: float = 0.0
    """Most requests started per second; 0: no limit."""

    @property
    def needs_typed_confirmation(self) -> bool:
        """Whether a plain yes is not enough."""
        return bool(self.typed_confirmation)

    def step(self, step_id: int) -> Step:
        """The step of that number.

        Raises:
            KeyError: if the plan has no such step.
        """
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)


def to_json(value: Plan | Refusal) -> dict[str, Any]:
    """The plan or refusal as plain JSON values; ``plan_of`` reads a plan back."""
    result = msgspec.to_builtins(value)
    assert isinstance(result, dict)  # a Struct becomes an object
    return result


def plan_of(document: Mapping[str, Any]) -> Plan:
    """The plan that ``to_json`` wrote.

    Raises:
        msgspec.ValidationError: if the document is not one.
    """
    return msgspec.convert(document, Plan)


def refusals_of(first: Refusal) -> Iterable[Refusal]:
    """The refusal and those it stands for, flat."""
    yield first
    yield from first.others
