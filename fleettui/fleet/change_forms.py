"""Changes as documents: the contract of ``changes``; what is kept and what objects tell."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fleettui.fleet.cause_forms import ref_form
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form
from fleettui.fleet.history_store import HistoryStore
from fleettui.fleet.sparks import spark
from fleettui.index.recent import Happening, recent
from fleettui.kinds.moments import rfc3339
from fleettui.text import safe_text

CHANGES_SCHEMA: Final = "fleettui.changes/v1"


def changes_of(fleet: Fleet, *, last_s: int, folder: Path | None) -> list[Happening]:
    """What changed lately: as objects tell it and, with a state folder, as it was seen."""
    seen = list(HistoryStore(folder).moments()) if folder is not None else []
    return recent(fleet.index, fleet.now(), last_s=last_s, seen=seen)


def change_form(happening: Happening) -> dict[str, Any]:
    """One change."""
    return {
        "at": rfc3339(happening.at),
        **ref_form(happening.ref),
        "what": happening.what.value,
        "before": safe_text(happening.before) or None,
        "after": safe_text(happening.after),
        "bad": happening.is_bad,
        "reason": safe_text(happening.reason),
        "message": safe_text(happening.message, multiline=True),
        "follows": ref_form(happening.follows) if happening.follows is not None else None,
    }


def changes_form(fleet: Fleet, found: Sequence[Happening], last_s: int) -> dict[str, Any]:
    """The document of ``changes``."""
    now = fleet.now()
    return {
        "schema": CHANGES_SCHEMA,
        "since": rfc3339(now - last_s),
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "items": [change_form(happening) for happening in found],
    }


def rhythm(found: Sequence[Happening], now: int, *, last_s: int, width: int) -> str:
    """Changes for the worse over time as a sparkline, oldest first."""
    counts = [0] * width
    for happening in found:
        if happening.is_bad:
            place = (happening.at - (now - last_s)) * width // max(last_s, 1)
            counts[min(max(place, 0), width - 1)] += 1
    return spark(counts)
