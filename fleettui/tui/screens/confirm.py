"""The question before every change: exactly what is sent, and whether that is meant.

Knows plans; sends nothing. What it gives is the reason that a person typed.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from fleettui.actions.commands import as_flux, as_kubectl
from fleettui.actions.options import seconds_of
from fleettui.actions.plan import Plan
from fleettui.errors import UsageError
from fleettui.tui.lines import Span
from fleettui.tui.plan_text import DANGER_TONES, plan_lines, plan_title
from fleettui.tui.prose import TextSource
from fleettui.tui.screens.leaving import LeavableScreen
from fleettui.tui.theme import Look, Tone
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp


PAUSE = "pause"
"""The verb whose patch says why and until when."""
LABEL_CELLS = 26
"""Width of the labels of fields; what has to be typed is never cut."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A plan that a person meant."""

    reason: str
    dry_run: bool = False
    """Only the server's opinion is wanted."""
    expires_s: int = 0
    """Seconds after which a pause is shown as expired; 0: never."""
    tells: bool = False
    """Whether an Event tells others of the cluster."""
    until: str = ""
    """The time as it was typed."""

    def is_note_for(self, verb: str) -> bool:
        """Whether something was typed that the patch itself carries."""
        return verb == PAUSE and bool(self.reason or self.expires_s)


class ConfirmScreen(LeavableScreen[Confirmed | None]):
    """Shows a plan; gives what was confirmed, or None."""

    CSS = """
    ConfirmScreen .field { height: 1; background: $panel; }
    ConfirmScreen .field Bar { width: 26; max-width: 75%; }
    ConfirmScreen .field Input { width: 1fr; border: none; height: 1; padding: 0;
                                 background: $panel; }
    """

    def __init__(
        self, plan: Plan, *, banners: Sequence[Span] = (), before: Confirmed | None = None
    ) -> None:
        """Ask about a plan.

        Args:
            plan: what is asked about.
            banners: its contexts' own warnings.
            before: what was confirmed of an older plan, whose objects have changed since.
        """
        super().__init__()
        self.plan = plan
        self._banners = banners
        self._is_anew = before is not None
        before = before or Confirmed("")
        self._title_bar = Bar(id="confirm-title")
        self.pane = LinePane(id="confirm-plan")
        self.pane.has_cursor = self.pane.can_focus = False
        self._reason_label = Bar(look=Look.BAR)
        self.reason = _field("confirm-reason", before.reason)
        self._until_label = Bar(look=Look.BAR)
        self.until = _field("confirm-until", before.until)
        self._typed_label = Bar(look=Look.BAR)
        self.typed = _field("confirm-typed")
        self._field = self.reason
        """The field that what is typed goes to, whatever has the focus."""
        self._footer = Bar(id="footer")
        self._tells = before.tells
        self._shown_at = math.inf
        """When the question came, on the clock of events."""

    @property
    def _fields(self) -> list[tuple[Bar, Input]]:
        """Fields of this plan with their labels, in the order in which they are filled in."""
        fields = [(self._reason_label, self.reason)]
        if self.plan.verb == PAUSE:
            fields.append((self._until_label, self.until))
        if self.plan.needs_typed_confirmation:
            fields.append((self._typed_label, self.typed))
        return fields

    def compose(self) -> ComposeResult:
        """Yields title, plan, fields and footer."""
        yield self._title_bar
        yield self.pane
        for label, field in self._fields:
            with Horizontal(classes="field"):
                yield label
                yield field
        yield self._footer

    def on_mount(self) -> None:
        """Shows the plan and waits for the reason."""
        cast("FleetApp", self.app).apply_theme(self)
        self._shown_at = time.monotonic()
        plan = self.plan
        contexts = sorted({target.context for target in plan.targets})
        tone = DANGER_TONES[plan.danger]
        self._title_bar.show(
            Span(f" {plan_title(plan)} ", tone),
            Span(f" {plan.danger.value} ", Tone.ALARM if tone is Tone.FAILED else Tone.DIM),
            *self._banners,
            right=[Span(f" {', '.join(contexts)} ", Tone.STRONG)],
        )
        self._reason_label.show(Span(" why (for the journal)  ", Tone.KEY))
        self._until_label.show(Span(" ends after (2h, or never)", Tone.KEY))
        wanted = f" type {plan.typed_confirmation}  "
        self._typed_label.show(Span(wanted, Tone.FAILED))
        self._typed_label.styles.width = max(len(wanted), LABEL_CELLS)
        self._show_footer("the objects changed while you read: look again" * self._is_anew)
        self._fill(self.typed if self._is_anew and plan.needs_typed_confirmation else self.reason)

    def _fill(self, field: Input) -> None:
        """Lets a person type into a field."""
        self._field = field
        self.set_focus(field)

    def _show_footer(self, problem: str = "") -> None:
        if problem:
            self._footer.show(Span(f" {problem}", Tone.FAILED))
            return
        keys = [
            ("⏎", "do it"),
            ("ctrl-d", "ask the server only"),
            ("ctrl-k", "copy as kubectl"),
            ("ctrl-x", "copy as flux"),
            ("ctrl-e", "no Event" if self._tells else "tell by an Event"),
            ("pgup pgdn", "read"),
        ]
        spans = [s for k, w in keys for s in (Span(f" {k}", Tone.KEY), Span(f" {w} ", Tone.DIM))]
        self._footer.show(*spans, right=[Span(" esc", Tone.KEY), Span(" give up ", Tone.DIM)])

    def on_resize(self) -> None:
        """Wraps the plan anew."""
        self.call_after_refresh(self._show_plan)

    def _show_plan(self) -> None:
        width = max(self.pane.line_width, 20)
        self.pane.show(TextSource(plan_lines(self.plan, width)), keep_place=True)

    def on_key(self, event: events.Key) -> None:
        """Scrolls, copies, gives up, confirms."""
        match event.key:
            case "escape":
                self.dismiss(None)
            case "pagedown" | "ctrl+f":
                self.pane.move_page(1)
            case "pageup" | "ctrl+b":
                self.pane.move_page(-1)
            case "down":
                self.pane.move_by(1)
            case "up":
                self.pane.move_by(-1)
            case "ctrl+k":
                self._copy("kubectl", as_kubectl(self.plan))
            case "ctrl+x":
                self._copy("flux", as_flux(self.plan))
            case "ctrl+d":
                self._confirm(dry_run=True)
            case "enter" if event.time < self._shown_at:
                self._show_footer("enter was pressed before the plan was here: read it first")
            case "enter":
                self._confirm(dry_run=False)
            case "ctrl+e":
                self._tells = not self._tells
                self._show_footer()
            case "tab":
                self._go(1)
            case "shift+tab":
                self._go(-1)
            case _ if self.focused is not self._field and event.is_printable and event.character:
                self._fill(self._field)
                self._field.insert_text_at_cursor(event.character)
            case _:
                return
        event.stop()
        event.prevent_default()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keeps in mind where somebody types who has clicked there."""
        if isinstance(event.widget, Input):
            self._field = event.widget

    def _go(self, step: int) -> None:
        """Goes to the next field, round and round."""
        fields = [field for _, field in self._fields]
        self._fill(fields[(fields.index(self._field) + step) % len(fields)])

    def _copy(self, program: str, lines: tuple[str, ...]) -> None:
        app = cast("FleetApp", self.app)
        if not lines:
            app.say(f"{program} cannot do all of this")
            return
        app.copy_to_clipboard("\n".join(lines))
        app.say(f"copied {len(lines)} {program} commands")

    def _confirm(self, *, dry_run: bool) -> None:
        wanted = "" if dry_run else self.plan.typed_confirmation
        if wanted and self.typed.value.strip() != wanted:
            self._show_footer(f"type {wanted} to confirm, or esc to give up")
            self._fill(self.typed)
            return
        until = self.until.value.strip()
        try:
            expires_s = seconds_of(until) if until else 0
        except UsageError as error:
            self._show_footer(f"{error}: {error.hint}")
            self._fill(self.until)
            return
        reason = self.reason.value.strip()
        self.dismiss(Confirmed(reason, dry_run, expires_s, self._tells, until))


def _field(name: str, text: str = "") -> Input:
    """A field in which a key never wipes what stands there."""
    return Input(text, compact=True, id=name, select_on_focus=False)


class AskScreen(LeavableScreen[str | None]):
    """Asks for one value that a verb needs; gives the text, or None."""

    CSS = """
    AskScreen { align: left bottom; }
    AskScreen Input { height: 1; border: none; padding: 0 1; background: $panel; }
    """

    def __init__(self, question: str, *, example: str = "") -> None:
        """Ask this question."""
        super().__init__()
        self._question = question
        self._example = example
        self._bar = Bar()
        self.line = Input(compact=True)

    def compose(self) -> ComposeResult:
        """Yields question and line."""
        yield self._bar
        yield self.line

    def on_mount(self) -> None:
        """Waits for the text."""
        cast("FleetApp", self.app).apply_theme(self)
        example = Span(f"  such as {self._example}" if self._example else "", Tone.DIM)
        self._bar.show(Span(f" {self._question}", Tone.ACCENT), example)
        self.set_focus(self.line)

    def on_key(self, event: events.Key) -> None:
        """Takes the text or gives up."""
        if event.key == "escape":
            self.dismiss(None)
        elif event.key == "enter":
            self.dismiss(self.line.value.strip() or None)
        else:
            return
        event.stop()
        event.prevent_default()
