"""Fixtures that every tier shares."""

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
