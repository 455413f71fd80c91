"""From a key to the end of its frame, in a terminal over the pretend fleet, and what holds it up.

Run as ``python tests/bench/bench_frames.py [--clusters N] [--churn N] [--keys N]``: while the fleet
is read, then under churn with everything closed and with everything expanded, then a filter as it
is typed. Wall clock beside the processor time that the program took between key and frame, all
threads: where other programs keep the machine busy only the latter says anything. Below each line
stand the callbacks that held the loop up longest, and what was done while keys waited.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from bench_screen import KEYS, environment_of
from servers import Servers
from terminal import Terminal, percentile

WATCHED = Path(__file__).with_name("watched.py")
LETTERS = "prod-eu"
SHOWN = 12
"""Offenders of each kind that are printed."""
SYNC_S = 1200.0


@dataclass(slots=True)
class Answer:
    """How long one key took, milliseconds."""

    wall: float
    processor: float


class Watched:
    """The program in a terminal, with a watch on its loop."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        """Opens it on everything, without what it knew before."""
        self._log = folder / "watched.jsonl"
        self._log.touch()
        where = ["--kubeconfig", str(servers.kubeconfig), "--context", servers.context]
        options = [*where, "--no-cache", "--depth", "full"]
        self.terminal = Terminal(
            [sys.executable, str(WATCHED), str(self._log), *options],
            environment=environment_of(folder),
        )
        self._rng = random.Random(5)

    def press(self, key: bytes) -> Answer:
        """Sends a key and waits for the end of the next frame."""
        before = self.terminal.cpu_s()
        wall, _ = self.terminal.press(key)
        return Answer(wall, (self.terminal.cpu_s() - before) * 1000)

    def keys(self, count: int, keys: Sequence[bytes] = KEYS) -> list[Answer]:
        """Keys as somebody presses them who looks around."""
        answers = []
        for _ in range(count):
            self.terminal.drain(self._rng.uniform(0.02, 0.07))
            answers.append(self.press(self._rng.choice(keys)))
        return answers

    def told(self) -> dict[str, Any]:
        """What the watch saw since the last time."""
        size = self._log.stat().st_size
        os.kill(self.terminal.process.pid, signal.SIGUSR1)
        until = time.monotonic() + 10
        while self._log.stat().st_size == size and time.monotonic() < until:
            self.terminal.drain(0.05)
        lines = self._log.read_text().splitlines()
        return dict(json.loads(lines[-1])) if lines else {}

    def wait_until_live(self) -> float:
        """Seconds until everything is read; inf when that does not come."""
        begun = time.monotonic()
        while (took := time.monotonic() - begun) < SYNC_S:
            self.terminal.drain(0.5)
            if " live" in self.terminal.text()[-20_000:]:
                return took
        return float("inf")


def report(name: str, answers: Sequence[Answer], told: dict[str, Any]) -> Iterator[str]:
    """A line of percentiles, and the offenders below it."""
    parts = []
    for word in ("wall", "processor"):
        values = [getattr(answer, word) for answer in answers]
        shares = " ".join(f"p{int(s * 100)} {percentile(values, s):.1f}" for s in (0.5, 0.9, 0.99))
        parts.append(f"{word} {shares} max {max(values):.1f}")
    yield f"{name}: {'   '.join(parts)} ms"
    yield f"  longest hold {told['longest_ms']:.1f} ms, {told['long']} of {told['slices']} long"
    for where, (count, worst) in list(told["culprits"].items())[:SHOWN]:
        yield f"    {count:4} x up to {worst:5.1f} ms  {where}"
    yield f"  while keys waited, {sum(told['while_keys_wait'].values())} ms:"
    for where, count in list(told["while_keys_wait"].items())[:SHOWN]:
        yield f"    {count:4}  {where}"


def measure(clusters: int, churn: float, count: int, folder: Path) -> Iterator[str]:
    """Everything at one size."""
    with closing(Servers(clusters, churn=churn)) as servers:
        watched = Watched(servers, folder)
        try:
            watched.terminal.wait_for(rb"reading|\d%", 120)
            watched.told()
            yield from report("while syncing", watched.keys(count), watched.told())
            yield f"synced after {watched.wait_until_live():.1f} s more"
            watched.terminal.drain(3)
            for name, key in (("closed", b"j"), ("expanded", b"*")):
                watched.press(key)
                watched.terminal.drain(3)
                watched.told()
                answers = watched.keys(count)
                yield from report(f"{churn:.0f} events/s, {name}", answers, watched.told())
            watched.press(b"/")
            answers = []
            for letter in LETTERS:
                watched.terminal.drain(0.3)
                answers.append(watched.press(letter.encode()))
            yield from report(f"filter /{LETTERS}", answers, watched.told())
        finally:
            watched.terminal.close()


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--churn", type=float, default=1000)
    parser.add_argument("--keys", type=int, default=200)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers end with this program
    with tempfile.TemporaryDirectory(prefix="fleettui-bench-") as folder:
        for line in measure(asked.clusters, asked.churn, asked.keys, Path(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
