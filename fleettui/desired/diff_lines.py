"""A difference as lines of text: unified and side by side, without looks.

Knows YAML lines, context and folding. Nothing here is made safe for a terminal and
nothing has a colour: front ends do both.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fleettui.desired.hunks import MISSING, Hunk, with_hunks
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import mapping_of
from fleettui.desired.unknown import shown_text
from fleettui.manifests import dump_yaml

_SERVER_SET = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


class LineKind(StrEnum):
    """What a line is."""

    FOLD = "fold"
    """Stands for lines that are left out; also where the next hunk begins."""
    CONTEXT = "context"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a unified difference."""

    kind: LineKind
    text: str
    before: int | None = None
    """Line number in the live object, from 1."""
    after: int | None = None
    """Line number in the object as it should be, from 1."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a difference side by side; both are None where lines are left out."""

    left: Line | None
    right: Line | None


def yaml_sides(diff: ObjectDiff) -> tuple[list[str], list[str]]:
    """YAML lines of an object as it is and as it should be."""
    live, desired = diff.live, diff.desired
    if diff.change is Change.PRUNED:
        return _lines(live), []
    if live is None:
        return [], _lines(desired)
    back = [Hunk(hunk.path, hunk.after, hunk.before) for hunk in diff.hunks]
    kept = [hunk for hunk in back if hunk.after is not MISSING]
    return _lines(with_hunks(live, kept)), _lines(with_hunks(live, diff.hunks))


def _lines(document: object) -> list[str]:
    plain = {key: value for key, value in mapping_of(document).items() if key != "status"}
    metadata = mapping_of(plain.get("metadata"))
    if metadata:
        plain["metadata"] = {
            key: value for key, value in metadata.items() if key not in _SERVER_SET
        }
    return shown_text(dump_yaml(plain, sort_keys=True)).splitlines() if plain else []


def unified_lines(diff: ObjectDiff, *, context: int | None = 3) -> list[Line]:
    """Lines of a difference, one below the other.

    Args:
        diff: one object.
        context: unchanged lines kept around a change; None: all of them.
    """
    before, after = yaml_sides(diff)
    result: list[Line] = []
    for group in _groups(before, after, context):
        first = group[0]
        if context is not None:
            counts = f"-{first[1] + 1} +{first[3] + 1}"
            result.append(Line(LineKind.FOLD, f"@@ {counts} @@"))
        for tag, start, end, other, stop in group:
            if tag == "equal":
                result += [
                    Line(LineKind.CONTEXT, before[start + i], start + i + 1, other + i + 1)
                    for i in range(end - start)
                ]
                continue
            result += [Line(LineKind.REMOVED, before[i], i + 1) for i in range(start, end)]
            result += [Line(LineKind.ADDED, after[i], None, i + 1) for i in range(other, stop)]
    return result


def side_by_side(diff: ObjectDiff, *, context: int | None = 3) -> list[Pair]:
    """Lines of a difference, live on the left, as it should be on the right."""
    before, after = yaml_sides(diff)
    result: list[Pair] = []
    for index, group in enumerate(_groups(before, after, context)):
        if index:
            result.append(Pair(None, None))
        for tag, start, end, other, stop in group:
            changed = tag != "equal"
            for i in range(max(end - start, stop - other)):
                kind = LineKind.REMOVED if changed else LineKind.CONTEXT
                mirror = LineKind.ADDED if changed else LineKind.CONTEXT
                left, right = start + i, other + i
                result.append(
                    Pair(
                        Line(kind, before[left], left + 1) if left < end else None,
                        Line(mirror, after[right], None, right + 1) if right < stop else None,
                    )
                )
    return result


_Opcode = tuple[str, int, int, int, int]


def _groups(before: list[str], after: list[str], context: int | None) -> Iterator[list[_Opcode]]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if context is None:
        opcodes = matcher.get_opcodes()
        if opcodes:
            yield list(opcodes)
        return
    if before != after:
        yield from (list(group) for group in matcher.get_grouped_opcodes(context))


def hunk_positions(lines: list[Line]) -> list[int]:
    """Indexes of the lines where a change begins, to jump between."""
    changed = (LineKind.REMOVED, LineKind.ADDED)
    return [
        index
        for index, line in enumerate(lines)
        if line.kind in changed and (index == 0 or lines[index - 1].kind not in changed)
    ]
