"""Actions done by keys in a terminal: on what, which, with which answers."""

from dataclasses import dataclass
from typing import Any


def find(terminal: Any, words: str, name: str) -> None:
    """Filters the tree and puts the cursor on the object, which comes last."""
    terminal.press(f"/{words}")
    terminal.wait_for(lambda text: text.count(name) > 1)
    terminal.press("\r")
    while terminal.pump(0.5):
        pass  # the prompt closes and gives the keys back to the tree
    terminal.press("G")


@dataclass(frozen=True)
class Deed:
    """One action by keys: on what, which, with which answers."""

    words: str
    """Filter whose last line is the object."""
    name: str
    choose: str
    """What is typed to narrow the actions down to the one that is meant."""
    answer: str = ""
    steps: int = 1
    is_typed: bool = False
    """Whether the object's name has to be typed."""
    is_long: bool = False
    """Whether it is left to itself once the server has taken it."""
    is_rare: bool = False
    """Whether it is done only with FLEETTUI_DEEDS=all."""

    def __str__(self) -> str:
        return f"{self.choose} {self.name}"


def do_by_keys(screen: Any, deed: Deed) -> None:
    """Finds the object, chooses the action, answers, confirms and waits for its end."""
    find(screen, deed.words, deed.name)
    screen.press("a")
    screen.wait_for("type to narrow")
    screen.press(deed.choose)
    screen.wait_for(f"{deed.choose}▏")
    screen.press("\r")
    if deed.answer:
        screen.wait_for("?")
        screen.press(f"{deed.answer}\r")

    def to_type(text: str) -> list[str]:
        return [line.split()[1] for line in text.splitlines() if line.startswith(" type ")]

    text = screen.wait_for(
        lambda text: (
            "why (for the journal)" in text
            and "/apis/" in text
            and bool(to_type(text)) >= deed.is_typed
        )
    )
    if deed.is_typed:
        screen.press(f"\t{to_type(text)[0]}")
    screen.press("\r")
    if deed.is_long:
        screen.wait_for(lambda text: " waiting" in text or " done" in text)
        screen.press("\x1b")
    done = ("done", "cancelled") if deed.is_long else (f"{deed.steps} done",)
    screen.wait_for(lambda text, d=done: "close" in text and any(w in text for w in d))
    screen.press("\x1b")
    screen.wait_for(lambda text: "STATE" not in text)
    screen.press("\x1b")
    while screen.pump(0.3):
        pass  # the filter is cleared
