"""How long the program's loop is held up at a time, and by what: processor time, per callback.

Other programs on the machine do not count. Of every long callback it is told what it was busy
with, as far as samples of the stack tell.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

LONG_S = 0.004
"""A callback is told from here on."""
SAMPLE_S = 0.001
Stack = tuple[str, ...]
_FRAME = ("textual/screen.py", "textual/_compositor.py")
"""Where frames are made of widgets."""


class Meter:
    """Processor time of every callback of the loop."""

    def __init__(self, *, long_s: float = LONG_S) -> None:
        self.long_s = long_s
        self.slices: list[float] = []
        self.culprits: Counter[str] = Counter()
        self.worst: dict[str, float] = {}
        self.excluded = 0.0
        """Time within the present callback that is none of the program's."""
        self.on_sample: Callable[[FrameType | None], None] = _nothing
        """Told of every millisecond of processor time, whatever thread took it."""
        self._began = 0.0
        self._stacks: list[Stack] = []

    def install(self) -> None:
        """Times every callback from now on."""
        original = asyncio.events.Handle._run

        def run(handle: asyncio.Handle) -> None:
            self.excluded = 0.0
            self._stacks.clear()
            self._began = time.thread_time()
            original(handle)
            took = time.thread_time() - self._began - self.excluded
            self._began = 0.0
            self.slices.append(took)
            if took > self.long_s:
                self._file(handle, took)

        asyncio.events.Handle._run = run  # type: ignore[method-assign]  # no other way in
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)

    def _file(self, handle: asyncio.Handle, took: float) -> None:
        where = _common(self._stacks) or _name_of(handle)
        self.culprits[where] += 1
        self.worst[where] = max(self.worst.get(where, 0.0), took)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        self.on_sample(frame)
        if self._began:
            self._stacks.append(stack_of(frame))

    def take(self) -> "tuple[list[float], dict[str, tuple[int, float]]]":
        """Slices so far and where long ones were, and starts over."""
        found = {name: (count, self.worst[name]) for name, count in self.culprits.most_common()}
        slices, self.slices = self.slices, []
        self.culprits.clear()
        self.worst.clear()
        return slices, found


def _nothing(_frame: FrameType | None) -> None:
    """What is told of samples while nobody listens."""


def stack_of(frame: FrameType | None) -> Stack:
    """Where the interpreter is: functions of the program, and the innermost of any, from outside.

    The lines that start the program are left out.
    """
    names: list[str] = []
    while frame is not None:
        path = frame.f_code.co_filename
        if not names or ("/fleettui/" in path and "/cli/" not in path) or path.endswith(_FRAME):
            names.append(_code_name(frame))
        frame = frame.f_back
    return tuple(name for name in reversed(names) if name != "app.run")


def _common(stacks: list[Stack]) -> str:
    """The way down that most samples share."""
    way: list[str] = []
    while stacks:
        here = Counter(stack[len(way)] for stack in stacks if len(stack) > len(way))
        name, count = here.most_common(1)[0] if here else ("", 0)
        if not name or 2 * count <= len(stacks):
            break
        way.append(name)
        stacks = [stack for stack in stacks if stack[len(way) - 1 : len(way)] == (name,)]
    return " > ".join(way)


def _code_name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{Path(code.co_filename).stem}.{getattr(code, 'co_qualname', code.co_name)}"


def _name_of(handle: asyncio.Handle) -> str:
    """What a callback is, as far as it says so."""
    callback: Any = getattr(handle, "_callback", None)
    return f"outside: {getattr(callback, '__qualname__', type(callback).__name__)}"
