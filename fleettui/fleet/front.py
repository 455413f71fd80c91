"""The clusters of last time, found before anything else is imported.

Knows where the heads lie of the contexts that the same words opened last time, as
long as the kubeconfig's files are untouched; reads no kubeconfig and knows no link.
What it finds is shown with its age and replaced as soon as the fleet itself is open.
"""

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from fleettui.config import cache_folder
from fleettui.fleet.opening import Opening
from fleettui.kube.kubeconfig_files import fingerprint, kubeconfig_files
from fleettui.recorded.shards import Head, ShardFolder, folder_name

KEPT: Final = 32
"""Ways of opening that are remembered."""
_FOLDER: Final = re.compile(r"[0-9a-f]{32}")


def saved_rows(name: str) -> Path:
    """The folder of a context's saved rows."""
    return cache_folder() / "index" / name


class FrontPage:
    """What one way of opening showed last time."""

    def __init__(self, opening: Opening) -> None:
        """Look at the kubeconfig's files, without reading them."""
        files = kubeconfig_files(os.environ, home=Path.home(), explicit=opening.kubeconfig)
        self._is_usable = opening.on_screen and opening.cache and not opening.sources
        self._path = (
            cache_folder()
            / "front"
            / folder_name(
                *map(str, files),
                repr(fingerprint(files)),
                repr((opening.contexts, opening.all_contexts, opening.namespace)),
            )
        )

    def heads(self) -> dict[str, Head]:
        """What was shown of each context; empty when that is not known."""
        if not self._is_usable:
            return {}
        try:
            folders = msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError):
            return {}
        found = {
            context: ShardFolder(saved_rows(name)).head()
            for context, name in folders.items()
            if _FOLDER.fullmatch(name)
        }
        return {context: head for context, head in found.items() if head is not None}

    def keep(self, folders: Mapping[str, str]) -> None:
        """Remembers the folders of the contexts that were opened, by context.

        A cache that cannot be written to costs the next start its first lines, no more.
        """
        if not self._is_usable:
            return
        part = self._path.with_suffix(f".{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(dict(folders)))
            part.replace(self._path)
            known = sorted(self._path.parent.iterdir(), key=lambda path: path.stat().st_mtime)
            for path in known[:-KEPT]:
                path.unlink(missing_ok=True)
