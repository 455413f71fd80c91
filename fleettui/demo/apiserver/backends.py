"""What answers behind services: the API server's proxy of them.

Knows services by namespace, name and port; refuses to know what they are.
Source: k8s.io/kubernetes pkg/registry/core/service/proxy.
"""

from __future__ import annotations

from collections.abc import Mapping

from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.target import Target

Service = tuple[str, str, int]
"""Namespace, name and port."""


class Backends:
    """Bodies by service and path."""

    def __init__(self) -> None:
        self._bodies: dict[Service, dict[str, bytes]] = {}

    def add(self, service: Service, bodies: Mapping[str, bytes]) -> None:
        """Let a service answer some paths, named without the leading slash."""
        self._bodies.setdefault(service, {}).update(bodies)

    def answer(self, target: Target) -> bytes:
        """The body behind `services/[http:]NAME:PORT/proxy/PATH`.

        Raises:
            ApiError: 404 for an unknown path, 503 for a service without endpoints.
        """
        _, _, named = target.name.rpartition("http:")
        name, _, port = named.partition(":")
        key = (target.namespace, name, int(port) if port.isdigit() else 80)
        bodies = self._bodies.get(key)
        if bodies is None:
            text = f'no endpoints available for service "{target.name}"'
            raise ApiError(503, "ServiceUnavailable", text)
        path = target.path.partition("/proxy/")[2]
        if path not in bodies:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        return bodies[path]
