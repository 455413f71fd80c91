"""Fields that somebody said a sync leaves alone, or nobody should look at.

Knows Flux's ``spec.ignore``, HelmRelease ``driftDetection.ignore`` and Argo CD's
``ignoreDifferences`` with JSON pointers. jq expressions are not evaluated.

Source: RFC 6901; Flux kustomize v1 and helm v2, Argo CD Application API.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fleettui.desired.hunks import Hunk, position_of
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import Manifest, items_of, mapping_of, nested, text_of


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """JSON pointers that are left alone on some objects; empty selectors match all."""

    pointers: tuple[str, ...]
    group: str | None = None
    kind: str = ""
    namespace: str = ""
    name: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    def matches(self, diff: ObjectDiff) -> bool:
        """Whether the rule speaks of an object."""
        identity = diff.id
        document = diff.desired or diff.live or {}
        own = mapping_of(nested(document, "metadata", "labels"))
        return (
            self.group in (None, identity.group)
            and _fits(self.kind, identity.kind)
            and _fits(self.namespace, identity.namespace)
            and _fits(self.name, identity.name)
            and all(own.get(key) == value for key, value in self.labels)
        )


def _fits(pattern: str, value: str) -> bool:
    """Whether a selector, a regular expression in Flux, fits the whole of a value."""
    if not pattern or pattern == value or pattern == "*":
        return True
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return False


def flux_rules(ignore: object) -> tuple[IgnoreRule, ...]:
    """Rules of a Kustomization's ``spec.ignore`` or a HelmRelease's drift detection."""
    rules: list[IgnoreRule] = []
    for item in items_of(ignore):
        entry = mapping_of(item)
        target = mapping_of(entry.get("target") or entry.get("selector"))
        pointers = tuple(text_of(path) for path in items_of(entry.get("paths")))
        group = target.get("group")
        rules.append(
            IgnoreRule(
                pointers,
                group if isinstance(group, str) and group else None,
                text_of(target.get("kind")),
                text_of(target.get("namespace")),
                text_of(target.get("name")),
                _labels_of(text_of(target.get("labelSelector"))),
            )
        )
    return tuple(rules)


def argo_rules(ignore: object) -> tuple[IgnoreRule, ...]:
    """Rules of an Application's ``spec.ignoreDifferences`` that hold JSON pointers."""
    return tuple(
        IgnoreRule(
            tuple(text_of(pointer) for pointer in items_of(entry.get("jsonPointers"))),
            group if isinstance(group := entry.get("group"), str) and group != "*" else None,
            text_of(entry.get("kind")),
            text_of(entry.get("namespace")),
            text_of(entry.get("name")),
        )
        for entry in (mapping_of(item) for item in items_of(ignore))
    )


def _labels_of(selector: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in selector.split(",") if "=" in part]
    return tuple((key.strip(), value.lstrip("=").strip()) for key, _, value in pairs)


def without_ignored_hunks(diff: ObjectDiff, rules: Sequence[IgnoreRule]) -> ObjectDiff:
    """A difference without what the rules leave alone."""
    pointers = [pointer for rule in rules if rule.matches(diff) for pointer in rule.pointers]
    if not pointers or not diff.hunks:
        return diff
    kept = tuple(
        hunk
        for hunk in diff.hunks
        if not any(_covers(pointer, pointer_of(hunk, diff.live or {})) for pointer in pointers)
    )
    if len(kept) == len(diff.hunks):
        return diff
    if kept:
        return replace(diff, hunks=kept)
    reason = f"left alone by an ignore rule: {', '.join(sorted(set(pointers)))}"
    return replace(diff, hunks=(), change=Change.IGNORED, reason=reason)


def _covers(pointer: str, other: str) -> bool:
    return pointer in ("", "/") or other == pointer or other.startswith(f"{pointer}/")


def pointer_of(hunk: Hunk, live: Manifest) -> str:
    """A hunk's path as a JSON pointer into the live object; new items are ``-``."""
    place: object = live
    parts: list[str] = []
    for step in hunk.path:
        if isinstance(step, str):
            parts.append(step.replace("~", "~0").replace("/", "~1"))
            place = mapping_of(place).get(step)
            continue
        items = items_of(place)
        index = step if isinstance(step, int) else position_of(items, step)
        known = index is not None and index < len(items)
        parts.append(str(index) if known else "-")
        place = items[index] if known and index is not None else None
    return "".join(f"/{part}" for part in parts)
