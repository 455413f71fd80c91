"""Lays files of other repositories into a tree, as a GitRepository's ``include`` says.

Knows where the included files come from and go to, and that none leaves the tree. Knows
nothing of how the other repositories are read.

Source: Flux source API v1 ``spec.include``; source-controller ``CopyToPath``.
"""

from dataclasses import dataclass, replace

from fleettui.desired.files import FileTree, HostileTreeError, joined
from fleettui.desired.objects import Manifest, items_of, nested, text_of


@dataclass(frozen=True, slots=True)
class Include:
    """One entry of ``spec.include``."""

    name: str
    """The other GitRepository, in the same namespace."""
    from_path: str
    """Folder there; empty: all of it."""
    to_path: str
    """Folder here."""
    revision: str
    """What the controller included last; empty: not known."""


def includes_of(source: Manifest) -> list[Include]:
    """What a GitRepository includes, in order.

    Raises:
        HostileTreeError: a path leads out of the tree.
    """
    recorded = items_of(nested(source, "status", "includedArtifacts"))
    found: list[Include] = []
    for index, item in enumerate(items_of(nested(source, "spec", "include"))):
        name = text_of(nested(item, "repository", "name"))
        known = recorded[index] if index < len(recorded) else None
        origin = joined("", text_of(nested(item, "fromPath")).lstrip("/"))
        target = joined("", (text_of(nested(item, "toPath")) or name).lstrip("/"))
        if origin is None or target is None:
            raise HostileTreeError("refused: an include leads out of the repository", where=name)
        found.append(Include(name, origin, target, text_of(nested(known, "revision"))))
    return found


def laid_into(tree: FileTree, other: FileTree, include: Include) -> FileTree:
    """A tree with the included files; they win over what lies there."""
    cut = len(include.from_path) + 1 if include.from_path else 0
    begin = f"{include.to_path}/" if include.to_path else ""
    moved = {path: f"{begin}{path[cut:]}" for path in other.files_below(include.from_path)}
    return replace(
        tree,
        files={**tree.files, **{place: other.files[path] for path, place in moved.items()}},
        digests={
            **{path: digest for path, digest in tree.digests.items() if path not in moved.values()},
            **{
                place: other.digests[path] for path, place in moved.items() if path in other.digests
            },
        },
        notes=(*tree.notes, *(f"{include.name}: {note}" for note in other.notes)),
    )
