"""What pause and resume share: which forms an object has, and which hold now.

Knows the table of pause forms and the annotations in which a pause says who,
why, until when and what was there before; knows no kind.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fleettui.actions.documents import annotation, condition, merged, nested, seconds_text, value_at
from fleettui.actions.facts import Document
from fleettui.actions.forms import PauseForm
from fleettui.actions.options import Options
from fleettui.actions.plan import Acknowledgement, Check, Signal

PAUSED_BY = "fleettui.dev/paused-by"
PAUSED_REASON = "fleettui.dev/paused-reason"
PAUSED_UNTIL = "fleettui.dev/paused-until"
PAUSED_PREVIOUS = "fleettui.dev/paused-previous"
"""JSON of what stood in the field before, so that resume can put it back."""

NOTES = (PAUSED_BY, PAUSED_REASON, PAUSED_UNTIL, PAUSED_PREVIOUS)


def is_on(form: PauseForm, document: Document) -> bool:
    """Whether this form pauses the object now."""
    if form.value is None:
        return _previous(document) is not None and value_at(document, form.path) is None
    value = value_at(document, form.path)
    return value is not None if form.presence else bool(value == form.value)


def pause_body(
    form: PauseForm, document: Document, *, now: datetime, options: Options
) -> dict[str, Any]:
    """The merge object that pauses and says who, why and until when."""
    until = seconds_text(now + timedelta(seconds=options.expires_s)) if options.expires_s else None
    before = value_at(document, form.path)
    notes = {
        PAUSED_BY: options.who or None,
        PAUSED_REASON: options.reason or None,
        PAUSED_UNTIL: until,
        PAUSED_PREVIOUS: None if before is None else json.dumps(before, sort_keys=True),
    }
    kept = {key: text for key, text in notes.items() if text is not None}
    body = nested(form.path, form.value)
    return merged(body, {"metadata": {"annotations": kept}}) if kept else body


def resume_body(active: tuple[PauseForm, ...], document: Document) -> dict[str, Any]:
    """The merge object that takes the pauses and their notes away.

    What stood there before the pause is put back if the pause recorded it;
    else the form's own word for "not paused", else nothing, so that no ownership
    of the field stays behind.
    """
    body: dict[str, Any] = {}
    recorded = _previous(document)
    for form in active:
        body = merged(body, nested(form.path, _resumed_value(form, recorded)))
    notes = {name: None for name in NOTES if annotation(document, name) is not None}
    return merged(body, {"metadata": {"annotations": notes}}) if notes else body


def _resumed_value(form: PauseForm, recorded: tuple[Any] | None) -> Any:
    if recorded is not None and recorded[0] != form.value:
        return recorded[0]
    return False if form.keep_false else form.resumed


def _previous(document: Document) -> tuple[Any] | None:
    """What a pause recorded, as a tuple of one; None when nothing usable is there."""
    text = annotation(document, PAUSED_PREVIOUS)
    if text is None:
        return None
    try:
        return (json.loads(text),)
    except ValueError:
        return None


def acknowledgement(form: PauseForm, document: Document, *, pausing: bool) -> Acknowledgement:
    """How the pause (or its end) shows in the object.

    Objects of older providers have no Paused condition: there the write is all
    there is to see.
    """
    if form.acknowledge and condition(document, form.acknowledge) is not None:
        status = "True" if pausing else "False"
        return Acknowledgement(
            checks=(Check(Signal.CONDITION, (form.acknowledge,), status),),
            words=f"condition {form.acknowledge} is {status}",
            timeout_s=120,
        )
    if not pausing and form.acknowledge_resumed:
        return Acknowledgement(
            checks=(Check(Signal.OBSERVED, (form.acknowledge_resumed,)),),
            words=f"condition {form.acknowledge_resumed} of the new generation",
            timeout_s=600,
        )
    return Acknowledgement()


def is_expired(annotations: Mapping[str, str], now: datetime) -> bool:
    """Whether a pause that named an end is past it, for the pause board."""
    until = annotations.get(PAUSED_UNTIL, "")
    return bool(until) and until <= seconds_text(now)
