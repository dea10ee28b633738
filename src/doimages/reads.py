"""A read that was checked and is ready: run it and wait, or on a caller's own loop; interrupted, it keeps what came."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd

from doimages import progress as bars
from doimages.api.client import Client
from doimages.api.listing import Reading
from doimages.api.portal import portal
from doimages.errors import DOImagesError, UsageError
from doimages.schema import IMAGES
from doimages.table.filters import Filters
from doimages.table.read import Shape, make_frame, read, requests_for

# Takes the frame of what an interrupted read has got; a notebook puts it into `_doimages_partial`.
keep_partial: Callable[[pd.DataFrame], None] | None = None


class HowFar(Protocol):
    """How far something is."""

    @property
    def rows_read(self) -> int:
        """Rows so far."""

    @property
    def total(self) -> int | None:
        """Rows there will be, if that is known."""


@dataclass(frozen=True, slots=True)
class Work:
    """A read on its way: what makes its result, how far it is, and the frame of what came so far."""

    result: Coroutine[Any, Any, Any]
    how_far: HowFar
    partial: Callable[[], pd.DataFrame | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One read, checked and ready to be sent."""

    shape: Shape
    progress: str = "off"
    client: Client | None = None
    needs_client: bool = True

    @property
    def is_told(self) -> bool:
        """Whether it gives sentences to read, not rows: they are shown in full."""
        return False

    @property
    def is_plan(self) -> bool:
        """Whether it gives a plan."""
        return False

    def start(self) -> Work:
        """Make its work; nothing is sent before that is awaited."""
        raise NotImplementedError

    def explain(self) -> list[tuple[str, str]]:
        """Say what would be sent and done, a line each."""
        raise NotImplementedError

    def save(self, name: str) -> None:
        """Keep it under a name that SQL can read from."""
        raise NotImplementedError

    def run(self) -> Any:
        """Send it, and wait; gives a frame, or the plan of a SQL statement that changes images.

        If it is interrupted, what came so far goes to ``keep_partial``.
        """
        work = self.start()
        with bars.show(self.progress) as tick:
            try:
                return portal.wait(work.result, _ticking(tick, work.how_far))
            except KeyboardInterrupt:
                _keep(work)
                raise

    async def arun(self) -> Any:
        """Send it for a caller on another loop."""
        work = self.start()
        with bars.show(self.progress) as tick:
            try:
                return await portal.bridge(work.result, _ticking(tick, work.how_far))
            except asyncio.CancelledError:
                _keep(work)
                raise


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRead(Read):
    """A read by filters."""

    filters: Filters = field(default_factory=Filters)

    def start(self) -> Work:
        """Make its work."""
        reading = Reading(IMAGES)
        client = self.client
        assert client is not None  # noqa: S101 - needs_client

        def partial() -> pd.DataFrame:
            rows = self.filters.keep(reading.rows())
            return make_frame(
                rows, client, str(self.filters), self.shape, reading, total=reading.total, is_complete=False
            )

        return Work(read(client, self.filters, self.shape, reading), reading, partial)

    def save(self, name: str) -> None:
        """Refuse: it is no SQL, and an argument without SQL is refused before."""
        raise UsageError(f"{name} would save a SELECT, and there is none. Nothing was sent.")

    def explain(self) -> list[tuple[str, str]]:
        """Say what would be sent."""
        requests = [(f"request {place}", text) for place, text in enumerate(requests_for(self.filters, self.client), 1)]
        kept = [("then kept here", f"type is {' or '.join(self.filters.kinds)}")] if self.filters.kinds else []
        return [*requests, *kept]


def _ticking(tick: bars.Tick | None, how_far: HowFar) -> Callable[[], None] | None:
    return None if tick is None else lambda: tick(how_far.rows_read, how_far.total)


def _keep(work: Work) -> None:
    # A page that cannot be decoded must not take the place of the interrupt.
    with contextlib.suppress(DOImagesError):
        frame = work.partial() if keep_partial is not None else None
        if frame is not None and keep_partial is not None:
            keep_partial(frame)
