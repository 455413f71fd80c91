"""Plans kept on the disk, and where they stand by what the journal says."""

import stat

import pytest

from fleettui.actions.bulk import remaining
from fleettui.actions.plan import Patch, Plan, Preconditions, Refusal, Step, Target
from fleettui.audit import Entry, Result, What
from fleettui.errors import FleettuiError, UsageError
from fleettui.fleet.shelf import KEPT, PlanShelf, token_of


def plan_of(count: int = 4, *, number: int = 0) -> Plan:
    """A plan of independent steps."""
    targets = tuple(Target("prod", "g", "v1", "K", "ks", "ns", f"k{i}") for i in range(count))
    steps = tuple(
        Step(id=i, title="x", unit=i, patch=Patch(target=t, preconditions=Preconditions(f"u{i}")))
        for i, t in enumerate(targets)
    )
    return Plan(
        id=f"{number:012x}",
        verb="label",
        created_at="2026-01-01T00:00:00Z",
        targets=targets,
        steps=steps,
        waves=(tuple(range(count)),),
    )


def entries(plan: Plan, results: dict[int, Result | None], *, dry_run: bool = False, run: int = 0):
    """Intents with their outcomes; None: no answer was recorded."""
    for step, result in results.items():
        number = f"{plan.id}-{run}-{step}"
        yield Entry(what=What.INTENT, id=number, at="1", plan=plan.id, step=step, dry_run=dry_run)
        if result is not None:
            yield Entry(
                what=What.OUTCOME, id=number, at="2", plan=plan.id, step=step, result=result
            )


def test_plan_kept_is_read_back_by_id_and_by_path(tmp_path):
    """After a crash the plan must be there, whole, and readable by nobody else."""
    shelf = PlanShelf(tmp_path / "plans")
    plan = plan_of()
    shelf.keep(plan)
    path = tmp_path / "plans" / f"{plan.id}.json"
    assert shelf.load(plan.id) == shelf.load(str(path)) == plan
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_plan_that_is_not_kept_or_none_is_a_usage_error(tmp_path):
    """A typo in an id must not end in a traceback."""
    shelf = PlanShelf(tmp_path)
    with pytest.raises(UsageError):
        shelf.load("abcdef")
    (tmp_path / "abcdef.json").write_text("{}")
    with pytest.raises(UsageError):
        shelf.load("abcdef")


def test_plan_that_cannot_be_kept_stops_everything(tmp_path):
    """What could not be resumed is not begun."""
    (tmp_path / "plans").write_text("a file")
    with pytest.raises(FleettuiError):
        PlanShelf(tmp_path / "plans").keep(plan_of())


def test_shelf_keeps_only_the_newest(tmp_path):
    """Years of use must not fill the disk."""
    shelf = PlanShelf(tmp_path)
    for number in range(KEPT + 5):
        shelf.keep(plan_of(1, number=number))
    assert len(list(tmp_path.glob("*.json"))) == KEPT


def test_token_of_an_interrupted_plan_tells_done_unknown_and_left():
    """Kill -9 in the middle: what may have been done is never sent again."""
    plan = plan_of()
    known = entries(plan, {0: Result.ACKNOWLEDGED, 1: None, 2: Result.REJECTED})
    token = token_of(plan, known)
    assert (token.done, token.unknown, token.left) == ((0,), (1,), (2, 3))
    assert isinstance(remaining(plan, token), Refusal)


def test_token_ignores_dry_runs_and_counts_the_most_that_happened():
    """A dry run did nothing; a step written in a second run is done."""
    plan = plan_of()
    told = [
        *entries(plan, {0: Result.WRITTEN}, dry_run=True),
        *entries(plan, {1: Result.REJECTED}, run=1),
        *entries(plan, {1: Result.TIMED_OUT}, run=2),
    ]
    token = token_of(plan, told)
    assert (token.done, token.unknown, token.left) == ((1,), (), (0, 2, 3))
    rest = remaining(plan, token)
    assert isinstance(rest, Plan)
    assert [step.id for step in rest.steps] == [0, 2, 3]
