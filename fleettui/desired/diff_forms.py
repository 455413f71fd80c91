"""Differences for other programs and for people who are not looking: JSON, patch, Markdown.

Knows the stable shapes that scripts rely on. Secrets are masked before they get here.
Text is not made safe for a terminal: front ends do that.
"""

import re
from collections.abc import Iterable

from fleettui.desired.desired_diff import DesiredDiff
from fleettui.desired.diff_lines import Line, LineKind, unified_lines, yaml_sides
from fleettui.desired.hunks import MISSING, Hunk, path_text
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.sources import Provenance
from fleettui.desired.unknown import shown_text

_SIGNS = {LineKind.REMOVED: "-", LineKind.ADDED: "+", LineKind.CONTEXT: " "}


def _plain(value: object) -> object:
    if value is MISSING:
        return None
    if isinstance(value, str):
        return shown_text(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _hunk_json(hunk: Hunk) -> dict[str, object]:
    result: dict[str, object] = {"path": hunk.path_text, "kind": hunk.kind.value}
    if hunk.before is not MISSING:
        result["before"] = _plain(hunk.before)
    if hunk.after is not MISSING:
        result["after"] = _plain(hunk.after)
    if hunk.reason:
        result["reason"] = hunk.reason
    return result


def object_json(diff: ObjectDiff, provenance: Provenance | None = None) -> dict[str, object]:
    """One object's difference as plain values with stable keys."""
    result: dict[str, object] = {
        "apiVersion": diff.api_version,
        "kind": diff.id.kind,
        "namespace": diff.id.namespace,
        "name": diff.id.name,
        "change": diff.change.value,
        "hunks": [_hunk_json(hunk) for hunk in diff.hunks],
    }
    if diff.reason:
        result["reason"] = diff.reason
    if diff.unknown:
        result["unknown"] = [path_text(path) for path in diff.unknown]
    if diff.source:
        result["source"] = diff.source
    if provenance is not None:
        result["url"] = provenance.url
        if provenance.path != diff.source:
            result["changedIn"] = provenance.path
        if provenance.commit is not None:
            commit = provenance.commit
            result["commit"] = {
                "sha": commit.sha,
                "author": commit.author,
                "date": commit.authored_at.isoformat(),
                "subject": commit.subject,
            }
    return result


def diff_json(diff: DesiredDiff, *, unchanged: bool = False) -> dict[str, object]:
    """What a GitOps object would change, as plain values with stable keys.

    Args:
        diff: the difference.
        unchanged: list objects without differences too.
    """
    return {
        "kind": diff.kind,
        "namespace": diff.namespace,
        "name": diff.name,
        "mode": diff.mode.value,
        "wanted": diff.wanted,
        "revision": diff.revision,
        "suspended": diff.is_suspended,
        "partial": diff.is_partial,
        "error": diff.error,
        "hint": diff.hint,
        "counts": {change.value: count for change, count in sorted(diff.counts.items())},
        "notes": list(diff.notes),
        "objects": [
            object_json(item, diff.provenance.get(item.source))
            for item in diff.objects
            if unchanged or item.change is not Change.UNCHANGED
        ],
    }


def object_patch(diff: ObjectDiff) -> str:
    """One object's difference as a unified patch; empty if nothing differs."""
    before, after = yaml_sides(diff)
    lines = unified_lines(diff)
    if not lines:
        return ""
    name = f"{diff.id}.yaml"
    head = [
        f"--- {f'live/{name}' if before else '/dev/null'}",
        f"+++ {f'git/{name}' if after else '/dev/null'}",
    ]
    return "\n".join([*head, *_numbered(lines)]) + "\n"


def _numbered(lines: list[Line]) -> Iterable[str]:
    """Patch lines, each fold as a full hunk header with its counts."""
    index = 0
    while index < len(lines):
        end = index + 1
        while end < len(lines) and lines[end].kind is not LineKind.FOLD:
            end += 1
        body = lines[index + 1 : end]
        old = [line.before for line in body if line.before is not None]
        new = [line.after for line in body if line.after is not None]
        yield f"@@ -{_range(old)} +{_range(new)} @@"
        for line in body:
            yield f"{_SIGNS[line.kind]}{line.text}"
        index = end


def _range(numbers: list[int]) -> str:
    return f"{numbers[0]},{len(numbers)}" if numbers else "0,0"


def diff_patch(diff: DesiredDiff) -> str:
    """All differences of a GitOps object as one patch."""
    return "".join(object_patch(item) for item in diff.objects if item.change is not Change.IGNORED)


def diff_markdown(diff: DesiredDiff) -> str:
    """What a GitOps object would change, for a merge request or an incident's page."""
    title = inline(f"{diff.namespace}/{diff.name}")
    revision = f" at {inline(diff.revision)}" if diff.revision else ""
    parts = [f"## {diff.kind} {title}{revision}\n"]
    if diff.error:
        parts.append(f"Not compared: {inline(diff.error)}\n")
    counts = ", ".join(f"{count} {change.value}" for change, count in sorted(diff.counts.items()))
    if counts:
        parts.append(f"{counts} ({diff.mode.value})\n")
    for item in diff.objects:
        if item.change is Change.UNCHANGED:
            continue
        reason = f": {inline(item.reason)}" if item.reason else ""
        parts.append(f"### {item.change.value} {inline(str(item.id))}{reason}\n")
        provenance = diff.provenance.get(item.source)
        if provenance is not None:
            parts.append(behind_text(provenance))
        patch = object_patch(item)
        if patch and item.change is not Change.IGNORED:
            parts.append(patch_block(patch))
    parts.extend(f"- {inline(note)}\n" for note in diff.notes)
    return "\n".join(parts)


def behind_text(provenance: Provenance) -> str:
    """The file and commit behind a difference, as a line of Markdown."""
    commit = provenance.commit
    if commit is None:
        return f"{inline(provenance.path)}\n"
    return (
        f"{inline(provenance.path)}, last changed in {commit.sha[:12]} by {inline(commit.author)}"
        f" on {commit.authored_at.date().isoformat()}: {inline(commit.subject)}\n"
    )


def inline(text: str) -> str:
    """Text as Markdown code on one line, whatever it holds."""
    flat = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall(r"`+", flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def patch_block(patch: str) -> str:
    """A patch as a Markdown block that nothing in it can end."""
    longest = max((len(run) for run in re.findall(r"`+", patch)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{patch}{fence}\n"
