"""A warm start: the same rows as last time, for the same person and cluster only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleettui.fleet.warm import Owner, WarmContext, owner_of
from fleettui.fleet.warm_rows import record_of
from fleettui.index import Index
from fleettui.kinds import KindTable, load_table
from fleettui.kinds.batch import Batch, Deleted, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import Condition, Record, Reference, Replicas, Verdict
from fleettui.kinds.record import Owner as ObjectOwner
from fleettui.recorded.shards import ShardFolder

NOW = 1_790_000_000
CAPI = "cluster.x-k8s.io"
CLUSTERS = Scope("one", CAPI, "Cluster")
FLUX = "kustomize.toolkit.fluxcd.io"
APPLIERS = Scope("one", FLUX, "Kustomization")
ME = Owner("uid-kube-system", "me")


def _cluster(name: str, revision: int = 1) -> Record:
    return Record(
        group=CAPI,
        version="v1beta2",
        kind="Cluster",
        namespace="fleet",
        name=name,
        uid=f"uid-{name}",
        resource_version=str(revision),
        generation=4,
        observed_generation=3,
        created_at=NOW - 1000,
        verdict=Verdict.FAILED,
        condition="Available",
        reason="NotAvailable",
        message="* ControlPlane: no\x1b[31m quota",
        since=NOW - 500,
        owners=(ObjectOwner(CAPI, "ClusterSet", "s", "uid-s", False),),
        references=(Reference("infrastructure", "g", "AzureCluster", "fleet", name, "spec"),),
        conditions=(Condition("Available", "False", "NotAvailable", "no", NOW - 500),),
        replicas=Replicas(3, 2, 1, 1, 0),
        cluster=name,
        kubernetes_version="v1.33.1",
        labels=(("env", "prod"),),
        annotations=(("cluster.x-k8s.io/paused", ""),),
        finalizers=("cluster.cluster.x-k8s.io",),
        facts=(("endpoint", "https://a:6443"),),
    )


@pytest.fixture(scope="module")
def table() -> KindTable:
    """The kinds of the program."""
    return load_table([])


def _synced(table: KindTable, *records: Record) -> Index:
    index = Index(table)
    events = [Mark.INIT, *records, Mark.INIT_DONE, ScopeStatus(Phase.LIVE, NOW)]
    index.apply(Batch(CLUSTERS, events), NOW)
    return index


def _warm(tmp_path: Path, table: KindTable) -> WarmContext:
    return WarmContext(ShardFolder(tmp_path / "w"), context="one", table=table, clock=lambda: NOW)


def _finish(work: Iterator[None]) -> None:
    for _ in work:
        pass


def _save(warm: WarmContext, index: Index, revision: str = "9") -> None:
    _finish(warm.saving(index, {CLUSTERS: (revision, "v1beta2")}))
    assert warm.problem == ""


async def _no_wait() -> float:
    """Nobody else works."""
    return 1.0


async def _loaded(warm: WarmContext, table: KindTable) -> Index:
    index = Index(table)
    for scope in warm.scopes():
        await warm.load(scope, lambda batch: index.apply(batch, NOW), turn=_no_wait)
    index.advance(NOW)
    return index


def test_record_of_a_row_is_the_record_it_was_made_of(table: KindTable) -> None:
    """A restart would show other labels, owners or conditions than before."""
    record = _cluster("a")
    row = _synced(table, record).get(record.key.ref("one"))
    assert row is not None
    assert record_of(row) == record


async def test_warm_start_shows_the_rows_of_last_time(tmp_path: Path, table: KindTable) -> None:
    """A restart over a VPN would cost the fleet instead of the changes."""
    first = _warm(tmp_path, table)
    first.belongs_to(ME)
    _save(first, _synced(table, *(_cluster(f"c-{number}") for number in range(300))))
    first.close()
    second = _warm(tmp_path, table)
    index = await _loaded(second, table)
    assert len(index) == 300
    status = index.coverage.status(CLUSTERS)
    assert status is not None
    assert (status.phase, status.since) == (Phase.CACHED, NOW)
    assert second.resumable(CLUSTERS) is None  # before it is known whose rows these are
    assert second.belongs_to(ME)
    found = second.resumable(CLUSTERS)
    assert found is not None
    assert (found.resource_version, found.count) == ("9", 300)
    head = second.head()
    assert head is not None
    assert (head.total, len(head.lines)) == (300, 200)


@pytest.mark.parametrize("other", [Owner("another", "me"), Owner("uid-kube-system", "you")])
async def test_warm_start_of_another_is_dropped(
    other: Owner, tmp_path: Path, table: KindTable
) -> None:
    """Rows seen by an admin would be shown to a viewer, or those of a cluster to another's."""
    first = _warm(tmp_path, table)
    first.belongs_to(ME)
    _save(first, _synced(table, _cluster("a")))
    first.close()
    second = _warm(tmp_path, table)
    await _loaded(second, table)
    assert not second.belongs_to(other)
    assert second.resumable(CLUSTERS) is None
    second.close()
    assert _warm(tmp_path, table).scopes() == []


async def test_warm_rows_that_another_version_read_are_not_shown(
    tmp_path: Path, table: KindTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update rows would lack what the new version reads, for as long as they rest."""
    first = _warm(tmp_path, table)
    first.belongs_to(ME)
    _save(first, _synced(table, _cluster("a")))
    first.close()
    reader = table.reader("cluster.x-k8s.io", "v1beta2", "Cluster")
    monkeypatch.setattr(reader, "fingerprint", "of another version")
    second = _warm(tmp_path, table)
    index = await _loaded(second, table)
    assert second.belongs_to(ME)
    assert len(index) == 0
    assert second.resumable(CLUSTERS) is None


def test_warm_saving_writes_only_what_changed(tmp_path: Path, table: KindTable) -> None:
    """A quiet fleet of half a million objects would be written every half minute."""
    warm = _warm(tmp_path, table)
    warm.belongs_to(ME)
    index = _synced(table, *(_cluster(f"c-{number}") for number in range(4000)))
    _save(warm, index)
    before = {path.name for path in (tmp_path / "w").glob("*.shard")}
    assert len(before) > 2
    change = Batch(CLUSTERS, [_cluster("c-7", revision=2)])
    index.apply(change, NOW)
    warm.note(change)
    _save(warm, index, revision="10")
    after = {path.name for path in (tmp_path / "w").glob("*.shard")}
    assert len(after - before) == len(before - after) == 1


async def test_warm_saving_keeps_up_with_changes(tmp_path: Path, table: KindTable) -> None:
    """A restart would bring back what was deleted."""
    warm = _warm(tmp_path, table)
    warm.belongs_to(ME)
    index = _synced(table, _cluster("a"), _cluster("b"))
    _save(warm, index)
    change = Batch(CLUSTERS, [Deleted(CAPI, "Cluster", "fleet", "a"), _cluster("c")])
    index.apply(change, NOW)
    warm.note(change)
    _save(warm, index, revision="12")
    warm.close()
    names = {row.name for row in (await _loaded(_warm(tmp_path, table), table)).rows()}
    assert names == {"b", "c"}


async def test_warm_start_with_a_broken_shard_is_cold(tmp_path: Path, table: KindTable) -> None:
    """A half-written file would show half a fleet as whole."""
    first = _warm(tmp_path, table)
    first.belongs_to(ME)
    _save(first, _synced(table, *(_cluster(f"c-{number}") for number in range(4000))))
    first.close()
    next((tmp_path / "w").glob("*.shard")).write_bytes(b"half")
    second = _warm(tmp_path, table)
    index = await _loaded(second, table)
    second.belongs_to(ME)
    assert len(index) == 0
    assert second.resumable(CLUSTERS) is None
    status = index.coverage.status(CLUSTERS)
    assert status is not None
    assert status.phase is Phase.PENDING


def test_warm_second_instance_does_not_write(tmp_path: Path, table: KindTable) -> None:
    """Two programs on one machine would sweep each other's files."""
    first, second = _warm(tmp_path, table), _warm(tmp_path, table)
    first.belongs_to(ME)
    second.belongs_to(ME)
    _save(first, _synced(table, _cluster("a")))
    before = sorted((tmp_path / "w").iterdir())
    _save(second, _synced(table, _cluster("b")))
    assert sorted((tmp_path / "w").iterdir()) == before
    first.close()


def test_warm_saving_cut_short_keeps_the_last_whole(tmp_path: Path, table: KindTable) -> None:
    """Leaving in the middle of saving would lose what was saved before."""
    warm = _warm(tmp_path, table)
    warm.belongs_to(ME)
    _save(warm, _synced(table, _cluster("a")))
    work = warm.saving(
        _synced(table, *(_cluster(f"c-{number}") for number in range(500))),
        {CLUSTERS: ("20", "v1beta2")},
    )
    next(work)
    work.close()  # type: ignore[attr-defined]  # a generator
    warm.close()
    found = _warm(tmp_path, table)
    assert found.scopes() == [CLUSTERS]
    found.belongs_to(ME)


def _applier(verdict: Verdict, *, revision: str, since: int, reason: str) -> Record:
    return Record(
        group=FLUX,
        version="v1",
        kind="Kustomization",
        namespace="flux-system",
        name="apps",
        uid="uid-apps",
        resource_version=revision,
        created_at=NOW - 90_000,
        verdict=verdict,
        condition="Ready",
        reason=reason,
        message="apply failed" if verdict is Verdict.FAILED else "Reconciliation in progress",
        since=since,
    )


async def test_warm_start_keeps_a_failure_that_is_being_retried(
    tmp_path: Path, table: KindTable
) -> None:
    """Flux reports progress at each retry: after a restart a day of failing would look young."""
    broken_at = NOW - 80_000
    index = Index(table)
    failed = _applier(Verdict.FAILED, revision="7", since=broken_at, reason="BuildFailed")
    retried = _applier(Verdict.IN_PROGRESS, revision="8", since=NOW - 5, reason="Progressing")
    events = [Mark.INIT, failed, Mark.INIT_DONE, ScopeStatus(Phase.LIVE, NOW)]
    index.apply(Batch(APPLIERS, events), broken_at)
    index.apply(Batch(APPLIERS, [retried]), NOW)
    before = index.get(failed.key.ref("one"))
    assert before is not None
    told = (before.health, before.since, before.reason)
    assert told == (Verdict.FAILED, broken_at, "BuildFailed")
    first = _warm(tmp_path, table)
    first.belongs_to(ME)
    _finish(first.saving(index, {APPLIERS: ("9", "v1")}))
    first.close()
    after = (await _loaded(_warm(tmp_path, table), table)).get(failed.key.ref("one"))
    assert after is not None
    assert (after.health, after.since, after.reason) == told
    assert after.resource_version == "8"


def test_owner_does_not_depend_on_the_order_of_groups() -> None:
    """Servers list groups in any order: every second start would be cold."""
    assert owner_of("u", "me", ["a", "b"]) == owner_of("u", "me", ["b", "a"])
    assert owner_of("u", "me", ["a"]) != owner_of("u", "me", ["a", "b"])
