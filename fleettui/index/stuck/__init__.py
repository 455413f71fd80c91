"""Stuck things explained in plain sentences, with evidence and what to do next."""

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.stuck.deletion import tell_deletion
from fleettui.index.stuck.gitops import tell_gitops
from fleettui.index.stuck.provisioning import tell_provisioning
from fleettui.index.stuck.reach import tell_reach
from fleettui.index.stuck.rollout import tell_health_check, tell_rollout
from fleettui.index.stuck.story import Sentence, Story, Teller, title_of
from fleettui.index.stuck.upgrade import tell_upgrade

TELLERS: tuple[Teller, ...] = (
    tell_deletion,
    tell_reach,
    tell_upgrade,
    tell_rollout,
    tell_provisioning,
    tell_gitops,
    tell_health_check,
)


def stories_of(index: Index, row: Row, now: int) -> list[Story]:
    """Every story that applies to a row; empty when it is not stuck."""
    found = [story for teller in TELLERS if (story := teller(index, row, now)) is not None]
    above = index.paused_above(row)
    if above is not None and above is not row:
        pause = Sentence(
            f"{title_of(above)} is paused by {above.paused_by}: nothing below it is reconciled.",
            above.paused_by,
            is_blocking=True,
        )
        found.insert(0, Story("paused from above", (pause,)))
    return found


__all__ = ["Sentence", "Story", "stories_of"]
