"""Laws of retry and pacing, for any arrival times, headers and chance."""

import random

from hypothesis import given
from hypothesis import strategies as st

from doimages.api.model import Kind
from doimages.api.pacing import Pacer, Quota, read_quota
from doimages.api.retry import Budget, Failure, attempts, backoff_seconds, limit_wait_seconds

SECONDS = st.floats(0.0, 90.0, allow_nan=False)
EVENTS = st.lists(st.tuples(SECONDS, st.booleans()), max_size=120)
POSTS = (Kind.CREATE, Kind.ACTION)


def fullest(times, window):
    """Give the most requests in any window that holds its start but not its end."""
    return max((sum(start <= at < start + window for at in times) for start in times), default=0)


@given(st.integers(1, 100), st.floats(0.0, 1.0))
def test_backoff_is_bounded(attempt, share):
    """A wait is never negative, nor above 20 seconds, nor above half a second doubled so often."""
    assert 0 <= backoff_seconds(attempt, share) <= min(20, 0.5 * 2**attempt)


@given(st.integers(1, 50), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_backoff_grows(attempt, one, other):
    """A wait grows with chance and with the attempts."""
    less, more = sorted((one, other))

    assert backoff_seconds(attempt, less) <= backoff_seconds(attempt, more) <= backoff_seconds(attempt + 1, more)


@given(st.sampled_from(Failure), st.sampled_from(Kind))
def test_attempts_are_bounded(failure, kind):
    """Every request is sent once at least and five times at most; a POST twice only if nothing was sent before."""
    assert 1 <= attempts(failure, kind) <= 5
    assert attempts(failure, kind) == 1 or failure is Failure.UNSENT or kind not in POSTS


@given(st.integers(1, 8), st.lists(SECONDS, max_size=120))
def test_window_is_never_too_full(limit, gaps):
    """No window of a minute holds more than the limit, whatever the arrival times."""
    pacer, now, sent = Pacer(limit), 0.0, []
    for gap in gaps:
        now += gap
        sent.append(now + pacer.reserve(now))

    assert fullest(sent, 60) <= limit


@given(st.integers(1, 8), EVENTS)
def test_reservations_are_monotone(limit, events):
    """Places come in order, none before its request or within a pause."""
    pacer, now, paused_until, last = Pacer(limit), 0.0, 0.0, 0.0
    for gap, pauses in events:
        now += gap
        if pauses:
            paused_until = max(paused_until, now + gap)
            pacer.pause(now + gap)
        wait = pacer.reserve(now)
        assert wait >= 0
        assert now + wait >= max(last, paused_until) - 1e-6
        last = now + wait


@given(st.integers(1, 8), st.lists(SECONDS, max_size=60))
def test_no_wait_without_need(limit, gaps):
    """A request waits only if the window before it is full."""
    pacer, now, sent = Pacer(limit), 0.0, []
    for gap in gaps:
        now += gap
        wait = pacer.reserve(now)
        if wait > 0:
            assert sum(now - 60.5 < at for at in sent) >= limit
        sent.append(now + wait)


@given(st.integers(1, 8), EVENTS)
def test_asking_books_nothing(limit, events):
    """The seconds to a place are those that the next request waits, however often they are asked for."""
    asked, other, now = Pacer(limit), Pacer(limit), 0.0
    for gap, pauses in events:
        now += gap
        if pauses:
            asked.pause(now + gap)
            other.pause(now + gap)
        told = {asked.seconds_to_place(now) for _ in range(3)}
        assert told == {asked.reserve(now)} == {other.reserve(now)}


@given(st.integers(0, 2**32), st.floats(0.0, 1.0))
def test_sliding_server_refuses_none(seed, longest_gap):
    """A server that counts 250 in a sliding minute refuses none that travel up to 0.4 seconds to it."""
    pacer, chance, now, arrivals = Pacer(250), random.Random(seed), 0.0, []  # noqa: S311 - no secret is drawn
    for _ in range(1_000):
        now += chance.uniform(0.0, longest_gap)
        arrivals.append(now + pacer.reserve(now) + chance.uniform(0.0, 0.4))
    arrivals.sort()

    assert all(later - earlier >= 60 for earlier, later in zip(arrivals, arrivals[250:], strict=False))
    assert arrivals[-1] <= now + 1.1 * 180


@given(st.text(max_size=30), st.text(max_size=30), st.floats(0.0, 4e9))
def test_any_header_is_survived(retry_after, reset, now):
    """Whatever the headers say, the wait is at least a second, or unknown."""
    wait = limit_wait_seconds({"retry-after": retry_after, "ratelimit-reset": reset}, now)

    assert wait is None or wait >= 1


@given(*[st.none() | st.text(max_size=20) | st.integers(-5, 10**16).map(str)] * 3)
def test_any_quota_is_survived(limit, remaining, reset):
    """Whatever the headers say, the quota is their numbers, none negative, or nothing."""
    told = {"ratelimit-limit": limit, "ratelimit-remaining": remaining, "ratelimit-reset": reset}
    quota = read_quota({name: text for name, text in told.items() if text is not None})

    if quota is not None:
        assert quota == Quota(int(limit), int(remaining), int(reset))
        assert min(quota.limit, quota.remaining, quota.reset) >= 0


@given(*[st.integers(0, 10**12)] * 3)
def test_quota_is_read(limit, remaining, reset):
    """Numbers are read as they are."""
    told = {"ratelimit-limit": str(limit), "ratelimit-remaining": str(remaining), "ratelimit-reset": str(reset)}

    assert read_quota(told) == Quota(limit, remaining, reset)


@given(st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} (Jan|Dec) \d{1,5} \d\d:\d\d:\d\d ([+-]\d{4}|GMT)", fullmatch=True))
def test_any_date_is_survived(date):
    """A date of any year is a wait, or says nothing."""
    wait = limit_wait_seconds({"retry-after": date}, 1_790_000_000.0)

    assert wait is None or wait >= 1


@given(st.lists(st.booleans(), max_size=200))
def test_budget_is_bounded(events):
    """Retries never cost more than fifty and a fifth of the successes."""
    budget, retries, successes = Budget(), 0, 0
    for succeeds in events:
        if succeeds:
            budget.earn()
            successes += 1
        else:
            retries += budget.spend()

    assert 5 * retries <= 50 + successes
