"""Which kubeconfig files count, and whether they are the same as before; reads none.

Source: client-go ``tools/clientcmd/loader.go`` (precedence of flag, variable, home).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path


def kubeconfig_files(
    environment: Mapping[str, str], *, home: Path, explicit: Path | None = None
) -> tuple[Path, ...]:
    """The files that count, best first, without duplicates."""
    if explicit is not None:
        return (explicit.absolute(),)
    listed = [part for part in environment.get("KUBECONFIG", "").split(":") if part]
    if not listed:
        return (home / ".kube" / "config",)
    paths = (home / part[2:] if part.startswith("~/") else Path(part).absolute() for part in listed)
    return tuple(dict.fromkeys(paths))


def fingerprint(files: Sequence[Path]) -> tuple[tuple[int, int, int] | None, ...]:
    """A value that changes when one of the files is edited, replaced, made or removed."""
    result: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            result.append(None)
        else:
            result.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(result)
