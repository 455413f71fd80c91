"""Hides what looks like a secret, by the name of its key or by its own shape.

Knows words that name secrets and shapes of keys and tokens; knows no file, kind
or display. Errs on the side of hiding.
"""

import re
from collections.abc import Mapping
from typing import Any

MASK = "•••"

_SECRET_WORD = re.compile(
    r"password|passwd|passphrase|token|secret|credential|connection.?string|private.?key"
    r"|api.?key|access.?key|\bkey\b|(?<![a-z])sas(?![a-z])",
    re.IGNORECASE,
)
_SECRET_SHAPE = re.compile(
    r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)"
    r"|\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)*"
    r"|\b(?:gh[pousr]_|xox[abpr]-|AKIA)[A-Za-z0-9-]{12,}"
    r"|(?i:bearer)\s+[A-Za-z0-9._~+/-]{8,}=*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|\b[A-Za-z0-9+/]{64,}={0,2}",
    re.DOTALL,
)


_REFERENCE = re.compile(r"(?:Ref|Refs|Name|Names|Namespace)$")
"""Ends of keys that only say where a secret is."""


def is_secret_name(name: str) -> bool:
    """Whether a key of that name is likely to hold a secret, not just to point at one."""
    return bool(_SECRET_WORD.search(name)) and not _REFERENCE.search(name)


def masked_text(text: str) -> str:
    """The text without keys, tokens and passwords that can be told by their shape."""
    return _SECRET_SHAPE.sub(MASK, text)


def masked(value: Any, name: str = "") -> Any:
    """The JSON value with whatever looks like a secret replaced by a mark.

    Objects and lists keep their shape. Values of a JSON-patch operation are judged
    by the last part of its path, and a Kubernetes Secret's ``data`` and
    ``stringData`` are hidden whole.
    """
    if isinstance(value, Mapping):
        return {key: masked(item, _name_of(value, str(key), name)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, name) for item in value]
    if isinstance(value, str):
        return MASK if value and is_secret_name(name) else masked_text(value)
    if value is None or isinstance(value, bool):
        return value
    return MASK if is_secret_name(name) else value


def _name_of(holder: Mapping[str, Any], key: str, outer: str) -> str:
    """The name by which a value is judged: its key, or the path of its patch operation."""
    if key == "value" and "op" in holder:
        return str(holder.get("path", "")).rpartition("/")[2].replace("~1", "/")
    if key == "value" and "name" in holder:
        return str(holder.get("name", ""))
    if key == "data" and holder.get("kind") == "Secret":
        return "secret"
    return "secret" if is_secret_name(outer) or key == "stringData" else key
