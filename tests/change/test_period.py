"""A length of time is read where there is one reading of it, and refused where there are two."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doimages.change.period import describe, to_seconds
from doimages.errors import UsageError


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("15 min", 900), ("15min", 900), ("1 minute", 60), ("2 minutes", 120), ("1 h", 3600), ("1.5 hours", 5400)),
        *(("1 hour", 3600), ("30d", 2_592_000), ("30 D", 2_592_000), ("1 day", 86_400), ("2 days", 172_800)),
        *(("1 w", 604_800), ("1 week", 604_800), ("2 weeks", 1_209_600), (" 1 h ", 3600), ("0h", 0), ("0.5 d", 43_200)),
        *((timedelta(days=1), 86_400), (pd.Timedelta("90 min"), 5400), (timedelta(0), 0), (pd.Timedelta(1, "s"), 1)),
    ],
    ids=repr,
)
def test_length_of_time_is_seconds(value, seconds):
    """Minutes, hours, days and weeks in full or short, a timedelta and a Timedelta are read; zero is a length."""
    assert to_seconds(value, "min_age") == seconds


@pytest.mark.parametrize(
    "value",
    [
        *(30, 30.0, 0, True, None, float("nan"), pd.NaT, pd.NA, np.int64(5), b"1 h", ["1 h"]),
        *(
            "",
            "30",
            "h",
            "-1 h",
            "+1 h",
            "NaN h",
            "inf d",
            "1e3 d",
            "1 s",
            "1 second",
            "1,5 h",
            "1 d 2 h",
            "1 h\n2",
            "3 x",
        ),
        *("٣ d", "1. h", ".5 h", "9" * 400 + " d", timedelta(days=-1), pd.Timedelta(-1, "h")),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_anything_else_is_refused(value):
    """A bare number, a negative one, NaN and an unknown unit are refused; the message says what to write."""
    with pytest.raises(UsageError, match=r"^younger_than is a length of time.*such as '90 min'.*Nothing was sent\.$"):
        to_seconds(value, "younger_than")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        *(("5 m", "minutes or months"), ("5M", "minutes or months"), ("1 month", "Months"), ("6 months", "Months")),
        *(("1 mo", "Months"), ("1 y", "Years"), ("2 years", "Years")),
    ],
)
def test_unclear_unit_is_refused_with_its_reason(value, reason):
    """The letter m is minutes or months, and a month and a year have no fixed length."""
    with pytest.raises(UsageError, match=reason):
        to_seconds(value, "younger_than")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0 min"), (1, "1 s"), (59.9, "59 s"), (60, "1 min"), (900, "15 min"), (3599.9, "59.9 min")),
        *((3600, "1 h"), (5400, "90 min"), (10_800, "3 h"), (86_400, "1 day"), (129_600, "36 h"), (172_800, "2 days")),
        *((604_800, "7 days"), (100_000, "1.1 days"), (3_000_000.5, "34.7 days"), (12_345_678_901, "142889.8 days")),
    ],
)
def test_description_is_short_and_never_too_long(seconds, text):
    """A length is told in the largest unit it is whole in; else rounded down, so that 59.99 min is not 60 min."""
    assert describe(seconds) == text


@given(st.integers(0, 10_000_000).map(lambda minutes: 60.0 * minutes))
def test_description_is_read_back(seconds):
    """A whole number of minutes is told so that it can be given again."""
    assert to_seconds(describe(seconds), "min_age") == seconds
