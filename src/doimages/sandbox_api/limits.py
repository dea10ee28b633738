"""The rate limit: two sliding windows a token (the API's description, "Rate Limit"; api-v2 issue 118)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE_SECONDS = 60
HOUR_SECONDS = 3600
MINUTES_IN_AN_HOUR_LIMIT = 20  # 5,000 an hour to 250 a minute


@dataclass(frozen=True)
class Quota:
    """What is left after one request, as the three headers every reply carries."""

    limit: int
    remaining: int
    reset: int
    allowed: bool = True
    retry_after: int | None = None

    def headers(self) -> dict[str, str]:
        """Give `ratelimit-*`, and `retry-after` on the burst refusal alone."""
        headers = {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(self.remaining),
            "ratelimit-reset": str(self.reset),
        }
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        return headers


@dataclass
class Limits:
    """Counts the requests of each token; each one expires a minute, then an hour, after it was made.

    `minute` requests a minute and twenty times as many an hour. A refused request is not counted.
    """

    minute: int
    clock: Callable[[], float]
    _minutes: dict[str, deque[float]] = field(default_factory=dict)
    _hours: dict[str, deque[float]] = field(default_factory=dict)

    @property
    def hour(self) -> int:
        """The limit of an hour, which is what `ratelimit-limit` shows."""
        return self.minute * MINUTES_IN_AN_HOUR_LIMIT

    def spend(self, token: str, requests: int, *, seconds_ago: float = 0.0) -> None:
        """Count `requests` of `token` as made so long ago, whatever the limits.

        `spend(token, limits.hour - 41, seconds_ago=1200)` makes the next reply say that 40 remain and the
        oldest expires in 40 minutes.
        """
        moment = self.clock() - seconds_ago
        for windows in (self._minutes, self._hours):
            window = windows.setdefault(token, deque())
            windows[token] = deque(sorted((*window, *([moment] * requests))))

    def untouched(self) -> Quota:
        """Give the quota of a token nobody knows: nothing is counted for it."""
        return Quota(self.hour, self.hour, math.ceil(self.clock()))

    def take(self, token: str) -> Quota:
        """Count one request of `token`, or refuse it."""
        now = self.clock()
        minute = _recent(self._minutes, token, now - MINUTE_SECONDS)
        hour = _recent(self._hours, token, now - HOUR_SECONDS)
        if len(hour) >= self.hour:
            return Quota(self.hour, 0, math.ceil(hour[0] + HOUR_SECONDS), allowed=False)
        if len(minute) >= self.minute:
            reset = math.ceil(minute[0] + MINUTE_SECONDS)
            wait = max(1, math.ceil(minute[0] + MINUTE_SECONDS - now))
            return Quota(self.hour, 0, reset, allowed=False, retry_after=wait)
        minute.append(now)
        hour.append(now)
        return Quota(self.hour, self.hour - len(hour), math.ceil(hour[0] + HOUR_SECONDS))


def _recent(windows: dict[str, deque[float]], token: str, start: float) -> deque[float]:
    window = windows.setdefault(token, deque())
    while window and window[0] <= start:
        window.popleft()
    return window
