"""Whether a person may change anything at all in a context, by their rights.

Knows how that is asked for: a rules review tells what holds in one namespace,
cluster-wide rules included, so for most people one question is enough. What a
server will not say for sure is never taken for "may not".

Source: authorization.k8s.io/v1 SelfSubjectRulesReview (``incomplete``).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from fleettui.errors import FleettuiError
from fleettui.kinds.spec import KindSpec
from fleettui.kube.access import KEEP_S, AccessReviews, Rules

CHANGES = frozenset({"patch", "update", "delete", "*"})
"""Verbs without which no action of this program is possible."""
MAX_NAMESPACES = 1000
"""Most namespaces asked about; where there are more, nobody is told to be read-only."""
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


async def lacking_rule(
    access: AccessReviews,
    specs: Sequence[KindSpec],
    *,
    namespace: str,
    others: Callable[[], Awaitable[Iterable[str]]],
) -> str:
    """The rule that a person who may change nothing lacks first; empty for everybody else.

    Args:
        access: questions to the server.
        specs: kinds that are served and can be acted upon.
        namespace: the only one that matters; empty: all do.
        others: all namespaces; asked for only where the first question does not decide.

    Raises:
        ApiError: the server did not answer.
    """
    groups = frozenset(spec.group for spec in specs)
    first = namespace or FIRST_ASKED
    if not specs or await _may_change(access, first, groups):
        return ""
    names = [] if namespace else list(await others())
    if len(names) > MAX_NAMESPACES:
        return ""
    for name in names:
        if name != first and await _may_change(access, name, groups):
            return ""
    where = f" in namespace {namespace}" if namespace else ""
    return f"patch {specs[0].plural}.{specs[0].group}{where}"


async def _may_change(access: AccessReviews, namespace: str, groups: frozenset[str]) -> bool:
    """Also where the server does not know: that is not denied."""
    rules = await access.rules(namespace)
    return rules.incomplete or may_change(rules, groups)


class WriteRights:
    """Keeps asking one context, rarely, and soon after it refused something."""

    def __init__(self, access: AccessReviews, *, tell: Callable[[str], None]) -> None:
        """Nothing is asked yet.

        Args:
            access: questions to the server.
            tell: gets the rule that is lacking, empty when none is known to be.
        """
        self._access = access
        self._tell = tell

    async def run(
        self,
        specs: Callable[[], Sequence[KindSpec]],
        *,
        namespace: Callable[[], str],
        others: Callable[[], Awaitable[Iterable[str]]],
    ) -> None:
        """Asks until cancelled; arguments as of ``lacking_rule``, as they are then."""
        while True:
            self._access.doubted.clear()
            try:
                rule = await lacking_rule(
                    self._access, specs(), namespace=namespace(), others=others
                )
            except FleettuiError:
                rule = ""  # a server that does not answer has denied nothing
            self._tell(rule)
            await asyncio.sleep(QUIET_S)
            try:
                async with asyncio.timeout(KEEP_S):
                    await self._access.doubted.wait()
            except TimeoutError:
                continue  # rights may have changed without anybody having been refused
