"""How much is known of one object and of what is below it, in words.

Knows the coverage of the index; knows no widget. What is old, forbidden or known only
through its parent is named kind by kind; what is read whole is only counted.
"""

from collections.abc import Iterator

from fleettui.index.coverage import Coverage
from fleettui.index.index import LEAF_ROLES, ROLES_WITH_LEAVES, Index
from fleettui.index.rows import Row
from fleettui.kinds.batch import Phase, Scope, ScopeStatus
from fleettui.kinds.spec import Role
from fleettui.text import age_text
from fleettui.tui.lines import Line, text_line
from fleettui.tui.prose import heading, paragraph
from fleettui.tui.staleness import Age, Staleness
from fleettui.tui.theme import Tone

_BELOW = LEAF_ROLES - {Role.CLUSTER}
_WORDS: dict[Phase, str] = {
    Phase.PENDING: "not read yet",
    Phase.SYNCING: "being read",
    Phase.STALE: "connection lost",
    Phase.CACHED: "from an earlier run",
    Phase.FORBIDDEN: "may not be read",
    Phase.BROKEN: "cannot be understood",
}
"""What is said of kinds that are not read whole."""
_WHY: dict[Phase | None, str] = {
    None: "the connection is lost",
    Phase.STALE: "the connection is lost",
    Phase.CACHED: "known from an earlier run",
    Phase.FORBIDDEN: "its kind may no longer be read",
    Phase.BROKEN: "its kind cannot be understood now",
}
_UNREAD = "known only through their parents (:load reads them)"
CORE_GROUP = "cluster.x-k8s.io"
"""Cluster API's own kinds are named first."""
MAX_NAMES = 8


def age_words(age: Age, now: int) -> str:
    """That a row is as of an earlier moment, and why."""
    ago = f"as of {age_text(now - age.since)} ago" if age.since else "as of an earlier moment"
    return f"{ago}: {_WHY[age.phase]}"


def coverage_lines(
    row: Row, index: Index, stale: Staleness, *, now: int, width: int
) -> Iterator[Line]:
    """A heading, how well the object itself is known, and what is below it."""
    yield from heading("COVERAGE")
    yield from _own(row, index.coverage, stale, now, width)
    if row.spec.role not in ROLES_WITH_LEAVES:
        return
    by_words: dict[str, list[str]] = {}
    whole = 0
    for key in _kinds_below(row, index):
        words = _state(row, key, index.coverage, now)
        if words:
            by_words.setdefault(words, []).append(key[1])
        else:
            whole += 1
    for words, names in sorted(by_words.items()):
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        text = f"{words}: {', '.join(names[:MAX_NAMES])}{more}"
        yield from paragraph(text, width, indent=2, tone=Tone.STALLED)
    if whole:
        below = "below: " if not by_words else "all else below: "
        yield text_line(f"  {below}{whole} kinds read whole", Tone.DIM)


def _own(row: Row, coverage: Coverage, stale: Staleness, now: int, width: int) -> Iterator[Line]:
    age = stale.of_row(row)
    if age is not None:
        yield from paragraph(f"itself: {age_words(age, now)}", width, indent=2, tone=Tone.STALLED)
        return
    phases = {status.phase for _, status in _covering(row, coverage, (row.group, row.kind))}
    if phases & {Phase.LIVE}:
        words = "followed live"
    elif phases & {Phase.RECORDED}:
        words = "recorded"
    elif phases & {Phase.PENDING, Phase.SYNCING}:
        words = "its kind is being read"
    else:
        words = "fetched when somebody asked; its kind is not followed"
    yield text_line(f"  itself: {words}", Tone.DIM)


def _covering(
    row: Row, coverage: Coverage, key: tuple[str, str]
) -> list[tuple[Scope, ScopeStatus]]:
    cluster = row.name if row.spec.role is Role.CLUSTER else row.cluster
    found = coverage.covering(row.context, *key, namespace=row.namespace, cluster=cluster)
    return [(scope, status) for scope in found if (status := coverage.status(scope)) is not None]


def _kinds_below(row: Row, index: Index) -> list[tuple[str, str]]:
    """Kinds of machines and what makes them that the context serves or holds."""
    coverage = index.coverage
    keys = {(scope.group, scope.kind) for scope in coverage.scopes(row.context)}
    keys |= coverage.unloaded_kinds(row.context)
    below = (key for key in keys if coverage.role_of(*key) in _BELOW)
    return sorted(below, key=lambda key: (key[0] != CORE_GROUP, key))


def _state(row: Row, key: tuple[str, str], coverage: Coverage, now: int) -> str:
    """Why a kind is not known whole below the row; empty: it is."""
    statuses = [status for _, status in _covering(row, coverage, key)]
    if not statuses:
        return _UNREAD
    if any(status.phase not in _WORDS for status in statuses):
        return ""
    first = statuses[0]
    words = _WORDS[first.phase]
    if first.phase in (Phase.STALE, Phase.CACHED) and first.since:
        words = f"as of {age_text(now - first.since)} ago, {words}"
    return words
