"""The program with a watch on its loop: long callbacks, and what keys wait for.

Run as ``python tests/bench/watched.py FILE ARGUMENT...``: the arguments are the program's. At every
``SIGUSR1`` a line of JSON about the time since the last one is added to the file.
"""

import json
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fleettui.tui.startup import prepare

prepare()

from loop_meter import Meter, stack_of  # noqa: E402 - the policy of start-up comes first
from textual.drivers.linux_driver import LinuxDriver  # noqa: E402
from textual.events import Key  # noqa: E402

from fleettui.cli.app import run  # noqa: E402

FRAME_END = "\x1b[?2026l"


class KeyWatch:
    """What the loop does between a key and the end of the next frame."""

    def __init__(self) -> None:
        self.is_pending = False
        self.samples: Counter[str] = Counter()
        self.all: Counter[str] = Counter()

    def install(self) -> None:
        """Watches keys and frames from now on."""
        take, write = LinuxDriver.process_message, LinuxDriver.write

        def process_message(driver: Any, message: Any) -> None:
            if isinstance(message, Key):
                self.is_pending = True
            take(driver, message)

        def written(driver: Any, data: str) -> None:
            write(driver, data)
            if FRAME_END in data:
                self.is_pending = False

        LinuxDriver.process_message = process_message  # type: ignore[method-assign]  # no hook
        LinuxDriver.write = written  # type: ignore[method-assign]  # no hook

    def sample(self, frame: FrameType | None) -> None:
        """Notes what is being done."""
        where = " > ".join(stack_of(frame))
        self.all[where] += 1
        if self.is_pending:
            self.samples[where] += 1


def main() -> None:
    """Runs the program."""
    target = Path(sys.argv[1])
    meter, watch = Meter(), KeyWatch()
    meter.on_sample = watch.sample

    def tell(_number: int, _frame: FrameType | None) -> None:
        slices, culprits = meter.take()
        told = {
            "at": time.time(),
            "threads": threading.active_count(),
            "slices": len(slices),
            "busy_s": sum(slices),
            "longest_ms": max(slices, default=0) * 1000,
            "long": sum(took > meter.long_s for took in slices),
            "culprits": {k: [n, worst * 1000] for k, (n, worst) in culprits.items()},
            "while_keys_wait": dict(watch.samples.most_common(60)),
            "all": dict(watch.all.most_common(60)),
        }
        watch.samples.clear()
        watch.all.clear()
        with target.open("a") as file:
            file.write(json.dumps(told) + "\n")

    watch.install()
    meter.install()
    signal.signal(signal.SIGUSR1, tell)
    sys.exit(run(sys.argv[2:]))


if __name__ == "__main__":
    main()
