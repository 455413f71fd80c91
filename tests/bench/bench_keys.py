"""Keys from the first screen to the cause, pressed in a terminal over the pretend fleet.

Run as ``python tests/bench/bench_keys.py [--clusters N]``. Starts a pretend management
cluster with every incident, opens the program on it and reads what it paints: the keys
of an incident are the pages to turn until its line is there, or one to the end of the
list, and one more to open the line where the words of the truth stand below it only.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pyte

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]

from bench_screen import open_screen  # noqa: E402  found through the path above
from servers import Servers  # noqa: E402
from terminal import Terminal  # noqa: E402

from fleettui.demo.world import build_world  # noqa: E402
from fleettui.demo.world.incidents import all_incidents  # noqa: E402
from fleettui.demo.world.truth import Truth  # noqa: E402

COLUMNS, LINES = 200, 50
PAGES = 4
PAGE_DOWN, END = b"\x1b[6~", b"\x1b[F"
SEED = 1
HARMLESS = frozenset({"upgrade-in-progress"})
SETTLED_S = 4.0
ANSWER_S = 15.0
WAIT_S = 180.0


class Reader:
    """What a person sees of a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)

    def wait_for_causes(self) -> float:
        """Seconds until the program showed causes by itself; inf when it did not."""
        begun = time.monotonic()
        while (took := time.monotonic() - begun) < WAIT_S:
            self._stream.feed(self._terminal.pump(0.2))
            if any("MESSAGE" in line and "CLUSTERS" in line for line in self._screen.display):
                return took
        return float("inf")

    def press(self, key: bytes) -> list[str]:
        """The lines after a key, once it was answered; the same when it changes nothing."""
        before = list(self._screen.display)
        os.write(self._terminal._master, key)
        until = time.monotonic() + ANSWER_S
        while self._screen.display == before and time.monotonic() < until:
            self._stream.feed(self._terminal.pump(0.2))
        return self.settle(SETTLED_S)

    def settle(self, quiet_s: float) -> list[str]:
        """The lines once they stood still for so long, times and counts aside."""
        until, still_since, before = time.monotonic() + WAIT_S, time.monotonic(), ""
        while time.monotonic() < until and time.monotonic() - still_since < quiet_s:
            self._stream.feed(self._terminal.pump(0.2))
            names = "".join(line[:40] for line in self._screen.display[2:-2])
            if names != before:
                before, still_since = names, time.monotonic()
        return list(self._screen.display)


def keys_of(truth: Truth, pages: list[list[str]], end: list[str]) -> int:
    """Keys that lead to an incident's words; 99 when it is on no page."""
    return min(_keys_of(truth, pages), 1 + _keys_of(truth, [end]))


def _keys_of(truth: Truth, pages: list[list[str]]) -> int:
    for number, page in enumerate(pages):
        if any(truth.text.lower() in line.lower() for line in page):
            return number
    for number, page in enumerate(pages):
        if any(_is_line_of(truth, line) for line in page):
            return number + 1
    return 99


def _is_line_of(truth: Truth, line: str) -> bool:
    """Whether a line names what is at fault and, as far as it is not cut, the reason."""
    reason = (truth.condition or {}).get("reason", "")
    for right in (truth.root, *truth.also_right):
        _, found, rest = line.partition(f"{right.kind}: ")
        if found:
            shown = rest.partition("  ")[0].partition("…")[0].strip()
            if right is not truth.root or not reason or reason.startswith(shown):
                return True
    return False


def main() -> None:
    """Prints the keys of every incident."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clusters", type=int, default=360)
    asked = parser.parse_args()
    names = sorted(all_incidents())
    now = datetime.now(UTC)
    world = build_world(0, 1, clusters=asked.clusters, seed=SEED, now=now, incidents=names)
    truths = [truth for truth in world.truths() if truth.incident not in HARMLESS]
    servers = Servers(asked.clusters, incidents=",".join(names))
    with tempfile.TemporaryDirectory() as folder:
        terminal = open_screen(servers, Path(folder), lines=LINES, columns=COLUMNS)
        try:
            reader = Reader(terminal)
            print(f"causes by themselves after {reader.wait_for_causes():.1f} s")
            pages = [reader.settle(SETTLED_S * 3)]
            pages += [reader.press(PAGE_DOWN) for _ in range(PAGES)]
            end = reader.press(END)
        finally:
            terminal.close()
            servers.close()
    print("\n".join(line for page in pages for line in page))
    keys = {truth.incident: keys_of(truth, pages, end) for truth in truths}
    for name, count in sorted(keys.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:3} {name}")
    within = sum(count <= 2 for count in keys.values())
    print(f"within two keys: {within}/{len(keys)}, most {max(keys.values())}")


if __name__ == "__main__":
    main()
