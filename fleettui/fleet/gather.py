"""Fetches the facts that a plan is made from, round after round.

Knows how to ask until a verb asks for nothing new; knows no verb and no
transport. Whatever cannot be read is kept as "not known": a plan refuses on it
or does without.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from fleettui.actions.facts import (
    MAX_ROUNDS,
    Access,
    AccessRequest,
    Document,
    FactRequest,
    Facts,
    ListRequest,
    SchemaRequest,
)
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.actions.schema import Schema
from fleettui.actions.verbs import Verb, needs
from fleettui.errors import FleettuiError
from fleettui.fleet.writing import Clock
from fleettui.kinds.record import ObjectRef

MAX_IN_FLIGHT = 16
"""Most reads at a time, over all contexts."""


class FactSource(Protocol):
    """Reads what plans need, anew: rows of a view may be seconds old."""

    async def body(self, ref: ObjectRef) -> Document | None:
        """The whole object, managedFields included; None when there is none.

        Raises:
            FleettuiError: it cannot be told.
        """
        ...

    async def list(self, request: ListRequest) -> tuple[Document, ...]:
        """All objects of a list, to its last page.

        Raises:
            FleettuiError: it is not completely known.
        """
        ...

    async def access(self, request: AccessRequest) -> Access:
        """What the server says about a right.

        Raises:
            FleettuiError: it would not say.
        """
        ...

    async def schema(self, request: SchemaRequest) -> Schema | None:
        """The fields of a kind; None when the server publishes none.

        Raises:
            FleettuiError: it cannot be told.
        """
        ...


async def make_plan(
    verb: Verb, facts: Facts, *, source: FactSource, clock: Clock, options: Options
) -> Plan | Refusal:
    """The plan of a verb for ``facts.refs``, made from objects that were just read.

    Planning itself is pure and may take a second for thousands of objects, so it
    runs in a thread.
    """
    now = clock.now()
    for _ in range(MAX_ROUNDS):
        missing = await asyncio.to_thread(needs, verb, facts, now=now, options=options)
        if not missing:
            break
        facts = await _answered(facts, missing, source)
    return await asyncio.to_thread(verb.plan, facts, now=now, options=options)


async def _answered(facts: Facts, missing: FactRequest, source: FactSource) -> Facts:
    slots = asyncio.Semaphore(MAX_IN_FLIGHT)
    bodies = _all(missing.bodies, source.body, slots)
    lists = _all(missing.lists, source.list, slots)
    access = _all(missing.access, source.access, slots)
    schemas = _all(missing.schemas, source.schema, slots)
    found_bodies, found_lists, found_access, found_schemas = await asyncio.gather(
        bodies, lists, access, schemas
    )
    answers = {right: answer or Access(None) for right, answer in found_access.items()}
    return facts.with_more(
        bodies=found_bodies, lists=found_lists, access=answers, schemas=found_schemas
    )


_Asked = TypeVar("_Asked")
_Told = TypeVar("_Told")


async def _all(
    requests: Iterable[_Asked], ask: Callable[[_Asked], Awaitable[_Told]], slots: asyncio.Semaphore
) -> Mapping[_Asked, _Told | None]:
    """Answers by request; None where the question failed."""

    async def one(request: _Asked) -> tuple[_Asked, _Told | None]:
        async with slots:
            try:
                return request, await ask(request)
            except FleettuiError:
                return request, None

    return dict(await asyncio.gather(*(one(request) for request in requests)))
