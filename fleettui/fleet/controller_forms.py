"""Controllers as documents: the contract of ``controllers``."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleettui.fleet.cause_forms import ref_form
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form
from fleettui.fleet.last_words import LastWords
from fleettui.index.controllers import Controller
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.record import ObjectRef
from fleettui.text import safe_text

CONTROLLERS_SCHEMA = "fleettui.controllers/v1"


def controller_form(controller: Controller, now: int, words: LastWords | None) -> dict[str, Any]:
    """One controller; ``lag`` counts objects that wait for it."""
    renewed = controller.renewed_at
    return {
        **ref_form(controller.ref),
        "health": controller.verdict.value,
        "trouble": safe_text(controller.trouble) or None,
        "since": rfc3339(controller.since) or None,
        "version": safe_text(controller.version) or None,
        "image": safe_text(controller.image),
        "desired": controller.desired,
        "available": controller.available,
        "restarts": controller.restarts,
        "leader": safe_text(controller.leader) or None,
        "lease": safe_text(controller.lease) or None,
        "lease_age_s": max(now - renewed, 0) if renewed else None,
        "kinds": controller.kinds,
        "objects": controller.objects,
        "lag": controller.lag,
        "unobserved": controller.unobserved,
        "unanswered": controller.unanswered,
        "log": log_form(words) if words is not None else None,
    }


def log_form(words: LastWords) -> dict[str, Any]:
    """Last error lines, or why there are none."""
    return {
        "lines": [safe_text(line) for line in words.lines],
        "about_this_object": words.names_object,
        "pods": [ref_form(ref) for ref in words.pods],
        "problem": safe_text(words.problem) or None,
    }


def controllers_form(
    fleet: Fleet, found: Sequence[Controller], words: Mapping[ObjectRef, LastWords]
) -> dict[str, Any]:
    """The document of ``controllers``."""
    now = fleet.now()
    return {
        "schema": CONTROLLERS_SCHEMA,
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "items": [controller_form(c, now, words.get(c.ref)) for c in found],
    }
