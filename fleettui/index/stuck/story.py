"""What an explanation of something stuck is made of: plain sentences with evidence."""

from collections.abc import Callable
from dataclasses import dataclass

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import Condition
from fleettui.text import age_text


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement and where it can be checked. Texts may hold raw words of the cluster."""

    text: str
    evidence: str = ""
    """Object and field, condition or event that says so."""
    is_blocking: bool = False
    """Whether this is what everything else waits for."""


@dataclass(frozen=True, slots=True)
class Story:
    """Why one thing does not move, told from its start to what can be done."""

    title: str
    sentences: tuple[Sentence, ...]
    next_steps: tuple[str, ...] = ()
    """Commands or actions to take, most useful first."""


Teller = Callable[[Index, Row, int], Story | None]
"""Tells one kind of story about a row at a moment; None when it does not apply."""


def condition_of(row: Row, *types: str) -> Condition | None:
    """The first of some condition types that the row has, new scheme first."""
    for kind in types:
        for condition in row.conditions:
            if condition.type == kind:
                return condition
    return None


def ago(now: int, at: int) -> str:
    """``3m ago``; ``at an unknown time`` for 0."""
    return f"{age_text(now - at)} ago" if at else "at an unknown time"


def lasting(now: int, since: int) -> str:
    """``3m``; ``an unknown time`` for 0."""
    return age_text(now - since) if since else "an unknown time"


def title_of(row: Row) -> str:
    """``Machine fin/a``."""
    return f"{row.kind} {row.namespace}/{row.name}" if row.namespace else f"{row.kind} {row.name}"


def said(condition: Condition) -> str:
    """A condition's own words in one line."""
    message = " ".join(condition.message.split())
    return f"{condition.reason}: {message}" if message else condition.reason
