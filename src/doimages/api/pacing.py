"""When the next request may go out. Arithmetic only: no clock, no sleep.

DigitalOcean counts requests in a sliding window, 250 a minute and a token: description.yml, "Rate Limit". Sending as
fast as the window allows ends 1,000 deletes in 181.5 s where a steady rate takes 244 s (docs/reference/benchmarks.md).
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

# Half a second more than the minute: a request may reach the server later than the one a minute after it.
WINDOW_SECONDS = 60.5
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)


class Pacer:
    """At most ``limit`` requests in any window; one pacer a token."""

    def __init__(self, limit: int, window_seconds: float = WINDOW_SECONDS) -> None:
        self.limit = limit
        self.window_seconds = window_seconds
        self._sent: deque[float] = deque(maxlen=limit)
        self._paused_until = 0.0

    def reserve(self, now: float) -> float:
        """Book the next free place, and give the seconds to wait for it."""
        at = self._next_place(now)
        self._sent.append(at)
        return at - now

    def seconds_to_place(self, now: float) -> float:
        """Give the seconds that the next place is away; it is not booked."""
        return self._next_place(now) - now

    def _next_place(self, now: float) -> float:
        at = max(now, self._paused_until)
        if len(self._sent) == self.limit:
            at = max(at, self._sent[0] + self.window_seconds)
        return max(at, self._sent[-1]) if self._sent else at

    def pause(self, until: float) -> None:
        """Hold every request of this token until then: one of them met the rate limit."""
        self._paused_until = max(self._paused_until, until)

    def remaining_pause(self, now: float) -> float:
        """Give the seconds that a request with a place must still wait."""
        return max(0.0, self._paused_until - now)


@dataclass(frozen=True, slots=True)
class Quota:
    """What a reply told of the rate limit: requests an hour, those left, and when (Unix time) the oldest one expires.

    Others may be using the same token: description.yml, "Rate Limit", headers ratelimit-*.
    """

    limit: int
    remaining: int
    reset: int


def read_quota(headers: Mapping[str, str]) -> Quota | None:
    """Read the three headers; None where one is missing or no number."""
    found = [headers.get(f"ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
    if not all(_WHOLE.fullmatch(text) for text in found):
        return None
    return Quota(*map(int, found))
