"""Options of every word that answers with a document: its form, its patience, its gaps."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from fleettui.cli.session import DEFAULT_TIMEOUT_S

DOCUMENTS = ("table", "json", "yaml")
_F = TypeVar("_F", bound=Callable[..., Any])


def answer_options(forms: Sequence[str] = DOCUMENTS) -> Callable[[_F], _F]:
    """Adds ``--output``, ``--allow-partial`` and ``--timeout``.

    The function takes them as ``form``, ``allow_partial`` and ``timeout``.

    Args:
        forms: forms to choose from, the first by default.
    """

    def decorated(function: _F) -> _F:
        found: Any = function
        for option in (
            click.option("--timeout", type=click.FloatRange(0.1, 3600), default=DEFAULT_TIMEOUT_S),
            click.option(
                "--allow-partial", is_flag=True, help="Exit 0 though not all could be read."
            ),
            click.option("-o", "--output", "form", type=click.Choice(forms), default=forms[0]),
        ):
            found = option(found)
        result: _F = found
        return result

    return decorated
