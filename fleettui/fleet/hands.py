"""Reads, writes and rights of live contexts, in the words that plans use.

Knows how the API client's failures are told apart: refused for sure, or perhaps
done. Builds no writer where the context's policy allows none.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fleettui.actions.facts import Access, AccessRequest, Document, ListRequest, SchemaRequest
from fleettui.actions.plan import ContentType, Target
from fleettui.actions.schema import Schema
from fleettui.errors import FleettuiError, RefusedError
from fleettui.fleet.schemas import Schemas
from fleettui.fleet.writing import WriteFailure
from fleettui.kinds.record import ObjectKey, ObjectRef
from fleettui.kube.access import Question
from fleettui.kube.calls import Purpose
from fleettui.kube.context import KubeContext
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.resource import Resource
from fleettui.kube.source import CLUSTER_LABEL
from fleettui.kube.writer import PatchType, Writer
from fleettui.kube.writer import Target as WireTarget

_TYPES = {ContentType.MERGE: PatchType.MERGE, ContentType.JSON: PatchType.JSON}
_LOST = frozenset({Fault.MALFORMED, Fault.REDIRECTED})
"""Answers that do not say what happened, besides those that the client itself marks."""

ContextOf = Callable[[str], KubeContext | None]
"""The open context of a name, None while it is not connected."""


class Hands:
    """What the driver of plans asks of the outside, over all open contexts."""

    def __init__(self, context_of: ContextOf) -> None:
        """Nothing is asked and no writer is made yet."""
        self._context_of = context_of
        self._schemas = Schemas()

    def _context(self, name: str) -> KubeContext:
        context = self._context_of(name)
        if context is None:
            raise FleettuiError("is not connected", where=name, hint="wait for it or retry")
        return context

    def _writer(self, name: str) -> Writer:
        """A writer of the context as it is open now: it may have been opened anew."""
        return self._context(name).writer()

    async def body(self, ref: ObjectRef) -> Document | None:
        """The whole object as it is now, None when there is none.

        Raises:
            FleettuiError: it cannot be told.
        """
        key = ObjectKey(ref.group, ref.kind, ref.namespace, ref.name)
        try:
            return _document(await self._context(ref.context).body(key, purpose=Purpose.ACT))
        except ApiError as error:
            if error.fault is Fault.NOT_FOUND:
                return None
            raise

    async def list(self, request: ListRequest) -> tuple[Document, ...]:
        """All objects of a list, to its last page.

        Raises:
            FleettuiError: it is not completely known.
        """
        context = self._context(request.context)
        resource = await context.resolve(ObjectKey(request.group, request.kind, "", ""))
        selector = f"{CLUSTER_LABEL}={request.cluster}" if request.cluster else ""
        found = await context.client.list_objects(
            resource, namespace=request.namespace, label_selector=selector
        )
        head = {"apiVersion": resource.api_version, "kind": resource.kind}
        return tuple({**head, **_document(item)} for item in found)

    async def access(self, request: AccessRequest) -> Access:
        """What the server says about a right.

        Raises:
            FleettuiError: it would not say.
        """
        question = Question(
            request.verb,
            request.group,
            request.plural,
            namespace=request.namespace,
            subresource=request.subresource,
        )
        answer = await self._context(request.context).access.may(question)
        return Access(answer.allowed, answer.reason)

    async def schema(self, request: SchemaRequest) -> Schema | None:
        """The fields of a kind as its server has them; None when it publishes none.

        Raises:
            FleettuiError: it cannot be told.
        """
        return await self._schemas.schema(self._context(request.context), request)

    async def patch(
        self,
        target: Target,
        body: Any,
        *,
        content_type: ContentType,
        subresource: str,
        dry_run: bool,
    ) -> Document:
        """The object (or its subresource) as the server answers it.

        Raises:
            WriteFailure: the server refused, or the answer was lost.
        """
        try:
            answer = await self._writer(target.context).patch(
                _wire(target, subresource),
                msgspec.json.encode(body),
                patch_type=_TYPES[content_type],
                dry_run=dry_run,
            )
        except (ApiError, RefusedError) as error:
            raise self._failure(error, target) from error
        return _answered(answer)

    async def delete(self, target: Target, body: Any, *, dry_run: bool) -> Document:
        """The object or status that the server answers.

        Raises:
            WriteFailure: the server refused, or the answer was lost.
        """
        held = body["preconditions"]
        try:
            answer = await self._writer(target.context).delete(
                _wire(target),
                uid=held["uid"],
                resource_version=held.get("resourceVersion", ""),
                dry_run=dry_run,
            )
        except (ApiError, RefusedError) as error:
            raise self._failure(error, target) from error
        return _answered(answer)

    async def create_event(self, target: Target, event: Mapping[str, Any]) -> None:
        """Records an Event about the target.

        Raises:
            WriteFailure: it was not recorded, or the answer was lost.
        """
        namespace = str(event["metadata"]["namespace"])
        try:
            await self._writer(target.context).create_event(namespace, msgspec.json.encode(event))
        except (ApiError, RefusedError) as error:
            raise self._failure(error, target) from error

    def _failure(self, error: FleettuiError, target: Target) -> WriteFailure:
        """The failure in the driver's words; a denied right is asked for anew next time."""
        if not isinstance(error, ApiError):
            return WriteFailure(str(error), hint=error.hint)
        if error.fault is Fault.FORBIDDEN:
            self._context(target.context).access.doubt(target.group, target.plural)
        return WriteFailure(
            str(error),
            status=error.code,
            is_lost=error.is_outcome_unknown or error.fault in _LOST,
            retry_after_s=error.retry_after_s,
            hint=error.hint,
        )


def _wire(target: Target, subresource: str = "") -> WireTarget:
    resource = Resource(
        target.group,
        target.version,
        target.plural,
        target.kind,
        namespaced=bool(target.namespace),
    )
    return WireTarget(resource, target.namespace, target.name, subresource)


def _document(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data, type=dict[str, Any])


def _answered(data: bytes) -> dict[str, Any]:
    """The answer's document.

    Raises:
        WriteFailure: a success that cannot be read: what the server did is not known.
    """
    try:
        return _document(data)
    except msgspec.MsgspecError as error:
        raise WriteFailure("the answer cannot be read", is_lost=True) from error
