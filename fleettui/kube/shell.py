"""Lends the guarded transport to kubernetes_asyncio's generated classes.

Knows that library's REST seam, and replaces it: no session, TLS context,
credentials or proxy of its own ever exists, so whatever a generated method does
passes the gate like everything else. Imported in a thread by ``context.prepare``.

Source: kubernetes_asyncio 36.1 ``client/rest.py`` and ``client/api_client.py``.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from kubernetes_asyncio.client import ApiClient, ApiException, Configuration
from kubernetes_asyncio.client.rest import RESTClientObject, RESTResponse

from fleettui.kube.calls import JSON, Call
from fleettui.kube.faults import ApiError
from fleettui.kube.transport import Transport

MAX_BODY_BYTES = 16 << 20


class _Answered:
    """What RESTResponse wants of a response."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.reason = ""
        self.headers = headers


class GuardedRest(RESTClientObject):
    """The library's REST object without its session: ``request`` is all that sends."""

    def __init__(self, transport: Transport) -> None:
        """Send through a transport that outlives this object."""
        self._transport = transport
        self._prefix = urlsplit(transport.server).path.rstrip("/")

    async def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        post_params: object = None,
        _preload_content: bool = True,
        _request_timeout: object = None,
    ) -> RESTResponse:
        """Sends one request of a generated method.

        Raises:
            ReadOnlyViolation: the policy does not let it out.
            ApiException: the server's refusal, as the library tells it.
        """
        given = {name.lower(): value for name, value in (headers or {}).items()}
        call = Call(
            urlsplit(url).path.removeprefix(self._prefix),
            method=method,
            query=tuple((name, str(value)) for name, value in query_params or ()),
            accept=given.get("accept", JSON),
            body=b"" if body is None else msgspec.json.encode(body),
            content_type=given.get("content-type", JSON) if method not in ("GET", "HEAD") else "",
        )
        try:
            async with self._transport.open(call) as answer:
                data = await answer.read(limit_bytes=MAX_BODY_BYTES)
                answered: Any = _Answered(answer.status, answer.headers)
                return RESTResponse(answered, data)
        except ApiError as error:
            raised = ApiException(status=error.code, reason=str(error))
            raised.body = b""  # the library decodes it
            raise raised from error

    async def close(self) -> None:
        """Leaves the transport alone; its owner closes it."""


class GuardedApiClient(ApiClient):
    """An ApiClient whose every request passes the gate."""

    def __init__(self, transport: Transport) -> None:
        """Set what the base class needs, except its own connections."""
        configuration = Configuration(host=transport.server.rstrip("/"))
        self.configuration = configuration
        self.pool_threads = 1
        self.rest_client = GuardedRest(transport)
        self.default_headers: dict[str, str] = {}
        self.cookie = ""
        self.client_side_validation = configuration.client_side_validation


def api_client(transport: Transport) -> GuardedApiClient:
    """A client for the generated classes (``CoreV1Api(api_client(transport))``)."""
    return GuardedApiClient(transport)
