"""How Cluster API words aggregated condition messages.

Source: cluster-api util/conditions merge_strategies.go and what its controllers wrote in
recorded management clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_NAMES_SHOWN = 3


def nested(title: str, message: str) -> str:
    """`* Title: message`, or the message's own bullets one level deeper."""
    if message.startswith(("* ", "Health check failed:")):
        if message.startswith("* "):
            return f"* {title}:\n{indent(message, 2)}"
        head, _, rest = message.partition("\n")
        return f"* {title}:\n  * {head}" + (f"\n{indent(rest, 4)}" if rest else "")
    return f"* {title}: {message}" if message else f"* {title}"


def indent(text: str, spaces: int) -> str:
    """Every line of the text moved right."""
    pad = " " * spaces
    return "\n".join(pad + line for line in text.split("\n"))


def grouped(kind: str, messages: Mapping[str, str]) -> str:
    """Names with the same message on one bullet, at most three names spelled out."""
    groups: dict[str, list[str]] = {}
    for name, message in messages.items():
        groups.setdefault(message, []).append(name)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[1][0]))
    return "\n".join(
        nested(f"{kind}{'s' if len(names) > 1 else ''} {listed(names)}", message)
        for message, names in ordered
    )


def listed(names: Iterable[str]) -> str:
    """`a, b, c, ... (2 more)`."""
    every = sorted(names)
    text = ", ".join(every[:_NAMES_SHOWN])
    more = len(every) - _NAMES_SHOWN
    return f"{text}, ... ({more} more)" if more > 0 else text
