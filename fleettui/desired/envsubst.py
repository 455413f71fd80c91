"""Expands ``${var}`` in text exactly as Flux's post-build substitution does.

Knows the grammar and its oddities: which operators exist, what ``$$`` and
backslashes do, that an operator it does not know is an error and that ``:+`` and
``:?`` act as defaults. Knows nothing of YAML or of where values come from.

Source: behaviour of github.com/fluxcd/pkg/envsubst at e2cfd1a (July 2026), which
kustomize-controller v1.9 uses.
"""

import re
from collections.abc import Callable

from fleettui.errors import FleettuiError

Lookup = Callable[[str], str | None]
"""Value of a variable; None: it is not set."""


class SubstitutionError(FleettuiError):
    """An expression cannot be expanded, or a variable is missing in strict mode."""


_DEFAULTS = frozenset({"=", ":=", ":-", ":?", ":+"})
_NEST_LIMIT = 50


def expand(text: str, lookup: Lookup, *, strict: bool = False) -> str:
    """Text with every ``${…}`` replaced.

    Args:
        text: any text; ``$name`` without braces is left alone, ``$$`` is one ``$``.
        lookup: values; an unset variable is empty unless ``strict``.
        strict: an unset variable without a default operator is an error.

    Raises:
        SubstitutionError: malformed expression or, when strict, an unset variable.
    """
    if "$" not in text:
        return text
    return _Expander(text, lookup, strict).template()


class _Expander:
    """Reads the text once, left to right, expanding as it goes."""

    def __init__(self, text: str, lookup: Lookup, strict: bool) -> None:
        self._text = text
        self._lookup = lookup
        self._strict = strict
        self._at = 0
        self._depth = 0

    def template(self) -> str:
        """The whole text, expanded."""
        text = self._text
        parts: list[str] = []
        while self._at < len(text):
            dollar = text.find("$", self._at)
            if dollar < 0:
                parts.append(text[self._at :])
                break
            parts.append(text[self._at : dollar])
            following = text[dollar + 1 : dollar + 2]
            if following == "$":
                self._at = dollar + 2
                parts.append(self._escaped_dollar())
            elif following == "{":
                self._at = dollar + 2
                parts.append(self._expression())
            else:
                parts.append("$")
                self._at = dollar + 1
        return "".join(parts)

    def _escaped_dollar(self) -> str:
        """``$`` of ``$$``; the brace after it opens nothing."""
        if self._text[self._at : self._at + 1] == "{":
            self._at += 1
            return "${"
        return "$"

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, count: int) -> str:
        taken = self._text[self._at : self._at + count]
        self._at += count
        return taken

    def _bad(self, what: str = "bad substitution") -> SubstitutionError:
        line = self._text.count("\n", 0, self._at) + 1
        return SubstitutionError(f"variable substitution failed: {what} (line {line})")

    def _close(self) -> None:
        if self._peek() != "}":
            raise self._bad()
        self._at += 1

    def _name(self, missing: str) -> str:
        begin = self._at
        while self._peek() and (
            self._peek().isalpha() or self._peek().isdecimal() or self._peek() == "_"
        ):
            self._at += 1
        if self._at == begin:
            raise self._bad(missing)
        return self._text[begin : self._at]

    def _expression(self) -> str:
        """What stands between ``${`` and its ``}``; the opening is consumed."""
        self._depth += 1
        if self._depth > _NEST_LIMIT:
            raise self._bad("expressions nested too deeply")
        if self._peek() == "#":
            self._at += 1
            name = self._name("bad substitution")
            self._close()
            result = str(len(self._value(name, "#").encode()))
        else:
            result = self._operation(self._name("unable to parse variable name"))
        self._depth -= 1
        return result

    def _operation(self, name: str) -> str:
        following = self._peek()
        after = self._text[self._at + 1 : self._at + 2]
        if following == "=" or (following == ":" and after and after in "=-?+"):
            return self._default(name)
        if following == ":":
            return self._substring(name)
        if following and following in ",^":
            return self._casing(name)
        if following == "/":
            return self._replacement(name)
        if following and following in "#%":
            return self._removal(name)
        if following != "}":
            raise self._bad("missing closing brace")
        self._at += 1
        return self._value(name, "")

    def _value(self, name: str, operator: str) -> str:
        value = self._lookup(name)
        if value is None:
            if self._strict and operator not in _DEFAULTS:
                message = f'variable substitution failed: variable not set (strict mode): "{name}"'
                raise SubstitutionError(
                    message, hint=f"define {name} or give it a default: ${{{name}:=…}}"
                )
            return ""
        return value

    def _argument(self, stop: str, *, escapes: bool = False) -> str:
        """One argument: an expression, or text up to a stop character or an expression."""
        if self._text.startswith("${", self._at):
            self._at += 2
            return self._expression()
        if not self._peek() or (self._peek() in stop and not escapes):
            raise self._bad("unable to parse substitution within function")
        parts: list[str] = []
        while self._peek():
            if self._text.startswith("${", self._at):
                break
            pair = self._text[self._at : self._at + 2]
            if escapes and pair in {"\\/", "\\\\", "$$"}:
                parts.append(pair[1])
                self._at += 2
            elif self._peek() in stop:
                break
            else:
                parts.append(self._take(1))
        if not parts:
            raise self._bad("unable to parse substitution within function")
        return "".join(parts)

    def _default(self, name: str) -> str:
        operator = self._take(1 if self._peek() == "=" else 2)
        parts: list[str] = []
        while self._peek() != "}":
            parts.append(self._argument("}"))
        self._close()
        return self._value(name, operator) or "".join(parts)

    def _substring(self, name: str) -> str:
        self._at += 1
        position = self._argument(":}")
        length: str | None = None
        if self._peek() == ":":
            while self._peek() == ":":
                self._at += 1
            length = self._argument("}")
        self._close()
        return _slice_of(self._value(name, ":"), position, length)

    def _casing(self, name: str) -> str:
        operator = self._take(1)
        while self._peek() and self._peek() in ",^" and len(operator) < 2:
            operator += self._take(1)
        self._close()
        value = self._value(name, operator)
        match operator:
            case ",,":
                return value.lower()
            case "^^":
                return value.upper()
            case ",":
                return value[:1].lower() + value[1:]
            case "^":
                return value[:1].upper() + value[1:]
        return value

    def _replacement(self, name: str) -> str:
        operator = self._take(1)
        if self._peek() and self._peek() in "/#%":
            operator += self._take(1)
        old = self._argument("/", escapes=True)
        if self._peek() != "/":
            raise self._bad()
        while self._peek() == "/":
            self._at += 1
        new: str | None = None
        if self._peek() != "}":
            new = self._argument("}", escapes=True)
        self._close()
        return _replaced(self._value(name, operator), operator, old, new)

    def _removal(self, name: str) -> str:
        sign = self._peek()
        operator = self._take(1)
        if self._peek() == sign:
            operator += self._take(1)
        pattern = self._argument("}")
        self._close()
        value = self._value(name, operator)
        if sign == "#":
            return _without_prefix(value, pattern, shortest=operator == "#")
        stripped = _without_prefix(value[::-1], pattern[::-1], shortest=operator == "%")
        return stripped[::-1]


def _whole_number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else None


def _slice_of(value: str, position: str, length: str | None) -> str:
    """Substring in bytes, the way Go slices; a position that is no number changes nothing."""
    raw = value.encode()
    begin = _whole_number(position)
    if begin is None:
        return value
    if begin < 0:
        begin = max(len(raw) + begin, 0)
    if length is None:
        return raw[begin:].decode(errors="replace")
    count = _whole_number(length)
    if count is None:
        return value
    if begin + count >= len(raw):
        return raw[begin:].decode(errors="replace")
    if count < 0:
        raise SubstitutionError(f"variable substitution failed: length {count} is negative")
    return raw[begin : begin + count].decode(errors="replace")


def _replaced(value: str, operator: str, old: str, new: str | None) -> str:
    match operator:
        case "/":
            return value.replace(old, new or "", 1)
        case "//":
            return value.replace(old, new or "")
        case "/#":
            return (
                value.replace(old, new, 1) if new is not None and value.startswith(old) else value
            )
        case "/%":
            ends = new is not None and value.endswith(old)
            return value[: len(value) - len(old)] + (new or "") if ends else value
    return value


def _without_prefix(value: str, pattern: str, *, shortest: bool) -> str:
    """Value less the longest or shortest non-empty beginning that matches a pattern."""
    expression = _pattern_of(pattern)
    if expression is None:
        return value
    lengths = range(1, len(value) + 1) if shortest else range(len(value), 0, -1)
    for length in lengths:
        if expression.fullmatch(value, 0, length):
            return value[length:]
    return value


def _pattern_of(pattern: str) -> re.Pattern[str] | None:
    """A shell pattern as a regular expression; None if it is malformed."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "*":
            if not parts or parts[-1] != ".*":
                parts.append(".*")
        elif character == "?":
            parts.append(".")
        elif character == "\\":
            at += 1
            if at == len(pattern):
                return None
            parts.append(re.escape(pattern[at]))
        elif character == "[":
            end = pattern.find("]", at + 2)
            if end < 0:
                return None
            inner = pattern[at + 1 : end]
            negated = inner.startswith("^")
            body = inner[1:] if negated else inner
            parts.append(
                "[" + ("^" if negated else "") + re.sub(r"([\[\]\\&~|^])", r"\\\1", body) + "]"
            )
            at = end
        else:
            parts.append(re.escape(character))
        at += 1
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return None
