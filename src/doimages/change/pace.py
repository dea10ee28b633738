"""When the next request of a plan may go out, by what the token has left in the minute and in the hour."""

from collections.abc import Callable
from datetime import UTC, datetime

from doimages.api.client import Client
from doimages.api.pacing import Pacer
from doimages.change.carrying import StopError

# Others may use the same token. Of its requests an hour: from the last tenth on slower, from the last hundredth not at
# all.
SLOW_SHARE, STOP_SHARE, SLOW_PER_MINUTE = 0.1, 0.01, 60


class Pace:
    """The pace of one plan, beside that of the token, which the client keeps."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._slow = Pacer(SLOW_PER_MINUTE)

    def seconds_to_place(self) -> float:
        """Give the seconds until the next request may go out; raises StopError where too few are left of the hour."""
        quota = self._client.quota
        if quota is not None and quota.remaining < STOP_SHARE * quota.limit:
            try:
                when = f"after {datetime.fromtimestamp(quota.reset, UTC):%H:%M} UTC"
            except (ValueError, OverflowError, OSError):  # a header may say anything
                when = "in an hour"
            raise StopError(f"{quota.remaining} requests are left of the rate limit: resume {when}")
        pause = self._client.seconds_to_place()
        return max(pause, self._slow.seconds_to_place(self._clock())) if self._is_slow else pause

    def book(self) -> None:
        """Take the place."""
        if self._is_slow:
            self._slow.reserve(self._clock())

    @property
    def _is_slow(self) -> bool:
        quota = self._client.quota
        return quota is not None and quota.remaining < SLOW_SHARE * quota.limit
