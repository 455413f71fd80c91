"""One value set at a path, as Helm reads ``--set``: ``servers[0].ports[1]=80``.

Knows paths, what their escapes mean, and which type a text has. Reads nothing.

Source: Helm ``pkg/strvals`` (``parser.key``, ``setIndex``, ``typedVal``); fluxcd/pkg
chartutil v1.28 (``ReplacePathValue``).
"""

import re
from itertools import pairwise
from typing import cast

from fleettui.desired.kustomization_file import RenderError

MOST_ITEMS = 65_536
"""Longest list that an index may ask for, as in Helm."""
_WHOLE = re.compile(r"^(0|-?[1-9][0-9]{0,17})$")
_PART = re.compile(r"((?:\\.|[^.\[\\])*)((?:\[[^\]]*\])*)(\.|$)")
_INDEX = re.compile(r"\[([^\]]*)\]")
_COMMA = re.compile(r"(?<!\\),")
_ESCAPE = re.compile(r"\\(.)")
_KNOWN: dict[str, object] = {"true": True, "false": False, "null": None}

Step = str | int


def set_value(values: dict[str, object], target: str, value: object, where: str) -> None:
    """Sets a value at a path, and makes the mappings and lists on the way.

    Args:
        values: changed in place.
        target: path: names between dots, indices in brackets; a backslash escapes.
        value: what is set.
        where: where the value comes from, for messages.

    Raises:
        RenderError: the path is none, or an index is out of bounds.
    """
    steps = _steps(target, where)
    place: dict[str, object] | list[object] = values
    for step, after in pairwise(steps):
        inner = _at(place, step)
        wanted: type = list if isinstance(after, int) else dict
        if not isinstance(inner, wanted):
            inner = wanted()
            _put(place, step, inner)
        place = cast("dict[str, object] | list[object]", inner)
    _put(place, steps[-1], value)


def typed_value(text: str, where: str) -> object:
    """A text as ``--set`` reads it: booleans, null, whole numbers and lists have a type.

    Raises:
        RenderError: an unescaped comma would begin another value.
    """
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return _ESCAPE.sub(r"\1", text[1:-1])
    if text.startswith("{") and text.endswith("}"):
        inner = text[1:-1]
        return [_typed(part.strip()) for part in _COMMA.split(inner)] if inner else []
    if _COMMA.search(text):
        raise RenderError(
            f"values from {where}: a comma begins another value",
            hint="escape it with a backslash, or set literal: true",
        )
    return _typed(text)


def _typed(text: str) -> object:
    if text in _KNOWN:
        return _KNOWN[text]
    return int(text) if _WHOLE.match(text) else _ESCAPE.sub(r"\1", text)


def _steps(target: str, where: str) -> list[Step]:
    steps: list[Step] = []
    place = 0
    while place <= len(target):
        part = _PART.match(target, place)
        if part is None or not (part[1] or (part[2] and place == 0)):
            raise RenderError(f"values from {where}: not a path", where=target)
        if part[1]:
            steps.append(_ESCAPE.sub(r"\1", part[1]))
        steps += [_index(text, target, where) for text in _INDEX.findall(part[2])]
        place = part.end()
        if not part[3]:
            break
    if not isinstance(steps[0], str):
        raise RenderError(f"values from {where}: not a path", where=target)
    return steps


def _index(text: str, target: str, where: str) -> int:
    if not text.isdecimal() or int(text) > MOST_ITEMS:
        raise RenderError(f"values from {where}: [{text}] is no index", where=target)
    return int(text)


def _at(place: dict[str, object] | list[object], step: Step) -> object:
    if isinstance(place, dict):
        return place.get(cast("str", step))
    index = cast("int", step)
    return place[index] if index < len(place) else None


def _put(place: dict[str, object] | list[object], step: Step, value: object) -> None:
    if isinstance(place, dict):
        place[cast("str", step)] = value
        return
    index = cast("int", step)
    place.extend([None] * (index + 1 - len(place)))
    place[index] = value
