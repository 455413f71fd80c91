"""Asks a server what this person may do, and who it thinks they are.

Knows the three self reviews, which store nothing; a SelfSubjectAccessReview is
the answer, a SelfSubjectRulesReview only a hint (other authorizers may say more).

Source: authorization.k8s.io/v1 SelfSubjectAccessReview (an empty namespace means all),
SelfSubjectRulesReview;
authentication.k8s.io/v1 SelfSubjectReview.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import msgspec

from fleettui.kube.calls import JSON, Call, Caller
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.framing import DECODE_ERRORS
from fleettui.kube.limits import Turnstile
from fleettui.kube.resource import Resource

KEEP_S = 600.0
"""How long an answer is believed."""
FEW_NAMESPACES = 4
"""Namespaces that are asked about one by one."""
LAST = 1000
"""Rank of questions that nobody waits for."""
REFUSALS_S = 10.0
MANY_REFUSALS = 3

Answered = TypeVar("Answered")


class Question(NamedTuple):
    """One thing a person may want to do."""

    verb: str
    group: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """Whether it is allowed, and the server's reason."""

    allowed: bool
    reason: str = ""
    """Raw text; unsafe to show without ``safe_text``."""


class Identity(msgspec.Struct, frozen=True):
    """Who the server thinks the person is."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """One rule of a rules review."""

    verbs: list[str]
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None


class _Allowed(msgspec.Struct):
    allowed: bool = False
    reason: str = ""


class _AccessReview(msgspec.Struct):
    status: _Allowed


class _Who(msgspec.Struct, rename="camel"):
    user_info: Identity


class _SelfReview(msgspec.Struct):
    status: _Who


class Rules(msgspec.Struct, frozen=True, rename="camel"):
    """What a person may probably do in one namespace."""

    resource_rules: list[Rule] | None = None
    incomplete: bool = False


class _RulesReview(msgspec.Struct):
    status: Rules


class AccessReviews:
    """Questions about one identity, asked once each and remembered for ten minutes."""

    def __init__(self, caller: Caller, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is asked yet."""
        self._caller = caller
        self._clock = clock
        self._known: dict[Question, tuple[float, Access]] = {}
        self._places: defaultdict[Question, set[str]] = defaultdict(set)
        """Namespaces in which a right was asked for first."""
        self._turnstile = Turnstile(4)
        self._identity: Identity | None = None
        self._refusals: list[float] = []
        self.doubted = asyncio.Event()
        """Set whenever answers were forgotten because the server said otherwise."""

    async def may(self, question: Question) -> Access:
        """Whether something is allowed.

        Once it has been asked of a few namespaces, all of them are asked about first:
        whoever may in every one is not asked a thousand times.

        Raises:
            ApiError: the server did not answer the question.
        """
        everywhere = question._replace(namespace="", name="")
        places = self._places[everywhere]
        if question.namespace and question.namespace not in places:
            if len(places) < FEW_NAMESPACES:
                places.add(question.namespace)
            elif (access := await self._may(everywhere)).allowed:
                return access
        return await self._may(question)

    async def _may(self, question: Question) -> Access:
        """The answer that is remembered, or the server's."""
        if (known := self._remembered(question)) is not None:
            return known
        async with self._turnstile.hold():
            known = self._remembered(question)  # somebody may have asked the same meanwhile
            return known if known is not None else await self._ask(question)

    def _remembered(self, question: Question) -> Access | None:
        known = self._known.get(question)
        return known[1] if known is not None and self._clock() - known[0] < KEEP_S else None

    async def _ask(self, question: Question) -> Access:
        attributes = {
            "verb": question.verb,
            "group": question.group,
            "resource": question.plural,
            "namespace": question.namespace,
            "name": question.name,
            "subresource": question.subresource,
        }
        review = await self._review(
            "authorization.k8s.io/v1",
            "SelfSubjectAccessReview",
            {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
            _AccessReview,
        )
        access = Access(review.status.allowed, review.status.reason)
        self._known[question] = (self._clock(), access)
        return access

    def doubt(self, group: str, plural: str) -> None:
        """Forgets answers about a kind, because the server has just said otherwise."""
        for question in [q for q in self._known if (q.group, q.plural) == (group, plural)]:
            del self._known[question]
        self.doubted.set()

    def refused(self, resource: Resource) -> None:
        """Takes note of a 403; several kinds within seconds mean that rights changed."""
        self.doubt(resource.group, resource.plural)
        now = self._clock()
        self._refusals = [at for at in self._refusals if now - at < REFUSALS_S] + [now]
        if len(self._refusals) >= MANY_REFUSALS:
            self.doubt_all()

    def doubt_all(self) -> None:
        """Forgets everything: rights or identity have changed."""
        self._known.clear()
        self._identity = None
        self.doubted.set()

    async def identity(self) -> Identity | None:
        """Who the server thinks the person is; None if it does not tell.

        Raises:
            ApiError: the server did not answer.
        """
        if self._identity is None:
            try:
                review = await self._review(
                    "authentication.k8s.io/v1", "SelfSubjectReview", None, _SelfReview
                )
            except ApiError as error:
                if error.fault in (Fault.NOT_SERVED, Fault.FORBIDDEN, Fault.REFUSED):
                    return None
                raise
            self._identity = review.status.user_info
        return self._identity

    async def rules(self, namespace: str) -> Rules:
        """What is probably allowed in a namespace.

        Raises:
            ApiError: the server did not answer.
        """
        review = await self._review(
            "authorization.k8s.io/v1",
            "SelfSubjectRulesReview",
            {"namespace": namespace},
            _RulesReview,
            rank=LAST,
        )
        return review.status

    async def _review(
        self,
        api_version: str,
        kind: str,
        spec: object,
        answer_type: type[Answered],
        *,
        rank: int = 0,
    ) -> Answered:
        document = {"apiVersion": api_version, "kind": kind}
        body = msgspec.json.encode({**document, "spec": spec} if spec else document)
        call = Call(
            f"/apis/{api_version}/{kind.lower()}s",
            method="POST",
            body=body,
            content_type=JSON,
            rank=rank,
        )
        async with self._caller.open(call) as answer:
            answered = await answer.read(limit_bytes=8 << 20)
        try:
            return msgspec.json.decode(answered, type=answer_type)
        except DECODE_ERRORS as error:
            raise ApiError(
                f"the answer to a {kind} cannot be read", fault=Fault.MALFORMED, where=call.where
            ) from error
