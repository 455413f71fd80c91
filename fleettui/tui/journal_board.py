"""The journal as a board: what was done from here, newest first.

Knows entries of the journal; writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fleettui.accounts import Account, accounts
from fleettui.audit import Journal, Result
from fleettui.kinds.record import ObjectRef
from fleettui.tui.boards import BoardRow
from fleettui.tui.layout import Column
from fleettui.tui.lines import cell
from fleettui.tui.theme import Tone

MAX_SHOWN = 2000
SECONDS = len("2026-01-01T00:00:00")
"""Length of a moment without its fraction and zone."""
_TONES: dict[Result, Tone] = {
    Result.WRITTEN: Tone.PROGRESS,
    Result.ACKNOWLEDGED: Tone.CURRENT,
    Result.FAILED: Tone.FAILED,
    Result.REJECTED: Tone.STALLED,
    Result.UNKNOWN: Tone.UNKNOWN,
    Result.TIMED_OUT: Tone.STALLED,
    Result.CANCELLED: Tone.STALLED,
}


@dataclass(frozen=True, slots=True)
class JournalBoard:
    """Every write, with what came of it."""

    journal: Journal
    title: str = "journal"
    empty: str = "nothing was changed from here yet"
    columns: Sequence[Column] = (
        Column("at", "AT", 20, 20, 0),
        Column("verb", "VERB", 10, 14, 1),
        Column("object", "OBJECT", 24, 70, 2),
        Column("result", "RESULT", 12, 13, 3),
        Column("who", "WHO", 10, 30, 5),
        Column("why", "WHY", 10, 60, 4),
        Column("message", "SAID", 16, 120, 6),
    )

    def rows(self) -> Sequence[BoardRow]:
        """Return the newest accounts."""
        newest = accounts(self.journal.read())[-MAX_SHOWN:]
        return [_row(account) for account in reversed(newest)]


def _row(account: Account) -> BoardRow:
    intent, result = account.intent, account.result
    ref = ObjectRef(intent.context, intent.group, intent.kind, intent.namespace, intent.name)
    message = account.outcome.message if account.outcome else "no answer was recorded"
    verb = f"{intent.verb} (dry run)" if intent.dry_run else intent.verb
    cells = (
        cell(f"{intent.at[:SECONDS]}Z", Tone.DIM),
        cell(verb, Tone.STRONG),
        cell(str(ref)),
        cell(result.value.replace("_", " "), _TONES[result]),
        cell(intent.who.server or intent.who.local, Tone.DIM),
        cell(intent.why),
        cell(message, Tone.DIM),
    )
    return BoardRow(intent.id, cells, ref, plan=intent.plan)
