"""The one private thread whose event loop does all I/O.

Jupyter runs a loop of its own, so ``asyncio.run`` fails in a cell; a loop elsewhere needs no ``nest_asyncio``, serves
both sync and async callers with one set of connections, and lets a cell be interrupted while it waits.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent import futures
from typing import Any, TypeVar

T = TypeVar("T")

# A cancelled request ends in milliseconds; this is how long an interrupted cell waits for that.
CANCEL_SECONDS = 1.0
TICK_SECONDS = 0.1


class Portal:
    """A loop on a thread, started at its first use."""

    def __init__(self) -> None:
        # Reentrant: the collector may end a client, and with it come here, while this thread is here already.
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is a loop; asking does not start one."""
        return self._loop is not None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, running."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="doimages-io", daemon=True)
                self._thread.start()
            return self._loop

    def submit(self, work: Coroutine[Any, Any, T]) -> "futures.Future[T]":
        """Start work on the loop; cancelling the future cancels the work."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def wait(self, work: Coroutine[Any, Any, T], tick: Callable[[], None] | None = None) -> T:
        """Do work on the loop and give its result; if the caller is interrupted, the work is cancelled first.

        ``tick`` is called ten times a second on the caller's own thread, where a bar may be drawn.
        """
        ended = threading.Event()

        async def supervised() -> T:
            try:
                return await work
            finally:
                ended.set()

        future = self.submit(supervised())
        try:
            while tick is not None and not futures.wait([future], TICK_SECONDS).done:
                tick()
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                ended.wait(CANCEL_SECONDS)
            raise

    async def bridge(self, work: Coroutine[Any, Any, T], tick: Callable[[], None] | None = None) -> T:
        """Do work on the loop for a caller on another loop; cancelling the caller cancels the work."""
        future = asyncio.wrap_future(self.submit(work))
        try:
            while tick is not None and not (await asyncio.wait([future], timeout=TICK_SECONDS))[0]:
                tick()
            return await future
        finally:
            future.cancel()

    def stop(self) -> None:
        """End the thread; the next use starts another."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(_drain(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            with contextlib.suppress(RuntimeError):
                loop.close()

    def forget(self) -> None:
        """Drop the loop without ending it: after a fork its thread is not there."""
        self.__init__()  # type: ignore[misc]


async def _drain() -> None:
    """Let what is being closed close; cut off what does not."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        _, slow = await asyncio.wait(others, timeout=CANCEL_SECONDS)
        for task in slow:
            task.cancel()


portal = Portal()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=portal.forget)
