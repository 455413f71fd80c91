"""The journal as accounts: one per write, with the last that is known of it.

Knows entries; reads no file. An intent without an outcome is unknown, never
"not done".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from fleettui.audit import Entry, Result, What, moment_text


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to show; what is empty matches everything."""

    plan: str = ""
    context: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    verb: str = ""
    who: str = ""
    """Part of either name of the person."""
    results: frozenset[Result] = frozenset()
    since: datetime | None = None

    def covers(self, entry: Entry) -> bool:
        """Whether the entry is wanted."""
        exact = ("plan", "context", "kind", "namespace", "name", "verb")
        person = f"{entry.who.server} {entry.who.impersonated} {entry.who.local}"
        return (
            all(getattr(self, key) in ("", getattr(entry, key)) for key in exact)
            and self.who in person
            and (not self.results or entry.result in self.results)
            and (self.since is None or entry.at >= moment_text(self.since))
        )


@dataclass(frozen=True, slots=True)
class Account:
    """One write: its intent and the last that is known of it."""

    intent: Entry
    outcome: Entry | None
    """None: the program ended between intent and answer; it may have been done."""

    @property
    def result(self) -> Result:
        """What came of it; without an outcome nobody knows."""
        found = self.outcome.result if self.outcome else None
        return found or Result.UNKNOWN


def accounts(entries: Iterable[Entry], wanted: Wanted | None = None) -> list[Account]:
    """One account per intent, oldest first."""
    intents: dict[str, Entry] = {}
    outcomes: dict[str, Entry] = {}
    for entry in entries:
        if entry.what is What.INTENT:
            intents[entry.id] = entry
        elif entry.what is What.OUTCOME:
            outcomes[entry.id] = entry
    found = (Account(intent, outcomes.get(key)) for key, intent in intents.items())
    choice = wanted or Wanted()
    return [
        account
        for account in found
        if choice.covers(msgspec.structs.replace(account.intent, result=account.result))
    ]
