"""What sends requests, as the client knows it; and one that asks before each attempt."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from doimages.api.model import Reply, Request
from doimages.api.pacing import Quota

# Is awaited before each attempt, with a lane in hand; what it raises keeps the request from being sent. It is told
# whether an earlier attempt of the same request may have been carried out; None before the first.
BeforeSend = Callable[[bool | None], Awaitable[None]]
AfterReply = Callable[[Reply], None]


class Sender(Protocol):
    """A transport, as far as a client uses it."""

    @property
    def quota(self) -> Quota | None:
        """What the last reply told is left of the rate limit."""

    def seconds_to_place(self) -> float:
        """Tell how long a request would wait for its place in the window."""

    async def send(self, request: Request, before: BeforeSend | None = None) -> Reply:
        """Send a request and give its reply."""

    async def aclose(self) -> None:
        """Close the connections."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A sender that asks before each attempt, and shows each good reply."""

    sender: Sender
    before: BeforeSend
    after: AfterReply

    @property
    def quota(self) -> Quota | None:
        """What the last reply told is left of the rate limit."""
        return self.sender.quota

    def seconds_to_place(self) -> float:
        """Tell how long a request would wait for its place in the window."""
        return self.sender.seconds_to_place()

    async def send(self, request: Request, before: BeforeSend | None = None) -> Reply:
        """Send a request, asking first."""
        reply = await self.sender.send(request, before or self.before)
        self.after(reply)
        return reply

    async def aclose(self) -> None:
        """Close the connections."""
        await self.sender.aclose()
