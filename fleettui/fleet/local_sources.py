"""Which check-outs stand for which repositories.

Knows the three places where people say so: ``--local URL=PATH``, ``local_sources`` of
the settings, and a file ``local-sources.yaml`` beside the kubeconfig; earlier ones win.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from fleettui.config import MAX_CONFIG_BYTES, Settings
from fleettui.errors import UnreadableError, UsageError
from fleettui.manifests import read_document

FILE_NAME = "local-sources.yaml"


def local_sources(
    asked: Iterable[str], settings: Settings, *, kubeconfig: Path | None
) -> dict[str, Path]:
    """URL of a repository to the check-out that stands for it.

    Args:
        asked: ``URL=PATH`` texts of the command line.
        settings: what the settings file says.
        kubeconfig: the file given; None: the one in KUBECONFIG, if that names just one.

    Raises:
        UsageError: a text is not ``URL=PATH``, or a file is not as it should be.
    """
    beside = kubeconfig or _only_kubeconfig()
    found: dict[str, Path] = _beside(beside) if beside else {}
    found.update(settings.local_sources)
    found.update(parse_local(text) for text in asked)
    return found


def parse_local(text: str) -> tuple[str, Path]:
    """URL and path of ``URL=PATH``; the last ``=`` divides, as URLs may hold some.

    Raises:
        UsageError: there is no ``=``, or nothing on one side.
    """
    url, sign, path = text.rpartition("=")
    if not (url and sign and path):
        raise UsageError("is not URL=PATH", where=f"--local {text}", hint="--local URL=PATH")
    return url, Path(path).expanduser()


def _only_kubeconfig() -> Path | None:
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return Path(named[0]) if len(named) == 1 else None


def _beside(kubeconfig: Path) -> dict[str, Path]:
    file = kubeconfig.parent / FILE_NAME
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise UsageError("is larger than 1 MiB", where=str(file))
        document = read_document(file.read_text(encoding="utf-8"), name=str(file))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(file)) from error
    except UnreadableError as error:
        raise UsageError(str(error), hint=error.hint) from error
    entries = document.get("sources") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise UsageError("holds no list of sources", where=str(file), hint="sources: [{url, path}]")
    found: dict[str, Path] = {}
    for entry in entries:
        url = entry.get("url") if isinstance(entry, Mapping) else None
        path = entry.get("path") if isinstance(entry, Mapping) else None
        if not isinstance(url, str) or not isinstance(path, str):
            raise UsageError("a source has url and path", where=str(file))
        found[url] = kubeconfig.parent / Path(path).expanduser()
    return found
