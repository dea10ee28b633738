"""One request as the sandbox reads it, the reply it gives, and the refusal that takes the reply's place."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]

# The `id` an error body carries for its status (the API's description, shared error model).
ERROR_IDS = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "request_entity_too_large",
    421: "misdirected_request",
    422: "unprocessable_entity",
    429: "too_many_requests",
    503: "service_unavailable",
}
FORBIDDEN = "You are not authorized to perform this operation"
LONGEST_NUMBER = 19  # an int64
NOT_FOUND = "The resource you were accessing could not be found."


@dataclass(frozen=True)
class Reply:
    """What goes back: a status and a JSON value, or no body at all where `payload` is None."""

    status: int
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - the API refuses; nothing went wrong here
    """A reply that says no: `{id, message}` of the API's error model, or `body` where it has another shape."""

    def __init__(
        self, status: int, message: str, *, body: JSON | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.headers = headers or {}

    def reply(self, request_id: str) -> Reply:
        """Give the error body every refusal has; a `body` of another shape goes out unchanged."""
        return Reply(self.status, self.body or error_body(self.status, str(self), request_id), self.headers)


def error_body(status: int, message: str, request_id: str) -> JSON:
    """Give `{id, message, request_id}`, the shape of every error but those of POST /v2/tags."""
    return {"id": ERROR_IDS.get(status, "server_error"), "message": message, "request_id": request_id}


def forbidden() -> Refusal:
    """Give the 403 of a scope that is missing or an image that is not yours."""
    return Refusal(403, FORBIDDEN)


def not_found() -> Refusal:
    """Give the 404 of anything that is not there."""
    return Refusal(404, NOT_FOUND)


@dataclass(frozen=True)
class Call:
    """A request with its path taken apart; `scopes` None is a token that may do everything."""

    method: str
    path: str
    base_url: str
    query: dict[str, str]
    body: bytes
    params: dict[str, str] = field(default_factory=dict)
    scopes: frozenset[str] | None = None

    def may(self, scope: str) -> bool:
        """Say whether the token carries `scope`."""
        return self.scopes is None or scope in self.scopes

    def choice(self, name: str, words: tuple[str, ...]) -> str | None:
        """Read a query parameter that takes one of `words`; any other word is a 422, as the spec's enum."""
        word = self.query.get(name)
        if word is not None and word not in words:
            raise Refusal(422, f"{name} must be one of: {', '.join(words)}")
        return word

    def number(self, name: str, default: int) -> int:
        """Read a whole number from 1 up out of the query; anything else is a 422 (spec: minimum 1)."""
        text = self.query.get(name)
        if text is None:
            return default
        number = digits(text)
        if not number:
            raise Refusal(422, f"{name} must be a whole number from 1 up")
        return number

    def json(self) -> JSON:
        """Read the body as a JSON object; broken JSON is the spec's 400, another JSON value a 422."""
        try:
            value = json.loads(self.body, parse_constant=_refuse_constant)
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair cannot be sent back
        except (ValueError, RecursionError):
            raise Refusal(400, "error parsing request body") from None
        if not isinstance(value, dict):
            raise Refusal(422, "the request body must be a JSON object")
        return value


def digits(text: str) -> int | None:
    """Read a number written in plain digits, as ids are; None where it is anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None


def text_of(body: JSON, name: str, *, required: bool = False, status: int = 422) -> str | None:
    """Read a text out of a body; None where it is absent or null and not required."""
    value = body.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise Refusal(status, f"{name} must be a string")
    if required and not value.strip():
        raise Refusal(status, f"{name} can't be blank")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
