"""Fixtures that every tier shares."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("steady")

PROJECT = Path(__file__).resolve().parent.parent
LONG_FIRST = ("e2e", "fleet", "index", "demo")
"""Folders whose files take longest: begun last, one of them would be waited for alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts long files first, whatever the number of their tests."""
    tests = PROJECT / "tests"
    ranks = {name: rank for rank, name in enumerate(LONG_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.relative_to(tests).parts[0], len(ranks)))
    if not os.environ.get("FLEETTUI_LONG"):
        skip = pytest.mark.skip(reason="takes long: runs with FLEETTUI_LONG=1")
        for item in items:
            if item.get_closest_marker("long") is not None:
                item.add_marker(skip)


def pytest_collection_finish() -> None:
    """Leaves what lasts as long as the process out of collections: a sixth of all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of recordings and CRDs beside the project, or a skip with the reason."""
    folder = PROJECT.parent / "shared"
    if not (folder / "recordings").is_dir():
        pytest.skip("no ../shared/recordings beside the project")
    return folder


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Names that every process agrees on: packed bytes hold the second they were made in."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None
