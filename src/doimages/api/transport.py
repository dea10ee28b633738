"""Requests over HTTP, paced and retried. The only file that speaks httpx."""

import asyncio
import logging
import os
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import nullcontext
from urllib.parse import SplitResult, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from doimages.api import retry
from doimages.api.asking import BeforeSend
from doimages.api.http2 import Headers, LostError
from doimages.api.model import Kind, Reply, Request
from doimages.api.multiplex import Multiplexer, NotOfferedError
from doimages.api.pacing import Pacer, Quota, read_quota
from doimages.api.problems import failure_of, problem_of
from doimages.api.retry import Budget
from doimages.api.wire import check_status, check_whole, encode_body
from doimages.errors import APIError, TransportError, UsageError
from doimages.redaction import Secret, guard_logs, redact, redact_bytes

logger = logging.getLogger("doimages")

TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=30.0, pool=5.0)
# HTTP/2 carries all requests on one connection; where it is not offered this many are opened.
CONNECTIONS = 32
STREAMS = 100
# A page of 200 images is about 100 kB; no honest reply is larger than this.
MOST_BYTES = 32 * 1024 * 1024
USER_AGENT = "doimages"

_FREE = nullcontext()
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

    ``over`` replaces the network (an ASGI app or a script, in tests); ``clock``, ``epoch`` (for
    the rate limit's dates only: it may be set back), ``sleep`` and ``draw`` replace time and chance.
    """

    def __init__(
        self,
        base_url: str,
        secret: Secret,
        pacer: Pacer,
        *,
        over: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        epoch: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        guard_logs()
        self._pacer = pacer
        self._clock = clock
        self._epoch = epoch
        self._sleep = sleep
        self._draw = draw
        self._budget = Budget()
        self._base = urlsplit(base_url)
        self._secret = secret
        self._over = over
        # What the last reply told is left of the rate limit.
        self.quota: Quota | None = None
        self._connect()

    def _connect(self) -> None:
        self._process = os.getpid()
        self._lanes = asyncio.Semaphore(CONNECTIONS)
        self._asking = asyncio.Semaphore(CONNECTIONS // 2)
        self._is_wide = False
        self._lost_connection: int | None = None
        is_local = self._base.scheme == "http"
        self._fast = None if self._over or is_local or _has_proxy(self._base) else _multiplexer(self._base)
        self._http = httpx.AsyncClient(
            base_url=self._base.geturl(),
            auth=BearerAuth(self._secret),
            transport=self._over,
            http2=not is_local,
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
            # A proxy would see the token of a plain-text request; only this machine is spoken to in plain text.
            trust_env=not is_local,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        )

    async def send(self, request: Request, before: BeforeSend | None = None) -> Reply:
        """Send a request, again where that is safe, and give the reply; any status but 2xx is raised as its error.

        Where ``before`` has waited for a free place, the request goes out without another wait after it.
        """
        self._check_open(request)
        if self._process != os.getpid():
            # After a fork the connections are the parent's too: replies would be mixed up, so they are left to it.
            self._inherited = self._http, self._fast
            self._connect()
        spent = waited_for_limit = 0.0
        attempt = 0
        may_be_done: bool | None = None
        while True:
            try:
                # The place is booked with a lane in hand: waiting for one after it would send later than booked.
                # Those that ask may read for it: they leave lanes for that, or all would wait for ever.
                async with _FREE if before is None else self._asking, self._lanes:
                    if before is not None:
                        await before(may_be_done)
                    await self._wait_for_place()
                    began = self._clock()
                    self._check_open(request)
                    reply = await self._send_once(request)
                if reply.status == 429:  # noqa: PLR2004
                    # What it tells is left is of the minute, or it is not waited out.
                    may_be_done = bool(may_be_done)
                    waited_for_limit += await self._wait_for_limit(request, reply, waited_for_limit)
                    continue
                self.quota = read_quota(reply.headers) or self.quota
                check_status(request, reply)
            except (TransportError, APIError) as error:
                attempt += 1
                error.may_be_done = bool(may_be_done)
                wait = retry.backoff_seconds(attempt, self._draw())
                spent += self._clock() - began + wait
                failure = failure_of(error)
                may_be_done = bool(may_be_done) or failure in retry.MAY_BE_DONE
                if failure is None or attempt >= retry.attempts(failure, request.kind):
                    raise
                is_paid = isinstance(error, TransportError) and error.is_paid
                if spent > retry.TOTAL_SECONDS or not (is_paid or self._budget.spend()):
                    raise
                logger.info("%s: %s; again in %.1f s", request, failure.value, wait)
            else:
                self._budget.earn()
                return reply
            await self._sleep(wait)

    def seconds_to_place(self) -> float:
        """Tell how long a request would wait for its place in the window; none is booked."""
        return self._pacer.seconds_to_place(self._clock())

    async def aclose(self) -> None:
        """Close the connections; those of a parent process are left to it."""
        if self._process != os.getpid():
            return
        if self._fast is not None:
            await self._fast.aclose()
        await self._http.aclose()

    def _check_open(self, request: Request) -> None:
        """Refuse to send with a client that is closed, or was closed while the request waited."""
        if self._http.is_closed:
            raise UsageError(f"{request}: this client is closed; make another with doimages.connect. Nothing was sent.")

    async def _wait_for_place(self) -> None:
        wait = self._pacer.reserve(self._clock())
        while wait > 0:
            await self._sleep(wait)
            wait = self._pacer.remaining_pause(self._clock())

    async def _wait_for_limit(self, request: Request, reply: Reply, waited: float) -> float:
        """Wait as long as a 429 asks; raise RateLimitError if that is longer than is sensible."""
        asked = retry.limit_wait_seconds(reply.headers, self._epoch())
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
        reply = _without_token(await self._send_fast(request) or await self._send_by_httpx(request))
        check_whole(request, reply)
        return reply

    async def _send_fast(self, request: Request) -> Reply | None:
        """Send a read over the shared HTTP/2 connection; None where that is not the way."""
        if self._fast is None or request.kind is not Kind.READ:
            return None
        try:
            reply = await self._fast.get(lambda: self._fast_headers(request))
        except NotOfferedError:
            self._fast = None
            return None
        except LostError as error:
            problem = problem_of(request, str(error), self._base, is_unsent=error.is_unsent)
            problem.is_paid = error.connection is not None and error.connection == self._lost_connection
            self._lost_connection = error.connection or self._lost_connection
        except OSError as error:
            is_untrusted = isinstance(error, ssl.SSLCertVerificationError)
            problem = problem_of(
                request, str(error) or "timed out", self._base, is_unsent=True, is_untrusted=is_untrusted
            )
        else:
            self._widen()
            return reply
        raise problem

    def _fast_headers(self, request: Request) -> Headers:
        query = f"?{urlencode(request.query)}" if request.query else ""
        return [
            (":method", request.method),
            (":scheme", self._base.scheme),
            (":authority", self._base.netloc),
            (":path", f"{self._base.path}{request.path}{query}"),
            ("authorization", f"Bearer {self._secret.reveal()}"),
            ("accept", "application/json"),
            ("accept-encoding", "gzip"),
            ("user-agent", USER_AGENT),
        ]

    async def _send_by_httpx(self, request: Request) -> Reply:
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
            problem = problem_of(
                request,
                str(error) or type(error).__name__,
                self._base,
                is_unsent=isinstance(error, _UNSENT),
                is_untrusted=isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error).upper(),
                is_final=isinstance(error, httpx.DecodingError),
            )
        else:
            return Reply(response.status_code, response.headers, body)
        # Not within the except: the httpx error would stay its context, and that holds the request and its token.
        raise problem

    def _widen(self) -> None:
        """Let more requests out at once: they share one connection."""
        if not self._is_wide:
            self._is_wide = True
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


def _without_token(reply: Reply) -> Reply:
    """Mask the token in a reply: a server may send back what it was sent."""
    headers = {name.lower(): redact(value) for name, value in reply.headers.items()}
    return Reply(reply.status, headers, redact_bytes(reply.body))


def _has_proxy(base: SplitResult) -> bool:
    """Tell whether the environment puts a proxy before this host; httpx speaks to proxies."""
    return bool(getproxies().get(base.scheme)) and not proxy_bypass(base.hostname or "")


def _multiplexer(base: SplitResult) -> Multiplexer:
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    return Multiplexer(base.hostname or "", base.port or 443, context, MOST_BYTES)
