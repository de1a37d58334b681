"""Errors that an API answers with: few, named, each with one HTTP status and one frozen code.

An `ApiError` may be raised anywhere below the gateway; it crosses the RPC boundary unchanged.
Any other exception is a defect of ours and is answered 500 without its text.
A code, once published, never changes its meaning.
"""

from __future__ import annotations

from typing import Any, ClassVar

FieldErrors = dict[str, list[str]]


class ApiError(Exception):
    """An answer other than success: `status` (HTTP), `code` (frozen), `body` (JSON object)."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    message: ClassVar[str] = "Internal error."

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        super().__init__(detail or self.message)
        self.extra = extra
        self.headers: dict[str, str] = {}

    @property
    def body(self) -> dict[str, Any]:
        return {"detail": str(self), "code": self.code, **self.extra}


class InvalidInput(ApiError):
    """400: `{"field": ["message", …]}`, REST framework convention; `errors` maps field → messages."""

    status, code, message = 400, "invalid", "Invalid input."

    def __init__(self, errors: FieldErrors | str | None = None, **extra: Any) -> None:
        super().__init__(errors if isinstance(errors, str) else None, **extra)
        self.errors = errors if isinstance(errors, dict) else {}

    @property
    def body(self) -> dict[str, Any]:
        return dict(self.errors) if self.errors else super().body


class MalformedBody(ApiError):
    status, code, message = 400, "parse_error", "Malformed request body."


class NotAuthenticated(ApiError):
    status, code, message = 401, "not_authenticated", "Authentication credentials were not provided."


class AuthenticationFailed(ApiError):
    status, code, message = 401, "authentication_failed", "Incorrect authentication credentials."


class TokenNotValid(ApiError):
    status, code, message = 401, "token_not_valid", "Given token not valid for any token type"


class PermissionDenied(ApiError):
    status, code, message = 403, "permission_denied", "You do not have permission to perform this action."


class NotFound(ApiError):
    status, code, message = 404, "not_found", "Not found."


class NoInfo(ApiError):
    """404: the object is there, but nothing that could be asked about it."""

    status, code, message = 404, "no_info", "There is nobody to ask about it."


class MethodNotAllowed(ApiError):
    status, code, message = 405, "method_not_allowed", "Method not allowed."


class NotAcceptable(ApiError):
    status, code, message = 406, "not_acceptable", "Could not satisfy the request Accept header."


class Unprocessable(ApiError):
    """422: understood, and not to be done as things are."""

    status, code, message = 422, "unprocessable", "This cannot be done."


class Conflict(ApiError):
    status, code, message = 409, "conflict", "The request conflicts with the state of the resource."


class KeyInUse(ApiError):
    """409: the first request with this idempotency key is still being done; ask again for its answer."""

    status, code, message = 409, "idempotency_key_in_use", "A request with this key is still under way."


class KeyReused(ApiError):
    status, code, message = 422, "idempotency_key_reused", "This key came with another request before."


class AmbiguousKey(ApiError):
    status, code, message = 409, "ambiguous_key", "More than one object has this key; use the numeric id."


class CursorExpired(ApiError):
    status, code, message = 410, "cursor_expired", "What follows this cursor is gone; load the lists again."


class NotOffered(ApiError):
    """409: the device has no such action, or somebody disabled it; `reason` in `extra` is for programs."""

    status, code, message = 409, "action_not_offered", "The device does not offer this action."


class PreconditionFailed(ApiError):
    status, code, message = 412, "precondition_failed", "The resource was changed since it was read."


class TooLarge(ApiError):
    status, code, message = 413, "too_large", "The request body is too large."


class UnsupportedMediaType(ApiError):
    status, code, message = 415, "unsupported_media_type", "Unsupported media type in request."


class Throttled(ApiError):
    """429; `retry_after` in seconds goes into the `Retry-After` header."""

    status, code, message = 429, "throttled", "Too many attempts."

    def __init__(self, detail: str | None = None, retry_after: int = 60, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.headers["Retry-After"] = str(retry_after)


class UpstreamFailed(ApiError):
    status, code, message = 502, "upstream_failed", "An outside system answered with an error."


class ServiceUnavailable(ApiError):
    """503: the owning service, the broker or a database cannot be reached now; try again."""

    status, code, message = 503, "service_unavailable", "Service temporarily unavailable, try again later."

    def __init__(self, detail: str | None = None, retry_after: int = 2, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.headers["Retry-After"] = str(retry_after)


class Busy(ServiceUnavailable):
    """503: as many requests that take long as may be under way are under way already."""

    code, message = "busy", "Too many requests that take long are under way, try again later."


class DeadlineExceeded(ApiError):
    status, code, message = 504, "deadline_exceeded", "The service did not answer in time."


def _all(base: type[ApiError]) -> list[type[ApiError]]:
    return [base] + [found for child in base.__subclasses__() for found in _all(child)]


def to_wire(error: ApiError) -> list[Any]:
    """`[code, message, extra, headers, field errors]`: JSON, what `from_wire` takes."""
    return [error.code, str(error), error.extra, error.headers, getattr(error, "errors", None)]


def from_wire(wire: list[Any]) -> ApiError:
    """The error that `to_wire` described; an unknown code (a newer peer) becomes a plain `ApiError`."""
    code, message, extra, headers, errors = wire
    kind = {cls.code: cls for cls in _all(ApiError)}.get(code, ApiError)
    error = kind(errors or message, **extra) if kind is InvalidInput else kind(message, **extra)
    error.headers = dict(headers)
    return error
