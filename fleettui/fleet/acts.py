"""Acting on a fleet: the verbs of a row, plans, their execution and the journal.

What both front ends call. Exists only where writing is allowed at all; knows no
kind and no transport.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from fleettui.actions.bulk import remaining
from fleettui.actions.facts import AccessRequest, Facts, SpecLookup
from fleettui.actions.options import Limits, Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.actions.verbs import VERBS, Verb, usual_rights, verbs_for, why_not
from fleettui.actions.ways import Way, ways_for
from fleettui.audit import Journal, Who, local_person
from fleettui.config import Settings
from fleettui.errors import FleettuiError, RefusedError, UsageError
from fleettui.fleet.context import ContextInfo
from fleettui.fleet.execute import execute
from fleettui.fleet.gather import FactSource, make_plan
from fleettui.fleet.outcome import Errand, Outcome, Report
from fleettui.fleet.shelf import PlanShelf, token_of
from fleettui.fleet.writing import Clock, Observer, Reader, RereadingObserver, SystemClock, Writer
from fleettui.kinds.record import ObjectRef

SECONDS_A_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """A verb as a row offers it."""

    verb: Verb
    why_not: str = ""
    """Why it is greyed; empty when it can be asked for."""
    ways: tuple[Way, ...] = (Way(),)
    """How it can be done, the usual way first."""


class Outside(FactSource, Reader, Writer, Protocol):
    """Everything that acting asks of contexts."""


class Acts:
    """Plans and carries out; one at a time or many at once."""

    def __init__(
        self,
        outside: Outside,
        *,
        spec_of: SpecLookup,
        journal: Journal,
        settings: Settings,
        clock: Clock | None = None,
        observer: Observer | None = None,
        shelf: PlanShelf | None = None,
    ) -> None:
        """Composes; nothing is asked yet.

        Args:
            outside: reads, rights and writes of all contexts.
            spec_of: group and kind to the kind's entry.
            journal: where every write is recorded.
            settings: limits of bulks, allowed verbs and protected contexts.
            clock: time; the machine's own by default.
            observer: how acknowledgements are seen; by looking again, by default.
            shelf: where plans are kept so that they can be resumed; nowhere by default.
        """
        self.journal = journal
        self.shelf = shelf
        self._outside = outside
        self._spec_of = spec_of
        self._settings = settings
        self._clock = clock or SystemClock()
        self._observer = observer or RereadingObserver(outside, self._clock)

    def verbs(self, ref: ObjectRef, *, is_paused: bool, is_deleting: bool) -> tuple[Choice, ...]:
        """What can be done to an object, greyed ones with the reason; cheap."""
        spec = self._spec_of(ref.group, ref.kind)
        if spec is None:
            return ()
        allowed = self._settings.for_context(ref.context).allow
        return tuple(
            Choice(
                verb,
                why_not(verb, spec, allowed=allowed, is_paused=is_paused, is_deleting=is_deleting),
                ways_for(verb.id, spec),
            )
            for verb in verbs_for(spec)
        )

    async def rights(self, ref: ObjectRef) -> Mapping[str, str]:
        """Verb to the rule that a person lacks for it; verbs that are not denied are left out.

        The server is asked once in ten minutes, and again after it refused something.
        What it will not say is not denied: the plan finds out.
        """
        spec = self._spec_of(ref.group, ref.kind)
        if spec is None:
            return {}
        wanted = {verb.id: usual_rights(verb, spec, ref) for verb in verbs_for(spec)}
        rights = list(dict.fromkeys(right for some in wanted.values() for right in some))
        answers = await asyncio.gather(*(self._is_denied(right) for right in rights))
        denied = {right for right, is_denied in zip(rights, answers, strict=True) if is_denied}
        return {verb: some[0].rule for verb, some in wanted.items() if denied.issuperset(some)}

    async def _is_denied(self, right: AccessRequest) -> bool:
        try:
            return (await self._outside.access(right)).allowed is False
        except FleettuiError:
            return False  # not known is not denied

    async def plan(
        self,
        verb_id: str,
        refs: Iterable[ObjectRef],
        options: Options | None = None,
        *,
        scope_gaps: Sequence[str] = (),
    ) -> Plan | Refusal:
        """The plan of a verb, made from objects that are read for it now.

        Args:
            verb_id: a key of ``VERBS``.
            refs: what the person chose; doubles count once.
            options: their wishes; limits and allow lists come from the settings.
            scope_gaps: parts of a filter's scope that are not known, in words.

        Raises:
            UsageError: there is no such verb.
        """
        verb = VERBS.get(verb_id)
        if verb is None:
            raise UsageError(f"no verb {verb_id!r}", hint=f"known: {', '.join(VERBS)}")
        chosen = tuple(dict.fromkeys(refs))
        contexts = {ref.context for ref in chosen}
        facts = Facts(
            refs=chosen,
            spec_of=self._spec_of,
            scope_gaps=tuple(scope_gaps),
            read_only=frozenset(c for c in contexts if self._settings.for_context(c).read_only),
        )
        wishes = configured(options or Options(), self._settings, contexts)
        return await make_plan(verb, facts, source=self._outside, clock=self._clock, options=wishes)

    def undo_of(self, plan_id: str) -> Plan:
        """What puts back what a kept plan changed; blocks for a file.

        Raises:
            UsageError: no such plan is kept.
            RefusedError: it cannot be undone from here.
        """
        plan = self._kept(plan_id)
        if plan.undo is None:
            raise RefusedError(f"plan {plan.id} ({plan.verb}) cannot be undone from here")
        return plan.undo

    def rest_of(self, plan_id: str) -> Plan | Refusal:
        """What is left of a kept plan, by what the journal says; blocks for files.

        Raises:
            UsageError: no such plan is kept.
            JournalError: it cannot be told what was done.
        """
        plan = self._kept(plan_id)
        return remaining(plan, token_of(plan, self.journal.read()))

    def _kept(self, plan_id: str) -> Plan:
        if self.shelf is None:
            raise RefusedError("no plans are kept")
        return self.shelf.load(plan_id)

    async def execute(
        self,
        plan: Plan,
        *,
        who: Who,
        why: str = "",
        servers: Mapping[str, str] | None = None,
        dry_run: bool = False,
        mirrors_events: bool = False,
        progress: Callable[[Report], None] = lambda report: None,
        cancel: asyncio.Event | None = None,
    ) -> Outcome:
        """Sends a plan that a person has confirmed and waits for its acknowledgements.

        Raises:
            JournalError: nothing was sent, because the journal cannot be written.
            FleettuiError: nothing was sent, because the plan cannot be kept.
        """
        if self.shelf is not None and not dry_run:
            await asyncio.to_thread(self.shelf.keep, plan)
        return await execute(
            plan,
            writer=self._outside,
            reader=self._outside,
            observer=self._observer,
            journal=self.journal,
            clock=self._clock,
            errand=Errand(who, why, servers or {}, dry_run=dry_run, mirrors_events=mirrors_events),
            progress=progress,
            cancel=cancel,
        )


def person(infos: Iterable[ContextInfo]) -> Who:
    """Who acts in these contexts: as their servers know them, and as this machine does."""
    users = [(info.user, info.impersonating) for info in infos if info.user]
    return Who(
        server=", ".join(sorted({user for user, _ in users})),
        impersonated=", ".join(sorted({user for user, is_other in users if is_other})),
        local=local_person(),
    )


def configured(options: Options, settings: Settings, contexts: Iterable[str]) -> Options:
    """The wishes with the limits, allow lists and protections of the configuration."""
    bulk = settings.bulk
    found = {name: settings.for_context(name) for name in contexts}
    limits = Limits(
        confirm_above=bulk.limit,
        canary=bulk.canary,
        in_flight=bulk.in_flight,
        rate_per_s=bulk.per_minute / SECONDS_A_MINUTE,
    )
    return replace(
        options,
        limits=limits,
        enabled={name: frozenset(entry.allow) for name, entry in found.items()},
        protected=frozenset(name for name, entry in found.items() if entry.protected),
    )
