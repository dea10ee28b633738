"""Bytes to records and back, and an error status to the error it means. No I/O."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from doimages.api.model import Kind, Record, Reply, Request
from doimages.errors import (
    APIError,
    AuthenticationError,
    ConflictError,
    DecodeError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TransportError,
)

_ERRORS: Mapping[int, type[APIError]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    423: ConflictError,
    429: RateLimitError,
}
_SHOWN = 80  # characters of a body that is no error record


def encode_body(body: Record) -> bytes:
    """Write a record as JSON; numpy numbers become plain ones at this edge."""
    return json.dumps(body, ensure_ascii=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def check_status(request: Request, reply: Reply, *, retry_after: float | None = None) -> None:
    """Raise the error that a status stands for; 2xx passes."""
    status = reply.status
    if status < 300:  # noqa: PLR2004
        return
    if status < 400:  # noqa: PLR2004
        host = urlsplit(reply.headers.get("location", "")).netloc or "nowhere"
        raise TransportError(
            f"{request}: redirected to {host} ({status}). The redirect was not followed; check the base URL.",
            status=status,
        )
    api_id, said, request_id = _error_record(reply)
    kind = _ERRORS.get(status, ServerError if status >= 500 else InvalidRequestError)  # noqa: PLR2004
    raise kind(
        f"{request}: DigitalOcean answered {status}{f' {api_id}' if api_id else ''}: {said} "
        + _advice(request, status, retry_after),
        status=status,
        method=request.method,
        url=request.path,
        api_id=api_id,
        request_id=request_id,
        retry_after=retry_after,
    )


def _error_record(reply: Reply) -> tuple[str, str, str | None]:
    """Read id, message and request id of an error body, which may be any of six shapes, HTML or empty."""
    request_id = reply.headers.get("x-request-id")
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        text = " ".join(reply.body[:400].decode(errors="replace").split())[:_SHOWN]
        return "", (f"no error record but {text!r}." if text else "an empty body."), request_id
    # Tags have a second shape, {error, messages, root_causes}: tags/responses/tags_bad_request.yml.
    said = body.get("message") or body.get("error") or ""
    more = body.get("messages") or []
    parts = [said, *(more if isinstance(more, list) else [more])]
    texts = [part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in parts if part]
    text = "; ".join(texts) or "no message"
    api_id = body.get("id")
    found = body.get("request_id")
    return (
        api_id if isinstance(api_id, str) else "",
        text if text.endswith(".") else f"{text}.",
        found if isinstance(found, str) else request_id,
    )


def _advice(request: Request, status: int, retry_after: float | None) -> str:
    if status == 401:  # noqa: PLR2004
        advice = "Check the token: it may be revoked, cut short, or of another API."
    elif status == 403:  # noqa: PLR2004
        advice = f"The token lacks the scope {request.scope}."
    elif status == 429:  # noqa: PLR2004
        when = "later" if retry_after is None else f"in {_minutes(retry_after)}"
        advice = f"The rate limit of this token is used up; go on {when}."
    elif status >= 500 and request.kind is not Kind.READ:  # noqa: PLR2004
        return "It may have been carried out: read it back before sending it again."
    elif status >= 500:  # noqa: PLR2004
        advice = "Try again in a minute."
    else:
        advice = ""
    unchanged = "" if request.kind is Kind.READ else "Nothing was changed."
    return " ".join(filter(None, (advice, unchanged)))


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"  # noqa: PLR2004


def check_whole(request: Request, reply: Reply) -> None:
    """Refuse a JSON object that was cut short on its way though its length fits its header."""
    if reply.status == 200 and _is_json(reply) and not reply.body.rstrip().endswith(b"}"):  # noqa: PLR2004
        raise lost_reply(request, f"the answer was cut short after {len(reply.body)} bytes.", retryable=True)


def lost_reply(request: Request, reason: str, *, retryable: bool) -> TransportError:
    """Make the error for a request that was sent and got no whole reply."""
    advice = "" if request.kind is Kind.READ else " It may have been carried out: read it back before sending it again."
    return TransportError(f"{request}: {reason}{advice}", in_doubt=True, retryable=retryable)


def _is_json(reply: Reply) -> bool:
    return _media(reply).endswith("json")


def _media(reply: Reply) -> str:
    return reply.headers.get("content-type", "application/json").partition(";")[0].strip().lower()


def check_json(request: Request, reply: Reply) -> None:
    """Refuse a reply that is no JSON by its own word, such as the page of a proxy with status 200."""
    if not _is_json(reply):
        raise DecodeError(f"{request}: the answer is {_media(reply)}, not JSON. Check the base URL and any proxy.")


def decode_record(request: Request, reply: Reply, key: str) -> dict[str, Any]:
    """Read the record under ``key``, such as ``image`` in ``{"image": {...}}``."""
    body = decode_body(request, reply)
    found = body.get(key)
    # GET /v2/tags/{tag}: the description's example wraps the tag twice.
    if isinstance(found, dict) and set(found) == {key} and isinstance(found[key], dict):
        found = found[key]
    if not isinstance(found, dict):
        raise DecodeError(f"{request}: the answer has no {key!r}, only {sorted(body)}.", column=key)
    return found


def decode_body(request: Request, reply: Reply) -> dict[str, Any]:
    """Read a reply's JSON object."""
    check_json(request, reply)
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise lost_reply(request, f"the answer is no whole JSON ({len(reply.body)} bytes).", retryable=False) from None
    if not isinstance(body, dict):
        raise DecodeError(f"{request}: the answer is a JSON {type(body).__name__}, not an object.")
    return body
