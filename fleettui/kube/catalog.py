"""What an API server serves, as values; reads discovery documents of both forms.

Pure. Knows groups, versions and their order of preference; fetching is in
``discovery``.

Source: ``apidiscovery.k8s.io`` v2 and v2beta1 (KEP-3352), meta/v1 APIGroupList
and APIResourceList.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.framing import DECODE_ERRORS
from fleettui.kube.resource import Resource

GroupKind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All kinds a server serves, with their versions best first."""

    kinds: Mapping[GroupKind, tuple[Resource, ...]] = field(default_factory=dict)
    stale_groups: frozenset[str] = frozenset()
    """Groups whose own server is down: what they serve is from earlier."""

    def find(self, group: str, kind: str, versions: Sequence[str] = ()) -> Resource | None:
        """The kind at the first version wanted that is served, else at the server's own first.

        None if the kind is not served.

        Raises:
            ApiError: SERVER, when the group is stale and the kind not known from before.
        """
        served = self.kinds.get((group, kind), ())
        for version in versions:
            for resource in served:
                if resource.version == version:
                    return resource
        if served:
            return served[0]
        if group in self.stale_groups:
            raise ApiError(f"the server of {group} does not answer", fault=Fault.SERVER)
        return None

    def named(self, name: str) -> Iterator[Resource]:
        """Kinds that a person may mean: kind, plural, short name or ``plural.group``."""
        wanted = name.lower()
        for served in self.kinds.values():
            best = served[0]
            names = {best.kind.lower(), best.plural, best.label, *best.short_names}
            if wanted in names:
                yield best

    def serves_any(self, groups: Iterable[str]) -> bool:
        """Whether at least one of some groups is served."""
        present = {group for group, _ in self.kinds}
        return any(group in present for group in groups)

    def sure_groups(self) -> frozenset[str] | None:
        """Groups whose kinds are all known; None: every group there is."""
        if not self.stale_groups:
            return None
        return frozenset(group for group, _ in self.kinds) - self.stale_groups

    def merged(self, earlier: "Catalog") -> "Catalog":
        """This catalogue, completed by an earlier one for groups that are stale now."""
        kept = {
            key: served
            for key, served in earlier.kinds.items()
            if key[0] in self.stale_groups and key not in self.kinds
        }
        return replace(self, kinds={**self.kinds, **kept})


class _Meta(msgspec.Struct):
    name: str = ""


class _Kind(msgspec.Struct):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Sub(msgspec.Struct):
    subresource: str = ""


class _DiscoveredResource(msgspec.Struct, rename="camel"):
    resource: str
    response_kind: _Kind | None = None
    scope: str = "Namespaced"
    verbs: list[str] | None = None
    short_names: list[str] | None = None
    subresources: list[_Sub] | None = None


class _DiscoveredVersion(msgspec.Struct):
    version: str
    resources: list[_DiscoveredResource] | None = None
    freshness: str = "Current"


class _DiscoveredGroup(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)
    versions: list[_DiscoveredVersion] | None = None


class _Aggregated(msgspec.Struct):
    kind: str
    items: list[_DiscoveredGroup] | None = None


class _GroupVersion(msgspec.Struct, rename="camel"):
    group_version: str


class _Group(msgspec.Struct, rename="camel"):
    name: str
    versions: list[_GroupVersion] | None = None
    preferred_version: _GroupVersion | None = None


class _Groups(msgspec.Struct):
    groups: list[_Group] | None = None


class _Versions(msgspec.Struct):
    versions: list[str] | None = None


class _LegacyResource(msgspec.Struct, rename="camel"):
    name: str
    kind: str
    namespaced: bool = True
    verbs: list[str] | None = None
    short_names: list[str] | None = None


class _LegacyList(msgspec.Struct):
    resources: list[_LegacyResource] | None = None


_aggregated = msgspec.json.Decoder(_Aggregated)
_groups = msgspec.json.Decoder(_Groups)
_versions = msgspec.json.Decoder(_Versions)
_legacy_list = msgspec.json.Decoder(_LegacyList)


def _unreadable(what: str) -> ApiError:
    return ApiError(
        f"the server's {what} cannot be read",
        fault=Fault.MALFORMED,
        hint="this may be no Kubernetes API server, or a proxy's log-in page in front of one;"
        " kubectl get --raw /apis shows what answers",
    )


def read_aggregated(body: bytes) -> Catalog | None:
    """The catalogue in an aggregated discovery document, None if it is of the other form.

    Raises:
        ApiError: MALFORMED.
    """
    try:
        document = _aggregated.decode(body)
    except DECODE_ERRORS as error:
        raise _unreadable("discovery") from error
    if document.kind != "APIGroupDiscoveryList":
        return None
    found: list[Resource] = []
    stale: set[str] = set()
    for item in document.items or ():
        for version in item.versions or ():
            if version.freshness == "Stale":
                stale.add(item.metadata.name)
            found.extend(_discovered(item.metadata.name, version))
    return catalog_of(found, stale_groups=frozenset(stale))


def _discovered(group: str, version: _DiscoveredVersion) -> Iterator[Resource]:
    for entry in version.resources or ():
        if entry.response_kind is None or not entry.response_kind.kind:
            continue
        yield Resource(
            group=group,
            version=version.version,
            plural=entry.resource,
            kind=entry.response_kind.kind,
            namespaced=entry.scope == "Namespaced",
            verbs=frozenset(entry.verbs or ()),
            short_names=tuple(entry.short_names or ()),
            subresources=frozenset(sub.subresource for sub in entry.subresources or ()),
        )


def catalog_of(
    resources: Iterable[Resource], *, stale_groups: frozenset[str] = frozenset()
) -> Catalog:
    """A catalogue of resources that come best version first."""
    kinds: dict[GroupKind, tuple[Resource, ...]] = {}
    for resource in resources:
        key = (resource.group, resource.kind)
        kinds[key] = (*kinds.get(key, ()), resource)
    return Catalog(kinds, stale_groups)


def read_group_versions(body: bytes) -> Sequence[tuple[str, str]]:
    """Groups and versions of a legacy ``/apis`` or ``/api``, each group's preferred one first.

    Raises:
        ApiError: MALFORMED.
    """
    try:
        core = _versions.decode(body).versions
        groups = _groups.decode(body).groups
    except DECODE_ERRORS as error:
        raise _unreadable("list of groups") from error
    found = [("", version) for version in core or ()]
    for group in groups or ():
        versions = [entry.group_version.rpartition("/")[2] for entry in group.versions or ()]
        if group.preferred_version is not None:
            preferred = group.preferred_version.group_version.rpartition("/")[2]
            versions.sort(key=lambda version, first=preferred: version != first)  # type: ignore[misc]  # mypy cannot type a lambda's default
        found.extend((group.name, version) for version in versions)
    return found


def read_legacy(body: bytes, *, group: str, version: str) -> Sequence[Resource]:
    """The kinds of one group version in legacy form.

    Raises:
        ApiError: MALFORMED.
    """
    try:
        entries = _legacy_list.decode(body).resources or []
    except DECODE_ERRORS as error:
        raise _unreadable(f"list of kinds of {group}/{version}") from error
    subs: dict[str, set[str]] = {}
    for entry in entries:
        plural, _, sub = entry.name.partition("/")
        if sub:
            subs.setdefault(plural, set()).add(sub)
    return [
        Resource(
            group=group,
            version=version,
            plural=entry.name,
            kind=entry.kind,
            namespaced=entry.namespaced,
            verbs=frozenset(entry.verbs or ()),
            short_names=tuple(entry.short_names or ()),
            subresources=frozenset(subs.get(entry.name, ())),
        )
        for entry in entries
        if "/" not in entry.name
    ]
