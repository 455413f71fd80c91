"""Whether a person may change anything at all in a context, by their rights.

Knows how that is asked for: a rules review tells what holds in one namespace,
cluster-wide rules included, so for most people one question is enough. Who may
nothing everywhere has to be asked about every namespace: a few at a time, and where
there are thousands not again within the hour. What a server will not say for sure is
never taken for "may not".

Source: authorization.k8s.io/v1 SelfSubjectRulesReview (``incomplete``).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice

from fleettui.errors import FleettuiError
from fleettui.kinds.spec import KindSpec
from fleettui.kube.access import KEEP_S, AccessReviews, Rules

CHANGES = frozenset({"patch", "update", "delete", "*"})
"""Verbs without which no action of this program is possible."""
AT_ONCE = 4
"""Namespaces asked about at the same time."""
FEW = 100
"""Denials that are asked for again every time."""
DENIED_S = 3600.0
"""How long a namespace's denial is believed where there are more."""
QUIET_S = 5.0
"""After a refusal the rights are asked for again, but not more often than this."""
FIRST_ASKED = "default"


def may_change(rules: Rules, groups: frozenset[str]) -> bool:
    """Whether any rule allows a change to an object of these groups."""
    return any(
        CHANGES.intersection(rule.verbs)
        and (found := frozenset(rule.api_groups or ()))
        and ("*" in found or found & groups)
        for rule in rules.resource_rules or ()
    )


class WriteRights:
    """Keeps asking one context, rarely, and soon after it refused something."""

    def __init__(
        self,
        access: AccessReviews,
        *,
        tell: Callable[[str], None] = lambda rule: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet.

        Args:
            access: questions to the server.
            tell: gets the rule that is lacking, empty when none is known to be.
            clock: monotonic seconds.
        """
        self._access = access
        self._tell = tell
        self._clock = clock
        self._denied: dict[str, float] = {}
        """Namespace to the moment at which nothing was allowed there."""
        self._groups: frozenset[str] = frozenset()
        """What was asked about then."""

    async def lacking(
        self,
        specs: Sequence[KindSpec],
        *,
        namespace: str,
        others: Callable[[], Awaitable[Iterable[str]]],
    ) -> str:
        """The rule that a person who may change nothing lacks first; empty for everybody else.

        Args:
            specs: kinds that are served and can be acted upon.
            namespace: the only one that matters; empty: all do.
            others: all namespaces; asked for only where the first question does not decide.

        Raises:
            ApiError: the server did not answer.
        """
        groups = frozenset(spec.group for spec in specs)
        if groups != self._groups:
            self._groups = groups
            self._denied.clear()
        first = namespace or FIRST_ASKED
        if not specs or await self._may_change(first, groups):
            return ""
        if not namespace and await self._may_change_any(await others(), groups):
            return ""
        where = f" in namespace {namespace}" if namespace else ""
        return f"patch {specs[0].plural}.{specs[0].group}{where}"

    async def _may_change_any(self, names: Iterable[str], groups: frozenset[str]) -> bool:
        """Whether something may be changed in any of them; ends with the first."""
        wanted = iter([name for name in dict.fromkeys(names) if not self._is_denied(name)])
        while some := list(islice(wanted, AT_ONCE)):
            answers = await asyncio.gather(*(self._may_change(name, groups) for name in some))
            if any(answers):
                return True
        return False

    def _is_denied(self, namespace: str) -> bool:
        if namespace == FIRST_ASKED:
            return True  # it was asked about before all others
        at = self._denied.get(namespace)
        return at is not None and len(self._denied) > FEW and self._clock() - at < DENIED_S

    async def _may_change(self, namespace: str, groups: frozenset[str]) -> bool:
        """Also where the server does not know: that is not denied."""
        rules = await self._access.rules(namespace)
        is_possible = rules.incomplete or may_change(rules, groups)
        if is_possible:
            self._denied.pop(namespace, None)
        else:
            self._denied[namespace] = self._clock()
        return is_possible

    async def run(
        self,
        specs: Callable[[], Sequence[KindSpec]],
        *,
        namespace: Callable[[], str],
        others: Callable[[], Awaitable[Iterable[str]]],
    ) -> None:
        """Asks until cancelled; arguments as of ``lacking``, as they are then."""
        while True:
            self._access.doubted.clear()
            try:
                rule = await self.lacking(specs(), namespace=namespace(), others=others)
            except FleettuiError:
                rule = ""  # a server that does not answer has denied nothing
            self._tell(rule)
            await asyncio.sleep(QUIET_S)
            try:
                async with asyncio.timeout(KEEP_S):
                    await self._access.doubted.wait()
            except TimeoutError:
                continue  # rights may have changed without anybody having been refused
