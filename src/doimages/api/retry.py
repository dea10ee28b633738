"""Whether a request is sent again, and after how long. Arithmetic only: no clock, no sleep, no I/O.

A POST is never sent again after a lost reply: the images API has no idempotency key, so the first may have been done.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum

from doimages.api.model import Kind

BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_MOST_SECONDS = 20.0
TOTAL_SECONDS = 60.0
LIMIT_WAIT_LEAST_SECONDS = 1.0
LIMIT_WAIT_MOST_SECONDS = 120.0
LIMIT_TOTAL_SECONDS = 300.0
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)


class Failure(Enum):
    """How an attempt failed, as far as the next one is concerned."""

    UNSENT = "nothing was sent"
    LOST = "the reply was lost"
    TIMED_OUT = "408, 425"
    CONFLICT = "409, 423"
    BROKEN = "500"
    UNAVAILABLE = "502, 503, 504"


# Attempts, the first included. Where a read-back must come first (DELETE, POST, PUT after a 500) the client tries once.
_ATTEMPTS: Mapping[Failure, Mapping[Kind, int]] = {
    Failure.UNSENT: dict.fromkeys(Kind, 5),
    Failure.LOST: {Kind.READ: 5, Kind.UPDATE: 3, Kind.TAG: 3},
    Failure.TIMED_OUT: {Kind.READ: 5, Kind.UPDATE: 3, Kind.TAG: 3},
    Failure.CONFLICT: {Kind.UPDATE: 3, Kind.DELETE: 3, Kind.TAG: 3},
    Failure.BROKEN: {Kind.READ: 4, Kind.TAG: 2},
    Failure.UNAVAILABLE: {Kind.READ: 5, Kind.UPDATE: 3, Kind.TAG: 3},
}
_BY_STATUS: Mapping[int, Failure] = {
    408: Failure.TIMED_OUT,
    409: Failure.CONFLICT,
    423: Failure.CONFLICT,
    425: Failure.TIMED_OUT,
    500: Failure.BROKEN,
    502: Failure.UNAVAILABLE,
    503: Failure.UNAVAILABLE,
    504: Failure.UNAVAILABLE,
}


# What may have been carried out all the same.
MAY_BE_DONE = frozenset({Failure.LOST, Failure.TIMED_OUT, Failure.BROKEN, Failure.UNAVAILABLE})


def failure_of_status(status: int) -> Failure | None:
    """Tell how a status failed; None if it is final, good or bad."""
    return _BY_STATUS.get(status)


def attempts(failure: Failure, kind: Kind) -> int:
    """Give how often at most a request of this kind is sent, the first time included."""
    return _ATTEMPTS[failure].get(kind, 1)


def backoff_seconds(attempt: int, share: float) -> float:
    """Give the wait after attempt 1, 2, ...: full jitter, ``share`` being uniform in 0..1."""
    return share * min(BACKOFF_MOST_SECONDS, BACKOFF_FIRST_SECONDS * 2.0**attempt)


def limit_wait_seconds(headers: Mapping[str, str], now_epoch: float) -> float | None:
    """Give how long a 429 asks to wait: ``retry-after``, else until ``ratelimit-reset``; None if it does not say.

    Both may be missing, a date, junk, or years away (description.yml, "Rate Limit"; its example reset is in 2015).
    """
    asked = _retry_after(headers.get("retry-after", ""), now_epoch)
    if asked is None:
        reset = headers.get("ratelimit-reset", "")
        asked = float(reset) - now_epoch if _WHOLE.fullmatch(reset) else None
    return None if asked is None or asked < 0 else max(LIMIT_WAIT_LEAST_SECONDS, asked)


def _retry_after(text: str, now_epoch: float) -> float | None:
    if _WHOLE.fullmatch(text):
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - now_epoch
    except (ValueError, OverflowError):
        return None


class Budget:
    """What a client may spend on retries, so that a failing API is not stormed: a retry costs 5, a success gives 1."""

    FULL = 50
    COST = 5

    def __init__(self) -> None:
        self._left = self.FULL

    def spend(self) -> bool:
        """Take the price of one retry; False if there is not enough left."""
        if self._left < self.COST:
            return False
        self._left -= self.COST
        return True

    def earn(self) -> None:
        """Give back one for a success."""
        self._left = min(self.FULL, self._left + 1)
