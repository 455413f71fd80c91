"""Fixtures that every tier shares."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of recordings and CRDs beside the project, or a skip with the reason."""
    folder = PROJECT.parent / "shared"
    if not (folder / "recordings").is_dir():
        pytest.skip("no ../shared/recordings beside the project")
    return folder
