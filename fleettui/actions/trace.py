"""What a write leaves to be seen: whether it is there, and the Event that tells of it.

Knows patches and core/v1 Events; sends nothing.

Source: core/v1 Event; RFC 7386: a merge patch that is in effect changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fleettui.actions.documents import apply_merge, is_deleting, seconds_text, uid_of
from fleettui.actions.facts import Document
from fleettui.actions.plan import FIELD_MANAGER, ContentType, Method, Patch

MAX_MESSAGE = 1024
"""Longest Event message that a server takes."""


def is_in_effect(patch: Patch, document: Document | None) -> bool | None:
    """Whether the object shows the change; None where that cannot be told.

    Says nothing about who made it: a lost answer stays unknown.
    """
    if patch.method is Method.DELETE:
        is_other = document is None or uid_of(document) != patch.preconditions.uid
        return is_other or is_deleting(document)
    if document is None or uid_of(document) != patch.preconditions.uid:
        return None
    if patch.content_type is not ContentType.MERGE:
        return None
    return bool(apply_merge(document, patch.body) == document)


def seen_words(patch: Patch, document: Document | None) -> str:
    """What a second look says after a lost answer, in words."""
    seen = is_in_effect(patch, document)
    if seen is None:
        return "a second look cannot tell"
    return "a second look shows the change" if seen else "a second look does not show it so far"


def event_of(patch: Patch, *, verb: str, who: str, why: str, now: datetime) -> Mapping[str, Any]:
    """A core/v1 Event that tells others of the cluster who did what, and why."""
    target = patch.target
    moment = seconds_text(now)
    namespace = target.namespace or "default"
    message = f"{verb} by {who}" + (f": {why}" if why else "")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{FIELD_MANAGER}-", "namespace": namespace},
        "involvedObject": {
            "apiVersion": f"{target.group}/{target.version}" if target.group else target.version,
            "kind": target.kind,
            "namespace": target.namespace,
            "name": target.name,
            "uid": patch.preconditions.uid,
        },
        "type": "Normal",
        "reason": "".join(word.capitalize() for word in verb.split()),
        "message": message[:MAX_MESSAGE],
        "source": {"component": FIELD_MANAGER},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
