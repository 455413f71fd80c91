"""The digest that Flux records of a release's values, to the byte that it is made of.

Knows how Flux writes values before it hashes them: which texts Go's YAML 1.1 writer
quotes, how it writes numbers, where it folds lines. One byte more or less is another
digest, and a release with the very same values would be told as changed.

Source: fluxcd/pkg chartutil (``DigestValues``, ``Encode``, ``SortMapSlice``);
go.yaml.in/yaml v2.4 (encoder, resolver); sigs.k8s.io/yaml v1.6
(``JSONObjectToYAMLObject``); Go strconv (``FormatFloat``).
"""

import hashlib
import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import yaml

_TEXT_TAG = "tag:yaml.org,2002:str"
_WORDS = frozenset(
    form
    for word in ("y", "yes", "on", "n", "no", "off", "true", "false", "null")
    for form in (word, word.capitalize(), word.upper())
) | {"", "~", ".nan", ".NaN", ".NAN"}
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_INTEGER = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)", re.ASCII
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", re.ASCII)
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})"
    r"| +([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?)?",
    re.ASCII,
)
_LATEST = (24, 60, 60)
"""What hours, minutes and seconds stay below."""
_FIXED = range(-4, 6)
"""Powers of ten that Go writes without an exponent."""


def values_digest(values: Mapping[str, object]) -> str:
    """What helm-controller records as ``configDigest`` for these values."""
    return f"sha256:{hashlib.sha256(values_text(values).encode()).hexdigest()}"


def values_text(values: Mapping[str, object]) -> str:
    """The text that the digest is of: nothing for no values."""
    if not values:
        return ""
    text: str = yaml.dump(
        values, Dumper=_GoDumper, default_flow_style=False, allow_unicode=True, sort_keys=True
    )
    return text


class _GoDumper(yaml.CSafeDumper):
    """Writes as Go does; what needs quotes is told by the representers, not resolved."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 — PyYAML's own protocol

    def ignore_aliases(self, data: object) -> bool:
        return True


def _plain(dumper: _GoDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TEXT_TAG, text)


def _text(dumper: _GoDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else '"' if _means_more(text) else None
    return dumper.represent_scalar(_TEXT_TAG, text, style=style)


def _boolean(dumper: _GoDumper, value: bool) -> yaml.ScalarNode:
    return _plain(dumper, "true" if value else "false")


def _number(dumper: _GoDumper, value: float) -> yaml.ScalarNode:
    return _plain(dumper, number_text(value))


def _nothing(dumper: _GoDumper, _: None) -> yaml.ScalarNode:
    return _plain(dumper, "null")


_GoDumper.add_representer(str, _text)
_GoDumper.add_representer(bool, _boolean)
_GoDumper.add_representer(int, _number)
_GoDumper.add_representer(float, _number)
_GoDumper.add_representer(type(None), _nothing)


def number_text(number: float) -> str:
    """A number as Go writes it; all are doubles there, whole ones look like integers."""
    try:
        value = float(number)
    except OverflowError:
        return str(number)
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if value.is_integer() and -(2**63) <= value < 2**64:
        return str(int(value))
    shortest = Decimal(repr(value)).normalize()
    power = shortest.adjusted()
    if power in _FIXED:
        return f"{shortest:f}"
    first, *rest = (str(digit) for digit in shortest.as_tuple().digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' if value < 0 else ''}{mantissa}e{power:+03d}"


def _means_more(text: str) -> bool:
    """Whether a text without quotes would be read as something else, in YAML 1.1."""
    if text in _WORDS or _INFINITE.fullmatch(text) or _BASE_60.fullmatch(text):
        return True
    if text[0] == ".":
        return _is_float(text)
    if text[0] not in "+-0123456789":
        return False
    digits = text.replace("_", "")
    return _is_moment(text) or _is_integer(digits) or _is_float(digits)


def _is_integer(text: str) -> bool:
    if not _INTEGER.fullmatch(text):
        return False
    unsigned = text.lstrip("+-")
    is_octal = len(unsigned) > 1 and unsigned.isdigit() and unsigned[0] == "0"
    value = int(unsigned, 8 if is_octal else 0)
    return value < 2**64 if unsigned == text else value < 2**63


def _is_float(text: str) -> bool:
    """Whether it is one that a double holds: ``12e45678`` is a text."""
    return bool(_FLOAT.fullmatch(text)) and math.isfinite(float(text))


def _is_moment(text: str) -> bool:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return False
    year, month, day, *clock = (int(part) for part in found.groups() if part is not None)
    try:
        date(year or 4, month, day)  # the year 0 of Go has a 29th of February, as 4 has
    except ValueError:
        return False
    return all(part < limit for part, limit in zip(clock, _LATEST, strict=False))
