"""What rows tell of drift without a request, and the order in which it is shown."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleettui.desired.desired_diff import DesiredDiff, Mode
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import ObjectId
from fleettui.fleet.drift import DriftBoard, Signal
from fleettui.fleet.opening import Opening, open_fleet
from fleettui.index import Index
from fleettui.kinds import load_table
from fleettui.kinds.batch import Batch, Scope
from fleettui.kinds.record import ObjectRef

NOW = 1_790_000_000
CONTEXT = "ctx"
OLD, NEW = "main@sha1:" + "1" * 40, "main@sha1:" + "2" * 40


@pytest.fixture
def index() -> Index:
    """An empty index of all kinds."""
    return Index(load_table())


def _put(index: Index, api_version: str, kind: str, name: str, **more: Any) -> ObjectRef:
    group, _, version = api_version.rpartition("/")
    metadata = {"namespace": "ns", "name": name, "uid": f"{kind}-{name}", "resourceVersion": "1"}
    document = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}
    record = load_table().reader(group, version, kind).convert(document)
    index.apply(Batch(Scope(CONTEXT, group, kind), [record]), NOW)
    return ObjectRef(CONTEXT, group, kind, "ns", name)


def _source(index: Index, revision: str, *, ready: str = "True") -> None:
    conditions = [{"type": "Ready", "status": ready, "reason": "GitOperationFailed"}]
    status = {"artifact": {"revision": revision}, "conditions": conditions}
    _put(index, "source.toolkit.fluxcd.io/v1", "GitRepository", "git", status=status)


def _kustomization(index: Index, name: str, applied: str, **more: Any) -> ObjectRef:
    attempted = more.pop("attempted", applied)
    spec = {"sourceRef": {"kind": "GitRepository", "name": "git"}, **more}
    ready = [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded"}]
    status = {
        "lastAppliedRevision": applied,
        "lastAttemptedRevision": attempted,
        "conditions": ready,
    }
    version = "kustomize.toolkit.fluxcd.io/v1"
    return _put(index, version, "Kustomization", name, spec=spec, status=status)


def _told(index: Index, ref: ObjectRef) -> list[Signal]:
    board = DriftBoard()
    board.refresh(index)
    return [told.signal for told in board.signals[ref]]


def test_signals_of_a_kustomization_come_from_revisions_and_its_source(index: Index) -> None:
    """These cost no request and must be on the board before anything is rendered."""
    _source(index, NEW)
    assert _told(index, _kustomization(index, "fine", NEW)) == []
    assert _told(index, _kustomization(index, "late", OLD)) == [Signal.BEHIND]
    tried = _kustomization(index, "tried", OLD, attempted=NEW)
    assert _told(index, tried) == [Signal.NOT_APPLIED]
    held = _kustomization(index, "held", NEW, suspend=True)
    assert _told(index, held) == [Signal.SUSPENDED]


def test_signals_tell_when_the_source_itself_fails(index: Index) -> None:
    """Nothing new and nothing fetched look the same unless it is told."""
    _source(index, NEW, ready="False")
    assert _told(index, _kustomization(index, "app", NEW)) == [Signal.SOURCE_FAILING]


def test_signals_of_releases_and_applications_come_from_their_controllers(index: Index) -> None:
    """What Flux and Argo CD have already compared must not be asked for again."""
    drifted = [{"type": "Drifted", "status": "True", "reason": "DriftDetected", "message": "m"}]
    release = _put(
        index,
        "helm.toolkit.fluxcd.io/v2",
        "HelmRelease",
        "web",
        spec={},
        status={"conditions": drifted},
    )
    assert _told(index, release) == [Signal.DRIFTED]
    version = "argoproj.io/v1alpha1"
    for sync, expected in (("OutOfSync", Signal.DRIFTED), ("Unknown", Signal.SOURCE_FAILING)):
        status = {"sync": {"status": sync}}
        spec = {"syncPolicy": {"automated": {}}}
        app = _put(index, version, "Application", sync.lower(), spec=spec, status=status)
        assert _told(index, app) == [expected]


def _result(*changes: Change) -> DesiredDiff:
    objects = tuple(
        ObjectDiff(ObjectId("", "ConfigMap", "ns", f"c{place}"), "v1", change)
        for place, change in enumerate(changes)
    )
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    return DesiredDiff("Kustomization", "ns", "x", Mode.READ_ONLY, "current", moment, "", objects)


def test_board_shows_deletions_first_and_forgets_what_is_gone(index: Index) -> None:
    """What a sync would delete must not stand below ten changed labels."""
    _source(index, NEW)
    refs = {name: _kustomization(index, name, NEW) for name in ("a", "b", "c", "d")}
    board = DriftBoard()
    board.refresh(index)
    board.diffs[refs["a"]] = _result(Change.UNCHANGED)
    board.diffs[refs["b"]] = _result(Change.CHANGED, Change.CHANGED)
    board.diffs[refs["c"]] = _result(Change.PRUNED)
    board.diffs[ObjectRef(CONTEXT, "g", "Gone", "ns", "x")] = _result(Change.PRUNED)
    board.refresh(index)
    assert [row.ref.name for row in board.rows()] == ["c", "b"]
    assert len(board.rows(quiet=True)) == 4
    assert board.counts == {Change.PRUNED: 1, Change.CHANGED: 2, Change.UNCHANGED: 1}


async def test_signals_of_recorded_incidents_are_told(shared_folder: Path) -> None:
    """Real controllers write these; made-up rows alone would prove little."""
    fleet = open_fleet(Opening(sources=(shared_folder / "recordings" / "flux" / "incidents",)))
    await fleet.start()
    assert await fleet.wait_synced(120)
    fleet.settle()
    board = DriftBoard()
    board.refresh(fleet.index)
    told = {
        f"{row.ref.kind}/{row.ref.name}": {told.signal for told in row.signals}
        for row in board.rows()
    }
    await fleet.close()
    assert told["Kustomization/billing"] == {Signal.NOT_APPLIED}
    assert told["Kustomization/loyalty"] == {Signal.BEHIND, Signal.SUSPENDED}
    assert told["Kustomization/search"] == {Signal.SOURCE_FAILING}
    assert told["Kustomization/vault-agents"] == {Signal.BEHIND}
    assert "Kustomization/harbor" not in told
