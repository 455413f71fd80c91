"""First frame and keys of the screen in a pseudo-terminal, beside a bare Textual app."""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure
from servers import Servers
from terminal import Terminal, percentile

BARE = """
import os
os.environ.setdefault("TEXTUAL_FPS", "240")
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("x")
Bare().run()
"""
KEYS = (b"j", b"j", b"j", b"k", b"\x1b[6~", b"\x1b[6~", b"\x1b[5~")
"""Down, up, page down, page up."""


def environment_of(folder: Path) -> dict[str, str]:
    return {
        f"FLEETTUI_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "CACHE", "STATE")
    }


def open_screen(
    servers: Servers, folder: Path, *options: str, lines: int = 50, columns: int = 200
) -> Terminal:
    """The program on a demo fleet."""
    arguments = [sys.executable, "-m", "fleettui", "--kubeconfig", str(servers.kubeconfig)]
    return Terminal(
        [*arguments, "--context", servers.context, *options],
        environment=environment_of(folder),
        lines=lines,
        columns=columns,
    )


def first_frames(servers: Servers, folder: Path, *, rounds: int = 7) -> Iterator[Figure]:
    """First live frame with the clusters of last time, interleaved with a bare app.

    The first round is not counted: it compiles, and remembers how the fleet was opened.
    """
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    work: dict[str, list[float]] = {"bare": [], "ours": []}
    for number in range(rounds + 1):
        for name in times:
            if name == "bare":
                terminal = Terminal([sys.executable, "-c", BARE])
                took = terminal.wait_for(b"\\x1b\\[\\?2026l", 20)
            else:
                terminal = open_screen(servers, folder, "--depth", "spine")
                took = terminal.wait_for(rb"clusters as of|as of \d+\w+ ago", 20)
            if number:
                work[name].append(terminal.cpu_s() * 1000)
                times[name].append(took * 1000)
            terminal.close()
    for word, found in (("", times), (", processor time", work)):
        yield Figure(
            f"first live frame with last time's clusters{word}, median",
            percentile(found["ours"], 0.5),
            "ms",
            percentile(found["bare"], 0.5),
            "<= 1.35 x bare",
        )
        yield Figure(
            f"first live frame{word}, best of the run",
            min(found["ours"]),
            "ms",
            min(found["bare"]),
        )


def keys(terminal: Terminal, name: str, *, count: int = 200) -> Iterator[Figure]:
    """Latency of keys on an open screen; frames for changes may come between."""
    rng = random.Random(5)
    times: list[float] = []
    for _ in range(count):
        terminal.drain(rng.uniform(0.02, 0.07))
        took, _ = terminal.press(rng.choice(KEYS))
        times.append(took)
    yield Figure(f"key to end of frame, {name}, p50", percentile(times, 0.5), "ms")
    yield Figure(
        f"key to end of frame, {name}, p99", percentile(times, 0.99), "ms", goal="<= 10, hard 16"
    )


def one_line(terminal: Terminal) -> Figure:
    """Bytes of frames that move the cursor by one line."""
    sizes = []
    for key in (b"j", b"k") * 10:
        terminal.drain(0.1)
        sizes.append(terminal.press(key)[1])
    return Figure("bytes of a frame that moves the cursor", percentile(sizes, 0.5), "B", goal="")


def filter_keys(terminal: Terminal, name: str) -> Iterator[Figure]:
    """Latency of each key of a filter that is typed."""
    times = []
    terminal.press(b"/")
    for letter in (b"p", b"r", b"o", b"d", b"-", b"e", b"u"):
        terminal.drain(0.3)
        times.append(terminal.press(letter)[0])
    terminal.press(b"\x1b")
    terminal.drain(0.5)
    yield Figure(f"key of a filter to end of frame, {name}, median", percentile(times, 0.5), "ms")
    yield Figure(
        f"key of a filter to end of frame, {name}, worst", max(times), "ms", None, "<= 25+frame"
    )


def synced_screen(
    servers: Servers, folder: Path, *, rows: str, timeout_s: float, options: tuple[str, ...]
) -> tuple[Terminal, list[Figure]]:
    """An open screen that has read everything, and how that went."""
    terminal = open_screen(servers, folder, "--no-cache", *options)
    terminal.wait_for(rb"reading|\d%", 60)
    found = list(keys(terminal, f"{rows}, while syncing", count=100))
    begun = time.perf_counter()
    is_live = False
    while not is_live and time.perf_counter() - begun < timeout_s:
        terminal.drain(0.5)
        is_live = " live" in terminal.text()[-20_000:]
    synced = time.perf_counter() - terminal.started
    found.append(Figure(f"screen synced, {rows}", synced if is_live else float("inf"), "s"))
    terminal.drain(3)
    found.append(Figure(f"RSS of the screen, {rows}", terminal.resident_bytes() / 1e6, "MB"))
    return terminal, found


def screen_figures(
    servers: Servers, folder: Path, *, rows: str, churn: float, options: tuple[str, ...] = ()
) -> Iterator[Figure]:
    """Everything about keys at one size."""
    terminal, found = synced_screen(servers, folder, rows=rows, timeout_s=600, options=options)
    yield from found
    name = f"{rows}, {churn:.0f} events/s"
    terminal.press(b"*")
    terminal.drain(2)
    yield from keys(terminal, name)
    if not churn:
        yield one_line(terminal)
    yield from filter_keys(terminal, name)
    terminal.close()
