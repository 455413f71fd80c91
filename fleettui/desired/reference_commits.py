"""Which commit of a branch is behind each object that the branch changes.

Knows that an object changes through its own file, through something in its
Kustomization's folder, or through what those reach; tells the newest commit of the
branch that touches the nearest of them. Knows nothing of how a change is found.

Source: git-log(1), ranges.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from fleettui.desired.files import joined
from fleettui.desired.history import Touch
from fleettui.desired.object_diff import ObjectDiff
from fleettui.desired.objects import Manifest, ObjectId, nested, text_of
from fleettui.desired.sources import Found, Provenance


async def commits_behind(
    objects: Iterable[ObjectDiff],
    kustomization: Manifest,
    before: Found,
    after: Found,
    *,
    parent: Provenance | None = None,
) -> Mapping[ObjectId, Provenance]:
    """The commit of the branch behind each object; objects that none can be told for are absent.

    Args:
        objects: what changes in one Kustomization.
        kustomization: that one.
        before: files as they are.
        after: files of the branch.
        parent: the commit that changes or removes the Kustomization itself, if one does.

    Raises:
        GitError: git cannot read the history.
    """
    repository = after.repository
    if repository is None or not (before.sha and after.sha):
        return {}
    touches = await repository.touches_between(before.sha, after.sha)
    folder = joined("", text_of(nested(kustomization, "spec", "path")).lstrip("/")) or ""
    found: dict[ObjectId, Provenance] = {}
    for item in objects:
        nearest = _nearest(item.source, folder, touches)
        if nearest is None and parent is not None:
            found[item.id] = parent
            continue
        path, touch = nearest or _newest(touches)
        if touch is not None:
            found[item.id] = Provenance(path, after.url_of(path), touch.commit)
    return found


def _nearest(source: str, folder: str, touches: Sequence[Touch]) -> tuple[str, Touch] | None:
    """The newest commit that touches a file, the folder, or its neighbours."""
    for touch in touches:
        if source in touch.paths:
            return source, touch
    beside = str(PurePosixPath(source).parent) if source else folder
    for place in (folder, beside):
        for touch in touches:
            inside = sorted(path for path in touch.paths if path.startswith(f"{place}/"))
            if inside and place not in ("", "."):
                return inside[0], touch
    return None


def _newest(touches: Sequence[Touch]) -> tuple[str, Touch | None]:
    """What is left where nothing near was touched: a base or a component far away."""
    return next(((min(touch.paths), touch) for touch in touches if touch.paths), ("", None))
