"""Rows that a resumed watch left behind are compared with what the server holds."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.fleet.audit import AGAIN_S, Audits, Key, Listed, differing
from fleettui.kinds.batch import Scope

SCOPE = Scope("one", "g", "Machine")


@dataclass
class Shown:
    """A row."""

    name: str
    resource_version: str = "5"
    uid: str = "u"
    namespace: str = "ns"
    is_gone: bool = False


@dataclass
class Held:
    """Rows in pieces."""

    rows: list[Shown]

    def pieces(self, scope: Scope) -> Iterator[list[Shown]]:
        """A row at a time."""
        yield from ([row] for row in self.rows)


def _differing(listed: Listed, *rows: Shown) -> frozenset[Key]:
    work = differing(listed, Held(list(rows)).pieces(SCOPE))
    while True:
        try:
            next(work)
        except StopIteration as end:
            return frozenset(end.value)


def _listed(*, at: str = "10", is_whole: bool = True, **versions: str) -> Listed:
    held = {("ns", name): ("u", version) for name, version in versions.items()}
    return Listed(held, at, is_whole)


def test_audit_of_the_same_state_finds_nothing() -> None:
    """Every restart would read the fleet anew for nothing."""
    assert not _differing(_listed(a="5", b="7"), Shown("a"), Shown("b", "7"))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([Shown("a"), Shown("b", "6")], "b"),  # a change that was missed
        ([Shown("a")], "b"),  # one that came and was not told
        ([Shown("a"), Shown("b", "7"), Shown("c", "9")], "c"),  # one that is gone
        ([Shown("a", uid="other"), Shown("b", "7")], "a"),  # made anew
    ],
)
def test_audit_finds_what_a_watch_did_not_tell(rows: list[Shown], found: str) -> None:
    """A row of before a restart would look live for ever."""
    assert _differing(_listed(a="5", b="7"), *rows) == {("ns", found)}


def test_audit_of_one_page_does_not_miss_the_rest() -> None:
    """Behind a slow link, where only a page is compared, all other rows would be doubted."""
    page = _listed(a="5", is_whole=False)
    assert not _differing(page, Shown("a"), Shown("z", "3"))


@given(st.lists(st.integers(11, 99), max_size=8))
def test_audit_trusts_what_the_watch_told_since(versions: list[int]) -> None:
    """A busy fleet would be read anew again and again."""
    rows = [Shown(f"m{place}", str(version)) for place, version in enumerate(versions)]
    listed = _listed(**{row.name: "9" for row in rows[::2]})
    assert not _differing(listed, *rows)


def _audits(rows: list[Shown]) -> tuple[Audits, list[str], list[float], Held]:
    now = [1000.0]
    audits, doubts = Audits(lambda: now[0]), list[str]()
    audits.add(SCOPE, _listed(a="5", b="7"), doubted=lambda: doubts.append("doubted"))
    return audits, doubts, now, Held(rows)


def test_audit_waits_for_events_that_are_on_their_way() -> None:
    """Every change during the list would cost a list more."""
    audits, doubts, now, held = _audits([Shown("a"), Shown("b", "6")])
    list(audits.comparing(held))
    held.rows[1].resource_version = "7"
    now[0] += AGAIN_S
    list(audits.comparing(held))
    assert not doubts
    assert (audits.compared, audits.mismatches) == (1, 0)


def test_audit_doubts_once_what_lasts() -> None:
    """A mismatch would stay on the screen, or be read again every second."""
    audits, doubts, now, held = _audits([Shown("a"), Shown("b", "6")])
    list(audits.comparing(held))
    assert not doubts
    for _ in range(3):
        now[0] += AGAIN_S
        list(audits.comparing(held))
    assert doubts == ["doubted"]
    assert (audits.compared, audits.mismatches) == (0, 1)
