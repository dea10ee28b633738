"""Lengths of time as people write them: ``30 d``, ``1 h``, a Timedelta."""

import math
import re
from datetime import timedelta
from typing import Any

from doimages.errors import UsageError

_PERIOD = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.ASCII | re.IGNORECASE)
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = {
    **dict.fromkeys(("min", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * _DAY),
}
# Words that mean two things, or no fixed length: guessed at, they would delete other images than meant.
_UNCLEAR = {
    "m": "'m' may mean minutes or months.",
    **dict.fromkeys(("mo", "mon", "month", "months"), "Months have no fixed length."),
    **dict.fromkeys(("y", "yr", "year", "years"), "Years have no fixed length."),
}
_HINT = "Write a number and min, h, d or w, such as '90 min', '12 h', '30 d' or '2 w', or give a Timedelta."


def to_seconds(value: Any, name: str) -> float:
    """Give a length of time in seconds: a timedelta (a pandas Timedelta is one), or text such as ``30 d``.

    Nothing is sent. Zero is a length. Raises UsageError that calls the argument ``name`` for anything else: a bare
    number, a negative one, months and years, and ``m``, which may be either.

    Examples
    --------
    >>> to_seconds("2 d", "min_age")
    172800.0
    """
    seconds, reason = math.nan, ""
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str) and (found := _PERIOD.fullmatch(value.strip())):
        number, unit = float(found[1]), found[2].lower()
        seconds = number * _UNITS.get(unit, math.nan)
        reason = _UNCLEAR.get(unit, "")
    if seconds >= 0 and math.isfinite(seconds):
        return seconds
    why = f"{reason} " if reason else ""
    raise UsageError(f"{name} is a length of time, and {value!r} is none. {why}{_HINT} Nothing was sent.")


def describe(seconds: float) -> str:
    """Write a length of time for a message, in the largest unit that it is a whole number of, else rounded down.

    Examples
    --------
    >>> describe(900), describe(5400), describe(172_800), describe(100_000)
    ('15 min', '90 min', '2 days', '1.1 days')
    """
    units = (("days", _DAY), ("h", _HOUR), ("min", _MINUTE))
    fitting = [(word, size) for word, size in units if seconds >= size]
    if not fitting:
        return f"{math.floor(seconds)} s" if seconds else "0 min"
    word, size = next((unit for unit in fitting if seconds % unit[1] == 0), fitting[0])
    # Down, not to the nearest: an image of 59.99 min must not be called 60 min old beside a limit of 60 min.
    number = math.floor(10 * seconds / size) / 10
    return f"{number:.12g} {'day' if word == 'days' and number == 1 else word}"
