"""Triage on screen: causes that can be muted, pauses, changes, what was kept."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pilots import becomes, shows
from textual.pilot import Pilot

from fleettui.fleet.context import EventLine
from fleettui.index.changes import Transition
from fleettui.index.view import TreeView
from fleettui.kinds.record import ObjectRef, Reference, Verdict
from fleettui.tui.app import FleetApp
from fleettui.tui.explanations import Chain
from fleettui.tui.screens.board import BoardScreen

CAPI = "cluster.x-k8s.io"
CONTEXT = "mgmt-eu"
_HOSTILE = "quota [red]exceeded[/red] \x1b]52;c;AAAA\x07"


@asynccontextmanager
async def running(fleet: Any, state: Path) -> AsyncIterator[Pilot[int]]:
    """The program with a state folder of its own."""
    app = FleetApp(fleet, fleet.index, TreeView(fleet.index), state=state)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        yield pilot


def _break(fleet: Any, make_record: Callable[..., Any]) -> None:
    fleet.put(
        make_record(
            "Machine",
            "m-broken",
            verdict=Verdict.FAILED,
            condition="InfrastructureReady",
            reason="QuotaExceeded",
            message=_HOSTILE,
        )
    )


def screen_text(pilot: Pilot[int]) -> list[str]:
    """What the terminal shows, line by line."""
    return [strip.text for strip in pilot.app.screen._compositor.render_strips()]


async def _open_causes(pilot: Pilot[int]) -> None:
    pilot.app.run_command("causes")

    def is_filled() -> bool:
        pilot.app.tick()
        return isinstance(pilot.app.screen, BoardScreen) and bool(len(pilot.app.screen.source))

    await becomes(pilot, is_filled)


def _count(screen: BoardScreen) -> int:
    """Lines of a board once it looked again."""
    screen.repaint()
    return len(screen.source)


async def test_causes_can_be_muted_with_reason_and_end(
    small_fleet: Any, record_of: Callable[..., Any], tmp_path: Path
) -> None:
    """What everybody knows hides what is new."""
    _break(small_fleet, record_of)
    async with running(small_fleet, tmp_path) as pilot:
        await _open_causes(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, BoardScreen)
        place = next(n for n, r in enumerate(screen.source.rows) if r.ref.name == "m-broken")
        screen.pane.move_to(place)
        before = len(screen.source)
        pilot.app.run_command("mute 4h vendor case 12")
        await becomes(pilot, lambda: _count(screen) == before - 1)
    assert "vendor case 12" in (tmp_path / "mutes.json").read_text()


async def test_muted_causes_are_listed_and_can_be_shown_again(
    small_fleet: Any, record_of: Callable[..., Any], tmp_path: Path
) -> None:
    """A mute set in the night by somebody else could not be found again."""
    _break(small_fleet, record_of)
    async with running(small_fleet, tmp_path) as pilot:
        await _open_causes(pilot)
        causes = pilot.app.screen
        pilot.app.run_command("mute 4h vendor case 12")
        await pilot.pause()
        pilot.app.run_command("muted")
        await becomes(pilot, lambda: pilot.app.screen is not causes)
        screen = pilot.app.screen
        assert isinstance(screen, BoardScreen)
        await becomes(pilot, lambda: len(screen.source) == 1)
        await shows(pilot, "vendor case 12")
        pilot.app.run_command("unmute")
        await becomes(pilot, lambda: _count(screen) == 0)


async def test_causes_show_hostile_texts_as_they_are(
    small_fleet: Any, record_of: Callable[..., Any], tmp_path: Path
) -> None:
    """A condition message must not colour, click or write the clipboard."""
    _break(small_fleet, record_of)
    async with running(small_fleet, tmp_path) as pilot:
        await _open_causes(pilot)
        text = "\n".join(screen_text(pilot))
        assert "[red]" in text
        assert "\x1b" not in text


async def test_mute_without_a_cause_at_hand_says_what_to_do(
    small_fleet: Any, tmp_path: Path
) -> None:
    """A word that does nothing and says nothing looks broken."""
    async with running(small_fleet, tmp_path) as pilot:
        pilot.app.run_command("mute 4h because")
        await pilot.pause()
        assert not (tmp_path / "mutes.json").exists()


async def test_history_of_a_live_context_is_kept_for_the_next_start(
    small_fleet: Any, tmp_path: Path
) -> None:
    """Flaps of the night shift would be lost with its terminal."""
    ref = ObjectRef(CONTEXT, CAPI, "Machine", "fleet", "m-1")
    down = Transition(
        ref, Verdict.CURRENT, Verdict.FAILED, True, small_fleet.now() - 10, "NotReady"
    )
    async with running(small_fleet, tmp_path) as pilot:
        pilot.app.triage._note([down])
    async with running(small_fleet, tmp_path) as pilot:
        assert [m.reason for m in pilot.app.triage.history.of(ref)] == ["NotReady"]


async def test_events_screen_merges_those_of_relatives(small_fleet: Any, tmp_path: Path) -> None:
    """The same retry, told two hundred times, would fill the screen."""
    line = EventLine(
        small_fleet.now() - 5, "Warning", "Failed", "retry 1", 2, "kubelet", "Machine", "m-1"
    )
    small_fleet.event_lines = [line, line]
    ref = next(row.ref for row in small_fleet.index.rows() if row.kind == "Cluster")
    async with running(small_fleet, tmp_path) as pilot:
        pilot.app.read(pilot.app.triage.events(ref))
        text = await shows(pilot, "retry 1")
        assert text.count("retry 1") == 1


async def test_changes_board_tells_what_broke(small_fleet: Any, tmp_path: Path) -> None:
    """What happened in the last minutes is the second question of every incident."""
    ref = next(row.ref for row in small_fleet.index.rows() if row.kind == "Machine")
    down = Transition(
        ref, Verdict.CURRENT, Verdict.FAILED, True, small_fleet.now() - 10, "NotReady"
    )
    async with running(small_fleet, tmp_path) as pilot:
        pilot.app.triage._note([down])
        pilot.app.run_command("changes 1h")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        board = pilot.app.screen
        await becomes(pilot, lambda: _count(board) and "NotReady" in "\n".join(screen_text(pilot)))


async def test_dependencies_board_marks_what_is_missing_and_circles(
    small_fleet: Any, tmp_path: Path, record_of: Callable[..., Any]
) -> None:
    """Who waits for whom, for what is not there, or in a circle, must be seen at a glance."""

    def waiting(name: str, other: str) -> Any:
        group = "kustomize.toolkit.fluxcd.io"
        pointer = Reference("depends_on", group, "Kustomization", "fleet", other, "spec.dependsOn")
        return record_of("Kustomization", name, references=(pointer,))

    small_fleet.put(waiting("left", "right"), waiting("right", "left"), waiting("lost", "nobody"))
    async with running(small_fleet, tmp_path) as pilot:
        pilot.app.run_command("by dependencies")
        await shows(
            pilot,
            "circle of 2",
            "none can go on: left → right → left",
            "∅ Kustomization/fleet/nobody",
            "waited for, and not there",
            "by dependencies",
        )


async def test_trace_does_not_call_missing_what_was_never_read(
    small_fleet: Any, tmp_path: Path, record_of: Callable[..., Any]
) -> None:
    """Secrets are not read: a sign of a failure there would be a guess shown as a fact."""
    pointer = Reference("credentials", "", "Secret", "fleet", "git", "spec.secretRef")
    small_fleet.put(record_of("Kustomization", "reader", references=(pointer,)))
    ref = next(row.ref for row in small_fleet.index.rows() if row.name == "reader")
    async with running(small_fleet, tmp_path) as pilot:
        pilot.app.read(Chain(small_fleet, ref))
        await shows(pilot, "Secret/git not read", no=("∅",))
