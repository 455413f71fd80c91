"""What should happen to one object, and why.

Knows the changes there are, the per-object switches that stop a change, immutable
fields and masking. Knows nothing of files or of how a difference looks.

Source: Flux ssa manager ``Diff`` at e2cfd1a; kustomize-controller per-object switches.
"""

from dataclasses import dataclass
from enum import StrEnum

from fleettui.desired.compare import Comparison, compare_applied, compare_exact
from fleettui.desired.hunks import Hunk, Path
from fleettui.desired.managed_fields import owners_of
from fleettui.desired.masks import masked_hunks, masked_object
from fleettui.desired.objects import Manifest, ObjectId, mapping_of, switch_of, switch_text
from fleettui.desired.render import Rendered
from fleettui.desired.schema_hints import immutable_reason, often_immutable
from fleettui.desired.unknown import unknown_text


class Change(StrEnum):
    """What the next sync would do to an object."""

    PRUNED = "pruned"
    """Deleted: it was applied once and git no longer has it."""
    IMMUTABLE = "immutable"
    """Nothing: a field differs that cannot be changed."""
    REFUSED = "refused"
    """Nothing: the API server does not accept what git says."""
    ERROR = "error"
    """Not known: the object could not be read."""
    RECREATED = "recreated"
    """Deleted and created, because of an immutable field and a force switch."""
    CREATED = "created"
    CHANGED = "changed"
    IGNORED = "ignored"
    """Nothing: the object says that it is left alone."""
    UNCHANGED = "unchanged"


DIFFERENT = frozenset({Change.PRUNED, Change.RECREATED, Change.CREATED, Change.CHANGED})
"""Changes that a sync would make."""
FAILED = frozenset({Change.IMMUTABLE, Change.REFUSED, Change.ERROR})
"""Changes that a sync could not make, or that are not known."""


@dataclass(frozen=True, slots=True)
class ObjectDiff:
    """One object as it is and as it should be; Secrets' values are masked in all of it."""

    id: ObjectId
    api_version: str
    change: Change
    hunks: tuple[Hunk, ...] = ()
    reason: str = ""
    """The switch that ignores it, the conflict, or the error; in one line."""
    source: str = ""
    """File of the repository that declares it; empty if not known or not in git."""
    live: Manifest | None = None
    """The object as it is; None: it does not exist, or nothing differs."""
    desired: Manifest | None = None
    """The object from git; None: it is not there, or nothing differs."""
    unknown: tuple[Path, ...] = ()
    """Places where git does not tell the value: encrypted or from unread sources."""


def diff_rendered(
    rendered: Rendered,
    live: Manifest | None,
    *,
    managers: frozenset[str],
    force: bool = False,
    answer: Manifest | None = None,
) -> ObjectDiff:
    """What a sync would do to an object.

    Args:
        rendered: the object from git.
        live: the object as it is; None: it does not exist.
        managers: field managers of the GitOps controller.
        force: the Kustomization recreates objects with immutable conflicts.
        answer: a server-side dry run's answer; None: work it out from ``live``.
    """
    switch = ignoring_switch(rendered.document, live)
    if switch:
        return _result(rendered, Change.IGNORED, live, reason=switch)
    if live is None:
        return _result(rendered, Change.CREATED, None)
    if answer is not None:
        comparison = compare_exact(live, answer)
    elif live.get("kind") == "PartialObjectMetadata":
        comparison = _compare_metadata(rendered, live, managers)
    else:
        comparison = compare_applied(rendered.document, live, managers)
    return _judged(rendered, live, comparison, force)


def _compare_metadata(rendered: Rendered, live: Manifest, managers: frozenset[str]) -> Comparison:
    """Metadata, and a Secret's key names as managedFields tell them; no contents."""
    document = rendered.document
    desired: dict[str, object] = {
        key: document[key] for key in ("apiVersion", "kind", "metadata") if key in document
    }
    known = {**live, "apiVersion": rendered.api_version, "kind": rendered.id.kind}
    if rendered.id.kind == "Secret":
        owned = [
            element[2:]
            for owner in owners_of(known, managers)
            for element in mapping_of(owner.fields.get("f:data"))
            if element.startswith("f:")
        ]
        hidden = unknown_text("not read")
        desired["data"] = dict.fromkeys(mapping_of(document.get("data")), hidden)
        known["data"] = dict.fromkeys(owned, "")
    return compare_applied(desired, known, managers)


def ignoring_switch(document: Manifest, live: Manifest | None) -> str:
    """The label or annotation because of which a sync leaves an object alone, or empty."""
    for where, origin in ((document, "in git"), (live or {}, "in the cluster")):
        if switch_of(where, "reconcile") == "disabled":
            return f"{switch_text(where, 'reconcile')} ({origin})"
        if switch_of(where, "ssa") == "ignore":
            return f"{switch_text(where, 'ssa')} ({origin})"
    if live is not None and switch_of(document, "ssa") == "ifnotpresent":
        return f"{switch_text(document, 'ssa')} (in git, and it exists)"
    return ""


def _judged(rendered: Rendered, live: Manifest, comparison: Comparison, force: bool) -> ObjectDiff:
    identity = rendered.id
    if comparison.refused:
        return _result(
            rendered, Change.REFUSED, live, comparison, reason="; ".join(comparison.refused)
        )
    if not comparison.hunks:
        return _result(rendered, Change.UNCHANGED, live, comparison)
    conflicts = [
        f"{hunk.path_text}: {reason}"
        for hunk in comparison.hunks
        if (reason := immutable_reason(identity.group, identity.kind, hunk.path_text, live))
    ]
    if conflicts:
        forced = force or switch_of(rendered.document, "force") == "enabled"
        change = Change.RECREATED if forced else Change.IMMUTABLE
        return _result(rendered, change, live, comparison, reason="; ".join(conflicts))
    warnings = {
        warning
        for hunk in comparison.hunks
        if (warning := often_immutable(identity.group, identity.kind, hunk.path_text))
    }
    return _result(rendered, Change.CHANGED, live, comparison, reason="; ".join(sorted(warnings)))


def _result(
    rendered: Rendered,
    change: Change,
    live: Manifest | None,
    comparison: Comparison | None = None,
    *,
    reason: str = "",
) -> ObjectDiff:
    found = comparison or Comparison(())
    kind, group = rendered.id.kind, rendered.id.group
    if change is Change.UNCHANGED:
        return ObjectDiff(
            rendered.id,
            rendered.api_version,
            change,
            source=rendered.source,
            unknown=found.unknown,
        )
    return ObjectDiff(
        rendered.id,
        rendered.api_version,
        change,
        masked_hunks(found.hunks, kind=kind, group=group),
        reason,
        rendered.source,
        masked_object(live, rendered.document) if live is not None else None,
        masked_object(rendered.document, live or {}),
        found.unknown,
    )
