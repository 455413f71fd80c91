"""What a namespace may be called.

Source: RFC 1123 labels, as the API server checks names of namespaces.
"""

import re
from typing import Final

from fleettui.errors import UsageError

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def namespace_named(text: str, *, where: str) -> str:
    """The name, if a namespace may be called so; empty stays empty: all of them.

    Args:
        text: what was asked for.
        where: the option or command that it was given to.

    Raises:
        UsageError: no namespace can have this name.
    """
    if text and not _LABEL.fullmatch(text):
        raise UsageError(
            f"no namespace can be called {text!r}",
            where=where,
            hint="small letters, digits and dashes, at most 63",
        )
    return text
