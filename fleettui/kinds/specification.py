"""When an object's specification was last written, out of who wrote which fields.

Knows ``metadata.managedFields`` and nothing else; asked only of objects whose controller
is behind, so that the others cost no look.
Source: meta/v1 ManagedFieldsEntry; writes of a subresource have entries of their own.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

SPECIFIED_AT: Final = "specified_at"
"""Fact of an object whose controller is behind: when its specification last changed."""


class _Entry(msgspec.Struct, rename="camel", gc=False):
    time: str | None = None
    subresource: str = ""
    fields_v1: dict[str, msgspec.Raw] | None = None


_DECODER: Final = msgspec.json.Decoder(list[_Entry] | None)


def specified_at(managed: object) -> str:
    """The latest time at which any manager wrote below ``spec``, as the object has it.

    Args:
        managed: managedFields, as raw JSON or decoded; None where they are left out.
    """
    times = (
        entry.time
        for entry in _entries(managed)
        if entry.time and not entry.subresource and "f:spec" in (entry.fields_v1 or ())
    )
    return max(times, default="")


def _entries(managed: object) -> Iterable[_Entry]:
    try:
        if isinstance(managed, msgspec.Raw):
            return _DECODER.decode(managed) or ()
        if isinstance(managed, list):
            return [_entry(item) for item in managed if isinstance(item, Mapping)]
    except msgspec.ValidationError:
        return ()  # odd entries tell no time; the object is read all the same
    return ()


def _entry(item: Mapping[str, Any]) -> _Entry:
    fields = item.get("fieldsV1")
    time = item.get("time")
    return _Entry(
        time if isinstance(time, str) else None,
        str(item.get("subresource") or ""),
        dict.fromkeys(fields, msgspec.Raw()) if isinstance(fields, Mapping) else None,
    )
