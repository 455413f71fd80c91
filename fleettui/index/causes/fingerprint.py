"""What makes two reasons the same reason: names, ids, numbers and times taken out."""

import hashlib
import re
from typing import Final

_RULES: Final = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b(?:sha1|sha256):[0-9a-f]{7,64}\b"), "<digest>"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "<id>"),
    (re.compile(r"(?:/[\w.@-]+){2,}/?"), "<path>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"\bv?\d+(?:\.\d+)+(?:[-+][\w.]+)?\b"), "<version>"),
    (re.compile(r"\b[a-z0-9]+(?:[-.][a-z0-9]+)*-[a-z0-9]*\d[a-z0-9]*(?:-[a-z0-9]+)*\b"), "<name>"),
    (re.compile(r"\b\d+(?:[smhd]|ms|%|Mi|Gi|Ki)?\b"), "<n>"),
)


def abstract(message: str, names: tuple[str, ...] = ()) -> str:
    """The message with everything taken out that differs between equal troubles.

    Args:
        message: raw text.
        names: names of the object and those around it, longest first.
    """
    text = message
    for name in names:
        if len(name) > 2:
            text = text.replace(name, "<name>")
    for rule, stand_in in _RULES:
        text = rule.sub(stand_in, text)
    return " ".join(text.split())[:400]


def fingerprint(state: str, kind: str, condition: str, reason: str, abstracted: str) -> str:
    """Twelve hexadecimal digits, the same for equal reasons in every run."""
    text = "\x1f".join((state, kind, condition, reason, abstracted))
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=6).hexdigest()
