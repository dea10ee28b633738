"""The sandbox as an ASGI application: every operation, and what is checked before and after each."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.routing import Route

from doimages.sandbox_api import account, actions, droplets, images, snapshots, tags, transfers
from doimages.sandbox_api.call import Call, Refusal, Reply, error_body, forbidden, not_found
from doimages.sandbox_api.faults import Fault, take_fault
from doimages.sandbox_api.state import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from doimages.sandbox_api.limits import Quota
    from doimages.sandbox_api.state import State

    Operation = Callable[[State, Call], Reply]
    Methods = dict[str, tuple[tuple[str, ...], Operation]]

LARGEST_BODY = 1_000_000
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
HTML = b"<html><head><title>Bad gateway</title></head><body><h1>The host is not answering</h1></body></html>"

_IMAGE = "/v2/images/{image_id}"
_TRANSFER = f"{_IMAGE}/account_transfer"
# method, path, scopes (the description's security of each operation), what answers it
OPERATIONS: tuple[tuple[str, str, tuple[str, ...], Operation], ...] = (
    ("GET", "/v2/images", ("image:read",), images.list_images),
    ("POST", "/v2/images", ("image:create",), images.create_image),
    ("GET", _IMAGE, ("image:read",), images.get_image),
    ("PUT", _IMAGE, ("image:update",), images.update_image),
    ("DELETE", _IMAGE, ("image:delete",), images.delete_image),
    ("GET", f"{_IMAGE}/actions", ("image:read",), actions.list_image_actions),
    ("POST", f"{_IMAGE}/actions", ("image:update",), actions.start_action),
    ("GET", _IMAGE + "/actions/{action_id}", ("image:read",), actions.get_image_action),
    ("POST", _TRANSFER, ("image:update", "image:delete"), transfers.create_transfer),
    ("POST", f"{_TRANSFER}/accept", ("image:create",), transfers.accept_transfer),
    ("POST", f"{_TRANSFER}/cancel", ("image:update",), transfers.end_transfer),
    ("POST", f"{_TRANSFER}/decline", ("image:create",), transfers.end_transfer),
    ("GET", "/v2/snapshots", ("snapshot:read",), snapshots.list_snapshots),
    ("GET", "/v2/snapshots/{snapshot_id}", ("snapshot:read",), snapshots.get_snapshot),
    ("DELETE", "/v2/snapshots/{snapshot_id}", ("image:delete", "snapshot:delete"), snapshots.delete_snapshot),
    ("GET", "/v2/tags", ("tag:read",), tags.list_tags),
    ("POST", "/v2/tags", ("tag:create",), tags.create_tag),
    ("GET", "/v2/tags/{tag_id}", ("tag:read",), tags.get_tag),
    ("DELETE", "/v2/tags/{tag_id}", ("tag:delete",), tags.delete_tag),
    ("POST", "/v2/tags/{tag_id}/resources", ("tag:create",), tags.tag_resources),
    ("DELETE", "/v2/tags/{tag_id}/resources", ("tag:delete",), tags.untag_resources),
    ("GET", "/v2/account", ("account:read",), account.get_account),
    ("GET", "/v2/regions", ("regions:read",), account.list_regions),
    ("GET", "/v2/actions", ("actions:read",), actions.list_actions),
    ("GET", "/v2/actions/{action_id}", ("actions:read",), actions.get_action),
    ("GET", "/v2/droplets", ("droplet:read",), droplets.list_droplets),
    ("GET", "/v2/droplets/{droplet_id}", ("droplet:read",), droplets.get_droplet),
    ("GET", "/v2/droplets/{droplet_id}/snapshots", ("droplet:read",), droplets.list_droplet_snapshots),
    ("GET", "/v2/droplets/{droplet_id}/backups", ("droplet:read",), droplets.list_droplet_backups),
    (
        "GET",
        "/v2/droplets/{droplet_id}/destroy_with_associated_resources",
        ("droplet:read",),
        droplets.list_associated,
    ),
)


def create_app(state: State, *, token: str | None = None, latency: float = 0.0) -> Starlette:
    """Make the application over `state`; every request is answered `latency` seconds late.

    `token` is one that may do everything; tokens of narrower scopes go into `state.tokens`. A Host that is
    neither local nor the one the application is served as is a 421 (DNS rebinding), and no reply allows
    another origin. A trailing slash is accepted on every path (python-digitalocean sends it), HEAD wherever
    GET is. No request of its own is ever made.
    """
    if token is not None:
        state.tokens[token] = None
    return Starlette(routes=[Route("/{path:path}", _Desk(state, latency))])


class _Desk:
    """Where every request arrives: host, token, rate limit, fault, route, scope, work, log, in this order."""

    def __init__(self, state: State, latency: float) -> None:
        self._state = state
        self._latency = latency
        paths: dict[str, Methods] = {}
        for method, path, scopes, operation in OPERATIONS:
            paths.setdefault(path, {})[method] = (scopes, operation)
        self._paths = [
            (re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)), methods) for path, methods in paths.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._state
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        host = headers.get("host", "")
        path = scope["path"].rstrip("/") or "/"
        body = await _read(receive)
        call = Call(scope["method"], path, f"{scope['scheme']}://{host}", dict(query), body or b"")
        if self._latency:
            await asyncio.sleep(self._latency)

        request_id = str(uuid.UUID(int=next(state.request_ids)))
        quota = state.limits.untouched()
        fault = None
        try:
            _check(host, scope, body)
            token, call = self._authenticate(call, headers.get("authorization"))
            quota = self._count(token)
            fault = take_fault(state.faults, call)
            reply = self._answer(call, fault)
        except Refusal as refusal:
            reply = refusal.reply(request_id)

        sent = _sent(reply, fault, request_id, quota)
        status = None if fault is not None and fault.kind == "drop" else sent.status
        state.remember(
            Record(call.method, path, call.query, status, _parsed(body), "authorization" in headers, request_id)
        )
        await _deliver(sent, fault, scope, receive, send)

    def _authenticate(self, call: Call, authorization: str | None) -> tuple[str, Call]:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or token not in self._state.tokens:
            raise Refusal(401, "Unable to authenticate you")
        return token, replace(call, scopes=self._state.tokens[token])

    def _count(self, token: str) -> Quota:
        quota = self._state.limits.take(token)
        if not quota.allowed:
            raise Refusal(429, "API rate limit exceeded.", headers=quota.headers())
        return quota

    def _answer(self, call: Call, fault: Fault | None) -> Reply:
        if fault is not None and not fault.does_work:
            return Reply(fault.status)
        if fault is not None and fault.change is not None:
            fault.change()
        params, methods = self._route(call.path)
        method = "GET" if call.method == "HEAD" else call.method
        if method not in methods:
            allowed = ", ".join(sorted({*methods, "HEAD"} if "GET" in methods else methods))
            raise Refusal(405, f"{call.method} is not allowed here", headers={"allow": allowed})
        scopes, operation = methods[method]
        if not all(call.may(scope) for scope in scopes):
            raise forbidden()
        return operation(self._state, replace(call, params=params))

    def _route(self, path: str) -> tuple[dict[str, str], Methods]:
        for pattern, methods in self._paths:
            match = pattern.fullmatch(path)
            if match:
                return match.groupdict(), methods
        raise not_found()


def _check(host: str, scope: Scope, body: bytes | None) -> None:
    name = re.sub(r":\d+$", "", host).lower()
    server = scope.get("server")
    if name not in LOCAL_NAMES and (server is None or name != server[0]):
        raise Refusal(421, "this sandbox answers to its own address only")
    if body is None:
        raise Refusal(413, f"a request body may have {LARGEST_BODY} bytes")


async def _read(receive: Receive) -> bytes | None:
    """Read the body whole; None where it is larger than any request of this API, or was cut off."""
    body = bytearray()
    is_whole = True
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        # a body that is too large is read to its end all the same, or the client never sees the refusal
        is_whole = is_whole and len(body) + len(message.get("body", b"")) <= LARGEST_BODY
        if is_whole:
            body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body) if is_whole else None


def _parsed(body: bytes | None) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _sent(reply: Reply, fault: Fault | None, request_id: str, quota: Quota) -> Reply:
    """Put the headers every reply has, and what a fault makes of it; the payload becomes bytes."""
    headers = {"x-request-id": request_id, **quota.headers(), **reply.headers}
    status, payload = reply.status, reply.payload
    kind = "application/json; charset=utf-8"
    if fault is not None:
        headers |= {name.lower(): value for name, value in fault.headers.items()}
        if fault.kind == "edit" and fault.edit is not None:
            payload = fault.edit(payload)
        elif fault.kind == "status":
            status, payload = fault.status, fault.body
            if payload is None:
                payload = error_body(status, "made to fail by a fault", request_id)
        elif fault.kind == "html":
            status, payload, kind = fault.status, fault.body or HTML, "text/html; charset=utf-8"
    if payload is None:
        content = b""
    else:
        headers = {"content-type": kind, **headers}
        content = _encode(payload)
    if status != 204:  # noqa: PLR2004 - the one reply that has no length
        headers["content-length"] = str(len(content))
    return Reply(status, content, headers)


def _encode(payload: Any) -> bytes:
    if isinstance(payload, bytes):
        return payload
    if isinstance(payload, str):
        return payload.encode()
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


async def _deliver(sent: Reply, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
    if fault is not None and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault is not None and fault.kind == "drop":
        await _hang_up(scope, receive)
        return
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.headers.items()]
    await send({"type": "http.response.start", "status": sent.status, "headers": headers})
    content: bytes = b"" if scope["method"] == "HEAD" else sent.payload
    if fault is not None and fault.kind == "truncate":
        half = content[: len(content) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _hang_up(scope, receive)
        return
    await send({"type": "http.response.body", "body": content})


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection under the reply; `server.Connection` lends its transport for this."""
    transport = scope.get("state", {}).get("transport")
    if transport is None:
        raise ConnectionResetError("the sandbox hung up, as a fault asked")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
