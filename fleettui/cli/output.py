"""How words leave the program: stdout is data, stderr is narration.

Knows colours, the pager and the terminal; knows no objects. Piped output does
not change with the width of any terminal. Source: NO_COLOR; POSIX exit codes.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import click
import msgspec

from fleettui.manifests import dump_yaml
from fleettui.text import safe_text

PIPED_WIDTH = 200
"""Columns of a table that nobody sees on a terminal, so that it is always the same."""

_COLOURS = {
    "failed": "31;1",
    "stalled": "31",
    "in_progress": "33",
    "unknown": "35",
    "current": "32",
    "dim": "2",
    "bold": "1",
}


_TONES = {"✗": "failed", "…": "in_progress", "?": "unknown", "✓": "current"}
_GLYPH = re.compile(r"\s*(?:↪ )?([✗…?✓]) ")
_HEALTH = re.compile(r"  (failed|stalled|in_progress|unknown|current)(?=[⏸✂]*(?:  |$))")


@dataclass(frozen=True, slots=True)
class Output:
    """Where words go and how they look."""

    stdout: TextIO
    stderr: TextIO
    colour: bool
    is_terminal: bool
    width: int
    """Cells of the terminal, or ``PIPED_WIDTH``."""

    def paint(self, text: str, tone: str) -> str:
        """The text in a tone's colour, or as it is."""
        code = _COLOURS.get(tone) if self.colour else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def say(self, line: str) -> None:
        """One line of narration on stderr."""
        print(safe_text(line), file=self.stderr)

    def paint_rows(self, lines: Sequence[str]) -> list[str]:
        """Lines of a table or tree with each row's health in its colour."""
        if not self.colour:
            return list(lines)
        header, *rows = lines or [""]
        return [self.paint(header, "bold"), *(self._paint_row(row) for row in rows)]

    def _paint_row(self, line: str) -> str:
        found = _GLYPH.match(line) or _HEALTH.search(line)
        if found is None:
            return line
        start, end = found.span(1)
        word = found[1]
        return line[:start] + self.paint(word, _TONES.get(word, word)) + line[end:]

    def write(self, text: str) -> None:
        """Data on stdout, through a pager when it is longer than the terminal."""
        if not text.endswith("\n"):
            text += "\n"
        if self.is_terminal and text.count("\n") >= shutil.get_terminal_size().lines:
            click.echo_via_pager(text, color=self.colour)
            return
        self.stdout.write(text)
        self.stdout.flush()


def open_output(colour: str = "auto") -> Output:
    """The process's own output; ``colour`` is auto, always or never."""
    is_terminal = sys.stdout.isatty()
    wanted = colour == "always" or (
        colour == "auto" and is_terminal and not os.environ.get("NO_COLOR")
    )
    width = shutil.get_terminal_size().columns if is_terminal else PIPED_WIDTH
    return Output(sys.stdout, sys.stderr, wanted, is_terminal, width)


def render(document: Mapping[str, Any] | Sequence[Any], form: str) -> str:
    """A document as JSON or YAML text."""
    if form == "yaml":
        return dump_yaml(document)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def table_text(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = PIPED_WIDTH
) -> list[str]:
    """Aligned lines, header first; only the last column is cut to fit ``width``."""
    widths = [max([len(header[i]), *(len(row[i]) for row in rows)]) for i in range(len(header) - 1)]
    left = max(width - sum(widths) - 2 * len(widths), 20)
    lines = []
    for row in (header, *rows):
        last = row[-1] if len(row[-1]) <= left else row[-1][: left - 1] + "…"
        cells = [cell.ljust(widths[i]) for i, cell in enumerate(row[:-1])]
        lines.append("  ".join([*cells, last]).rstrip())
    return lines
