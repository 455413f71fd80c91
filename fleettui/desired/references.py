"""What another branch would change across a fleet, before it is merged.

Knows how to render every Kustomization that reads a repository at two references and
compare the renders; Kustomizations that the branch itself changes, adds or removes are
followed. Reads no live objects but those that variables come from.

Source: GitOps repositories that hold their own Kustomization objects (Flux bootstrap).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fleettui.desired.compare import compare_exact
from fleettui.desired.desired_diff import LiveReader, Tools
from fleettui.desired.kustomization_diff import render_source
from fleettui.desired.masks import masked_hunks, masked_object
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import Manifest, ObjectId, mapping_of, nested, text_of
from fleettui.desired.reference_commits import commits_behind
from fleettui.desired.render import Render, Rendered
from fleettui.desired.revisions import same_url
from fleettui.desired.schema_hints import immutable_reason
from fleettui.desired.sources import Found, Provenance, Wanted
from fleettui.errors import FleettuiError

_TOOLKIT = "kustomize.toolkit.fluxcd.io"
_ROUNDS = 5
"""How deep Kustomizations that create Kustomizations are followed."""
_RENDERS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Target:
    """A Kustomization of some context that is looked at."""

    context: str
    kustomization: Manifest
    source: Manifest
    reader: LiveReader | None = None
    """Reads variables; None: their values are not known."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Context, namespace and name."""
        metadata = mapping_of(self.kustomization.get("metadata"))
        return self.context, text_of(metadata.get("namespace")), text_of(metadata.get("name"))


@dataclass(frozen=True, slots=True)
class TargetDiff:
    """What a reference changes in one Kustomization."""

    context: str
    namespace: str
    name: str
    objects: tuple[ObjectDiff, ...] = ()
    """Deletions first; unchanged objects are left out."""
    error: str = ""
    hint: str = ""
    behind: Mapping[ObjectId, Provenance] = field(default_factory=dict)
    """The commit of the branch behind each object."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Context, namespace and name."""
        return self.context, self.namespace, self.name


@dataclass(frozen=True, slots=True)
class ReferenceDiff:
    """What a reference changes in a fleet."""

    before: str
    after: str
    targets: tuple[TargetDiff, ...]
    """Those with differences or errors, deletions first."""
    compared: int
    """How many Kustomizations were rendered."""

    @property
    def counts(self) -> Counter[Change]:
        """Objects of each change, over all clusters."""
        return Counter(item.change for target in self.targets for item in target.objects)

    @property
    def contexts(self) -> list[str]:
        """Contexts in which something changes."""
        return sorted({target.context for target in self.targets if target.objects})


def reads_repository(source: Manifest, url: str) -> bool:
    """Whether a source is a GitRepository of a URL."""
    own = text_of(nested(source, "spec", "url"))
    return text_of(source.get("kind")) == "GitRepository" and same_url(own) == same_url(url)


async def compare_references(
    targets: Iterable[Target],
    tools: Tools,
    *,
    before: Wanted,
    after: Wanted,
    progress: Callable[[int, int], None] | None = None,
) -> ReferenceDiff:
    """Renders Kustomizations at two references and compares them; errors stay in their row.

    Args:
        targets: Kustomizations that read one repository, of any number of contexts.
        tools: sources and builder of the run.
        before: what runs, usually the applied or current revision.
        after: the branch.
        progress: told after each render: how many are done, of how many.
    """
    known = {target.key: target for target in targets}
    comparison = _Comparison(tools, before, after, progress=progress, total=2 * len(known))
    old = await comparison.render_all(known.values(), before)
    new_targets, new = await comparison.follow(known)
    results = [
        _target_diff(key, known.get(key), old.get(key), new_targets.get(key), new.get(key))
        for key in sorted(known.keys() | new_targets.keys())
    ]
    wanted = [result for result in results if result.objects or result.error]
    # Twice: what changes a Kustomization is also behind what changes inside it.
    for _ in range(2):
        parents = _changes_of_kustomizations(wanted)
        wanted = [
            await comparison.blamed(one, new_targets.get(one.key) or known[one.key], parents)
            for one in wanted
        ]
    wanted.sort(key=lambda result: (-_deletions(result), result.context, result.namespace))
    return ReferenceDiff(str(before), str(after), tuple(wanted), len(results))


def _changes_of_kustomizations(results: Iterable[TargetDiff]) -> dict["_Key", Provenance]:
    """The commit behind each Kustomization that another one changes or removes."""
    return {
        (result.context, item.id.namespace, item.id.name): result.behind[item.id]
        for result in results
        for item in result.objects
        if (item.id.group, item.id.kind) == (_TOOLKIT, "Kustomization") and item.id in result.behind
    }


def _deletions(result: TargetDiff) -> int:
    return sum(item.change is Change.PRUNED for item in result.objects)


_Key = tuple[str, str, str]
_Outcome = Render | FleettuiError


@dataclass(slots=True)
class _Comparison:
    """Renders of one question."""

    tools: Tools
    before: Wanted
    after: Wanted
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_RENDERS_AT_ONCE))
    finds: dict[tuple[_Key, Wanted], Found] = field(default_factory=dict)
    """The files behind each render."""
    progress: Callable[[int, int], None] | None = None
    done: int = 0
    total: int = 0

    def count(self) -> None:
        """Tells that one more is rendered."""
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, max(self.done, self.total))

    async def blamed(
        self, result: TargetDiff, target: Target, parents: Mapping["_Key", Provenance]
    ) -> TargetDiff:
        """A result with the commits behind its objects, as far as git tells them."""
        after = self.finds.get((target.key, self.after)) or self._any(self.after)
        before = self.finds.get((target.key, self.before)) or self._any(self.before)
        if after is None or before is None or not result.objects:
            return result
        try:
            behind = await commits_behind(
                result.objects,
                target.kustomization,
                before,
                after,
                parent=parents.get(result.key),
            )
        except FleettuiError:
            return result  # what changes is known even where whose commit it was is not
        return replace(result, behind=behind)

    def _any(self, wanted: Wanted) -> Found | None:
        """Files that another Kustomization was rendered from: all read one repository."""
        return next((found for (_, asked), found in self.finds.items() if asked == wanted), None)

    async def render_all(self, targets: Iterable[Target], wanted: Wanted) -> dict[_Key, _Outcome]:
        """A render or its error for each target."""

        async def render(target: Target) -> _Outcome:
            async with self.gate:
                try:
                    files, found = await render_source(
                        target.kustomization, target.source, target.reader, self.tools, wanted
                    )
                    self.finds[target.key, wanted] = files
                except FleettuiError as error:
                    return error
                finally:
                    self.count()
                return found

        chosen = list(targets)
        outcomes = await asyncio.gather(*(render(target) for target in chosen))
        return dict(zip((target.key for target in chosen), outcomes, strict=True))

    async def follow(
        self, known: Mapping[_Key, Target]
    ) -> tuple[dict[_Key, Target], dict[_Key, _Outcome]]:
        """Targets and renders as the branch would have them."""
        current = dict(known)
        renders = await self.render_all(current.values(), self.after)
        for _ in range(_ROUNDS):
            changed = _changed_targets(current, renders)
            if not changed:
                break
            current.update(changed)
            renders.update(await self.render_all(changed.values(), self.after))
        return _without_removed(known, current, renders), renders


def _rendered_kustomizations(
    current: Mapping[_Key, Target], renders: Mapping[_Key, _Outcome]
) -> dict[_Key, tuple[Target, Rendered]]:
    """Kustomization objects that other Kustomizations render, with their parents."""
    found: dict[_Key, tuple[Target, Rendered]] = {}
    for key, outcome in renders.items():
        if isinstance(outcome, Render):
            for item in outcome.objects:
                if item.id.group == _TOOLKIT and item.id.kind == "Kustomization":
                    found[key[0], item.id.namespace, item.id.name] = (current[key], item)
    return found


def _changed_targets(
    current: Mapping[_Key, Target], renders: Mapping[_Key, _Outcome]
) -> dict[_Key, Target]:
    changed: dict[_Key, Target] = {}
    for key, (parent, item) in _rendered_kustomizations(current, renders).items():
        own = current.get(key)
        spec = mapping_of(item.document.get("spec"))
        if own is None:
            if _names_source(item, parent.source):
                changed[key] = Target(key[0], item.document, parent.source, parent.reader)
            continue
        live = mapping_of(own.kustomization.get("spec"))
        if any(live.get(name) != value for name, value in spec.items() if name in _BUILD_FIELDS):
            merged = {**own.kustomization, "spec": {**live, **spec}}
            changed[key] = Target(own.context, merged, own.source, own.reader)
    return changed


_BUILD_FIELDS = frozenset(
    {
        "commonMetadata",
        "components",
        "images",
        "namePrefix",
        "nameSuffix",
        "patches",
        "path",
        "targetNamespace",
    }
)


def _names_source(item: Rendered, source: Manifest) -> bool:
    reference = mapping_of(nested(item.document, "spec", "sourceRef"))
    namespace = text_of(reference.get("namespace")) or item.id.namespace
    metadata = mapping_of(source.get("metadata"))
    return (reference.get("kind"), reference.get("name"), namespace) == (
        source.get("kind"),
        metadata.get("name"),
        metadata.get("namespace"),
    )


def _without_removed(
    known: Mapping[_Key, Target],
    current: Mapping[_Key, Target],
    renders: Mapping[_Key, _Outcome],
) -> dict[_Key, Target]:
    """Targets that are still there: a Kustomization that its parent no longer renders goes."""
    rendered = _rendered_kustomizations(current, renders)
    result = dict(current)
    for key in known:
        labels = mapping_of(nested(known[key].kustomization, "metadata", "labels"))
        parent = (
            key[0],
            text_of(labels.get(f"{_TOOLKIT}/namespace")),
            text_of(labels.get(f"{_TOOLKIT}/name")),
        )
        if parent != key and isinstance(renders.get(parent), Render) and key not in rendered:
            del result[key]
    return result


def _target_diff(
    key: _Key,
    old_target: Target | None,
    old: _Outcome | None,
    new_target: Target | None,
    new: _Outcome | None,
) -> TargetDiff:
    if isinstance(new, FleettuiError) and new_target is not None:
        return TargetDiff(*key, error=str(new), hint=new.hint)
    before = old.objects if isinstance(old, Render) else ()
    after = new.objects if isinstance(new, Render) and new_target is not None else ()
    if isinstance(old, FleettuiError):
        return TargetDiff(*key, error=f"not known before: {old}", hint=old.hint)
    holder = new_target or old_target
    prunes = holder is not None and nested(holder.kustomization, "spec", "prune") is True
    return TargetDiff(*key, objects=tuple(compare_renders(before, after, prunes=prunes)))


def compare_renders(
    before: Sequence[Rendered], after: Sequence[Rendered], *, prunes: bool
) -> list[ObjectDiff]:
    """Differences between two renders, deletions first; unchanged objects are left out.

    Args:
        before: objects as they are rendered now.
        after: objects as they would be rendered.
        prunes: objects that vanish are deleted; else they stay behind and are ignored.
    """
    old = {item.id: item for item in before}
    result: list[ObjectDiff] = []
    new = {item.id: item for item in after}
    for identity in sorted(old.keys() - new.keys()):
        item = old[identity]
        change = Change.PRUNED if prunes else Change.IGNORED
        reason = "" if prunes else "spec.prune is off: it stays behind"
        shown = masked_object(item.document, {})
        result.append(
            ObjectDiff(
                identity, item.api_version, change, reason=reason, live=shown, source=item.source
            )
        )
    for item in after:
        found = old.get(item.id)
        if found is None:
            shown = masked_object(item.document, {})
            result.append(
                ObjectDiff(
                    item.id, item.api_version, Change.CREATED, source=item.source, desired=shown
                )
            )
        elif found.document != item.document:
            changed = _changed(found, item)
            if changed.hunks:
                result.append(changed)
    return sorted(result, key=lambda diff: (list(Change).index(diff.change), diff.id))


def _changed(old: Rendered, new: Rendered) -> ObjectDiff:
    comparison = compare_exact(old.document, new.document)
    conflicts = [
        reason
        for hunk in comparison.hunks
        if (reason := immutable_reason(new.id.group, new.id.kind, hunk.path_text, old.document))
    ]
    return ObjectDiff(
        new.id,
        new.api_version,
        Change.IMMUTABLE if conflicts else Change.CHANGED,
        masked_hunks(comparison.hunks, kind=new.id.kind, group=new.id.group),
        "; ".join(sorted(set(conflicts))),
        new.source,
        masked_object(old.document, new.document),
        masked_object(new.document, old.document),
        comparison.unknown,
    )
