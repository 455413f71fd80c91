"""When two scalar values of the Kubernetes API mean the same.

Knows quantities, Go durations, moments and int-or-string. Knows nothing of objects.

Source: apimachinery resource.Quantity, metav1.Duration, intstr.IntOrString.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15,
    "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
    "Ei": Decimal(2) ** 60,
}
_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$")
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

QUANTITY_FIELDS = frozenset(
    {
        "limits",
        "requests",
        "hard",
        "capacity",
        "allocatable",
        "used",
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
        "overhead",
        "podFixed",
    }
)
"""Fields whose children are quantities."""
_QUANTITY_NAMES = frozenset(
    {"sizeLimit", "divisor", "averageValue", "memory", "cpu", "storage", "ephemeral-storage"}
)
INT_OR_STRING = frozenset(
    {
        "targetPort",
        "port",
        "maxSurge",
        "maxUnavailable",
        "minAvailable",
        "partition",
        "nodeStartupTimeout",
        "unhealthyRange",
        "maxUnhealthy",
    }
)


def quantity_of(value: object) -> Decimal | None:
    """A quantity's number, or None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _QUANTITY.match(str(value))
    if not match:
        return None
    try:
        number = Decimal(match[1] + (match[2] or ""))
    except InvalidOperation:
        return None
    return number * _SUFFIXES[match[3] or ""]


def duration_s(value: object) -> Decimal | None:
    """Seconds of a Go duration such as ``1h30m``, or None if it is none."""
    if not isinstance(value, str) or not value:
        return None
    sign = -1 if value.startswith("-") else 1
    body = value.lstrip("+-")
    if body == "0":
        return Decimal(0)
    parts = _DURATION.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        return None
    return sign * sum((Decimal(number) * _SECONDS[unit] for number, unit in parts), Decimal(0))


def _moment_of(value: object) -> datetime | None:
    if not isinstance(value, str) or not _MOMENT.match(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def same_value(desired: object, live: object, fields: Sequence[str]) -> bool:
    """Whether an API server that is given one scalar would store the other.

    Args:
        desired: value as written in git.
        live: value as the server answers it.
        fields: names of the fields from the top to the value.
    """
    if isinstance(desired, bool) or isinstance(live, bool):
        return desired is live
    if desired == live:
        return True
    name = fields[-1] if fields else ""
    parent = fields[-2] if len(fields) > 1 else ""
    if isinstance(desired, int | float) and isinstance(live, int | float):
        return float(desired) == float(live)
    if parent in QUANTITY_FIELDS or name in _QUANTITY_NAMES:
        first, second = quantity_of(desired), quantity_of(live)
        return first is not None and first == second
    if isinstance(desired, str) and isinstance(live, str):
        first, second = duration_s(desired), duration_s(live)
        if first is not None and first == second:
            return True
        begin, end = _moment_of(desired), _moment_of(live)
        return begin is not None and begin == end
    return name in INT_OR_STRING and str(desired) == str(live)


def wrong_type(desired: object, live: object, fields: Sequence[str]) -> str:
    """What a built-in API's server says to a scalar of another type; empty if nothing."""
    name = fields[-1] if fields else ""
    parent = fields[-2] if len(fields) > 1 else ""
    if parent in QUANTITY_FIELDS or name in _QUANTITY_NAMES or name in INT_OR_STRING:
        return ""
    kinds = {bool: "boolean", int: "number", float: "number", str: "text"}
    wanted, given = kinds.get(type(live)), kinds.get(type(desired))
    if wanted and given and wanted != given:
        return f"the API server refuses it: expected {wanted}, got {given}"
    return ""
