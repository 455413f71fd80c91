"""Makes text from clusters, files and programs safe to show in a terminal.

Knows Unicode's control and format characters; knows nothing of widths in cells,
colours or markup. Everything that a cluster, plug-in, file or server says passes
``safe_text`` before it reaches a display.

Source: Unicode 15 general categories Cc, Cf, Cs and Mn; Trojan Source (bidi
controls); ECMA-48 for C1.
"""

import re
import unicodedata

MAX_LENGTH = 4096
"""Longest text shown in one cell or line, in characters."""

MAX_MARKS = 3
"""Most combining marks shown on one character."""

_SUSPECT = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0300-\u036f\u061c\u0483-\u0489\u070f\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u2028-\u202e\u2060-\u206f\u20d0-\u20ff"
    "\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e01ef]"
)


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"<U+{code:04X}>"


def safe_text(text: str, *, limit: int = MAX_LENGTH, multiline: bool = False) -> str:
    """Text in which nothing can steer a terminal or reorder what is read.

    Control characters, C1, ESC, bidi controls, zero-width characters, tags and
    lone surrogates become visible marks; tabs become spaces; line breaks become
    spaces unless ``multiline``; more than ``MAX_MARKS`` combining marks in a row
    are dropped. Idempotent. Costs one regular-expression scan for clean text.

    Args:
        text: any string.
        limit: longest result in characters; longer text ends in ``…``.
        multiline: keep line feeds (carriage returns before them are dropped).
    """
    if len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"
    if not _SUSPECT.search(text):
        return text
    result: list[str] = []
    marks = 0
    for character in text.replace("\r\n", "\n"):
        if not _SUSPECT.match(character):
            marks = 0
            result.append(character)
        elif character == "\n":
            result.append("\n" if multiline else " ")
        elif character == "\t":
            result.append("    " if multiline else " ")
        elif unicodedata.category(character) == "Mn" and not 0xFE00 <= ord(character) <= 0xFE0F:
            marks += 1
            if marks <= MAX_MARKS:
                result.append(character)
        else:
            result.append(_visible(character))
    return "".join(result)[: limit * 8]


def one_line(text: str, *, limit: int = MAX_LENGTH) -> str:
    """The first line with something in it, bullets and indentation removed, safe to show."""
    for line in text.splitlines():
        bare = line.strip().lstrip("*").strip()
        if bare:
            return safe_text(bare, limit=limit)
    return ""


_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86_400, 31_536_000


def _two(count: int, unit: str, rest: int, small: str) -> str:
    return f"{count}{unit}{rest}{small}" if rest else f"{count}{unit}"


def age_text(seconds: float) -> str:
    """An age as kubectl writes it: ``90s``, ``9m5s``, ``12m``, ``3h5m``, ``2d4h``, ``200d``.

    Negative ages, which come from clocks that disagree, read ``0s``.
    Source: k8s.io/apimachinery pkg/util/duration HumanDuration (the same limits).
    """
    age = max(int(seconds), 0)
    minutes, hours, days = age // _MINUTE, age // _HOUR, age // _DAY
    if minutes < 2:
        return f"{age}s"
    if minutes < 10:
        return _two(minutes, "m", age % _MINUTE, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    years = age // _YEAR
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"
