"""A restart over a real connection: what was saved is shown, resumed, compared, put right."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from fleettui.fleet import Fleet, audit, followers
from fleettui.fleet.opening import Opening, open_fleet
from fleettui.kinds.batch import Phase, Scope
from fleettui.recorded.shards import Manifest, ShardFolder

CAPI = "cluster.x-k8s.io"


@pytest.fixture(scope="module")
def kubeconfig() -> Iterator[Path]:
    """A demo fleet that stands still."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "fleettui", "demo", "--serve", "--seed", "7"),
            *("--clusters", "12", "--contexts", "1", "--churn", "0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line
    yield Path(line)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(10)
    process.stdout.close()


async def _opened(kubeconfig: Path) -> Fleet:
    opening = Opening(
        kubeconfig=kubeconfig, all_contexts=True, read_only=True, depth="spine", on_screen=True
    )
    fleet = open_fleet(opening)
    await fleet.start()
    assert await fleet.wait_synced(120)
    fleet.settle()
    fleet.housekeep()
    return fleet


def _manifest(cache: Path) -> tuple[ShardFolder, Manifest]:
    """What is saved of the clusters."""
    for path in cache.rglob("*.scope"):
        folder = ShardFolder(path.parent)
        for scope, manifest in folder.manifests().items():
            if scope[:2] == (CAPI, "Cluster"):
                return folder, manifest
    raise AssertionError("no clusters are saved")


def _names(fleet: Fleet) -> set[str]:
    return {row.name for row in fleet.index.rows((CAPI, "Cluster"))}


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.05)


async def test_resumed_rows_that_are_wrong_are_put_right_within_a_minute(
    kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster that a watch never told of would be missing until somebody restarts coldly."""
    monkeypatch.setenv("FLEETTUI_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FLEETTUI_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(followers, "AUDIT_S", 1.0)
    monkeypatch.setattr(audit, "AGAIN_S", 0.5)
    first = await _opened(kubeconfig)
    everything = _names(first)
    await first.close()
    folder, manifest = _manifest(tmp_path / "cache")
    (part,) = manifest.parts
    records = folder.records(part)
    assert records is not None
    kept = folder.write_shard(records[1:])
    folder.write_manifest(msgspec.structs.replace(manifest, parts=(kept,)))

    second = await _opened(kubeconfig)
    try:
        assert len(_names(second)) == len(everything) - 1

        def is_whole() -> bool:
            second.housekeep()
            second.settle()
            return _names(second) == everything

        await _until(is_whole)
        scope = Scope(second.contexts()[0].name, CAPI, "Cluster")
        status = second.index.coverage.status(scope)
        assert status is not None
        assert status.phase in (Phase.LIVE, Phase.SYNCING)
    finally:
        await second.close()
