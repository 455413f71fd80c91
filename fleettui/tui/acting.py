"""From a key that writes to a plan, its confirmation and its execution.

Knows which verb a key means and what it must ask for; knows neither bodies nor
transport. Exists only in runs in which writing is possible.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from fleettui.actions.options import Options, entries_of
from fleettui.actions.plan import Plan, Refusal
from fleettui.actions.verbs import VERBS
from fleettui.errors import UsageError
from fleettui.fleet.acts import person
from fleettui.fleet.outcome import Outcome, Report
from fleettui.fleet.selection import Selection, found
from fleettui.index.query import Query
from fleettui.kinds.record import ObjectRef
from fleettui.tui.act_choices import ActChoices, choices_of
from fleettui.tui.conversation import Conversation
from fleettui.tui.dispatch import Handler
from fleettui.tui.documents import Manner
from fleettui.tui.lines import Line, Span
from fleettui.tui.plan_text import refusal_lines
from fleettui.tui.ports import ActsPort
from fleettui.tui.screens.confirm import AskScreen, Confirmed, ConfirmScreen
from fleettui.tui.screens.picker import Picker
from fleettui.tui.screens.progress import ProgressScreen
from fleettui.tui.status import banner_span

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

QUESTIONS = {
    "replicas": ("how many replicas?", "3"),
    "version": ("which Kubernetes version?", "v1.33.2"),
    "plan_id": ("which plan do you approve? type its id", ""),
    "set": ("which entries? KEY=VALUE, KEY- removes; separated by spaces", "team=a old-"),
}
"""What is asked for a field of ``Options``, and an example."""


class RefusalText:
    """Why nothing is done, as something to read."""

    title = "refused"
    manners: frozenset[str] = frozenset()

    def __init__(self, refusal: Refusal) -> None:
        """Tell of this refusal."""
        self._refusal = refusal

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Nothing to ask for."""

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the reasons and what would work."""
        return refusal_lines(self._refusal, width)


class Acting:
    """Lets a person act on objects."""

    def __init__(self, app: "FleetApp", acts: ActsPort) -> None:
        """Act through this program's acts."""
        self._app = app
        self._acts = acts
        self._choices = ActChoices(acts, app.index)
        self.talk = Conversation(app)

    def handlers(
        self, refs: Callable[[], Sequence[ObjectRef]], *, plan: Callable[[], str]
    ) -> dict[str, Handler]:
        """What keys that write do to the objects, or the kept plan, at hand."""

        def begin(verb: str, **wishes: bool) -> Handler:
            return lambda: self.begin(verb, refs(), Options(**wishes))  # type: ignore[arg-type]  # only flags

        return {
            "pause": lambda: self._toggle_pause(refs()),
            "resume": begin("resume"),
            "resync": begin("resync"),
            "resync_source": begin("resync", with_source=True),
            "delete": begin("delete"),
            "act": lambda: self.choose(refs()),
            "undo": lambda: self._again(plan(), self._acts.undo_of),
            "go_on": lambda: self._again(plan(), self._acts.rest_of),
        }

    def _toggle_pause(self, refs: Sequence[ObjectRef]) -> None:
        rows = [self._app.index.get(ref) for ref in refs]
        is_paused = bool(rows) and all(row is not None and row.is_paused for row in rows)
        self.begin("resume" if is_paused else "pause", refs)

    # -- what to do -----------------------------------------------------------------------
    def choose(self, refs: Sequence[ObjectRef]) -> None:
        """Lets a person choose what to do; what is impossible is greyed with the reason."""
        if refs:
            self.talk.begin(self._choose(Selection(tuple(refs))))

    async def _choose(self, selection: Selection, *, is_filter: bool = False) -> None:
        refs = selection.refs
        offers = await self._choices.offers(refs)
        if not offers:
            return
        what = f"{refs[0].kind}/{refs[0].name}" if len(refs) == 1 else f"{len(refs)} objects"
        picker = Picker(f"act on {what}", choices_of(offers))
        picked = await self.talk.ask(picker)
        if picked is None:
            return
        verb, place = cast("tuple[str, int]", picked.key)
        offer = offers[verb]
        if offer.why_not:
            self._app.say(f"{verb}: {offer.why_not}", severity="warning")
            return
        options = Options(**offer.verb.ways[place].wishes)
        await self._act(verb, selection, self._signed(refs, options, is_filter=is_filter))

    def begin(self, verb: str, refs: Sequence[ObjectRef], options: Options | None = None) -> None:
        """Plans a verb for objects, asks, and carries it out."""
        if not refs:
            self._app.say("no object is under the cursor")
            return
        wishes = self._signed(refs, options or Options(), is_filter=False)
        self.talk.begin(self._act(verb, Selection(tuple(refs)), wishes))

    def begin_all(self, query: Query | None, verb: str = "") -> None:
        """The same for everything that a filter finds; refused unless all of it is known."""
        if query is None:
            self._app.say("nothing narrows the tree: filter it first (/), or mark objects (space)")
            return
        if verb and verb not in VERBS:
            raise UsageError(f"no verb {verb!r}", hint=f"known: {', '.join(VERBS)}")
        self.talk.begin(self._act_all(query, verb))

    async def _act_all(self, query: Query, verb: str) -> None:
        selection = await found(self._app.fleet, query)
        if not selection.refs and not selection.gaps:
            self._app.say(f"nothing is found by {query.text}")
        elif verb or not selection.refs:
            wishes = self._signed(selection.refs, Options(), is_filter=True)
            await self._act(verb or "resync", selection, wishes)
        else:
            await self._choose(selection, is_filter=True)

    def _signed(self, refs: Sequence[ObjectRef], options: Options, *, is_filter: bool) -> Options:
        infos = {info.name: info for info in self._app.fleet.contexts()}
        names = dict.fromkeys(ref.context for ref in refs)
        who = person(infos[name] for name in names if name in infos)
        return replace(options, who=who.server or who.local, all_matching=is_filter)

    # -- doing it -------------------------------------------------------------------------
    async def _act(self, verb: str, selection: Selection, options: Options) -> None:
        wishes = await self._asked(verb, selection.refs, options)
        if wishes is None:
            return

        async def planned(more: Options) -> Plan | Refusal:
            return await self._acts.plan(verb, selection.refs, more, scope_gaps=selection.gaps)

        plan = await planned(wishes)
        confirmed: Confirmed | None = None
        while isinstance(plan, Plan):
            confirmed = await self._confirmed(plan, before=confirmed)
            if confirmed is None:
                return
            if not confirmed.is_note_for(verb):
                await self._carry_out(plan, confirmed)
                return
            before = plan
            plan = await planned(
                replace(wishes, reason=confirmed.reason, expires_s=confirmed.expires_s)
            )
            if isinstance(plan, Plan) and plan.targets == before.targets:
                await self._carry_out(plan, confirmed)
                return
        self._tell_refusal(plan)

    async def _asked(
        self, verb: str, refs: Sequence[ObjectRef], options: Options
    ) -> Options | None:
        """The wishes with what the verb needs filled in; None when a person gave up."""
        for name in self._choices.asks_for(verb, refs):
            question, example = QUESTIONS.get(name, (f"{name}?", ""))
            text = await self.talk.ask(AskScreen(question, example=example))
            if text is None:
                return None
            options = with_answer(options, name, text)
        return options

    def _tell_refusal(self, refusal: Refusal) -> None:
        self._app.forget_keys()  # they were typed to a question that does not come
        self._app.read(RefusalText(refusal))

    def _again(self, plan_id: str, load: Callable[[str], Plan | Refusal]) -> None:
        if not plan_id:
            self._app.say("this is for lines of the journal: see :journal")
            return
        self.talk.begin(self._do_again(plan_id, load))

    async def _do_again(self, plan_id: str, load: Callable[[str], Plan | Refusal]) -> None:
        plan = await asyncio.to_thread(load, plan_id)
        if isinstance(plan, Refusal):
            self._tell_refusal(plan)
            return
        confirmed = await self._confirmed(plan)
        if confirmed is not None:
            await self._carry_out(plan, confirmed)

    async def _confirmed(self, plan: Plan, before: Confirmed | None = None) -> Confirmed | None:
        screen = ConfirmScreen(plan, banners=self._banners(plan), before=before)
        return await self.talk.ask(screen)

    def _banners(self, plan: Plan) -> list[Span]:
        names = {target.context for target in plan.targets}
        infos = [info for info in self._app.fleet.contexts() if info.name in names]
        return [banner_span(info) for info in infos if info.banner]

    async def _carry_out(self, plan: Plan, confirmed: Confirmed) -> None:
        infos = {info.name: info for info in self._app.fleet.contexts()}
        names = dict.fromkeys(target.context for target in plan.targets)
        who = person(infos[name] for name in names if name in infos)
        servers = {name: info.server for name, info in infos.items()}

        async def execute(progress: Callable[[Report], None], cancel: asyncio.Event) -> Outcome:
            return await self._acts.execute(
                plan,
                who=who,
                why=confirmed.reason,
                servers=servers,
                dry_run=confirmed.dry_run,
                mirrors_events=confirmed.tells,
                progress=progress,
                cancel=cancel,
            )

        screen = ProgressScreen(plan, execute, dry_run=confirmed.dry_run)
        await self.talk.ask(screen)


def with_answer(options: Options, name: str, text: str) -> Options:
    """The options with one field as a person typed it.

    Raises:
        UsageError: the text is not what the field takes.
    """
    if name == "replicas":
        if not text.isdecimal():
            raise UsageError(f"{text!r} is no number of replicas", hint="a whole number from 0")
        return replace(options, replicas=int(text))
    if name == "set":
        return replace(options, set=entries_of(text.split()))
    if name == "version":
        return replace(options, version=text)
    return replace(options, plan_id=text)
