"""Changes reach the screen coalesced, and more slowly when the terminal is slow."""

from collections.abc import Callable

from fleettui.fleet.pacer import KEY_REST_S
from fleettui.tui.bridge import FASTEST_S, SLOWEST_S, TYPING_S, Bridge


class _Fleet:
    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.settled = 0

    def settle(self) -> None:
        self.settled += 1


class _Stage:
    """A clock, timers and a terminal, all stepped by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.backlog = 0
        self.typed_at = float("-inf")
        self.painted = 0
        self.fleet = _Fleet()
        self.bridge = Bridge(
            self.fleet,
            repaint=self._paint,
            call_later=lambda delay, do: self.timers.append((self.now + delay, do)),
            clock=lambda: self.now,
            backlog=lambda: self.backlog,
            typed_s=lambda: self.now - self.typed_at,
        )

    def _paint(self) -> None:
        self.painted += 1

    def step(self, seconds: float) -> None:
        self.now += seconds
        due = [t for t in self.timers if t[0] <= self.now + 1e-9]
        self.timers = [t for t in self.timers if t not in due]
        for _, do in due:
            do()


def test_bridge_many_changes_are_painted_once():
    """A thousand events a second must not be a thousand frames."""
    stage = _Stage()
    for _ in range(1000):
        stage.fleet.on_change()
    stage.step(0)
    assert (stage.painted, stage.fleet.settled) == (1, 1)
    assert not stage.timers


def test_bridge_first_change_after_a_pause_is_painted_at_once():
    """A single event should not wait for a frame that nobody needs."""
    stage = _Stage()
    stage.fleet.on_change()
    assert stage.timers[0][0] == stage.now


def test_bridge_steady_changes_are_painted_at_most_fifteen_times_a_second():
    """More frames than that cost bytes on slow links and show nothing new."""
    stage = _Stage()
    for _ in range(1000):
        stage.fleet.on_change()
        stage.step(0.001)
    assert stage.painted <= 16


def test_bridge_changes_give_way_to_somebody_who_types():
    """A key that comes while a frame for changes is painted waits for two frames."""
    stage = _Stage()
    for number in range(1000):
        if number % 100 == 0:
            stage.typed_at = stage.now
        stage.fleet.on_change()
        stage.step(0.001)
    assert 2 <= stage.painted <= 1 + 1 / TYPING_S


def test_bridge_change_right_after_a_key_waits_for_the_frame_of_the_key():
    """The key's own frame must not stand behind one for changes."""
    stage = _Stage()
    stage.typed_at = stage.now
    stage.fleet.on_change()
    stage.step(0.001)
    assert stage.painted == 0
    stage.step(KEY_REST_S)
    assert stage.painted == 1


def test_bridge_keys_without_end_do_not_stop_changes():
    """A key that is held down must not freeze what the fleet shows."""
    stage = _Stage()
    stage.fleet.on_change()
    for _ in range(1000):
        stage.typed_at = stage.now
        stage.step(0.001)
    assert stage.painted == 1


def test_bridge_slow_terminal_gets_fewer_frames_then_recovers():
    """Frames that queue up for a slow terminal show the past."""
    stage = _Stage()
    stage.backlog = 20
    for _ in range(12):
        stage.fleet.on_change()
        stage.step(SLOWEST_S)
    assert stage.bridge.interval_s == SLOWEST_S
    stage.backlog = 0
    for _ in range(12):
        stage.fleet.on_change()
        stage.step(SLOWEST_S)
    assert stage.bridge.interval_s == FASTEST_S
