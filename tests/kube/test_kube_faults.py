"""Failures sorted into classes by what servers really answer."""

import json

import pytest

from fleettui.errors import ConnectError, UsageError
from fleettui.kube.faults import ApiError, Fault, api_error_of, error_of, read_status, stream_error


def status(code: int, reason: str = "", message: str = "", **details: object) -> bytes:
    """A Status as JSON."""
    return json.dumps(
        {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    ).encode()


_CAUSE = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]


@pytest.mark.parametrize(
    ("code", "body", "fault"),
    [
        (401, status(401, "Unauthorized"), Fault.UNAUTHORIZED),
        (403, status(403, "Forbidden"), Fault.FORBIDDEN),
        (404, b"404 page not found\n", Fault.NOT_SERVED),
        (404, b"<html>", Fault.NOT_SERVED),
        (404, status(404, "NotFound", 'machines "x" not found'), Fault.NOT_FOUND),
        (
            404,
            status(404, "NotFound", "the server could not find the requested resource"),
            Fault.NOT_SERVED,
        ),
        (409, status(409, "Conflict"), Fault.CONFLICT),
        (410, status(410, "Expired"), Fault.GONE),
        (422, status(422, "Invalid"), Fault.INVALID),
        (406, b"", Fault.UNACCEPTABLE),
        (415, b"", Fault.UNACCEPTABLE),
        (429, b"", Fault.THROTTLED),
        (504, status(504, "Timeout", causes=_CAUSE), Fault.AHEAD),
        (500, status(500, "", "Too large resource version: 9, current: 5"), Fault.AHEAD),
        (504, status(504, "Timeout"), Fault.SERVER),
        (500, status(500, "InternalError", "etcdserver: request timed out"), Fault.SERVER),
        (502, b"<html>", Fault.SERVER),
        (503, b"", Fault.SERVER),
        (400, status(400, "BadRequest", "invalid continue token"), Fault.BAD_TOKEN),
        (400, status(400, "BadRequest", "other"), Fault.REFUSED),
        (413, b"", Fault.REFUSED),
        (302, b"", Fault.REDIRECTED),
        (418, b"\xff\xfe", Fault.REFUSED),
    ],
)
def test_answer_gets_its_class(code: int, body: bytes, fault: Fault) -> None:
    """Each class is treated differently; a wrong one loops, blanks rows or gives up."""
    error = error_of(code, {}, body, where="GET /x")
    assert error.fault is fault
    assert error.code == code
    assert str(error).startswith("GET /x: ")
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("7", b"", 7.0),
        ("", status(429, retryAfterSeconds=3), 3.0),
        ("5", status(429, retryAfterSeconds=3), 5.0),
        ("86400", b"", 120.0),
        ("-1", b"", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", b"", 0.0),
        ("1e9", b"", 0.0),
        ("9" * 5000, b"", 120.0),
    ],
)
def test_retry_after_is_taken_within_reason(header: str, body: bytes, seconds: float) -> None:
    """A proxy must not be able to silence a kind for a day."""
    assert error_of(429, {"Retry-After": header}, body).retry_after_s == seconds


def test_server_words_and_audit_id_are_kept_and_made_safe() -> None:
    """The audit id lets an administrator find the request; the words name the missing right."""
    body = status(403, "Forbidden", 'machines is forbidden: User "jane"\x1b[2J cannot list')
    error = error_of(403, {"Audit-Id": "abc\x1b"}, body)
    assert 'User "jane"␛[2J cannot list' in str(error)
    assert error.audit_id == "abc␛"
    assert "auth can-i" in error.hint


def test_proxy_page_is_not_quoted() -> None:
    """A page of HTML in a status line helps nobody."""
    error = error_of(502, {"Content-Type": "text/html"}, b"<html><body>Bad gateway")
    assert "proxy" in str(error)
    assert "<html>" not in str(error)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"kind":"Pod"}', b"[" * 9999])
def test_what_is_no_status_is_none(body: bytes) -> None:
    """Anything may stand where a Status should."""
    assert read_status(body) is None
    assert stream_error(body).fault is Fault.SERVER


def test_other_errors_get_a_class_too() -> None:
    """A sign-in that fails waits for sign-in; a refusal is not repeated."""
    assert api_error_of(ConnectError("plug-in missing", hint="h")).fault is Fault.UNAUTHORIZED
    assert api_error_of(ConnectError("x", hint="h")).hint == "h"
    assert api_error_of(UsageError("no")).fault is Fault.REFUSED
    error = ApiError("x", fault=Fault.CUT)
    assert api_error_of(error) is error
    assert error.is_outcome_unknown
    assert not ApiError("x", fault=Fault.UNREACHABLE).is_outcome_unknown
