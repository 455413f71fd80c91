"""Errors of the API server as `metav1.Status` documents.

Source: k8s.io/apimachinery/pkg/api/errors (reasons, codes, wording).
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal that becomes a Status answer."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        retry_after_s: int | None = None,
        continue_token: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retry_after_s = retry_after_s
        self.continue_token = continue_token

    def status(self) -> dict[str, Any]:
        """The Status document."""
        meta: dict[str, Any] = {}
        if self.continue_token is not None:
            meta["continue"] = self.continue_token
        document: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": meta,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            document["reason"] = self.reason
        details = dict(self.details or {})
        if self.retry_after_s is not None:
            details["retryAfterSeconds"] = self.retry_after_s
        if details:
            document["details"] = details
        document["code"] = self.code
        return document


class NotFound(ApiError):
    """The object does not exist."""

    def __init__(self, qualified: str, name: str) -> None:
        plural, _, group = qualified.partition(".")
        super().__init__(
            404,
            "NotFound",
            f'{qualified} "{name}" not found',
            details={"name": name, "group": group, "kind": plural},
        )


def conflict(qualified: str, name: str, message: str) -> ApiError:
    """409 for a stale resourceVersion or a failed precondition."""
    plural, _, group = qualified.partition(".")
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {qualified} "{name}": {message}',
        details={"name": name, "group": group, "kind": plural},
    )


def already_exists(qualified: str, name: str) -> ApiError:
    """409 for a create of something that is there."""
    plural, _, group = qualified.partition(".")
    return ApiError(
        409,
        "AlreadyExists",
        f'{qualified} "{name}" already exists',
        details={"name": name, "group": group, "kind": plural},
    )


def bad_request(message: str) -> ApiError:
    """400 for what cannot be understood."""
    return ApiError(400, "BadRequest", message)


def invalid(qualified: str, name: str, *causes: tuple[str, str]) -> ApiError:
    """422 naming each field that is wrong."""
    plural, _, group = qualified.partition(".")
    text = ", ".join(f"{field}: {message}" for field, message in causes)
    if len(causes) > 1:
        text = f"[{text}]"
    return ApiError(
        422,
        "Invalid",
        f'{qualified} "{name}" is invalid: {text}',
        details={
            "name": name,
            "group": group,
            "kind": plural,
            "causes": [
                {"reason": "FieldValueInvalid", "message": message, "field": field}
                for field, message in causes
            ],
        },
    )


def expired(message: str, *, continue_token: str | None = None) -> ApiError:
    """410 for history that is no longer kept."""
    return ApiError(410, "Expired", message, continue_token=continue_token)


def too_large(wanted: int, current: int) -> ApiError:
    """504 for a resourceVersion the server has not reached yet."""
    message = f"Too large resource version: {wanted}, current: {current}"
    return ApiError(
        504,
        "Timeout",
        f"Timeout: {message}",
        details={
            "causes": [
                {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            ]
        },
        retry_after_s=1,
    )


def forbidden(message: str, *, group: str = "", plural: str = "", name: str = "") -> ApiError:
    """403 naming verb and resource."""
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if plural:
        details["kind"] = plural
    return ApiError(403, "Forbidden", message, details=details)


def unauthorized() -> ApiError:
    """401 for a missing or unknown token."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def unsupported_media_type(message: str) -> ApiError:
    """415 for a body of an unknown content type."""
    return ApiError(415, "UnsupportedMediaType", message)


def method_not_allowed() -> ApiError:
    """405 for a verb the resource does not have."""
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
    )
