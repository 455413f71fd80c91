"""Sorts what can go wrong with a request into the classes that are treated differently.

Knows HTTP status codes, the Status object and the two texts that old servers
send instead of a reason; decides on those alone, never on prose. Knows nothing
of sockets (``transport`` translates) or of what is done about a fault
(``reflector``).

Source: Kubernetes API conventions, "HTTP status codes" and "Response status
kind"; KEP-365 (expired continue tokens); client-go apimachinery errors.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from fleettui.errors import ConnectError, FleettuiError
from fleettui.text import one_line

MAX_RETRY_AFTER_S = 120.0
"""Longest wait that a server may impose; a proxy's ``Retry-After: 86400`` is no use here."""


class Fault(StrEnum):
    """Classes of failure."""

    GONE = "gone"
    """The resourceVersion or continue token is too old."""
    AHEAD = "ahead"
    """The resourceVersion is newer than what the server knows."""
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_SERVED = "not_served"
    """The path is unknown to the server: no such kind or version."""
    NOT_FOUND = "not_found"
    """The kind is served, the object is not there."""
    CONFLICT = "conflict"
    INVALID = "invalid"
    """422: also the answer to parameters the server does not know."""
    UNACCEPTABLE = "unacceptable"
    """406 or 415: this representation is not offered."""
    BAD_TOKEN = "bad_token"  # noqa: S105 - the name of a class, not a secret
    """The continue token is garbage to this server."""
    SERVER = "server"
    """5xx, and whatever a proxy says instead of the server."""
    UNREACHABLE = "unreachable"
    """No connection: name, refusal, time-out."""
    TLS = "tls"
    CUT = "cut"
    """The connection broke in the middle of an answer."""
    MALFORMED = "malformed"
    """A success that is not what was asked for."""
    REDIRECTED = "redirected"
    REFUSED = "refused"
    """400, 405, 413 and other 4xx: asking again the same way is no use."""


class StatusDetails(msgspec.Struct, frozen=True, rename="camel"):
    """The part of ``Status.details`` that decides anything."""

    retry_after_seconds: float = 0
    causes: list[dict[str, object]] | None = None


class Status(msgspec.Struct, frozen=True):
    """A Kubernetes Status object, as far as it is read."""

    kind: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""
    details: StatusDetails | None = None


class ApiError(ConnectError):
    """A request that failed, with its class."""

    def __init__(
        self,
        message: str,
        *,
        fault: Fault,
        code: int = 0,
        reason: str = "",
        retry_after_s: float = 0.0,
        audit_id: str = "",
        where: str = "",
        hint: str = "",
    ) -> None:
        """Keep the class beside the words.

        Args:
            message: one line, safe to show.
            fault: what kind of failure.
            code: HTTP status, 0 if there was no answer.
            reason: ``Status.reason``, empty if none.
            retry_after_s: wait asked for by the server, 0 if none.
            audit_id: the server's name for this request.
            where: method and path, or the server.
            hint: what the person can do.
        """
        super().__init__(message, where=where, hint=hint)
        self.fault = fault
        self.code = code
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.audit_id = audit_id

    @property
    def is_outcome_unknown(self) -> bool:
        """Whether a change may have happened although no answer says so."""
        return self.fault in (Fault.CUT, Fault.SERVER)


_NO_ROUTE = "could not find the requested resource"
"""What an API server says in a Status when it is the path that is unknown."""

_status_decoder = msgspec.json.Decoder(Status)

_BY_CODE = {
    401: Fault.UNAUTHORIZED,
    403: Fault.FORBIDDEN,
    406: Fault.UNACCEPTABLE,
    409: Fault.CONFLICT,
    410: Fault.GONE,
    415: Fault.UNACCEPTABLE,
    422: Fault.INVALID,
    429: Fault.THROTTLED,
}

_HINTS = {
    Fault.UNAUTHORIZED: "The server does not accept these credentials; sign in again.",
    Fault.FORBIDDEN: "Ask for the right, or check it with `kubectl auth can-i`.",
    Fault.THROTTLED: "The server asks for patience; the request is repeated by itself.",
    Fault.SERVER: "The server has trouble of its own; `kubectl get --raw /readyz?verbose` tells.",
    Fault.REDIRECTED: "Put the final address into the kubeconfig; redirects are not followed.",
}


def read_status(body: bytes) -> Status | None:
    """The Status object in a body, None if the body is something else."""
    try:
        status = _status_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return status if status.kind == "Status" else None


def fault_of(code: int, status: Status | None) -> Fault:
    """The class of an answer that is no success.

    Args:
        code: HTTP status, or the code of a Status object met in a stream.
        status: the Status object, None when the body was something else.
    """
    message = status.message if status else ""
    if code == 404:
        if (
            status is not None
            and status.reason == "NotFound"
            and "find the requested" not in message
        ):
            return Fault.NOT_FOUND
        return Fault.NOT_SERVED
    if code in (504, 500) and _is_ahead(status):
        return Fault.AHEAD
    if code == 400 and "continue" in message:
        return Fault.BAD_TOKEN
    if code in _BY_CODE:
        return _BY_CODE[code]
    if 300 <= code < 400:
        return Fault.REDIRECTED
    return Fault.SERVER if code >= 500 else Fault.REFUSED


def _is_ahead(status: Status | None) -> bool:
    if status is None:
        return False
    if "Too large resource version" in status.message:
        return True
    causes = (status.details.causes if status.details else None) or []
    return any(cause.get("reason") == "ResourceVersionTooLarge" for cause in causes)


def error_of(code: int, headers: Mapping[str, str], body: bytes, *, where: str = "") -> ApiError:
    """The error that tells an unsuccessful answer.

    Args:
        code: HTTP status.
        headers: case-insensitive mapping of the answer's headers.
        body: the answer's body, or its beginning.
        where: method and path.
    """
    status = read_status(body)
    fault = fault_of(code, status)
    return ApiError(
        _words(code, status, headers, body),
        fault=fault,
        code=code,
        reason=status.reason if status else "",
        retry_after_s=_retry_after(headers.get("Retry-After", ""), status),
        audit_id=one_line(headers.get("Audit-Id", ""), limit=64),
        where=where,
        hint=_HINTS.get(fault, ""),
    )


def stream_error(body: bytes, *, where: str = "") -> ApiError:
    """The error that tells the object of an ERROR event, which may lack everything."""
    status = read_status(body) or Status()
    code = status.code or 500
    return ApiError(
        one_line(status.message, limit=500) or f"the watch ended with an error {code}",
        fault=fault_of(code, status),
        code=code,
        reason=status.reason,
        retry_after_s=_retry_after("", status),
        where=where,
    )


def api_error_of(error: FleettuiError) -> ApiError:
    """Any failure of a request as one with a class.

    Credentials that cannot be had are a matter of signing in; what the gate or
    the configuration refuses is refused for good.
    """
    if isinstance(error, ApiError):
        return error
    fault = Fault.UNAUTHORIZED if isinstance(error, ConnectError) else Fault.REFUSED
    wrapped = ApiError(str(error), fault=fault, hint=error.hint)
    wrapped.where = error.where
    return wrapped


def _words(code: int, status: Status | None, headers: Mapping[str, str], body: bytes) -> str:
    if status is not None and status.message:
        return one_line(status.message, limit=500)
    if 300 <= code < 400:
        return one_line(f"answer {code} points at {headers.get('Location', 'nowhere')}", limit=500)
    kind = headers.get("Content-Type", "").split(";")[0]
    if kind == "text/plain" and body:
        return one_line(f"answer {code}: {body[:200].decode('utf-8', 'replace')}")
    if code >= 500:
        return f"error {code} from a proxy or load balancer, not from the API server"
    return f"answer {code}"


def _retry_after(header: str, status: Status | None) -> float:
    seconds = 0.0
    if header.isascii() and header.isdigit():
        seconds = float(header[:9])
    elif status is not None and status.details is not None:
        seconds = status.details.retry_after_seconds
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
