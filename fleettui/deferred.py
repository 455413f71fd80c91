"""Names of a package that are imported when somebody asks for them.

Knows modules by name only. Importing one module of a package must not import all
of them: the first frame of the screen needs few.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def deferred(package: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's ``__getattr__``.

    Args:
        package: name of the package.
        places: module of each name, without the package.
    """

    def find(name: str) -> Any:
        place = places.get(name)
        if place is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{place}"), name)

    return find
