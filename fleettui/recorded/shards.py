"""Saved indexes: records of one context in small files, for a warm start.

Knows files, headers and checksums; knows no cluster, no clock and no row. A scope
is some shards (records, by a hash of their names) and one manifest that names them
with the resourceVersion they hold at least. Shards are written first, under names
of their own, then the manifest is replaced in one step: whoever reads sees an old
whole or a new whole, and anything else costs a cold start. Nothing is fsynced: what
an outage of the machine cuts short does not match its checksum.

Files are 0600 in a folder of 0700. Records hold no contents of Secrets, and kinds
named in ``NEVER`` are not saved at all.
"""

import contextlib
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from fleettui.kinds.batch import Scope
from fleettui.kinds.record import Record

SCHEMA: Final = 1
"""Changes with the shape of what is saved, so that older files are not read."""
MAGIC: Final = b"fleettui shard\n"
SHARD_ROWS: Final = 500
"""Records a shard should have: read in one slice of a few milliseconds."""
MAX_FILE_BYTES: Final = 64 << 20
NEVER: Final = frozenset({("", "Secret")})
"""Kinds whose records never reach the disk."""

T = TypeVar("T")


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One shard of a manifest."""

    name: str
    """Its file."""
    count: int


class Manifest(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What is saved of one scope, and what it belongs to."""

    schema: int
    fingerprint: str
    """Of the reader that made the records."""
    version: str
    """API version that the records were read at."""
    cluster: str
    """UID of kube-system; empty when it may not be read."""
    identity: str
    """Hash of who read it, so that nobody is shown what somebody else may see."""
    scope: tuple[str, str, str, str]
    """Group, kind, namespace and cluster."""
    resource_version: str
    """Every change up to it is in the shards; later ones may be."""
    taken_at: int
    """Unix seconds."""
    parts: tuple[Part, ...]
    """One for each value of the hash; their number is a power of two."""

    @property
    def count(self) -> int:
        """Records in all."""
        return sum(part.count for part in self.parts)


class HeadLine(msgspec.Struct, frozen=True, array_like=True):
    """One root of last time, as it was shown. Texts are raw."""

    kind: str
    namespace: str
    name: str
    health: str
    counts: str
    reason: str


class Head(msgspec.Struct, frozen=True, array_like=True):
    """What the screen showed of a context last time."""

    taken_at: int
    total: int
    """Roots in all."""
    lines: tuple[HeadLine, ...]


def shard_of(namespace: str, name: str, shards: int) -> int:
    """Which of so many shards (a power of two) holds an object."""
    return zlib.crc32(f"{namespace}/{name}".encode()) & (shards - 1)


def shards_for(count: int) -> int:
    """How many shards so many records need: a power of two."""
    return 1 << max((count - 1) // SHARD_ROWS, 0).bit_length()


class Packing:
    """Records on their way into a shard, packed one by one."""

    def __init__(self) -> None:
        """Start without any."""
        self._encoder = msgspec.msgpack.Encoder()
        self._body = bytearray()
        self.count = 0

    def add(self, record: Record) -> None:
        """Puts one more record in."""
        self._encoder.encode_into(record, self._body, -1)
        self.count += 1

    def body(self) -> bytes:
        """All records, as a MessagePack array."""
        return b"\xdd" + self.count.to_bytes(4, "big") + bytes(self._body)


class ShardFolder:
    """The saved scopes of one context."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made yet."""
        self.folder = folder

    # -- reading --------------------------------------------------------------------------
    def manifests(self) -> dict[tuple[str, str, str, str], Manifest]:
        """Whatever can be read of what is saved, by scope."""
        found: dict[tuple[str, str, str, str], Manifest] = {}
        with contextlib.suppress(OSError):
            for path in sorted(self.folder.glob("*.scope")):
                manifest = _read(path, Manifest)
                if manifest is not None and manifest.schema == SCHEMA:
                    found[manifest.scope] = manifest
        return found

    def records(self, part: Part) -> Sequence[Record] | None:
        """The records of one shard; None when it cannot be read as it was written."""
        records = _read(self.folder / Path(part.name).name, list[Record])
        return records if records is not None and len(records) == part.count else None

    def head(self) -> Head | None:
        """What the screen showed last time; None when that is not known."""
        return _read(self.folder / "head", Head)

    # -- writing --------------------------------------------------------------------------
    def write_shard(self, records: Iterable[Record]) -> Part:
        """Saves records under a name of their own.

        Raises:
            OSError: the disk is full, or the folder cannot be written to.
        """
        packing = Packing()
        for record in records:
            packing.add(record)
        return self.write_packed(packing)

    def write_packed(self, packing: Packing) -> Part:
        """Saves records that are packed already, as ``write_shard`` does."""
        name = f"{secrets.token_hex(8)}.shard"
        self._write(name, packing.body())
        return Part(name, packing.count)

    def write_manifest(self, manifest: Manifest) -> None:
        """Makes the shards that a manifest names the saved state of its scope.

        Raises:
            OSError: the disk is full, or the folder cannot be written to.
        """
        self._write(f"{_name_of(manifest.scope)}.scope", msgspec.msgpack.encode(manifest))

    def write_head(self, head: Head) -> None:
        """Saves what the screen shows.

        Raises:
            OSError: the disk is full, or the folder cannot be written to.
        """
        self._write("head", msgspec.msgpack.encode(head))

    def _write(self, name: str, body: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.folder / f".{name}.{os.getpid()}.tmp"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(MAGIC + hashlib.blake2b(body, digest_size=16).digest() + body)
            temporary.replace(self.folder / name)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def sweep(self) -> None:
        """Removes files that no manifest names."""
        wanted = {part.name for manifest in self.manifests().values() for part in manifest.parts}
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                is_left = path.suffix == ".tmp" or path.suffix == ".shard"
                if is_left and path.name not in wanted:
                    path.unlink(missing_ok=True)

    def drop(self, names: Iterable[str]) -> None:
        """Removes shards that the manifest no longer names."""
        with contextlib.suppress(OSError):
            for name in names:
                (self.folder / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forgets everything that is saved here."""
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if path.suffix in (".scope", ".shard", ".tmp") or path.name == "head":
                    path.unlink(missing_ok=True)

    def lock(self) -> "Lock":
        """A lock against other instances that write."""
        return Lock(self.folder / "lock")


class Lock:
    """One writer at a time; ends with the process whatever happens."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether nobody else writes here; true again for the one who holds it."""
        if self._descriptor is not None:
            return True
        try:
            import fcntl

            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except (ImportError, OSError):
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def drop(self) -> None:
        """Lets others write."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def folder_name(*parts: str) -> str:
    """A name for a context's folder from what identifies it before it is connected."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def manifest_scope(scope: Scope) -> tuple[str, str, str, str]:
    """A scope as manifests name it: without its context."""
    return (scope.group, scope.kind, scope.namespace, scope.cluster)


def _name_of(scope: tuple[str, str, str, str]) -> str:
    return folder_name(*scope)


def _read(path: Path, shape: type[T]) -> T | None:
    """What a file of ours holds; None for anything else, whatever it is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            is_ours = not hasattr(os, "getuid") or status.st_uid == os.getuid()
            if not is_ours or status.st_size > MAX_FILE_BYTES:
                return None
            content = file.read()
    except OSError:
        return None
    start = len(MAGIC) + 16
    body = content[start:]
    told = content[len(MAGIC) : start]
    if content[: len(MAGIC)] != MAGIC or hashlib.blake2b(body, digest_size=16).digest() != told:
        return None
    try:
        return msgspec.msgpack.decode(body, type=shape)
    except (msgspec.DecodeError, ValueError):
        return None
