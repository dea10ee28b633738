"""Requests over HTTP, paced and retried. The only file that speaks httpx."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Generator, Mapping

import httpx

from doimages.api import retry
from doimages.api.model import Reply, Request
from doimages.api.pacing import Pacer
from doimages.api.retry import Budget, Failure
from doimages.api.wire import check_status, check_whole, encode_body, lost_reply
from doimages.errors import APIError, TransportError
from doimages.redaction import Secret, guard_logs

logger = logging.getLogger("doimages")

TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=30.0, pool=5.0)
# HTTP/2 carries all requests on one connection; where it is not offered this many are opened.
CONNECTIONS = 32
STREAMS = 100
# A page of 200 images is about 100 kB; no honest reply is larger than this.
MOST_BYTES = 32 * 1024 * 1024
USER_AGENT = "doimages"

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class BearerAuth(httpx.Auth):
    """The one place where a token is taken out of its Secret."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header to a request on its way out."""
        request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        yield request


class Transport:
    """Sends requests to one base URL with one token.

    ``over`` replaces the network (an ASGI app or a script, in tests); ``clock``, ``sleep`` and ``draw`` replace
    time and chance.
    """

    def __init__(
        self,
        base_url: str,
        secret: Secret,
        pacer: Pacer,
        *,
        over: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        guard_logs()
        self._pacer = pacer
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._budget = Budget()
        self._lanes = asyncio.Semaphore(CONNECTIONS)
        self._multiplexed = False
        is_local = base_url.startswith("http://")
        self._http = httpx.AsyncClient(
            base_url=base_url,
            auth=BearerAuth(secret),
            transport=over,
            http2=not is_local,
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
            # A proxy would see the token of a plain-text request; only this machine is spoken to in plain text.
            trust_env=not is_local,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        )

    async def send(self, request: Request) -> Reply:
        """Send a request, again where that is safe, and give the reply; any status but 2xx is raised as its error."""
        started = self._clock()
        waited_for_limit = 0.0
        attempt = 0
        while True:
            await self._wait_for_place()
            try:
                reply = await self._send_once(request)
                if reply.status == 429:  # noqa: PLR2004
                    waited_for_limit += await self._wait_for_limit(request, reply, waited_for_limit)
                    continue
                check_status(request, reply)
            except (TransportError, APIError) as error:
                attempt += 1
                wait = retry.backoff_seconds(attempt, self._draw())
                spent = self._clock() - started - waited_for_limit
                failure = _failure(error)
                if failure is None or attempt >= retry.attempts(failure, request.kind):
                    raise
                if spent + wait > retry.TOTAL_SECONDS or not self._budget.spend():
                    raise
                logger.info("%s: %s; again in %.1f s", request, failure.value, wait)
            else:
                self._budget.earn()
                return reply
            await self._sleep(wait)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _wait_for_place(self) -> None:
        wait = self._pacer.reserve(self._clock())
        while wait > 0:
            await self._sleep(wait)
            wait = self._pacer.remaining_pause(self._clock())

    async def _wait_for_limit(self, request: Request, reply: Reply, waited: float) -> float:
        """Wait as long as a 429 asks; raise RateLimitError if that is longer than is sensible."""
        asked = retry.limit_wait_seconds(reply.headers, self._clock())
        wait = (
            asked if asked is not None else retry.LIMIT_WAIT_LEAST_SECONDS + retry.BACKOFF_MOST_SECONDS * self._draw()
        )
        if wait > retry.LIMIT_WAIT_MOST_SECONDS or waited + wait > retry.LIMIT_TOTAL_SECONDS:
            check_status(request, reply, retry_after=wait)
        logger.info("%s: rate limit: going on in %.0f s", request, wait)
        self._pacer.pause(self._clock() + wait)
        await self._sleep(wait)
        return wait

    async def _send_once(self, request: Request) -> Reply:
        async with self._lanes:
            try:
                async with self._http.stream(
                    request.method,
                    request.path,
                    params=request.query or None,
                    content=None if request.body is None else encode_body(request.body),
                    headers=None if request.body is None else {"Content-Type": "application/json"},
                ) as response:
                    body = await _read(response)
            except httpx.HTTPError as error:
                # `from None`: the httpx error holds the request, and with it the token.
                raise _lost(request, error, self._http.base_url.host) from None
        self._widen(response.http_version)
        reply = Reply(response.status_code, _lower(response.headers), body)
        check_whole(request, reply)
        return reply

    def _widen(self, http_version: str) -> None:
        if http_version == "HTTP/2" and not self._multiplexed:
            self._multiplexed = True
            for _ in range(STREAMS - CONNECTIONS):
                self._lanes.release()


async def _read(response: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise httpx.DecodingError(f"the answer is larger than {MOST_BYTES // 1024**2} MiB")
    return b"".join(parts)


def _lower(headers: httpx.Headers) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _failure(error: TransportError | APIError) -> Failure | None:
    if isinstance(error, APIError):
        return retry.failure_of_status(error.status or 0)
    if not error.retryable:
        return None
    return Failure.LOST if error.in_doubt else Failure.UNSENT


def _lost(request: Request, error: httpx.HTTPError, host: str) -> TransportError:
    """Say what is known of a request without a whole reply."""
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in reason.upper():
        return TransportError(f"{request}: the certificate of {host} is not trusted. Nothing was sent.")
    if isinstance(error, _UNSENT):
        return TransportError(f"{request}: {host} cannot be reached ({reason}). Nothing was changed.", retryable=True)
    retryable = not isinstance(error, httpx.DecodingError)
    return lost_reply(request, f"no whole answer came from {host} ({reason}).", retryable=retryable)
