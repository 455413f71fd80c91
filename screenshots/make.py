"""Makes the pictures of this folder from the seeded demo fleet: ``python screenshots/make.py``.

Starts ``fleettui demo --serve``, opens the program on it without a terminal, presses
keys as a person would, and saves what is on the screen as SVG.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fleettui.tui.startup import prepare

prepare()

from textual.pilot import Pilot  # noqa: E402  # the timer's rate is read when Textual is imported

from fleettui.config import Settings  # noqa: E402  # as above
from fleettui.fleet import Opening, open_fleet  # noqa: E402  # as above
from fleettui.index.view import TreeView  # noqa: E402  # as above
from fleettui.tui.app import FleetApp  # noqa: E402  # as above
from fleettui.tui.theme import DARK, LIGHT, MONO, Theme  # noqa: E402  # as above

FOLDER = Path(__file__).resolve().parent
SYNC_S = 90.0
Scene = Callable[[Pilot[int]], Awaitable[None]]


@contextmanager
def demo_fleet(clusters: int) -> Iterator[Path]:
    """The kubeconfig of a running demo fleet."""
    command = [sys.executable, "-m", "fleettui", "demo", "--serve", "--seed", "1"]
    command += ["--clusters", str(clusters), "--contexts", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Path(process.stdout.readline().strip())
        finally:
            process.terminate()


async def tree(pilot: Pilot[int]) -> None:
    """The tree with the first broken thing opened and its details."""
    await pilot.press("n", "l", "n", "l", "n", "i")
    await pilot.pause(1.5)


async def faults(pilot: Pilot[int]) -> None:
    """Only what is broken."""
    await pilot.press("ctrl+z")
    await pilot.pause(0.3)


async def causes(pilot: Pilot[int]) -> None:
    """Causes, ranked."""
    pilot.app.run_command("causes")  # type: ignore[attr-defined]  # a FleetApp
    await pilot.pause(4)


async def overview(pilot: Pilot[int]) -> None:
    """The fleet in numbers."""
    pilot.app.run_command("overview")  # type: ignore[attr-defined]  # a FleetApp
    await pilot.pause(6)


async def explain(pilot: Pilot[int]) -> None:
    """Why the first broken thing is broken."""
    await pilot.press("n", "X")
    await pilot.pause(0.5)


async def show_help(pilot: Pilot[int]) -> None:
    """Keys and commands."""
    await pilot.press("question_mark")
    await pilot.pause(0.3)


SCENES: dict[str, tuple[Scene, tuple[int, int], Theme]] = {
    "tree": (tree, (160, 42), DARK),
    "faults": (faults, (120, 34), LIGHT),
    "causes": (causes, (140, 24), DARK),
    "explain": (explain, (120, 34), DARK),
    "overview": (overview, (80, 24), DARK),
    "narrow": (faults, (80, 24), MONO),
    "help": (show_help, (120, 50), DARK),
}


def self_contained(svg: str) -> str:
    """The picture without anything that a viewer would fetch from elsewhere."""
    svg = re.sub(r',?\s*url\("https?://[^)]*\)\s*format\("[^"]*"\)', "", svg)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code, monospace", "Fira Code, Menlo, DejaVu Sans Mono, monospace")


async def shoot(name: str, kubeconfig: Path) -> None:
    """Saves one picture."""
    scene, size, theme = SCENES[name]
    fleet = open_fleet(Opening(kubeconfig=kubeconfig, all_contexts=True))
    settings = Settings(first_screen="tree")
    app = FleetApp(fleet, fleet.index, TreeView(fleet.index), settings=settings, theme=theme)
    async with app.run_test(size=size) as pilot:
        if not await fleet.wait_synced(SYNC_S):
            raise SystemExit(f"{name}: the demo fleet was not read within {SYNC_S:.0f} s")
        fleet.settle()
        app.repaint()
        await pilot.pause(0.3)
        await scene(pilot)
        (FOLDER / f"{name}.svg").write_text(
            self_contained(app.export_screenshot()), encoding="utf-8"
        )


def main() -> None:
    """Makes the pictures named on the command line, or all."""
    names = sys.argv[1:] or list(SCENES)
    with demo_fleet(60) as kubeconfig:
        for name in names:
            asyncio.run(shoot(name, kubeconfig))
            print(FOLDER / f"{name}.svg")


if __name__ == "__main__":
    main()
