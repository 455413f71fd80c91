"""A report for the incident channel: what is wrong, since when, and how to see it again."""

import shlex
from collections.abc import Sequence
from typing import Any, Final

from fleettui.fleet.cause_forms import Warnings, cause_form
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.overview import Figures, overview_form
from fleettui.index.causes import Cause
from fleettui.kinds.moments import rfc3339
from fleettui.text import safe_text

REPORT_SCHEMA: Final = "fleettui.report/v1"


def commands_for(fleet: Fleet, causes: Sequence[Cause], *, sources: Sequence[str]) -> list[str]:
    """Command lines that show all of it, and each of the first causes, again.

    Args:
        fleet: what was looked at.
        causes: causes told.
        sources: paths of recordings that were read instead of live contexts.
    """
    if sources:
        where = [part for path in sources for part in ("--from", path)]
    else:
        where = [part for info in fleet.contexts() for part in ("--context", info.name)]
    found = [["fleettui", "causes", *where]]
    for cause in causes:
        ref = cause.example.top
        path = "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)
        own = where if sources else ["--context", ref.context]
        found.append(["fleettui", "why", *own, path])
    return list(dict.fromkeys(safe_text(shlex.join(words)) for words in found))


def report_form(
    fleet: Fleet,
    found: Sequence[Figures],
    causes: Sequence[Cause],
    warnings: Warnings,
    *,
    commands: Sequence[str],
    total: int,
) -> dict[str, Any]:
    """The document of ``report``."""
    return {
        "schema": REPORT_SCHEMA,
        "at": rfc3339(fleet.now()),
        "overview": overview_form(fleet, found),
        "causes": [
            cause_form(fleet, cause, rank, warnings) for rank, cause in enumerate(causes, 1)
        ],
        "causes_in_all": total,
        "commands": list(commands),
    }
