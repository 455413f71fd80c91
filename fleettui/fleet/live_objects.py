"""Single objects of a live context: bodies, events and logs, fetched when asked for."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import msgspec

from fleettui.fleet.context import EventLine
from fleettui.fleet.events import event_lines
from fleettui.kinds.record import ObjectKey, ObjectRef
from fleettui.kube.client import LogRequest
from fleettui.kube.context import KubeContext


class LiveObjects:
    """Fetches objects of one context."""

    def __init__(self, opened: Callable[[], KubeContext]) -> None:
        """Fetch through the context that ``opened`` gives, which raises while there is none."""
        self._opened = opened

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        """The whole object, fetched now.

        Raises:
            FleettuiError: it is gone, may not be read, or the cluster does not answer.
        """
        document: dict[str, Any] = msgspec.json.decode(await self._opened().body(_key_of(ref)))
        return document

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """Events about the object, newest first.

        Raises:
            FleettuiError: they may not be read, or the cluster does not answer.
        """
        client = self._opened().client
        found = await client.events(ref.kind, namespace=ref.namespace, name=ref.name)
        return event_lines(msgspec.json.decode(event) for event in found)

    async def logs(self, ref: ObjectRef, *, container: str, tail: int) -> AsyncIterator[str]:
        """Lines of a Pod's log, oldest first.

        Raises:
            FleettuiError: it may not be read, or the cluster does not answer.
        """
        wanted = LogRequest(container=container, tail_lines=tail)
        rest = b""
        client = self._opened().client
        async for chunk in client.logs(namespace=ref.namespace, pod=ref.name, wanted=wanted):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
        if rest:
            yield rest.decode(errors="replace")


def _key_of(ref: ObjectRef) -> ObjectKey:
    return ObjectKey(ref.group, ref.kind, ref.namespace, ref.name)
