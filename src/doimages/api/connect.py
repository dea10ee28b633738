"""Clients: made on purpose, or shared by calls that name none; and the embedded sandbox."""

import atexit
import os
import threading
import weakref
from typing import TYPE_CHECKING, Self

from doimages.api.client import Client
from doimages.api.credentials import Credentials, find_credentials
from doimages.api.pacing import Pacer
from doimages.api.portal import portal
from doimages.errors import DOImagesError
from doimages.redaction import Secret, redact
from doimages.settings import Resolved, options

if TYPE_CHECKING:
    from doimages.api.transport import Transport
    from doimages.sandbox_api.server import Server

SANDBOX = "sandbox"

_lock = threading.RLock()
_pacers: list[tuple[Secret, Pacer]] = []
_shared: dict[tuple[str, str], tuple[Secret, Client]] = {}


def connect(token: str | None = None, base_url: str | None = None, context: str | None = None) -> Client:
    """Make a client for one account.

    Sends nothing: a wrong token shows at the first request.

    Parameters
    ----------
    token
        The API token. Without it, in this order: ``context``, ``$DIGITALOCEAN_TOKEN``,
        ``$DIGITALOCEAN_ACCESS_TOKEN``, the keyring.
    base_url
        Address of the API; ``"sandbox"`` starts the embedded one. The default is ``$DIGITALOCEAN_API_URL``, then
        https://api.digitalocean.com. A token from the environment is not sent to an address given here.
    context
        Name of a token in doctl's configuration, as ``doctl auth list`` shows it.

    Returns
    -------
    Client
        Close it, or use it in a ``with`` block, when it is no longer needed.

    Raises
    ------
    CredentialsError
        If there is no token, naming where it was looked for.
    UsageError
        If the address is no https URL.

    Examples
    --------
    >>> import doimages
    >>> client = doimages.connect(base_url="sandbox")
    >>> len(doimages.read_do_images(client=client, max_results=5))
    5
    """
    return _client(_credentials(token, options.resolve("base_url", base_url), options.resolve("context", context)))


def shared_client(base_url: str | None = None, context: str | None = None, *, source: str = "argument") -> Client:
    """Give the client for these settings, the same one each time, so that connections and totals are kept."""
    found = _credentials(
        None, options.resolve("base_url", base_url, source), options.resolve("context", context, source)
    )
    with _lock:
        key = (found.base_url, found.source)
        secret, client = _shared.get(key, (None, None))
        if secret is None or client is None or not secret.is_same(found.secret):
            # The one before, if any, may be at work for another thread; it closes when nobody holds it.
            client = _client(found)
            _shared[key] = found.secret, client
        return client


def known_client(base_url: str | None = None, context: str | None = None) -> Client | None:
    """Give the client for these settings if there is one already; none is made, and no sandbox started."""
    url, name = options.resolve("base_url", base_url), options.resolve("context", context)
    try:
        if url.value == SANDBOX and embedded.server is None:
            return None
        found = _credentials(None, url, name)
    except DOImagesError:
        return None
    with _lock:
        return _shared.get((found.base_url, found.source), (None, None))[1]


def describe_account(base_url: str | None = None, context: str | None = None) -> tuple[str, str]:
    """Say in words which address and whose token a read would use; nothing is sent, and no sandbox started."""
    url, name = options.resolve("base_url", base_url), options.resolve("context", context)
    if url.value == SANDBOX:
        server = embedded.server
        return f"the embedded sandbox, {server.url if server else 'not started yet'}", "the embedded sandbox"
    try:
        found = find_credentials(None, url, name)
    except DOImagesError as error:
        why = str(error).replace("\n", " ").partition(". ")[0]
        return redact(str(url.value)), f"nowhere: {why}"
    return found.base_url, found.source


def _credentials(token: str | None, base_url: Resolved, context: Resolved) -> Credentials:
    if base_url.value == SANDBOX:
        server = embedded.start()
        return Credentials(Secret(server.token), "the embedded sandbox", server.url)
    return find_credentials(token, base_url, context)


def _client(found: Credentials) -> Client:
    from doimages.api.transport import Transport  # and with it httpx, which `import doimages` has no time for

    transport = Transport(found.base_url, found.secret, _pacer(found.secret))
    client = Client(found, transport)
    weakref.finalize(client, _close_later, transport)
    return client


def _close_later(transport: "Transport") -> None:
    """Close the connections of a client that nobody closed and nobody holds any more."""
    if portal.is_running:
        portal.submit(transport.aclose())


def _pacer(secret: Secret) -> Pacer:
    """Give the pacer of a token: the limit is per token, however many clients use it."""
    limit = options.requests_per_minute
    with _lock:
        for known, pacer in _pacers:
            if known.is_same(secret) and pacer.limit == limit:
                return pacer
        pacer = Pacer(limit)
        _pacers.append((secret, pacer))
        return pacer


class Sandbox:
    """A sandbox of the API on 127.0.0.1, of its own; made by :func:`doimages.sandbox`."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._client: Client | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return self._server.url

    @property
    def token(self) -> str:
        """The token it takes, made at random; it opens nothing else."""
        return self._server.token

    @property
    def client(self) -> Client:
        """A client connected to it."""
        if self._client is None:
            self._client = connect(token=self.token, base_url=self.url)
        return self._client

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
        self._server.stop()


def sandbox(images: int = 300, seed: int = 7, latency: float = 0.0, rate_limit: int = 250) -> Sandbox:
    """Run a sandbox of the API for a ``with`` block.

    Sends nothing anywhere: it answers on 127.0.0.1, from a catalogue made of ``seed``.

    Parameters
    ----------
    images
        How many images it has.
    seed
        The same seed gives the same images.
    latency
        Seconds each answer takes.
    rate_limit
        Requests it allows a minute.

    Returns
    -------
    Sandbox
        With ``url``, ``token`` and ``client``.

    Examples
    --------
    >>> import doimages
    >>> with doimages.sandbox(images=300) as box:
    ...     frame = doimages.read_do_images(client=box.client)
    >>> len(frame)
    300
    """
    from doimages.sandbox_api.server import Server

    return Sandbox(Server(images=images, seed=seed, latency=latency, rate_limit=rate_limit))


class Embedded:
    """The one sandbox that the word ``sandbox`` stands for, started at its first use."""

    def __init__(self) -> None:
        self.server: Server | None = None

    def start(self) -> "Server":
        """Start it, if it is not running."""
        with _lock:
            if self.server is None:
                from doimages.sandbox_api.server import Server

                self.server = Server()
                self.server.start()
            return self.server

    def stop(self) -> None:
        """Stop it; what was changed in it is gone."""
        with _lock:
            server, self.server = self.server, None
        if server is not None:
            server.stop()

    def reset(self) -> None:
        """Give it back its first images."""
        self.start().reset()


embedded = Embedded()


def close_all() -> None:
    """Close the shared clients, the embedded sandbox and the loop thread."""
    with _lock:
        clients = [client for _, client in _shared.values()]
        _shared.clear()
    for client in clients:
        client.close()
    embedded.stop()
    portal.stop()


def _forget() -> None:
    """Drop what a forked child cannot use: neither the loop's thread nor the sandbox's is there."""
    global _lock  # noqa: PLW0603 - another thread may have held it at the fork
    _lock = threading.RLock()
    _shared.clear()
    embedded.server = None


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
