"""Causes that a person does not want to see for a while, and when causes were last looked at.

Kept locally, never in a cluster: a mute says "I know", not "it is solved". A mute
ends at its time, or when the cause is gone and comes back after its end.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from fleettui.errors import UsageError
from fleettui.fleet.state_file import read_state, write_state

FILE_NAME: Final = "mutes.json"
LIMIT_BYTES: Final = 4 << 20
LONGEST_S: Final = 90 * 86400
"""A mute for ever is a hole in the fence."""
SEEN_KEPT: Final = 5000


class Mute(msgspec.Struct, frozen=True):
    """One muted cause."""

    fingerprint: str
    reason: str
    until: int
    """When it ends, Unix seconds."""
    since: int
    title: str = ""
    """What was muted, for a person to recognise; raw text."""


class _Saved(msgspec.Struct):
    mutes: list[Mute] = msgspec.field(default_factory=list)
    seen: dict[str, int] = msgspec.field(default_factory=dict)
    """Fingerprint to when it was first seen."""
    sizes: dict[str, int] = msgspec.field(default_factory=dict)
    """Fingerprint to how many objects it hit at the last look."""
    looked_at: int = 0


class Mutes:
    """Mutes and first sightings, with a file behind them."""

    def __init__(self, folder: Path) -> None:
        """Loads what was kept; a file that cannot be understood counts as none. Blocks."""
        self._path = folder / FILE_NAME
        self._stamp = 0
        self._saved = _Saved()
        self._read_again()
        self.looked_at = self._saved.looked_at
        """When causes were last looked at before now, Unix seconds; 0: never."""
        self._sizes = dict(self._saved.sizes)

    def _read_again(self) -> None:
        """Takes in what another process of the same person wrote meanwhile. Blocks."""
        try:
            stamp = self._path.stat().st_mtime_ns
        except OSError:
            return  # there is no file yet
        if stamp == self._stamp:
            return
        self._stamp = stamp
        data = read_state(self._path, limit_bytes=LIMIT_BYTES)
        try:
            self._saved = msgspec.json.decode(data, type=_Saved) if data else _Saved()
        except msgspec.MsgspecError:
            self._saved = _Saved()

    def active(self, now: int) -> dict[str, Mute]:
        """Mutes that hold now, by fingerprint; those set elsewhere meanwhile as well."""
        self._read_again()
        return {mute.fingerprint: mute for mute in self._saved.mutes if mute.until > now}

    def mute(self, fingerprint: str, *, reason: str, until: int, now: int, title: str = "") -> Mute:
        """Mutes a cause.

        Raises:
            UsageError: there is no reason, or the end is not within three months.
            FleettuiError: the state folder cannot be written to.
        """
        if not reason.strip():
            raise UsageError("a mute needs a reason", hint="say who is working on it, or why not")
        if not now < until <= now + LONGEST_S:
            raise UsageError("a mute ends within 90 days", hint="give an end such as 4h or 3d")
        self._read_again()
        muted = Mute(fingerprint, reason.strip(), until, now, title)
        others = [m for m in self._saved.mutes if m.fingerprint != fingerprint and m.until > now]
        self._saved.mutes = [*others, muted]
        self._save()
        return muted

    def unmute(self, fingerprint: str) -> bool:
        """Takes a mute back; returns whether there was one."""
        self._read_again()
        kept = [mute for mute in self._saved.mutes if mute.fingerprint != fingerprint]
        was_muted = len(kept) != len(self._saved.mutes)
        if was_muted:
            self._saved.mutes = kept
            self._save()
        return was_muted

    def note_seen(self, found: Mapping[str, int], now: int, *, is_look: bool = True) -> None:
        """Remembers causes that are there now, and that they were looked at.

        Args:
            found: fingerprint of each cause to how many objects it hits.
            now: Unix seconds.
            is_look: whether a person reads them; a script that does is none.

        Raises:
            FleettuiError: the state folder cannot be written to.
        """
        self._read_again()
        seen = self._saved.seen
        kept = {fingerprint: seen.get(fingerprint, now) for fingerprint in found}
        rest = [(at, key) for key, at in seen.items() if key not in kept]
        rest.sort(reverse=True)
        kept |= {key: at for at, key in rest[: max(0, SEEN_KEPT - len(kept))]}
        self._saved.seen = kept
        if is_look:
            self._saved.sizes = dict(found)
            self._saved.looked_at = now
        self._save()

    def size_before(self, fingerprint: str) -> int | None:
        """Objects that the cause hit at the last look before now; None: it was not there."""
        return self._sizes.get(fingerprint)

    def first_seen(self, fingerprint: str) -> int:
        """When the cause was first seen here, Unix seconds; 0: never before."""
        return self._saved.seen.get(fingerprint, 0)

    def is_new(self, fingerprint: str) -> bool:
        """Whether it appeared after the last look."""
        seen = self.first_seen(fingerprint)
        return self.looked_at > 0 and (seen == 0 or seen > self.looked_at)

    def _save(self) -> None:
        write_state(self._path, msgspec.json.encode(self._saved))
        self._stamp = self._path.stat().st_mtime_ns
