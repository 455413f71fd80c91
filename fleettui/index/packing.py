"""Parts of a record in as few bytes as they need, and back.

Knows the packed forms of uids, resourceVersions, generations, moments and names; knows no
rows.
"""

import re
import struct
import sys
from collections.abc import Callable
from typing import Final

from fleettui.kinds.record import Owner, Record

LAST_MOMENT: Final = 0xFFFFFFFF
"""Moments are kept in four bytes, which last until 2106."""
FIRST_MOMENT: Final = 16
"""Where moments begin: revision and two generations stand before them."""
_MOST_REVISION: Final = (1 << 64) - 1
_MOST_GENERATION: Final = (1 << 31) - 1


def numbers_of(record: Record) -> bytes:
    """Return the record's resourceVersion, generations and moments, packed.

    A resourceVersion that is no number above 0 stands behind them as it is.
    """
    moments = [record.created_at, record.deleted_at, record.since]
    moments += [entry.since for entry in record.conditions]
    revision = pack_revision(record.resource_version)
    number, text = (revision, b"") if isinstance(revision, int) else (0, revision.encode())
    if revision == 0:
        text = b"0"
    generations = record.generation, record.observed_generation
    layout = f"<Qii{len(moments)}I"
    try:
        packed = struct.pack(layout, number, *generations, *moments)
    except struct.error:
        generations = tuple(max(-1, min(one, _MOST_GENERATION)) for one in generations)  # type: ignore[assignment]  # two in, two out
        moments = [min(max(0, moment), LAST_MOMENT) for moment in moments]
        packed = struct.pack(layout, number, *generations, *moments)
    return packed + text if text else packed


def revision_in(numbers: bytes, moments: int) -> int | str:
    """Return the resourceVersion out of packed numbers with so many moments."""
    text = numbers[FIRST_MOMENT + 4 * moments :]
    if text:
        return pack_revision(text.decode())
    return int.from_bytes(numbers[:8], "little") or ""


UidOf = Callable[[Owner], int | str]


def links_of(record: Record, uid_of: UidOf) -> tuple[str | int, ...]:
    """Return the names that fill the record's link shapes.

    Args:
        record: what points.
        uid_of: gives the owner's packed uid, that of its row if there is one, so that
            the two share it.
    """
    intern = sys.intern
    if record.owners:
        owners = record.owners
        names: list[str | int] = [intern(owner.name) for owner in owners]
        names += [uid_of(owner) for owner in owners]
        names += [intern(reference.name) for reference in record.references]
        return tuple(names)
    return tuple([intern(reference.name) for reference in record.references])


def fact_values_of(record: Record) -> tuple[str, ...]:
    """Return the values of the record's facts, short ones shared."""
    intern = sys.intern
    return tuple([intern(value) if len(value) <= 80 else value for _, value in record.facts])


_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def pack_uid(uid: str) -> int | str:
    """Return the uid as an integer when that loses nothing."""
    if _UUID.fullmatch(uid) is None:
        return uid
    return int(uid.replace("-", ""), 16)


def unpack_uid(packed: int | str) -> str:
    """Return the uid that was packed."""
    if isinstance(packed, str):
        return packed
    digits = f"{packed:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def pack_revision(revision: str) -> int | str:
    """Return the resourceVersion as an integer when that loses nothing."""
    plain = revision.isascii() and revision.isdigit() and len(revision) <= 20
    if plain and (revision[0] != "0" or revision == "0"):
        number = int(revision)
        return number if number <= _MOST_REVISION else revision
    return revision
