"""What may no longer be so looks it: dimmed, with its age, and never well."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.fleet.context import ContextInfo, ContextState
from fleettui.kinds.batch import Batch, Phase, Scope, ScopeStatus
from fleettui.tui.cells import TREE_COLUMNS, Moment
from fleettui.tui.detail import detail_lines
from fleettui.tui.lines import Line, Span
from fleettui.tui.staleness import staleness_of
from fleettui.tui.status import context_spans
from fleettui.tui.tree_source import TreeSource

OLD = (Phase.STALE, Phase.FORBIDDEN, Phase.BROKEN, Phase.CACHED)


def _lines(fleet: Any, view: Any) -> list[tuple[Any, Line]]:
    """Every line of the tree with the tree's own line."""
    moment = Moment(fleet.now(), staleness_of(fleet.index.coverage, fleet.contexts()))
    source = TreeSource(view, lambda: moment)
    shown = source.window(0, len(source))
    return [(source.at(place), line) for place, (_, line) in enumerate(shown)]


def _turn(fleet: Any, kind: str, phase: Phase, **more: Any) -> None:
    spec = next(spec for spec in fleet.table if spec.kind == kind)
    scope = Scope("mgmt-eu", spec.group, kind, more.pop("namespace", ""))
    status = ScopeStatus(phase, fleet.now() - 300, **more)
    fleet.index.apply(Batch(scope, [status]), fleet.now())


@pytest.mark.parametrize("phase", OLD)
def test_rows_of_one_old_kind_are_dimmed_and_others_are_not(
    phase: Phase, small_fleet: Any, view_of: Any
) -> None:
    """One kind whose watch is gone looks as live as the rest, and the night is lost on it."""
    view = view_of(small_fleet)
    view.expand_all()
    _turn(small_fleet, "Machine", phase)
    seen = {"old": 0, "fresh": 0}
    for at, line in _lines(small_fleet, view):
        if at.row is None:
            continue
        is_machine = at.row.kind == "Machine"
        seen["old" if is_machine else "fresh"] += 1
        assert line.is_faded is is_machine
        if is_machine:
            assert "✓" not in line.text
    assert seen["old"]
    assert seen["fresh"]


def test_row_of_a_stale_kind_tells_since_when_before_its_reason(
    small_fleet: Any, view_of: Any
) -> None:
    """How old it is decides whether it can be relied on; at 80 columns too."""
    view = view_of(small_fleet)
    view.expand_all()
    _turn(small_fleet, "Machine", Phase.STALE)
    reason = next(i for i, column in enumerate(TREE_COLUMNS) if column.id == "reason")
    health = next(i for i, column in enumerate(TREE_COLUMNS) if column.id == "health")
    machines = [
        line
        for at, line in _lines(small_fleet, view)
        if at.row is not None and at.row.kind == "Machine"
    ]
    words = ["".join(span.text for span in line.cells[reason]) for line in machines]
    assert all(text.startswith("stale 5m ") for text in words)
    assert any("QuotaExceeded" in text for text in words), "the reason is still there"
    states = {line.cells[health][0].text for line in machines}
    assert states == {"was ok", "failed"}


def test_groups_above_old_things_are_not_green(small_fleet: Any, view_of: Any) -> None:
    """A green context over rows of an hour ago is the lie that hurts most."""
    fleet = small_fleet
    for name in [r.name for r in fleet.index.rows() if r.health.value != "current"]:
        for kind in ("Machine", "MachineDeployment", "Cluster", "Kustomization"):
            fleet.drop(kind, name)
    view = view_of(fleet)
    groups = [line.text for at, line in _lines(fleet, view) if at.row is None]
    assert groups
    assert all("✓" in text for text in groups)
    fleet.set_info(state=ContextState.STALE, since=fleet.now() - 60)
    for at, line in _lines(fleet, view):
        name = "".join(span.text for span in line.cells[0])
        assert "✓" not in name, at.label
        assert "◍" in name


def test_row_that_a_live_namespace_covers_is_not_old(small_fleet: Any, view_of: Any) -> None:
    """A kind forbidden as a whole is read by namespace: those rows are as live as any."""
    view = view_of(small_fleet)
    view.expand_all()
    _turn(small_fleet, "Machine", Phase.FORBIDDEN)
    _turn(small_fleet, "Machine", Phase.LIVE, namespace="fleet")
    assert not any(line.is_faded for _, line in _lines(small_fleet, view))


@given(phases=st.lists(st.sampled_from(list(Phase)), min_size=4, max_size=4))
def test_row_without_a_live_scope_never_looks_well(phases: list[Phase]) -> None:
    """Whatever mix of phases: what no server confirms now has no ✓."""
    from fleettui.index.view import TreeView
    from tests.tui.conftest import SmallFleet, fill

    fleet = SmallFleet()
    fill(fleet, clusters=1)
    kinds = ("Cluster", "MachineDeployment", "Machine", "Kustomization")
    for kind, phase in zip(kinds, phases, strict=True):
        _turn(fleet, kind, phase)
    view = TreeView(fleet.index)
    view.expand_all()
    for at, line in _lines(fleet, view):
        if at.row is not None and phases[kinds.index(at.row.kind)] in OLD:
            assert "✓" not in "".join(span.text for span in line.cells[0])
            assert line.is_faded


def _detail(fleet: Any, kind: str) -> list[str]:
    row = next(r for r in fleet.index.rows() if r.kind == kind)
    stale = staleness_of(fleet.index.coverage, fleet.contexts())
    lines = detail_lines(row, fleet.index, now=fleet.now(), width=70, stale=stale)
    return [line.text for line in lines]


def test_detail_tells_what_is_read_whole(small_fleet: Any) -> None:
    """Whoever reads counts has to know whether they are all."""
    texts = _detail(small_fleet, "Cluster")
    place = texts.index("COVERAGE")
    assert texts[place + 1] == "  itself: followed live"
    assert texts[place + 2] == "  below: 2 kinds read whole"


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase.STALE, "as of 5m ago, connection lost: Machine"),
        (Phase.FORBIDDEN, "may not be read: Machine"),
        (Phase.SYNCING, "being read: Machine"),
    ],
)
def test_detail_names_the_kinds_below_that_are_not_known(
    phase: Phase, words: str, small_fleet: Any
) -> None:
    """A cluster whose machines nobody could read must say so where its counts stand."""
    _turn(small_fleet, "Machine", phase)
    texts = _detail(small_fleet, "Cluster")
    place = texts.index("COVERAGE")
    assert f"  {words}" in texts[place:]
    assert "  all else below: 1 kinds read whole" in texts[place:]


def test_detail_names_what_is_known_only_through_its_parent(empty_fleet: Any) -> None:
    """Of a large fleet machines are not read; their counts come from their parents."""
    from tests.tui.conftest import SPECS, make_record

    fleet = empty_fleet
    fleet.put(make_record("Cluster", "prod"))
    fleet.index.declare("mgmt-eu", [(spec.group, spec.kind) for spec in SPECS])
    for kind in ("Cluster", "MachineDeployment"):
        _turn(fleet, kind, Phase.LIVE)
    texts = _detail(fleet, "Cluster")
    assert "  known only through their parents (:load reads them): Machine" in texts


def test_detail_of_a_lost_context_says_as_of_when(small_fleet: Any) -> None:
    """The pane must not look live while the header says stale."""
    small_fleet.infos["mgmt-eu"] = ContextInfo(
        "mgmt-eu", state=ContextState.STALE, since=small_fleet.now() - 120
    )
    texts = _detail(small_fleet, "Cluster")
    assert "as of 2m ago: the connection is lost" in texts[:6]
    assert any(text.startswith("◍ was ok") for text in texts[:4])


@pytest.mark.parametrize(("heard_at", "words"), [(0, "live"), (995, "live"), (980, "silent 20s")])
def test_header_tells_how_long_a_live_server_has_been_silent(heard_at: int, words: str) -> None:
    """A frozen server keeps its connections: before it counts as lost its silence is told."""
    info = ContextInfo("prod", state=ContextState.LIVE, heard_at=heard_at)
    spans: list[Span] = list(context_spans(info, 1000))
    assert f" {words}" in [span.text for span in spans]
