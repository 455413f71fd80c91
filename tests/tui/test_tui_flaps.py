"""How often an object broke, as the boards and the explanation say it."""

from fleettui.index.changes import Transition
from fleettui.index.history import History
from fleettui.kinds.record import ObjectRef, Verdict
from fleettui.tui.triage_boards import flaps_text
from fleettui.tui.triage_documents import history_lines

NOW = 1_790_000_000
REF = ObjectRef("one", "cluster.x-k8s.io", "Machine", "ns", "a")


def _history(*steps: tuple[Verdict | None, Verdict]) -> History:
    history = History()
    for number, (before, after) in enumerate(steps):
        at = NOW - 3600 * (len(steps) - number)
        reason = "NodeNotReady" if after is Verdict.FAILED else "Fine"
        history.add([Transition(REF, before, after, True, at, reason)])
    restarted = History()
    assert restarted.load(history.to_bytes())
    return restarted


def _text(history: History) -> str:
    lines = history_lines(history, REF, NOW)
    return "\n".join("".join(span.text for one in line.cells for span in one) for line in lines)


def test_flaps_are_counted_in_words_after_a_restart() -> None:
    """Whoever reads the explanation would take the seventh failure of a day for the first."""
    up, down = Verdict.CURRENT, Verdict.FAILED
    history = _history(*[(up, down), (down, up)] * 7)
    assert flaps_text(history, REF, NOW).startswith("×7 ")
    assert "went NodeNotReady 7 times today" in _text(history)


def test_flaps_of_one_lasting_failure_are_none() -> None:
    """A failure that was there at each start would be told as flapping."""
    history = _history((None, Verdict.FAILED), (None, Verdict.FAILED), (None, Verdict.FAILED))
    assert flaps_text(history, REF, NOW) == ""
    assert "times" not in _text(history)
