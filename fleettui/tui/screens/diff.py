"""A full screen with one object's difference: jump, fold, side by side, open elsewhere.

Knows the keys of a difference; what it says is the document's.
"""

import os
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from textual.app import SuspendNotSupported

from fleettui.processes import ProgramError, find_program, run_in_front
from fleettui.text import safe_text
from fleettui.tui.diff_text import ObjectDifference
from fleettui.tui.dispatch import Handler
from fleettui.tui.lines import Span
from fleettui.tui.prose import TextSource
from fleettui.tui.screens.text import TextScreen
from fleettui.tui.theme import Tone


class DiffScreen(TextScreen):
    """Shows what git says of one object and what is there."""

    def __init__(self, difference: ObjectDifference) -> None:
        """Show this difference."""
        super().__init__(difference)
        self.difference = difference

    def handlers(self) -> dict[str, Handler]:
        """What keys do here beside those of any text."""
        return {
            **super().handlers(),
            "next_match": lambda: self._jump(1),
            "previous_match": lambda: self._jump(-1),
            "fold": self._turn_fold,
            "beside": self._turn_beside,
            "edit": self._edit,
            "page": self._page,
            "copy_address": self._copy_address,
        }

    def title_spans(self) -> Sequence[Span]:
        """Which hunk the cursor is at, of how many."""
        places = self._places()
        if not places:
            return ()
        at = sum(place <= self.pane.cursor for place in places)
        return (Span(f"  change {at}/{len(places)}", Tone.MATCH),)

    def on_line_pane_moved(self) -> None:
        """Tells which hunk the cursor is at."""
        self.show_title()

    # -- moving ---------------------------------------------------------------------------
    def _places(self) -> list[int]:
        source = self.pane.source
        lines = source.lines if isinstance(source, TextSource) else []
        return [place for place, line in enumerate(lines) if isinstance(line.target, tuple)]

    def _jump(self, step: int) -> None:
        """To the next match of a search, else to where the next change begins."""
        if self.needle:
            self.seek(step)
            return
        places, here = self._places(), self.pane.cursor
        ahead = [p for p in places if p > here] if step > 0 else [p for p in places if p < here]
        if ahead:
            self.pane.move_to(ahead[0] if step > 0 else ahead[-1], centre=True)
        elif places:
            self.pane.move_to(places[0] if step > 0 else places[-1], centre=True)
        self.show_title()

    def _turn_fold(self) -> None:
        self.difference.unfolded = not self.difference.unfolded
        self.show_text()

    def _turn_beside(self) -> None:
        width = max(self.pane.line_width, 20)
        self.difference.beside = not self.difference.is_beside(width)
        self.show_text()

    # -- elsewhere ------------------------------------------------------------------------
    def _copy_address(self) -> None:
        behind = self.difference.behind
        address = behind.url if behind is not None else self.difference.file()[0]
        if address:
            text = safe_text(address)
            self.app.copy_to_clipboard(text)
            self.fleet_app.say(f"copied {text}")
        else:
            self.fleet_app.say("git does not tell where it comes from")

    def _edit(self) -> None:
        """Opens the manifest: the file of the check-out, else a copy as of the revision."""
        path, contents, folder = self.difference.file()
        own = Path(folder) / path if folder and path else None
        if own is not None and own.is_file() and not own.is_symlink():
            self._open("VISUAL EDITOR", "vi", own)
        elif contents is not None:
            self._open_copy("VISUAL EDITOR", "vi", contents, Path(path).name)
        else:
            self.fleet_app.say("git does not tell where it comes from")

    def _page(self) -> None:
        patch = safe_text(self.difference.patch(), limit=1 << 22, multiline=True)
        if patch:
            self._open_copy("PAGER", "less", patch.encode(), "difference.diff")
        else:
            self.fleet_app.say("nothing differs")

    def _open_copy(self, variables: str, fallback: str, contents: bytes, name: str) -> None:
        with tempfile.TemporaryDirectory(prefix="fleettui-") as folder:
            file = Path(folder) / safe_text(name).replace("/", "-").lstrip("-.")
            file.write_bytes(contents)
            file.chmod(0o400)
            self._open(variables, fallback, file)

    def _open(self, variables: str, fallback: str, file: Path) -> None:
        """Gives the terminal to a program of the person until that ends."""
        said = next((text for name in variables.split() if (text := os.environ.get(name))), "")
        try:
            words = shlex.split(said or fallback)
            program = find_program(words[0]) if not words[0].startswith("/") else Path(words[0])
            if program is None:
                raise ProgramError(f"no {words[0]} on PATH", hint=f"set {variables.split()[-1]}")
            with self.app.suspend():
                run_in_front([program, *words[1:], file], environment=os.environ)
        except ProgramError as error:
            self.fleet_app.say_error(error)
        except (SuspendNotSupported, ValueError, IndexError):
            self.fleet_app.say(f"cannot give the terminal to {said or fallback}")
