"""On call with --read-only: whatever is pressed, typed or clicked, the servers only saw reads.

The keys come from the whole table, those that write included, and from every
printable character; commands are typed as well. How many is set by
FLEETTUI_WALK_KEYS.
"""

import itertools
import os
import random
import string
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from textual import events
from textual.errors import NoWidget
from textual.pilot import OutOfBounds, Pilot

from fleettui.actions.verbs import VERBS
from fleettui.fleet import Fleet
from fleettui.fleet.opening import Opening, open_fleet
from fleettui.index import TreeView
from fleettui.tui.app import FleetApp
from fleettui.tui.commands import COMMANDS
from fleettui.tui.keymap import ENTRIES, Keymap

KEYS = int(os.environ.get("FLEETTUI_WALK_KEYS", "500"))
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(max(240, KEYS // 5))]
AT_ONCE = 40
"""Keys that are sent before the program is waited for."""
REVIEWS = {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}
_CHARACTERS = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "asterisk": "*",
    "minus": "-",
    "space": " ",
    "enter": "\r",
}


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """A small fleet that stands still."""
    return start_demo("--clusters", "3", "--contexts", "1", "--churn", "0")


class StayingApp(FleetApp):
    """The program, but it cannot be left."""

    leavings = 0

    def action_leave(self) -> None:
        """Counts instead of leaving."""
        self.leavings += 1


def key_of(name: str) -> events.Key:
    """The event of a key as a terminal sends it."""
    character = _CHARACTERS.get(name) or (name if len(name) == 1 else None)
    return events.Key(name, character)


def walk(chance: random.Random) -> Iterator[str]:
    """Keys without end: single ones, and commands typed letter by letter."""
    table = [key for entry in ENTRIES for key in entry.keys]
    keys = [*table * 3, *string.ascii_letters, *string.digits, "delete", "backspace", "tab"]
    words = [*(c.name for c in COMMANDS), *VERBS, *(a for c in COMMANDS for a in c.aliases)]
    arguments = ["", " all", " demo-1", " cluster", " kind:Machine", " label", " ks/flux-system/x"]
    while True:
        if chance.random() < 0.02:
            yield "colon"
            typed = chance.choice(words) + chance.choice(arguments)
            yield from ("space" if c == " " else c for c in typed)
            yield "enter"
        else:
            yield chance.choice(keys)


async def press(app: FleetApp, pilot: Pilot[int], count: int, chance: random.Random) -> None:
    """Sends so many keys, and a click now and then."""
    for sent, key in enumerate(itertools.islice(walk(chance), count), 1):
        app.post_message(key_of(key))
        if sent % AT_ONCE == 0:
            await pilot.pause()
        if sent % 500 == 0:
            # What was there has just closed, or what opens is not laid out yet.
            with suppress(OutOfBounds, NoWidget):
                await pilot.click(offset=(chance.randrange(120), chance.randrange(40)))
    await pilot.pause()


def stats(demo: Any) -> dict[str, Any]:
    """Totals of the server's recorder."""
    return demo.call(demo.contexts[0], "/demo/stats")


@pytest.mark.parametrize("way", ["flag", pytest.param("environment", marks=pytest.mark.long)])
async def test_read_only_walk_leaves_only_reads_and_reviews_on_the_server(
    way: str, demo: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody on call can change production by leaning on the keyboard."""
    monkeypatch.setenv("FLEETTUI_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("FLEETTUI_CACHE_HOME", str(tmp_path / "cache"))
    if way == "environment":
        monkeypatch.setenv("FLEETTUI_READ_ONLY", "1")
    demo.call(demo.contexts[0], "/demo/requests", method="DELETE")
    fleet: Fleet = open_fleet(Opening(kubeconfig=demo.kubeconfig, read_only=way == "flag"))
    assert fleet.acts is None
    app = StayingApp(fleet, fleet.index, TreeView(fleet.index))
    chance = random.Random(7)
    sent = KEYS if way == "flag" else KEYS // 10
    started = time.monotonic()
    async with app.run_test(size=(120, 40)) as pilot:
        assert await fleet.wait_synced(120)
        await press(app, pilot, sent, chance)
        assert app.acting is None
        assert not any(entry.writes for entry in app.keymap.entries)
    seen = stats(demo)
    took_s = time.monotonic() - started
    print(f"{sent} keys in {took_s:.0f} s, {app.leavings} times left; server: {seen['verbs']}")
    assert set(seen["verbs"]) <= {"get", "list", "watch", "create", ""}
    created = {name for name, verbs in seen["resources"].items() if "create" in verbs}
    assert {name.partition(".")[0] for name in created} <= REVIEWS
    assert not (tmp_path / "state" / "journal.jsonl").exists()


def test_read_only_program_has_neither_keys_nor_words_that_write() -> None:
    """What is not bound cannot be pressed; what has no word cannot be typed."""
    written = {key for entry in ENTRIES if entry.writes for key in entry.keys}
    assert written >= {"s", "r", "R", "W", "a", "ctrl+d"}
    keymap = Keymap(read_only=True)
    assert not [entry.id for entry in keymap.entries if entry.writes]
