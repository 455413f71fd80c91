"""Lines of text as a picture: SVG and HTML that need nothing from anywhere else."""

from collections.abc import Sequence
from html import escape

from fleettui.cli.overview_text import Painted, Run, runs_of

_COLOURS = {
    "": "#d4d4d4",
    "bold": "#ffffff",
    "dim": "#8a8a8a",
    "failed": "#ff6b6b",
    "stalled": "#ff9e64",
    "in_progress": "#e0af68",
    "unknown": "#bb9af7",
    "current": "#9ece6a",
}
_BACKGROUND = "#16161e"
_CELL = (8.4, 18.0)
"""Width and height of one character, pixels, of a 14 px monospace font."""
_MARGIN = 16
_FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def svg_of(lines: Sequence[Painted], *, title: str) -> str:
    """An SVG picture of the lines."""
    columns = max((len(line.text) for line in lines), default=1)
    width = columns * _CELL[0] + 2 * _MARGIN
    height = len(lines) * _CELL[1] + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" fill="{_BACKGROUND}"/>',
        f'<g font-family="{_FONT}" font-size="14" xml:space="preserve">',
    ]
    for number, line in enumerate(lines, 1):
        y = _MARGIN + number * _CELL[1] - 4
        parts += [_svg_run(run, y) for run in runs_of(line)]
    return "\n".join([*parts, "</g>", "</svg>"])


def _svg_run(run: Run, y: float) -> str:
    """Text at its column and as wide as its cells, whatever font there is."""
    x = _MARGIN + run.column * _CELL[0]
    if run.is_bar:
        return (
            f'<rect x="{x:.1f}" y="{y - 11:.0f}" width="{len(run.text) * _CELL[0]:.1f}" '
            f'height="12" fill="{_colour(run.tone)}"/>'
        )
    weight = ' font-weight="bold"' if run.tone == "bold" else ""
    return (
        f'<text x="{x:.1f}" y="{y:.0f}" textLength="{len(run.text) * _CELL[0]:.1f}" '
        f'lengthAdjust="spacingAndGlyphs" fill="{_colour(run.tone)}"{weight}>'
        f"{escape(run.text)}</text>"
    )


def _colour(tone: str) -> str:
    return _COLOURS.get(tone, _COLOURS[""])


def _html_line(line: Painted) -> str:
    shown, at = "", 0
    for run in runs_of(line):
        gap = " " * (run.column - at)
        shown += f'{gap}<span style="color:{_colour(run.tone)}">{escape(run.text)}</span>'
        at = run.column + len(run.text)
    return shown


def html_of(lines: Sequence[Painted], *, title: str) -> str:
    """A whole HTML page of the lines."""
    body = "\n".join(_html_line(line) for line in lines)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f'</title></head>\n<body style="background:{_BACKGROUND}"><pre style="font:14px/18px '
        f'{_FONT}">\n{body}\n</pre></body></html>'
    )
