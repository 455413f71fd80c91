"""Differences as text for people: heads, counts, provenance, lines.

Knows what a difference looks like on a terminal, one below the other or side by side.
Every text of a cluster, a repository or a commit is made safe here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rich.cells import set_cell_size

from fleettui.cli.output import Output, table_text
from fleettui.desired.desired_diff import DesiredDiff
from fleettui.desired.diff_lines import Line, LineKind, Pair, side_by_side, unified_lines
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import ObjectId
from fleettui.desired.references import ReferenceDiff
from fleettui.desired.sources import Provenance
from fleettui.fleet.drift import DriftBoard, DriftRow
from fleettui.kinds.record import ObjectRef
from fleettui.text import one_line, safe_text

SIDE_BY_SIDE_CELLS = 150
"""Terminals at least this wide show both sides beside each other."""
MARKS = {
    Change.PRUNED: "-",
    Change.IMMUTABLE: "!",
    Change.REFUSED: "!",
    Change.ERROR: "!",
    Change.RECREATED: "±",
    Change.CREATED: "+",
    Change.CHANGED: "~",
    Change.IGNORED: "·",
    Change.UNCHANGED: " ",
}
_TONES = {
    Change.PRUNED: "failed",
    Change.IMMUTABLE: "stalled",
    Change.REFUSED: "stalled",
    Change.ERROR: "stalled",
    Change.RECREATED: "failed",
    Change.CREATED: "current",
    Change.CHANGED: "in_progress",
    Change.IGNORED: "dim",
    Change.UNCHANGED: "dim",
}
_LINE_TONES = {
    LineKind.REMOVED: ("-", "failed"),
    LineKind.ADDED: ("+", "current"),
    LineKind.CONTEXT: (" ", ""),
    LineKind.FOLD: ("", "dim"),
}


def counts_text(counts: Counter[Change]) -> str:
    """``1 pruned, 2 changed``; deletions first; unchanged objects at the end."""
    return ", ".join(f"{counts[change]} {change.value}" for change in Change if counts[change])


def tally(results: Mapping[ObjectRef, DesiredDiff]) -> str:
    """One line about a whole run."""
    different = sum(diff.has_differences for diff in results.values())
    failed = sum(diff.has_errors for diff in results.values())
    partial = sum(diff.is_partial and not diff.has_errors for diff in results.values())
    objects = sum((diff.counts for diff in results.values()), Counter[Change]())
    parts = [f"{len(results)} compared", f"{different} differ"]
    parts += [f"{failed} with errors"] if failed else []
    parts += [f"{partial} only in part"] if partial else []
    return f"{', '.join(parts)}; objects: {counts_text(objects) or 'none'}"


def diff_texts(results: Mapping[ObjectRef, DesiredDiff], output: Output, *, many: bool) -> str:
    """Every result in full."""
    return "\n\n".join(
        "\n".join(_applier_lines(ref, diff, output, many=many)) for ref, diff in results.items()
    )


def board_text(
    board: DriftBoard, results: Mapping[ObjectRef, DesiredDiff], output: Output, *, many: bool
) -> str:
    """What the rows tell, worst first, and below it every difference in full."""
    rows = board.rows()
    if not rows:
        return "no drift: nothing differs, nothing is behind or suspended"
    cells = [_board_cells(row) for row in rows]
    lines = table_text(
        ("CONTEXT", "KIND", "NAMESPACE", "NAME", "OBJECTS", "TOLD"), cells, width=output.width
    )
    news = {
        row.ref: results[row.ref]
        for row in rows
        if row.ref in results and (row.diff and (row.diff.has_differences or row.diff.has_errors))
    }
    parts = ["\n".join([output.paint(lines[0], "bold"), *lines[1:]])]
    if news:
        parts.append(diff_texts(news, output, many=many))
    return "\n\n".join(parts)


def _board_cells(row: DriftRow) -> tuple[str, ...]:
    objects = ""
    if row.diff is not None:
        counts = row.diff.counts
        counts.pop(Change.UNCHANGED, None)
        objects = counts_text(counts) or ("not compared" if row.diff.error else "none")
        objects += " (part)" if row.diff.is_partial else ""
    told = "; ".join(f"{told.signal.value}: {one_line(told.text)}" for told in row.signals)
    if row.diff is not None and row.diff.error:
        told = "; ".join(part for part in (one_line(row.diff.error), told) if part)
    ref = row.ref
    return safe_text(ref.context), ref.kind, ref.namespace, safe_text(ref.name), objects, told


def _applier_lines(
    ref: ObjectRef, diff: DesiredDiff, output: Output, *, many: bool
) -> Iterator[str]:
    where = f" in {safe_text(ref.context)}" if many else ""
    revision = f" at {safe_text(diff.revision or diff.wanted)}"
    paused = ", suspended" if diff.is_suspended else ""
    head = f"{diff.kind} {safe_text(diff.namespace)}/{safe_text(diff.name)}{where}{revision}"
    yield output.paint(f"{head} ({diff.mode.value}{paused})", "bold")
    if diff.error:
        yield output.paint(f"  not compared: {safe_text(diff.error)}", "stalled")
        if diff.hint:
            yield f"    hint: {safe_text(diff.hint)}"
    elif diff.objects or not diff.is_partial:
        counts = counts_text(diff.counts) or "nothing is rendered, nothing was applied"
        yield f"  {counts}"
    for note in diff.notes:
        yield output.paint(f"  note: {safe_text(note)}", "dim")
    for item in diff.objects:
        if item.change is not Change.UNCHANGED:
            yield from object_lines(item, diff.provenance.get(item.source), output)


def object_lines(item: ObjectDiff, behind: Provenance | None, output: Output) -> Iterator[str]:
    """One object: what happens to it, who wrote it, and the lines that differ."""
    reason = f": {safe_text(item.reason)}" if item.reason else ""
    head = f"  {MARKS[item.change]} {safe_text(str(item.id))} {item.change.value}{reason}"
    yield output.paint(head, _TONES[item.change])
    if behind is not None:
        yield output.paint(f"    {provenance_text(behind)}", "dim")
    elif item.source and item.change is not Change.IGNORED:
        yield output.paint(f"    {safe_text(item.source)}", "dim")
    for hunk in item.hunks:
        if hunk.reason:
            text = f"    {safe_text(hunk.path_text)}: {safe_text(hunk.reason)}"
            yield output.paint(text, "dim")
    if item.change is not Change.IGNORED:
        yield from difference_lines(item, output)


def provenance_text(behind: Provenance) -> str:
    """``apps/x.yaml 2ef51a9a37c6 Mira Keller 2026-11-20 subject`` on one safe line."""
    if behind.commit is None:
        return safe_text(behind.path)
    commit = behind.commit
    date = commit.authored_at.date().isoformat()
    return safe_text(f"{behind.path}  {commit.sha[:12]}  {commit.author}  {date}  {commit.subject}")


def difference_lines(item: ObjectDiff, output: Output) -> Iterator[str]:
    """The lines that differ, indented; side by side on a wide terminal."""
    is_whole = item.change in (Change.PRUNED, Change.CREATED)
    if output.is_terminal and output.width >= SIDE_BY_SIDE_CELLS and not is_whole:
        half = (output.width - 9) // 2
        for pair in side_by_side(item):
            yield _pair_line(pair, half, output)
        return
    for line in unified_lines(item):
        sign, tone = _LINE_TONES[line.kind]
        yield output.paint(f"    {sign}{safe_text(line.text)}", tone)


def _pair_line(pair: Pair, half: int, output: Output) -> str:
    if pair.left is None and pair.right is None:
        return output.paint("    " + "┄" * (2 * half + 3), "dim")
    return f"    {_side(pair.left, half, output)} │ {_side(pair.right, half, output)}".rstrip()


def _side(line: Line | None, half: int, output: Output) -> str:
    if line is None:
        return " " * half
    sign, tone = _LINE_TONES[line.kind]
    return output.paint(set_cell_size(f"{sign}{safe_text(line.text)}", half), tone)


def reference_text(found: ReferenceDiff, output: Output) -> str:
    """What a branch would change: how many clusters, which objects, deletions first."""
    parts = ["\n".join(_reference_head(found, output))]
    for target in found.targets:
        where = f"in {safe_text(target.context)}"
        name = f"Kustomization {safe_text(target.namespace)}/{safe_text(target.name)} {where}"
        lines = [output.paint(name, "bold")]
        if target.error:
            lines.append(output.paint(f"  not compared: {safe_text(target.error)}", "stalled"))
        for item in target.objects:
            lines += object_lines(item, target.behind.get(item.id), output)
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _reference_head(found: ReferenceDiff, output: Output) -> Iterable[str]:
    changed = sum(bool(target.objects) for target in found.targets)
    after, before = safe_text(found.after), safe_text(found.before)
    yield output.paint(f"{after} against what is {before}", "bold")
    yield (
        f"  {found.compared} Kustomizations read the repository, {changed} of them change"
        f" in {len(found.contexts)} management clusters"
    )
    yield f"  objects: {counts_text(found.counts) or 'none'}"
    gone: dict[ObjectId, list[str]] = {}
    for target in found.targets:
        for item in target.objects:
            if item.change is Change.PRUNED:
                gone.setdefault(item.id, []).append(target.context)
    for identity, contexts in gone.items():
        where = contexts[0] if len(contexts) == 1 else f"{len(contexts)} management clusters"
        text = f"  {MARKS[Change.PRUNED]} {safe_text(str(identity))} in {safe_text(where)}"
        yield output.paint(text, _TONES[Change.PRUNED])
