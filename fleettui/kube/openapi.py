"""The OpenAPI documents of one server, asked for anew and sent only when changed.

Knows their addresses and their tags; what they say is for others to read.

Source: KEP-2896 (``/openapi/v3``, one document a group and version, ETag).
"""

from fleettui.kube.calls import Call, Caller
from fleettui.kube.faults import ApiError, Fault

MAX_DOCUMENT_BYTES = 64 << 20
_NONE_SERVED = (Fault.NOT_FOUND, Fault.NOT_SERVED, Fault.FORBIDDEN)


class OpenApi:
    """Documents of a server, remembered by tag."""

    def __init__(self, caller: Caller) -> None:
        """Nothing is asked yet."""
        self._caller = caller
        self._tags: dict[str, str] = {}

    async def changed(self, group: str, version: str) -> bytes | None:
        """The document of a group and version; None when it is as it was last time.

        Empty when the server publishes none.

        Raises:
            ApiError: it cannot be told.
        """
        path = f"/openapi/v3/apis/{group}/{version}" if group else f"/openapi/v3/api/{version}"
        call = Call(path, accept="application/json", if_none_match=self._tags.get(path, ""))
        try:
            async with self._caller.open(call) as answer:
                if answer.status == 304:
                    return None
                body = await answer.read(limit_bytes=MAX_DOCUMENT_BYTES)
                self._tags[path] = answer.headers.get("ETag", "")
                return body
        except ApiError as error:
            if error.fault in _NONE_SERVED:
                return b""
            raise
