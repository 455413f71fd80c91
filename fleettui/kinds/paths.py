"""Paths into documents, as data entries write them.

Knows the little language of ``kinds/data``: ``status.phase``, ``status.history[0].status``,
``status.addresses[].address`` (every element), ``{spec.host}:{spec.port}`` (all parts or
nothing), ``label:KEY`` and ``annotation:KEY``. Knows no kind.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import msgspec

Values = tuple[object, ...]
"""What a reader took out of one document, by position."""
Pick = Callable[[Values], object]
"""One answer out of those values; None when the document does not say."""

EACH = -1
"""Step that stands for every element of a list."""

_STEP = re.compile(r"([^.\[\]]+)((?:\[\d*\])*)")
_INDEX = re.compile(r"\[(\d*)\]")
_PART = re.compile(r"\{([^{}]+)\}")
_MAPS = {"label:": "metadata.labels", "annotation:": "metadata.annotations"}


class Path(NamedTuple):
    """One path, cut where a struct type can no longer follow it."""

    keys: tuple[str, ...]
    """Keys of nested objects."""
    rest: tuple[str | int, ...] = ()
    """Steps below the first list or map: keys, indexes, ``EACH``."""


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """The path that a text writes.

    Raises:
        ValueError: the text is no path.
    """
    for prefix, base in _MAPS.items():
        if text == prefix:
            raise ValueError(f"{text!r} is not a path")
        if text.startswith(prefix):
            return Path(tuple(base.split(".")), (text.removeprefix(prefix),))
    steps: list[str | int] = []
    at = 0
    while True:
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is not a path")
        steps.append(match[1])
        steps.extend(int(index) if index else EACH for index in _INDEX.findall(match[2]))
        at = match.end()
        if at == len(text):
            break
        if text[at] != ".":
            raise ValueError(f"{text!r} is not a path")
        at += 1
    for count, step in enumerate(steps):
        if isinstance(step, int):
            return Path(tuple(map(str, steps[:count])), tuple(steps[count:]))
    return Path(tuple(map(str, steps)))


def parts_of(text: str) -> tuple[str, ...]:
    """Plain paths that a path or a ``{a}:{b}`` pattern is made of."""
    return tuple(_PART.findall(text)) if "{" in text else (text,)


def is_given(value: object) -> bool:
    """Whether a value says something: not null, not empty; false and 0 say something."""
    return bool(value) or value == 0


def leaves_of(
    paths: Iterable[str], fixed: Iterable[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Shortest key sequences that cover all paths, ``fixed`` ones first.

    A path below another path's end is served by that end, whose value is then a map.
    """
    kept = list(dict.fromkeys(fixed))
    wanted = sorted({parse_path(part).keys for path in paths for part in parts_of(path)})
    covered = set(kept)
    for keys in sorted(wanted, key=len):
        if not any(keys[:size] in covered for size in range(1, len(keys) + 1)):
            covered.add(keys)
            kept.append(keys)
    return tuple(kept)


def walked(value: object, steps: tuple[str | int, ...]) -> object:
    """What stands below a value; None where it does not go so far.

    What readers leave as raw JSON, because most never look at it, is decoded here.
    """
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    for count, step in enumerate(steps):
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        elif not isinstance(value, list):
            return None
        elif step == EACH:
            found = [walked(item, steps[count + 1 :]) for item in value]
            return [item for item in found if is_given(item)] or None
        else:
            value = value[step] if step < len(value) else None
        if value is None:
            return None
    return value


def value_at(document: object, text: str) -> object:
    """What stands at a path or pattern of a decoded value; None where it says nothing."""
    if "{" not in text:
        path = parse_path(text)
        return walked(document, path.keys + path.rest)
    found = [value_at(document, part) for part in parts_of(text)]
    return _PART.sub("{}", text).format(*found) if all(map(is_given, found)) else None


class Picker:
    """Makes picks for paths, given the order of a reader's leaves."""

    def position(self, text: str) -> int:
        """Where a path's value stands among the leaves; -1 if it takes more than that."""
        if "{" in text:
            return -1
        position, rest = self._located(parse_path(text))
        return -1 if rest else position

    def all(self, texts: Sequence[str]) -> Callable[[Values], Values]:
        """The values at several paths, as one tuple."""
        positions = [self.position(text) for text in texts]
        if -1 in positions:
            picks = [self.pick(text) for text in texts]
            return lambda values: tuple([pick(values) for pick in picks])
        if not positions:
            return lambda values: ()
        if len(positions) == 1:
            only = positions[0]
            return lambda values: (values[only],)
        return itemgetter(*positions)

    def __init__(self, leaves: tuple[tuple[str, ...], ...]) -> None:
        self._positions = {keys: position for position, keys in enumerate(leaves)}

    def pick(self, text: str) -> Pick:
        """The value at a path, or the text of a pattern."""
        if "{" in text:
            return self._pattern(text)
        position, rest = self._located(parse_path(text))
        if not rest:
            return lambda values: values[position]
        return lambda values: walked(values[position], rest)

    def all_first(self, groups: Sequence[Sequence[str]]) -> Callable[[Values], Values]:
        """For each group of paths the first value that says something, as one tuple."""
        if all(len(group) == 1 for group in groups):
            return self.all([group[0] for group in groups])
        picks = [self.first(group) for group in groups]
        return lambda values: tuple([pick(values) for pick in picks])

    def first(self, texts: Sequence[str]) -> Pick:
        """The first of several paths that says something."""
        picks = [self.pick(text) for text in texts]
        if not picks:
            return lambda values: None
        positions = [self.position(text) for text in texts]
        if len(picks) == 1:
            at, only = positions[0], picks[0]
            if at >= 0:
                return lambda values: value if (value := values[at]) or value == 0 else None
            return self._guarded(
                texts, lambda values: value if is_given(value := only(values)) else None
            )
        if -1 not in positions:

            def chosen_plain(values: Values) -> object:
                for position in positions:
                    value = values[position]
                    if value or value == 0:
                        return value
                return None

            return chosen_plain

        def chosen(values: Values) -> object:
            for pick in picks:
                value = pick(values)
                if value or value == 0:
                    return value
            return None

        return self._guarded(texts, chosen)

    def _guarded(self, texts: Sequence[str], pick: Pick) -> Pick:
        """The pick, asked only when any leaf that it looks at is there."""
        positions = sorted(
            {self._located(parse_path(part))[0] for text in texts for part in parts_of(text)}
        )
        if len(positions) == 1:
            only = positions[0]
            return lambda values: None if values[only] is None else pick(values)
        take, absent = itemgetter(*positions), (None,) * len(positions)
        return lambda values: None if take(values) == absent else pick(values)

    def _located(self, path: Path) -> tuple[int, tuple[str | int, ...]]:
        for size in range(1, len(path.keys) + 1):
            position = self._positions.get(path.keys[:size])
            if position is not None:
                return position, path.keys[size:] + path.rest
        raise KeyError(".".join(path.keys))

    def _pattern(self, text: str) -> Pick:
        parts = _PART.findall(text)
        form = _PART.sub("{}", text)
        positions = [self.position(part) for part in parts]
        if len(positions) == 2 and -1 not in positions:
            left, right = positions
            write = form.format

            def paired(values: Values) -> object:
                one, other = values[left], values[right]
                if (one or one == 0) and (other or other == 0):
                    return write(one, other)
                return None

            return paired
        picks = [self.pick(part) for part in parts]

        def filled(values: Values) -> object:
            parts = [pick(values) for pick in picks]
            return form.format(*parts) if all(map(is_given, parts)) else None

        return filled


def text_of(value: object) -> str:
    """A value as one text: lists joined by commas, maps as ``key=value`` words."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, list | tuple):
        return ", ".join(text for item in value if (text := text_of(item)))
    if isinstance(value, Mapping):
        return " ".join(f"{key}={text_of(item)}" for key, item in value.items())
    return str(value)


def number_of(value: object) -> int:
    """A whole number, given as such or as digits; -1 if it is none."""
    if isinstance(value, bool) or value is None:
        return -1
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else -1
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return -1
