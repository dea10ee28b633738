"""Which images a retention rule keeps, and which fall outside it. Arithmetic only: no clock, no request."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from numbers import Integral
from typing import Any, get_args

from doimages.change.arguments import Per
from doimages.change.image import DUE_PREFIX, MARK_PREFIX, Image
from doimages.errors import UsageError

_SEPARATORS = " \t\r\n-_.:@/"
# A time stands after a separator or at once; a lone hour is no time: web-2026-10-05-12 may be the twelfth of that day.
_CLOCK = r"(?:[01]\d|2[0-3])(?P<colon>[:._-]?)[0-5]\d(?:(?P=colon)[0-5]\d(?:[.,]\d{1,9})?)?"
_ZONE = r"\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)"
_DATE = r"(?P<year>20\d\d)(?P<dash>[-._]?)(?P<month>0[1-9]|1[0-2])(?P=dash)(?P<day>[0-2]\d|3[01])"
# Seconds or milliseconds since 1970, of the years 2001 to 2065: DigitalOcean's console ends names so, and Packer.
_EPOCH = r"(?P<epoch>[12]\d{9})(?:\d{3})?"
# A number so long may also be of a phone or an order. A time in a name is that of the image, or a little before it.
_NEAR = timedelta(days=2)
# More than any account has images: a slip, and no rule.
_MOST_PLACES = 1_000_000
_STAMP = re.compile(
    rf"(?:^|(?<=[{re.escape(_SEPARATORS)}]))(?:{_EPOCH}|{_DATE}(?:(?:T|[\s._-]+)?{_CLOCK}(?:{_ZONE})?)?)\s*\Z",
    re.ASCII | re.IGNORECASE,
)


def name_prefix(name: str, created_at: datetime | None = None) -> str:
    """Give a name without the timestamp at its end, and without what separates the two.

    A timestamp is a date (2026-10-05, 20261005, 2026.10.05) with or without a time and a zone, or an epoch of 10 or 13
    digits that is within two days of ``created_at``; without that none is one. A name without one is its own prefix,
    and so is one that is nothing else: web-01 and web-02 are two groups, since keeping the newest of both together
    would delete more than was meant. Case counts.

    Examples
    --------
    >>> name_prefix("web-01-2026-10-05T12:00:00Z"), name_prefix("web-02"), name_prefix("phone-1512345678")
    ('web-01', 'web-02', 'phone-1512345678')
    >>> name_prefix("db-1790000000123", datetime(2026, 9, 21, tzinfo=UTC))
    'db'
    """
    found = next((match for match in _STAMP.finditer(name) if _is_possible(match, created_at)), None)
    return (name[: found.start()].rstrip(_SEPARATORS) if found else "") or name


def _is_possible(found: re.Match[str], created_at: datetime | None) -> bool:
    if found["epoch"]:
        return created_at is not None and abs(datetime.fromtimestamp(int(found["epoch"]), UTC) - created_at) <= _NEAR
    try:
        date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return False
    return True


def groups(images: Iterable[Image], per: Per | None) -> dict[str, list[Image]]:
    """Sort images into the groups a retention rule counts in, newest first; with None all are one group, ``""``.

    An image with several tags is in the group of each; the tags that doimages gives make none, and an image without
    others is in no group. Nor is one whose name, tags or distribution the API did not tell. Of two made at one time the
    higher id is the newer; one without ``created_at`` comes last, so that it takes no other's place. Raises UsageError
    for another ``per``.
    """
    if per is not None and per not in get_args(Per):
        raise UsageError(f"per is {', '.join(map(repr, get_args(Per)))} or None, not {per!r}. Nothing was sent.")
    made: dict[str, list[Image]] = {}
    for image in sorted(images, key=_newness, reverse=True):
        for key in _keys(image, per):
            made.setdefault(key, []).append(image)
    return made


def _keys(image: Image, per: Per | None) -> Iterable[str]:
    """Give the groups an image is in; none if there is nothing to group it by, or that is not known."""
    if per == "tag":
        # Images without a tag have nothing in common: as one group, most of them would be outside. So would all for a
        # token without tag:read, which sees no tags; and each import has a mark of its own, each quarantine a day.
        tags = dict.fromkeys(image.tags or ())
        return [tag for tag in tags if not tag.casefold().startswith((MARK_PREFIX, DUE_PREFIX))]
    if per == "name_prefix":
        return (name_prefix(image.name, image.made_at),) if image.name else ()
    if per == "distribution":
        return (image.distribution,) if image.distribution else ()
    return ("",)


def split(
    images: Sequence[Image],
    *,
    keep_last: int | None,
    younger_than_seconds: float | None,
    per: Per | None,
    now: datetime,
) -> tuple[list[Image], list[Image]]:
    """Part images into those a rule keeps and those outside it, both in the order given.

    Kept is an image that is among the ``keep_last`` newest of any of its groups, or younger than the period, or of
    which too little is known: no ``created_at`` that can be read, or no group where places are counted.
    An image listed twice is counted once, and kept if either of its rows is.

    Raises UsageError if nothing is asked to be kept, or an argument is of the wrong kind. Nothing is sent.
    """
    places = _check_keep_last(keep_last)
    period = _check_period(younger_than_seconds)
    by_group = groups(images, per)
    if not places and not period:
        raise UsageError(
            "the rule keeps no image. Give keep_last above zero, or younger_than; "
            "delete() says it plainly where all are to go. Nothing was sent."
        )
    kept = {image.id for image in images if _is_kept_alone(image, places, period, per, now)}
    for group in by_group.values():
        kept.update(islice(dict.fromkeys(image.id for image in group), places))
    return [image for image in images if image.id in kept], [image for image in images if image.id not in kept]


def _is_kept_alone(image: Image, places: int, period: float, per: Per | None, now: datetime) -> bool:
    """Tell whether an image is kept whatever the others of its group are."""
    is_young = image.made_at is not None and (now - image.made_at).total_seconds() < period
    return is_young or is_too_little_known(image, places, per)


def is_too_little_known(image: Image, keep_last: int | None, per: Per | None) -> bool:
    """Tell whether an image is kept since it cannot be dated, or is in no group where places are counted."""
    return image.made_at is None or (bool(keep_last) and not _keys(image, per))


def _newness(image: Image) -> tuple[bool, datetime, int]:
    return image.made_at is not None, image.made_at or datetime.min.replace(tzinfo=UTC), image.id


def _check_keep_last(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) <= _MOST_PLACES:
        raise UsageError(f"keep_last is a whole number from 0 to {_MOST_PLACES}, not {value!r}. Nothing was sent.")
    return int(value)


def _check_period(seconds: float | None) -> float:
    if seconds is None:
        return 0.0
    # NaN is less than nothing and more than nothing: every image would be outside.
    if not seconds >= 0:
        raise UsageError(f"younger_than is a length of time, zero or more, not {seconds!r} s. Nothing was sent.")
    return seconds
