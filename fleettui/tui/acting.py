"""From a key that writes to a plan, its confirmation and its execution.

Knows which verb a key means and what it must ask for; knows neither bodies nor
transport. Exists only in runs in which writing is possible.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fleettui.actions.options import Options, entries_of
from fleettui.actions.plan import Plan, Refusal
from fleettui.errors import FleettuiError, UsageError
from fleettui.fleet.acts import person
from fleettui.fleet.outcome import Outcome, Report
from fleettui.kinds.record import ObjectRef
from fleettui.tui.dispatch import Handler
from fleettui.tui.documents import Manner
from fleettui.tui.lines import Line, cell
from fleettui.tui.plan_text import refusal_lines
from fleettui.tui.ports import ActsPort, VerbOffer
from fleettui.tui.screens.confirm import AskScreen, Confirmed, ConfirmScreen
from fleettui.tui.screens.picker import Choice, Picked, Picker
from fleettui.tui.screens.progress import ProgressScreen
from fleettui.tui.theme import Tone

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

    def handlers(self, refs: Callable[[], Sequence[ObjectRef]]) -> dict[str, Handler]:
        """What keys that write do to the objects at hand."""

        def begin(verb: str, **wishes: bool) -> Handler:
            return lambda: self.begin(verb, refs(), Options(**wishes))  # type: ignore[arg-type]  # only flags

        return {
            "pause": lambda: self._toggle_pause(refs()),
            "resume": begin("resume"),
            "resync": begin("resync"),
            "resync_source": begin("resync", with_source=True),
            "delete": begin("delete"),
            "act": lambda: self.choose(refs()),
        }

    def _toggle_pause(self, refs: Sequence[ObjectRef]) -> None:
        rows = [self._app.index.get(ref) for ref in refs]
        is_paused = bool(rows) and all(row is not None and row.is_paused for row in rows)
        self.begin("resume" if is_paused else "pause", refs)

    def choose(self, refs: Sequence[ObjectRef]) -> None:
        """Lets a person choose what to do; what is impossible is greyed with the reason."""
        if refs:
            self._app.run_worker(self._choose(tuple(refs)), group="act", exclusive=True)

    async def _choose(self, refs: tuple[ObjectRef, ...]) -> None:
        row = self._app.index.get(refs[0])
        if row is None:
            return
        denied = await self._acts.rights(row.ref)
        offered = self._acts.verbs(row.ref, is_paused=row.is_paused, is_deleting=row.is_deleting)
        reasons = {offer.verb.id: _reason(offer, denied) for offer in offered}
        choices = [
            Choice(
                offer.verb.id,
                cell(offer.verb.label, Tone.DIM if reasons[offer.verb.id] else Tone.STRONG),
                cell(reasons[offer.verb.id] or offer.verb.id, Tone.DIM),
            )
            for offer in offered
        ]
        greyed = {verb: reason for verb, reason in reasons.items() if reason}

        def take(picked: Picked | None) -> None:
            if picked is None:
                return
            verb = str(picked.key)
            if verb in greyed:
                self._app.say(f"{verb}: {greyed[verb]}", severity="warning")
            else:
                self.begin(verb, refs)

        what = f"{row.kind}/{row.name}" if len(refs) == 1 else f"{len(refs)} objects"
        self._app.push_screen(Picker(f"act on {what}", choices), take)

    def begin(self, verb: str, refs: Sequence[ObjectRef], options: Options | None = None) -> None:
        """Plans a verb for objects, asks, and carries it out."""
        if not refs:
            self._app.say("no object is under the cursor")
            return
        infos = {info.name: info for info in self._app.fleet.contexts()}
        names = dict.fromkeys(ref.context for ref in refs)
        who = person(infos[name] for name in names if name in infos)
        wishes = replace(options or Options(), who=who.server or who.local)
        self._app.run_worker(self._act(verb, tuple(refs), wishes), group="act", exclusive=True)

    async def _act(self, verb: str, refs: tuple[ObjectRef, ...], options: Options) -> None:
        try:
            wishes = await self._asked(verb, refs, options)
            if wishes is None:
                return
            plan = await self._acts.plan(verb, refs, wishes)
            if isinstance(plan, Refusal):
                self._app.read(RefusalText(plan))
                return
            confirmed = await self._app.push_screen_wait(
                ConfirmScreen(plan, banner=self._banner(plan))
            )
            if confirmed is None:
                return
            if confirmed.reason and verb == "pause":
                again = await self._acts.plan(verb, refs, replace(wishes, reason=confirmed.reason))
                plan = again if isinstance(again, Plan) else plan
            await self._carry_out(plan, confirmed)
        except FleettuiError as error:
            self._app.say_error(error)

    async def _asked(
        self, verb: str, refs: Sequence[ObjectRef], options: Options
    ) -> Options | None:
        """The wishes with what the verb needs filled in; None when a person gave up."""
        row = self._app.index.get(refs[0])
        if row is None:
            return options
        offers = self._acts.verbs(row.ref, is_paused=row.is_paused, is_deleting=row.is_deleting)
        needed = next((o.verb.asks_for for o in offers if o.verb.id == verb), ())
        for name in needed:
            question, example = QUESTIONS.get(name, (f"{name}?", ""))
            text = await self._app.push_screen_wait(AskScreen(question, example=example))
            if text is None:
                return None
            options = with_answer(options, name, text)
        return options

    def _banner(self, plan: Plan) -> str:
        names = {target.context for target in plan.targets}
        infos = [info for info in self._app.fleet.contexts() if info.name in names]
        return next((info.banner for info in infos if info.banner), "")

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
                progress=progress,
                cancel=cancel,
            )

        screen = ProgressScreen(plan, execute, dry_run=confirmed.dry_run)
        await self._app.push_screen_wait(screen)


def _reason(offer: VerbOffer, denied: Mapping[str, str]) -> str:
    """Why a verb is greyed, empty when it is not."""
    rule = denied.get(offer.verb.id, "")
    return offer.why_not or (f"missing right: {rule}" if rule else "")


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
