"""An ASGI app served by hypercorn on 127.0.0.1, over TLS with HTTP/2 on offer, or in plain text."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import hypercorn.asyncio
import hypercorn.config


@contextmanager
def served(app, authority=None, folder=None):
    """Serve the app for a with block and give its URL; with an authority its certificate is written to the folder."""
    listener = socket.create_server(("127.0.0.1", 0))
    number = listener.getsockname()[1]
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = None
    config.graceful_timeout = 0.1
    if authority is not None:
        bundle = folder / "server.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(bundle))
        config.certfile = config.keyfile = str(bundle)
    loop, stopped = asyncio.new_event_loop(), asyncio.Event()
    serving = hypercorn.asyncio.serve(app, config, shutdown_trigger=stopped.wait)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        yield f"{'https' if authority else 'http'}://127.0.0.1:{number}"
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()
