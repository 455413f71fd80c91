"""Reads live objects at the version that git holds them in, over any link.

Knows that a version may be served without being preferred, and how "not there" is told
from "not served" and "not readable". Secrets come without their contents. Knows nothing
of what is compared.

Source: Kubernetes API discovery; ``desired.desired_diff.LiveReader``.
"""

from typing import Any

import msgspec

from fleettui.desired.desired_diff import DryRunApply, LiveReader, NoSuchKindError
from fleettui.desired.helm import Capabilities
from fleettui.desired.objects import Manifest, group_of, mapping_of, text_of
from fleettui.desired.schema_hints import is_built_in
from fleettui.errors import FleettuiError
from fleettui.fleet.context import Link
from fleettui.fleet.live_link import LiveLink
from fleettui.fleet.recorded_link import RecordedLink
from fleettui.kinds.record import ObjectKey, ObjectRef
from fleettui.kube.context import KubeContext
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.resource import Resource


class KubeReader:
    """Objects of one live context."""

    def __init__(self, context: KubeContext) -> None:
        """Nothing is asked yet."""
        self.context = context
        self._has_looked_again = False
        self._capabilities: Capabilities | None = None

    async def resource(self, api_version: str, kind: str) -> Resource:
        """Where a kind is served at exactly this version.

        Raises:
            NoSuchKindError: the kind, or this version of it, is not served.
            FleettuiError: it is not known whether it is.
        """
        group, version = group_of(api_version), api_version.rpartition("/")[2]
        found = await self.context.discovery.resolve(group, kind, versions=(version,))
        if (found is None or found.version != version) and not self._has_looked_again:
            # Once a run: a kind may have been installed after the catalogue was read.
            self._has_looked_again = True
            discovery = self.context.discovery
            found = await discovery.resolve(group, kind, versions=(version,), fresh=True)
        if found is None or found.version != version:
            hint = f"{found.api_version} is served" if found else "is its CRD installed?"
            raise NoSuchKindError(
                f'no matches for kind "{kind}" in version "{api_version}"', hint=hint
            )
        return found

    def scope_of(self, api_version: str, kind: str) -> bool | None:
        """Whether a kind is namespaced, as discovery says; None: not known."""
        known = self.context.discovery.known
        served = known.kinds.get((group_of(api_version), kind), ()) if known else ()
        return served[0].namespaced if served else None

    async def capabilities(self) -> Capabilities:
        """What a Helm chart sees of this cluster; asked once.

        Raises:
            FleettuiError: the server does not tell.
        """
        if self._capabilities is None:
            catalog = await self.context.discovery.catalog()
            version = msgspec.json.decode(await self.context.client.get_raw("/version"))
            served = {
                name
                for resources in catalog.kinds.values()
                for resource in resources
                for name in (resource.api_version, f"{resource.api_version}/{resource.kind}")
            }
            told = text_of(mapping_of(version).get("gitVersion"))
            self._capabilities = Capabilities(told, tuple(sorted(served)))
        return self._capabilities

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object at an API version, with managedFields; None: it does not exist.

        Raises:
            NoSuchKindError: the kind is not served at this version.
            FleettuiError: it may not or cannot be read.
        """
        resource = await self.resource(api_version, kind)
        try:
            body = await self.context.client.body(resource, namespace=namespace, name=name)
        except ApiError as error:
            if error.fault is Fault.NOT_FOUND:
                return None
            raise
        document: dict[str, Any] = msgspec.json.decode(body)
        return document

    def dry_run_apply(self, manager: str) -> DryRunApply:
        """What tells what the server would store after an apply by a manager.

        Raises:
            ReadOnlyViolation: this context is read-only.
        """
        dry_runs = self.context.dry_runs()

        async def apply(document: Manifest) -> Manifest:
            resource = await self.resource(str(document["apiVersion"]), str(document["kind"]))
            metadata = mapping_of(document.get("metadata"))
            answer = await dry_runs.apply(
                resource,
                msgspec.json.encode(document),
                namespace=str(metadata.get("namespace") or ""),
                name=str(metadata["name"]),
                manager=manager,
            )
            stored: dict[str, Any] = msgspec.json.decode(answer)
            return stored

        return apply


class RecordedReader:
    """Objects of a recording, as they were."""

    def __init__(self, link: RecordedLink) -> None:
        """Nothing is read yet."""
        self._link = link

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """A recorded object; None: the kind was recorded and the object was not there.

        Raises:
            NoSuchKindError: nothing of this kind, or of its group, was recorded.
            FleettuiError: it was recorded at another version only.
        """
        group = group_of(api_version)
        document = self._link.find(ObjectKey(group, kind, namespace, name))
        if document is None:
            if is_built_in(group) or self._link.holds_kind(group, kind):
                return None
            raise NoSuchKindError(
                f'no matches for kind "{kind}" in version "{api_version}"',
                hint="the recording holds no object of this kind",
            )
        if (group, kind) == ("", "Secret"):
            # Whatever was recorded of it: contents of Secrets are no part of a comparison.
            known = {name: document[name] for name in ("metadata", "type") if name in document}
            return {"apiVersion": api_version, "kind": "PartialObjectMetadata", **known}
        recorded = str(document.get("apiVersion"))
        if recorded != api_version:
            raise FleettuiError(
                f"{kind} {namespace}/{name} was recorded as {recorded} only, git has {api_version}"
            )
        return document


class BodyReader:
    """Objects of any other link, at whatever version it gives."""

    def __init__(self, link: Link) -> None:
        """Nothing is read yet."""
        self._link = link

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """The object as the link has it.

        Raises:
            FleettuiError: it cannot be read.
        """
        ref = ObjectRef(self._link.name, group_of(api_version), kind, namespace, name)
        return await self._link.body(ref)


def reader_of(link: Link) -> LiveReader:
    """What reads the objects of a link.

    Raises:
        FleettuiError: the context is not connected.
    """
    if isinstance(link, RecordedLink):
        return RecordedReader(link)
    if not isinstance(link, LiveLink):
        return BodyReader(link)
    if link.context is None:
        info = link.info()
        raise FleettuiError(info.error or "is not connected yet", where=link.name, hint=info.hint)
    return KubeReader(link.context)
