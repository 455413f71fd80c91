"""The kubeconfig is edited while the program runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """A small fleet of two management clusters that stands still."""
    return start_demo("--clusters", "4", "--contexts", "2", "--churn", "0")


def write(file: Path, document: Any) -> None:
    """Replaces the file as sign-in tools do."""
    part = file.with_suffix(".new")
    part.write_text(json.dumps(document))
    part.replace(file)


def test_screen_follows_rotated_credentials_and_no_other_context(
    demo: Any, tmp_path: Path, open_terminal: Callable[..., Any]
) -> None:
    """A wrong token, repaired in another window: the tree comes without a restart.

    Then the token goes bad again: rows stay, marked. `use-context` moves nothing.
    """
    file = tmp_path / "kubeconfig"
    good = yaml.safe_load(demo.kubeconfig.read_text())
    bad = json.loads(json.dumps(good))
    for user in bad["users"]:
        user["user"]["token"] = "expired"
    first, second = demo.contexts
    write(file, bad)
    terminal = open_terminal("--kubeconfig", str(file), "--context", first)
    terminal.wait_for("Unauthorized")
    write(file, good)
    text = terminal.wait_for(lambda text: "live" in text.splitlines()[0] and "NAME" in text)
    assert second not in text
    write(file, {**good, "current-context": second, "users": good["users"][::-1]})
    write(file, {**bad, "current-context": second})
    # Rows of before are kept, and do not look well.
    text = terminal.wait_for(
        lambda text: "failed" in text.splitlines()[0] and "NAME" in text and "◍" in text
    )
    assert second not in text
    write(file, good)
    terminal.wait_for(lambda text: "live" in text.splitlines()[0] and "◍" not in text)
    terminal.press(":quit\r")
    assert terminal.wait_end() == 0
