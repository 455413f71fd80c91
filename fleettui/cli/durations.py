"""Durations as people write them: ``90s``, ``30m``, ``4h``, ``3d``."""

import re

import click

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FORM = re.compile(r"(\d{1,9})([smhdw]?)")


def seconds_of(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    """Seconds that an option's text means; a callback of click.

    Raises:
        click.BadParameter: the text is no duration.
    """
    found = _FORM.fullmatch(value.strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is no duration; write 90s, 30m, 4h or 3d")
    return int(found[1]) * _UNITS[found[2]]
