"""Finds the namespaces in which a kind may be read when all at once is forbidden.

Knows how few questions tell it: the namespaces are listed once for all kinds, and one
rules review answers for every kind in a namespace. Refuses to ask kind by kind in every
namespace, which is thousands of reviews for one person without rights.

Source: authorization.k8s.io/v1 SelfSubjectRulesReview: rules only ever grant, and a list
that is incomplete (the node authorizer and web hooks do not tell theirs) may lack grants.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from fleettui.kube.access import AccessReviews, Question, Rule, Rules
from fleettui.kube.calls import METADATA_LIST, Call, Caller, Purpose
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.framing import read_head, read_page
from fleettui.kube.limits import Turnstile
from fleettui.kube.resource import Resource

KEEP_S = 60.0
"""How long the namespaces and their rules are believed."""
MAX_NAMESPACES = 200
"""Most namespaces that are followed one by one."""
MAX_ASKED_SINGLY = 10
"""With no more namespaces than these, rules that are incomplete are asked about kind by kind."""

Known = TypeVar("Known")


class Tenancy:
    """Where one identity may read, asked once for all kinds."""

    def __init__(
        self,
        caller: Caller,
        access: AccessReviews,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet."""
        self._caller = caller
        self._access = access
        self._clock = clock
        self._turnstile = Turnstile(4)
        self._names = _Kept[Sequence[str]](clock)
        self._rules: dict[str, _Kept[Rules]] = {}

    async def namespaces(self) -> Sequence[str]:
        """Names of all namespaces; empty if they may not be listed.

        Raises:
            ApiError: the server did not answer.
        """
        return await self._names.get(self._list_names)

    async def readable(self, resource: Resource, *, candidates: Sequence[str]) -> Sequence[str]:
        """Namespaces in which a kind may be listed and watched, at most ``MAX_NAMESPACES``.

        Those that can be listed are looked at, else the candidates.

        Raises:
            ApiError: the server did not answer.
        """
        listed = await self.namespaces()
        wished = [name for name in candidates if name]
        names = list(listed) or wished
        may_ask_singly = len(names) <= MAX_ASKED_SINGLY
        answers = await asyncio.gather(
            *(
                self._is_readable(resource, name, asks_singly=may_ask_singly or name in wished)
                for name in names
            )
        )
        allowed = [name for name, is_allowed in zip(names, answers, strict=True) if is_allowed]
        return allowed[:MAX_NAMESPACES]

    async def _is_readable(self, resource: Resource, namespace: str, *, asks_singly: bool) -> bool:
        kept = self._rules.setdefault(namespace, _Kept[Rules](self._clock))
        rules = await kept.get(lambda: self._review(namespace))
        if all(_grants(rules, verb, resource) for verb in ("list", "watch")):
            return True
        if not (rules.incomplete and asks_singly):
            return False
        for verb in ("list", "watch"):
            question = Question(verb, resource.group, resource.plural, namespace)
            if not (await self._access.may(question)).allowed:
                return False
        return True

    async def _review(self, namespace: str) -> Rules:
        async with self._turnstile.hold():
            return await self._access.rules(namespace)

    async def _list_names(self) -> Sequence[str]:
        resource = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
        names: list[str] = []
        token = ""
        while True:
            query = (("limit", "500"), *((("continue", token),) if token else ()))
            call = Call(resource.path(), accept=METADATA_LIST, query=query, purpose=Purpose.LIST)
            try:
                async with self._caller.open(call) as answer:
                    page = read_page(await answer.read(), where=call.where)
            except ApiError as error:
                if error.fault is Fault.FORBIDDEN:
                    return ()
                raise
            names.extend(read_head(document).metadata.name for document in page.documents)
            token = page.metadata.continue_
            if not token:
                return names


def _grants(rules: Rules, verb: str, resource: Resource) -> bool:
    return any(_covers(rule, verb, resource) for rule in rules.resource_rules or ())


def _covers(rule: Rule, verb: str, resource: Resource) -> bool:
    """Whether a rule grants a verb on every object of a kind."""
    return (
        not rule.resource_names
        and not {verb, "*"}.isdisjoint(rule.verbs)
        and not {resource.group, "*"}.isdisjoint(rule.api_groups or ())
        and not {resource.plural, "*"}.isdisjoint(rule.resources or ())
    )


class _Kept(Generic[Known]):
    """One answer for everybody who asks within a minute, also while it is on its way."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._found: tuple[float, Known] | None = None

    async def get(self, fetch: Callable[[], Awaitable[Known]]) -> Known:
        async with self._lock:
            if self._found is None or self._clock() - self._found[0] >= KEEP_S:
                self._found = (self._clock(), await fetch())
            return self._found[1]
