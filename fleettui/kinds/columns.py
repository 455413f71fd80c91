"""What is shown of a row: cells, their tones and their sort keys.

Knows how raw facts become short texts; knows no colours, widths or screens. Text is as
hostile as the cluster it came from: whoever draws it passes it through ``safe_text``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fleettui.kinds.certificates import last_end
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.record import Record, Replicas, Verdict
from fleettui.kinds.spec import ColumnSpec, KindSpec


class Tone(StrEnum):
    """What a cell means, for themes to colour."""

    PLAIN = "plain"
    DIM = "dim"
    GOOD = "good"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row as a person sees it."""

    text: str
    tone: Tone = Tone.PLAIN
    sort_key: float | str = ""
    """Orders cells of a column; a number before any text."""


Renderer = Callable[[str], Cell]

_SHA = re.compile(r"^(?P<head>.*?)(?P<kind>sha1|sha256):(?P<digest>[0-9a-f]{12,})$")
_OLD_REVISION = re.compile(r"^(?P<head>.+)/(?P<digest>[0-9a-f]{40})$")
_SHORT = {"sha1": 8, "sha256": 12}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def _text(raw: str) -> Cell:
    return Cell(raw, sort_key=raw.lower())


def short_revision(raw: str) -> str:
    """A Flux or git revision with its digest cut short: ``main@sha1:1a2b3c4d``."""
    match = _SHA.match(raw)
    if match:
        return f"{match['head']}{match['kind']}:{match['digest'][: _SHORT[match['kind']]]}"
    match = _OLD_REVISION.match(raw)
    if match:
        return f"{match['head']}/{match['digest'][:8]}"
    return raw[:8] if re.fullmatch(r"[0-9a-f]{40}", raw) else raw


def _revision(raw: str) -> Cell:
    return Cell(short_revision(raw), sort_key=raw)


def _count(raw: str) -> Cell:
    try:
        return Cell(raw, sort_key=float(raw))
    except ValueError:
        return Cell(raw, sort_key=raw)


def _yes_no(raw: str) -> Cell:
    words = {"true": "yes", "false": "no"}
    return Cell(words.get(raw.lower(), raw), sort_key=raw)


def _bytes(raw: str) -> Cell:
    if not raw.isdecimal():
        return _text(raw)
    size = float(raw)
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            break
        size /= 1024
    text = f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
    return Cell(text, sort_key=float(raw))


def _image(raw: str) -> Cell:
    return Cell(raw.rpartition("/")[2], sort_key=raw)


def _url(raw: str) -> Cell:
    """An address without user and password."""
    scheme, separator, rest = raw.partition("://")
    host, slash, path = rest.partition("/")
    shown = f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else raw
    return Cell(shown, sort_key=shown)


def _zone(raw: str) -> Cell:
    """The zone in a provider ID such as ``aws:///eu-west-1c/i-0abc`` or ``gce://p/zone/name``."""
    parts = raw.partition("://")[2].split("/")
    return _text(parts[-2] if len(parts) > 1 else "")


_STATES: Mapping[str, Tone] = {
    word: tone
    for tone, words in {
        Tone.GOOD: "running ready active succeeded provisioned bound ok synced healthy deployed",
        Tone.BUSY: "pending creating updating provisioning starting deleting progressing building"
        " scaling stopping pending-install pending-upgrade",
        Tone.BAD: "failed error terminated degraded create_failed stopped shutoff missing"
        " delete_failed canceled",
        Tone.WARN: "outofsync unknown suspended superseded",
    }.items()
    for word in words.split()
}


def _state(raw: str) -> Cell:
    return Cell(raw, _STATES.get(raw.lower(), Tone.PLAIN), raw.lower())


def _ends(raw: str) -> Cell:
    """When the first of some certificate bundles ends, as a date."""
    ends = min((end for bundle in raw.split(",") if (end := last_end(bundle))), default=0)
    return Cell(rfc3339(ends)[:10], sort_key=ends) if ends else Cell("")


RENDERERS: Mapping[str, Renderer] = {
    "text": _text,
    "revision": _revision,
    "count": _count,
    "yes_no": _yes_no,
    "bytes": _bytes,
    "image": _image,
    "url": _url,
    "state": _state,
    "zone": _zone,
    "ends": _ends,
}
"""Render name of an entry to the function that draws the cell."""

VERDICT_TONES: Mapping[Verdict, Tone] = {
    Verdict.FAILED: Tone.BAD,
    Verdict.STALLED: Tone.BAD,
    Verdict.IN_PROGRESS: Tone.BUSY,
    Verdict.UNKNOWN: Tone.WARN,
    Verdict.CURRENT: Tone.GOOD,
}


def columns_of(spec: KindSpec) -> tuple[ColumnSpec, ...]:
    """Columns that a kind adds to those that every row has."""
    return spec.columns


def cells(record: Record, spec: KindSpec) -> tuple[Cell, ...]:
    """The cells of a record, one for each of its kind's columns."""
    facts = dict(record.facts)
    return tuple(
        RENDERERS[column.render](facts[column.name]) if column.name in facts else Cell("")
        for column in spec.columns
    )


def replicas_cell(replicas: Replicas | None) -> Cell:
    """Ready against desired replicas: ``2/3``; empty when nothing counts them."""
    if replicas is None:
        return Cell("", sort_key=-1.0)
    ready = replicas.ready if replicas.ready >= 0 else replicas.current
    if replicas.desired < 0:
        return Cell(str(ready) if ready >= 0 else "", sort_key=float(ready))
    have = max(ready, 0)
    tone = Tone.PLAIN if have == replicas.desired else Tone.WARN
    share = have / replicas.desired if replicas.desired else 1.0
    return Cell(f"{have}/{replicas.desired}", tone, share)
