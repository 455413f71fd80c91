"""Hides what must not be seen in a difference: Secrets' contents, keys and tokens.

Knows Secrets, the shapes of keys and tokens, and the names that give a value away in
places where people put values. Equal values stay equal when masked, different ones
different. Knows nothing of how a difference is found.

Source: ``flux diff`` masks as ``*** (before)`` and ``*** (after)``.
"""

import re
from collections.abc import Iterable

from fleettui.desired.hunks import MISSING, Hunk, Path, field_names
from fleettui.desired.objects import Manifest, mapping_of
from fleettui.desired.unknown import is_unknown

SAME = "***"
BEFORE = "*** (before)"
AFTER = "*** (after)"

_NAME = re.compile(
    r"password|passwd|passphrase|(?<![a-z])token|secret(?!name|ref|keyref|s$)|private.?key|api.?key"
    r"|access.?key|credential|connection.?string|(?<![a-z])sas(?![a-z])",
    re.IGNORECASE,
)
_SHAPE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|^eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\."
    r"|^gh[pousr]_[A-Za-z0-9]{30,}|^AKIA[A-Z0-9]{16}$|://[^/@\s:]+:[^/@\s]+@"
)
_SECRET_FIELDS = ("data", "stringData")
_VALUE_PLACES = frozenset({"values", "data", "env", "parameters", "valuesObject", "variables"})
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def masked_object(document: Manifest, other: Manifest) -> dict[str, object]:
    """A copy of an object without secrets; values that ``other`` has too show as equal."""
    secret = document.get("kind") == "Secret" and document.get("apiVersion") == "v1"
    result: dict[str, object] = {}
    for name, value in document.items():
        if secret and name in _SECRET_FIELDS:
            counterpart = mapping_of(other.get(name))
            result[name] = {
                key: _masked_entry(item, counterpart.get(key))
                for key, item in mapping_of(value).items()
            }
        else:
            result[name] = _walk(value, (name,))
    return result


def _masked_entry(value: object, other: object) -> object:
    if is_unknown(value):
        return value
    return SAME if other is None or value == other or is_unknown(other) else "*** (differs)"


def _walk(value: object, path: Path) -> object:
    if isinstance(value, dict):
        named = value.get("name")
        inner = (*path, named) if isinstance(named, str) and "value" in value else path
        return {
            key: _walk(item, (*inner, key))
            for key, item in value.items()
            if key not in (_LAST_APPLIED, "managedFields")
        }
    if isinstance(value, list):
        return [_walk(item, path) for item in value]
    return SAME if _is_sensitive(value, path) else value


def _is_sensitive(value: object, path: Path) -> bool:
    if not isinstance(value, str) or not value or is_unknown(value):
        return False
    if _SHAPE.search(value):
        return True
    names = [name for step in path for name in _names_of(step)]
    if not _VALUE_PLACES.intersection(names):
        return False
    tail = names[-2:] if names[-1:] == ["value"] else names[-1:]
    return any(_NAME.search(name) for name in tail)


def _names_of(step: object) -> list[str]:
    if isinstance(step, str):
        return [step]
    if isinstance(step, tuple):
        return [str(value) for field, value in step if field == "name"]
    return []


def masked_hunks(hunks: Iterable[Hunk], *, kind: str, group: str) -> tuple[Hunk, ...]:
    """Hunks without secrets."""
    secret = kind == "Secret" and not group
    return tuple(_masked_hunk(hunk, secret=secret) for hunk in hunks)


def _masked_hunk(hunk: Hunk, *, secret: bool) -> Hunk:
    fields = field_names(hunk.path)
    whole = secret and bool(fields) and fields[0] in _SECRET_FIELDS
    before = _masked_side(hunk.before, hunk.path, BEFORE, whole=whole)
    after = _masked_side(hunk.after, hunk.path, AFTER, whole=whole)
    return Hunk(hunk.path, before, after, hunk.reason)


def _masked_side(value: object, path: Path, mask: str, *, whole: bool) -> object:
    if value is MISSING or is_unknown(value):
        return value
    if whole:
        return dict.fromkeys(value, mask) if isinstance(value, dict) else mask
    if isinstance(value, dict | list):
        return _walk(value, path)
    return mask if _is_sensitive(value, path) else value
