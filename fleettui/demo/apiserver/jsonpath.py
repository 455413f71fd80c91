"""The simple JSON paths of printer columns and scale subresources.

Knows `.a.b`, `['a']`, `[0]`, `[*]`, `[?(@.type=="Ready")]` and escaped dots; nothing else.
Source: additionalPrinterColumns of Cluster API, Flux and Argo CD definitions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

_STEP = re.compile(
    r"""\.?(?:
        \[\?\(\s*@\.(?P<field>(?:\\.|[\w./-])+)\s*==\s*(?P<quote>["'])(?P<wanted>.*?)(?P=quote)\s*\)\]
      | \[(?P<index>-?\d+)\]
      | (?P<all>\[\*\])
      | \[(?P<mark>["'])(?P<quoted>.*?)(?P=mark)\]
      | (?P<name>(?:\\.|[^.\[\]])+)
    )""",
    re.VERBOSE,
)

Step = tuple[str, str, str]


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    position = 0
    path = path.strip().removeprefix("{").removesuffix("}")
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None or found.end() == position:
            return (("name", "\0", ""),)
        if found["field"]:
            steps.append(("filter", found["field"].replace("\\", ""), found["wanted"]))
        elif found["index"]:
            steps.append(("index", found["index"], ""))
        elif found["all"]:
            steps.append(("all", "", ""))
        else:
            name = found["quoted"] or re.sub(r"\\(.)", r"\1", found["name"] or "")
            steps.append(("name", name, ""))
        position = found.end()
    return tuple(steps)


def values_at(document: Any, path: str) -> list[Any]:
    """All values a path reaches, in order; empty if it reaches none or is not understood."""
    nodes: list[Any] = [document]
    for step in _steps(path):
        nodes = [value for node in nodes for value in _step(node, step)]
    return nodes


def first_value(document: Any, path: str) -> Any:
    """The first value a path reaches, None if there is none."""
    return next(iter(values_at(document, path)), None)


def _step(node: Any, step: Step) -> Iterable[Any]:
    kind, word, wanted = step
    if kind == "name":
        return [node[word]] if isinstance(node, dict) and word in node else []
    if not isinstance(node, list):
        return list(node.values()) if kind == "all" and isinstance(node, dict) else []
    if kind == "all":
        return node
    if kind == "index":
        index = int(word)
        return [node[index]] if -len(node) <= index < len(node) else []
    return [item for item in node if str(first_value(item, "." + word)) == wanted]


def with_value(document: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a plain path (`.spec.replicas`) in place."""
    *parents, last = [word for _, word, _ in _steps(path)]
    node = document
    for word in parents:
        node = node.setdefault(word, {})
    node[last] = value
