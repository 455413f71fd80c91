"""The way of a new cluster as one line and as a document."""

from collections.abc import Iterator
from typing import Any

from fleettui.fleet.cause_forms import ref_form
from fleettui.index.birth import Birth, BirthStep, Progress
from fleettui.kinds.columns import short_revision
from fleettui.kinds.moments import rfc3339
from fleettui.text import age_text, one_line, safe_text

GLYPHS = {
    Progress.DONE: "✓",
    Progress.BUSY: "…",
    Progress.FAILED: "✗",
    Progress.WAITING: "·",
    Progress.ABSENT: "–",
}


def birth_line(birth: Birth, now: int) -> str:
    """All steps in one line, done ones with their moment, the open one with its wait."""
    return " → ".join(_words(step, now) for step in birth.steps)


def _words(step: BirthStep, now: int) -> str:
    parts = [f"{GLYPHS[step.progress]} {step.name}"]
    if step.words and step.progress is not Progress.WAITING:
        parts.append(one_line(short_revision(step.words)))
    if step.at and step.progress is Progress.DONE:
        parts.append(f"{age_text(now - step.at)} ago")
    elif step.at and step.progress in (Progress.BUSY, Progress.FAILED):
        parts.append(f"for {age_text(now - step.at)}")
    return " ".join(parts)


def birth_form(birth: Birth) -> list[dict[str, Any]]:
    """The steps as a list; ``at`` is when a step was done or since when it is as it is."""
    return list(_steps(birth))


def _steps(birth: Birth) -> Iterator[dict[str, Any]]:
    for step in birth.steps:
        yield {
            "name": step.name,
            "progress": step.progress.value,
            "at": rfc3339(step.at) or None,
            "words": safe_text(step.words),
            "object": ref_form(step.ref) if step.ref else None,
        }
