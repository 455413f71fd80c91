"""Traces as documents and as lines: the contract of ``trace``.

Knows steps and their evidence; finds nothing itself (``index.trace`` does).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from fleettui.fleet.cause_forms import ref_form
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form
from fleettui.index import Index, Row
from fleettui.index.trace import Step, Trace, origin_of
from fleettui.kinds.columns import short_revision
from fleettui.kinds.record import ObjectRef
from fleettui.text import one_line, safe_text

TRACE_SCHEMA = "fleettui.trace/v1"


def trace_form(fleet: Fleet, found: Trace) -> dict[str, Any]:
    """The document of ``trace``: both directions, each step with its evidence."""
    now = fleet.now()
    return {
        "schema": TRACE_SCHEMA,
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "of": _object_form(found.row),
        "comes_from": [_step_form(fleet.index, step) for step in found.up],
        "depends_on_it": [_step_form(fleet.index, step) for step in found.down],
    }


def is_unread(index: Index, ref: ObjectRef) -> bool:
    """Whether nothing can be told of an object, because its kind has not been read."""
    return not index.coverage.is_known(ref.context, ref.group, ref.kind, namespace=ref.namespace)


def _object_form(row: Row) -> dict[str, Any]:
    return {
        **ref_form(row.ref),
        "health": row.health.value,
        "reason": safe_text(row.reason),
        "origin": {name: safe_text(value) for name, value in origin_of(row).items()},
    }


def _step_form(index: Index, step: Step) -> dict[str, Any]:
    """One step; ``object`` is null when the evidence does not decide.

    ``found`` is null when the kind has not been read.
    """
    if step.row is not None:
        there: dict[str, Any] | None = {**_object_form(step.row), "found": True}
    elif step.ref is not None:
        there = {
            **ref_form(step.ref),
            "found": None if is_unread(index, step.ref) else False,
        }
    else:
        there = None
    return {
        "relation": step.relation,
        "reverse": step.is_reverse,
        "object": there,
        "evidence": [safe_text(text) for text in step.evidence],
        "against": [safe_text(text) for text in step.against],
        "unverified": safe_text(step.doubt) or None,
        "repeated": step.is_repeated,
        "left_out": step.more,
        "steps": [_step_form(index, below) for below in step.steps],
    }


def trace_lines(index: Index, found: Trace) -> list[str]:
    """Both directions as indented lines, for people; texts are safe to print."""
    lines = [_object_words(found.row)]
    for title, steps in (("comes from", found.up), ("what depends on it", found.down)):
        lines += ["", title]
        lines += list(_step_lines(index, found.row, steps, 1)) or ["  nothing known"]
    return lines


def _object_words(row: Row) -> str:
    where = f"{row.namespace}/{row.name}" if row.namespace else row.name
    words = [f"{row.kind} {where}", f"[{row.health.value}]"]
    words += [f"{name} {short_revision(value)}" for name, value in origin_of(row).items()]
    return safe_text("  ".join(words))


def _step_lines(index: Index, top: Row, steps: Sequence[Step], depth: int) -> Iterator[str]:
    for step in steps:
        if step.is_repeated and step.row is top:
            continue  # the way back to where the trace began tells nothing
        margin = "  " * depth
        if step.row is not None:
            what = _object_words(step.row)
        elif step.ref is not None:
            state = "not read" if is_unread(index, step.ref) else "not found"
            what = safe_text(f"{step.ref.kind} {step.ref.namespace}/{step.ref.name}  {state}")
        else:
            what = "not decided"
        again = "  (told above)" if step.is_repeated else ""
        evidence = one_line("; ".join(step.evidence))
        yield f"{margin}{step.words}: {what}{again}"
        if evidence and not step.is_repeated:
            yield f"{margin}    because: {evidence}"
        if step.doubt and not step.is_repeated:
            yield f"{margin}    {one_line(step.doubt)}"
        for words in step.against:
            yield f"{margin}    but: {one_line(words)}"
        yield from _step_lines(index, top, step.steps, depth + 1)
        if step.more:
            yield f"{margin}and {step.more} more"
