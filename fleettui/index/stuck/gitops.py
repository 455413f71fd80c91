"""Why a GitOps object does not get what git says.

Source: Flux kustomize and helm controllers (sources, dependsOn, health checks,
retries); a retry counter that is used up needs a reset or a change.
"""

from collections.abc import Iterator

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.stuck.story import Sentence, Story, lasting, said, title_of
from fleettui.kinds.record import Flag, Verdict
from fleettui.kinds.spec import Role

_ROLES = frozenset({Role.APPLIER, Role.SOURCE, Role.IMAGE})
_UPSTREAM = {
    "source": "its source",
    "chart": "its chart",
    "depends_on": "what it depends on",
}


def tell_gitops(index: Index, row: Row, now: int) -> Story | None:
    """The story of a source or applier that does not get on."""
    if row.spec.role not in _ROLES or row.is_deleting:
        return None
    if row.health is Verdict.CURRENT and not row.is_paused:
        return None
    sentences = [*_own(row, now), *_upstream(index, row, now), *_revisions(row)]
    return Story("not reconciled", tuple(sentences), tuple(_next_steps(index, row)))


def _own(row: Row, now: int) -> Iterator[Sentence]:
    if row.is_paused:
        yield Sentence(
            f"{title_of(row)} is suspended by {row.paused_by}; its conditions are those of before.",
            row.paused_by,
            is_blocking=True,
        )
    is_red = row.verdict in (Verdict.FAILED, Verdict.STALLED)
    for condition in row.conditions:
        if condition.is_bad or condition.status == "Unknown":
            yield Sentence(
                f"{condition.type} for {lasting(now, condition.since)}: {said(condition)}",
                f"condition {condition.type}",
                is_blocking=is_red and condition.type == row.condition,
            )
    if row.flags & Flag.RETRYING:
        yield Sentence("Its controller keeps trying again.", "condition Reconciling")
    if row.verdict is Verdict.STALLED:
        yield Sentence(
            "Its controller has given up until the object changes or is reset.",
            "condition Stalled",
            is_blocking=True,
        )


def _upstream(index: Index, row: Row, now: int) -> Iterator[Sentence]:
    for edge in index.edges(row):
        words = _UPSTREAM.get(edge.relation)
        if words is None:
            continue
        target = edge.target
        if target is None:
            yield Sentence(
                f"{edge.key.kind} {edge.key.namespace}/{edge.key.name}, {words}, is not there.",
                edge.evidence,
                is_blocking=True,
            )
        elif target.is_paused:
            yield Sentence(
                f"{title_of(target)}, {words}, is suspended.", target.paused_by, is_blocking=True
            )
        elif target.health is not Verdict.CURRENT:
            reason = f"{target.reason}: {' '.join(target.message.split())}".strip(": ")
            yield Sentence(
                f"{title_of(target)}, {words}, is {target.health.value} for"
                f" {lasting(now, target.since)}: {reason}",
                edge.evidence,
                is_blocking=True,
            )
        else:
            yield Sentence(f"✓ {title_of(target)}, {words}, is well.", edge.evidence)


def _revisions(row: Row) -> Iterator[Sentence]:
    applied, attempted = row.fact("revision"), row.fact("attempted")
    if attempted and attempted != applied:
        yield Sentence(
            f"Revision {applied or 'none'} runs, {attempted} was tried and did not succeed.",
            "status.lastAttemptedRevision",
        )
    failures = [
        f"{row.fact(name)} {words}"
        for name, words in (
            ("install_failures", "failed installations"),
            ("upgrade_failures", "failed upgrades"),
        )
        if row.fact(name) not in ("", "0")
    ]
    if failures:
        yield Sentence(
            f"Counted so far: {', '.join(failures)}. A reset clears the counters and tries again;"
            " force runs an upgrade although nothing changed.",
            "status",
        )


def _next_steps(index: Index, row: Row) -> Iterator[str]:
    name = f"{row.kind.lower()}/{row.namespace}/{row.name}"
    if row.is_paused:
        yield f"fleettui resume {name}"
        return
    sick = [
        edge.target
        for edge in index.edges(row)
        if edge.relation in _UPSTREAM
        and edge.target is not None
        and edge.target.health is not Verdict.CURRENT
    ]
    for target in sick[:2]:
        yield f"look at {title_of(target)} first"
    if row.fact("upgrade_failures") not in ("", "0") or row.verdict is Verdict.STALLED:
        yield f"fleettui resync {name} --reset"
    if row.spec.role is Role.APPLIER:
        yield f"fleettui diff {name}"
    else:
        yield f"fleettui resync {name}"
