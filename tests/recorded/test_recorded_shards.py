"""Saved indexes: whole or not at all, private, never a crash."""

import errno
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.kinds.record import Condition, Owner, Record, Reference, Replicas, Verdict
from fleettui.recorded.shards import (
    SCHEMA,
    SHARD_ROWS,
    Head,
    HeadLine,
    Manifest,
    Part,
    ShardFolder,
    shard_of,
    shards_for,
)

SCOPE = ("cluster.x-k8s.io", "Machine", "", "")


def _record(name: str = "m-1") -> Record:
    return Record(
        group="cluster.x-k8s.io",
        version="v1beta2",
        kind="Machine",
        namespace="fleet",
        name=name,
        uid=f"uid-{name}",
        resource_version="7",
        verdict=Verdict.FAILED,
        reason="InstanceProvisionFailed",
        message="quota\x1b[2J exceeded",
        owners=(Owner("cluster.x-k8s.io", "MachineSet", "ms", "u", True),),
        references=(Reference("infrastructure", "g", "AzureMachine", "fleet", "am"),),
        conditions=(Condition("Ready", "False", "Failed", "quota", 5),),
        replicas=Replicas(3, 2, 1),
        labels=(("a", "b"),),
    )


def _manifest(*parts: Part, **more: object) -> Manifest:
    fields = {
        "schema": SCHEMA,
        "fingerprint": "f",
        "version": "v1beta2",
        "cluster": "uid",
        "identity": "me",
        "scope": SCOPE,
        "resource_version": "42",
        "taken_at": 1_790_000_000,
        "parts": parts,
    }
    return Manifest(**(fields | more))  # type: ignore[arg-type]  # a table of fields


@pytest.fixture
def folder(tmp_path: Path) -> ShardFolder:
    """A folder that does not exist yet."""
    return ShardFolder(tmp_path / "index" / "abc")


def _saved(folder: ShardFolder) -> Manifest:
    manifest = _manifest(folder.write_shard([_record("m-1"), _record("m-2")]))
    folder.write_manifest(manifest)
    return manifest


def test_shards_read_back_what_was_written(folder: ShardFolder) -> None:
    """A warm start would show other objects than those of last time."""
    manifest = _saved(folder)
    assert folder.manifests() == {SCOPE: manifest}
    assert folder.records(manifest.parts[0]) == [_record("m-1"), _record("m-2")]


def test_shards_are_private(folder: ShardFolder) -> None:
    """Other users of a shared machine would read the fleet."""
    _saved(folder)
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700
    for path in folder.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_shards_of_nothing_are_empty(folder: ShardFolder) -> None:
    """The first start ever would fail."""
    assert folder.manifests() == {}
    assert folder.head() is None


@settings(max_examples=80, deadline=None)
@given(
    suffix=st.sampled_from([".scope", ".shard"]),
    place=st.floats(0, 1, exclude_max=True),
    flip=st.integers(0, 255),
)
def test_shards_damaged_anywhere_cost_a_cold_start(
    suffix: str, place: float, flip: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A bit that flipped would show objects that never were, or crash the start."""
    folder = ShardFolder(tmp_path_factory.mktemp("shards"))
    manifest = _saved(folder)
    path = next(path for path in folder.folder.iterdir() if path.suffix == suffix)
    content = bytearray(path.read_bytes())
    at = int(place * len(content))
    if flip:
        content[at] ^= flip
    else:
        del content[at:]
    path.write_bytes(content)
    found = folder.manifests()
    is_read = bool(found) and folder.records(manifest.parts[0]) is not None
    assert not is_read


def test_shards_of_another_schema_are_not_read(folder: ShardFolder) -> None:
    """A newer program would misread what an older one wrote."""
    folder.write_manifest(_manifest(schema=SCHEMA + 1))
    assert folder.manifests() == {}


def test_shards_behind_a_link_are_not_read(folder: ShardFolder, tmp_path: Path) -> None:
    """Somebody else's file would be read as ours."""
    manifest = _saved(folder)
    path = folder.folder / manifest.parts[0].name
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert folder.records(manifest.parts[0]) is None


def test_shards_named_outside_the_folder_are_not_read(folder: ShardFolder, tmp_path: Path) -> None:
    """A forged manifest would make the program read any file."""
    _saved(folder)
    (tmp_path / "outside.shard").write_bytes(b"x")
    assert folder.records(Part("../../outside.shard", 0)) is None


def test_shards_on_a_full_disk_keep_what_was_there(
    folder: ShardFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk would destroy the cache it cannot replace."""
    manifest = _saved(folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        folder.write_manifest(_manifest(resource_version="43"))
    monkeypatch.undo()
    assert folder.manifests() == {SCOPE: manifest}
    assert not list(folder.folder.glob(".*tmp"))


def test_shards_that_no_manifest_names_are_swept(folder: ShardFolder) -> None:
    """Weeks of use would fill the disk."""
    manifest = _saved(folder)
    folder.write_shard([_record("old")])
    (folder.folder / ".half.1.tmp").write_bytes(b"half")
    folder.sweep()
    names = {path.name for path in folder.folder.iterdir()}
    assert {path for path in names if path.endswith(".shard")} == {manifest.parts[0].name}
    assert not [name for name in names if name.endswith(".tmp")]


def test_lock_keeps_a_second_instance_from_writing(folder: ShardFolder) -> None:
    """Two instances would sweep each other's shards."""
    first, second = folder.lock(), folder.lock()
    assert first.take()
    assert first.take()
    assert not second.take()
    first.drop()
    assert second.take()
    second.drop()


def test_head_reads_back(folder: ShardFolder) -> None:
    """The first frame would be empty."""
    head = Head(5, 1, (HeadLine("Cluster", "fleet", "c", "failed", "1 of 60", "Quota"),))
    folder.write_head(head)
    assert folder.head() == head


@given(st.integers(0, 10_000_000))
def test_shards_for_any_count_are_a_power_of_two_of_bounded_size(count: int) -> None:
    """A shard would take longer to read than a frame lasts, or a name would move between shards."""
    shards = shards_for(count)
    assert shards & (shards - 1) == 0
    assert count <= shards * SHARD_ROWS
    assert 0 <= shard_of("ns", "name", shards) < shards
