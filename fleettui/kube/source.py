"""Where a reflector's documents come from, as its driver sees it.

Declared by the consumer; ``client`` is the real one, tests bring small ones.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from fleettui.kube.framing import Page
from fleettui.kube.resource import Resource

CLUSTER_LABEL = "cluster.x-k8s.io/cluster-name"
"""Label of everything that belongs to one Cluster API cluster."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What is listed and watched, in the server's words."""

    resource: Resource
    namespace: str = ""
    label_selector: str = ""
    metadata_only: bool = False
    rank: int = 0
    """Lower is listed first when many wait."""


@dataclass(frozen=True, slots=True)
class PageBody:
    """A page as it arrived."""

    page: Page
    decoded_bytes: int = 0


class Source(Protocol):
    """A server that can be listed and watched."""

    async def resolve(
        self, group: str, kind: str, *, versions: Sequence[str], fresh: bool
    ) -> Resource | None:
        """What serves a kind, None if nothing does; raises FleettuiError."""
        ...

    async def read_page(self, part: Slice, *, limit: int, token: str) -> PageBody:
        """One page of a list; raises FleettuiError."""
        ...

    def open_watch(
        self, part: Slice, *, resource_version: str, timeout_s: int, idle_s: float, is_initial: bool
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A watch as the bytes that arrive; raises FleettuiError."""
        ...
