"""Refresh and sync of Argo CD applications.

Knows what the Argo CD API server does for its own clients and a direct patch
must do itself: copying options and retry, looking for a running operation.

Source: Argo CD Application ``operation``, annotation argocd.argoproj.io/refresh.
"""

from datetime import datetime
from typing import Any

from fleettui.actions.documents import nested, seconds_text, text_at, value_at
from fleettui.actions.drafts import Draft, DraftStep, merge_patch
from fleettui.actions.facts import Document, Facts, refuse
from fleettui.actions.options import Options
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    Danger,
    FieldTest,
    Impact,
    Refusal,
    Signal,
    Target,
    Warning,
)
from fleettui.kinds.record import ObjectRef

REFRESH = ("metadata", "annotations", "argocd.argoproj.io/refresh")
SYNC_TIMEOUT_S = 1800


def draft(
    facts: Facts,
    ref: ObjectRef,
    body: Document,
    target: Target,
    *,
    now: datetime,
    options: Options,
) -> Draft | Refusal:
    """A refresh (``normal`` or ``hard``), or a sync when asked."""
    if options.form == "sync":
        return _sync(ref, body, target, now, options)
    if options.form not in ("", "refresh", "hard"):
        return refuse(ref, f"an Application has no resync of the form {options.form!r}")
    if options.force or options.reset:
        return refuse(ref, "an Application can be synced, not forced or reset")
    depth = "hard" if options.form == "hard" else "normal"
    patch = merge_patch(
        target,
        body,
        nested(REFRESH, depth),
        acknowledged_by=Acknowledgement(
            checks=(Check(Signal.ABSENT, REFRESH),), words="Argo CD removes the annotation"
        ),
    )
    automated = value_at(body, ("spec", "syncPolicy", "automated"))
    words = "is compared with git" + (" and synced if it differs" if automated else "")
    return Draft(
        target,
        (DraftStep(patch, title=f"{depth} refresh"),),
        impacts=(Impact(str(ref), words, destination_of(body)),),
    )


def _sync(
    ref: ObjectRef, body: Document, target: Target, now: datetime, options: Options
) -> Draft | Refusal:
    if value_at(body, ("operation",)) is not None or (
        text_at(body, ("status", "operationState", "phase")) in ("Running", "Terminating")
    ):
        return refuse(ref, "an operation is already running", hint="wait for it or terminate it")
    patch = merge_patch(
        target,
        body,
        {"operation": operation_of(body, options)},
        relies_on=(FieldTest(("operation",), absent=True),),
        acknowledged_by=Acknowledgement(
            checks=(
                Check(Signal.ABSENT, ("operation",)),
                Check(
                    Signal.AFTER,
                    ("status", "operationState", "finishedAt"),
                    _later(text_at(body, ("status", "operationState", "finishedAt")), now),
                ),
            ),
            words="the operation has ended",
            timeout_s=SYNC_TIMEOUT_S,
        ),
    )
    warnings = [
        Warning(
            text="a direct sync passes by Argo CD's own rights and, at first, its sync windows",
            target=str(ref),
        )
    ]
    if options.prune:
        warnings.append(Warning(text="objects that git no longer has are deleted", target=str(ref)))
    count = len(value_at(body, ("status", "resources")) or [])
    return Draft(
        target,
        (DraftStep(patch, title="sync"),),
        warnings=tuple(warnings),
        impacts=(Impact(str(ref), f"applies {count} objects", destination_of(body)),),
        danger=Danger.DELICATE if options.prune else Danger.ORDINARY,
    )


def _later(before: str, now: datetime) -> str:
    """The end of the last operation, or long ago when there was none.

    The server's own clock wrote it, so no clock of ours is compared with it.
    """
    return before or seconds_text(now.replace(year=1970))


def operation_of(body: Document, options: Options) -> dict[str, Any]:
    """The operation that asks for a sync, with what the spec says copied into it."""
    sync: dict[str, Any] = {"prune": options.prune, "syncStrategy": {"hook": {}}}
    if options.revision:
        sync["revision"] = options.revision
    if options.argo_dry_run:
        sync["dryRun"] = True
    copied = value_at(body, ("spec", "syncPolicy", "syncOptions"))
    if copied:
        sync["syncOptions"] = copied
    operation: dict[str, Any] = {"initiatedBy": {"username": "fleettui"}, "sync": sync}
    retry = value_at(body, ("spec", "syncPolicy", "retry"))
    if retry:
        operation["retry"] = retry
    return operation


def destination_of(body: Document) -> str:
    """Name or address of the cluster that the application goes to."""
    destination = ("spec", "destination")
    return text_at(body, (*destination, "name")) or text_at(body, (*destination, "server"))
