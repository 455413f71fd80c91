"""What could not be read, in few lines.

Knows the words in which a context tells its incomplete scopes; knows no scope.
"""

from collections.abc import Sequence

FEW = 5
"""Kinds that are missing and named one by one."""
UNREADABLE = "unreadable"
"""The state of files of a recording that could not be read whole."""


def summed_up(missing: Sequence[str]) -> list[str]:
    """What is missing, each thing on a line of its own while they are few, else by state."""
    by_state: dict[str, list[str]] = {}
    for words in missing:
        by_state.setdefault(words.partition(":")[0], []).append(words)
    lines: list[str] = []
    for state, same in by_state.items():
        if len(same) <= FEW:
            lines += same
            continue
        names = [words.removeprefix(f"{state}: ").partition(":")[0] for words in same]
        reason = same[0].partition(f"{names[0]}: ")[2]
        shown = ", ".join(names[:FEW])
        more = f" ({reason})" if reason else ""
        what = "files" if state == UNREADABLE else "kinds"
        lines.append(f"{state}: {len(same)} {what}: {shown} and {len(same) - FEW} more{more}")
    return lines
