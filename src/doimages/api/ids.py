"""What counts as the id or slug of an image, before it is put into a path."""

import re
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from doimages.errors import UsageError

MOST_ID = 2**63 - 1
# Above this a float may stand for its neighbour, which is another image.
MOST_FLOAT = 2**53
# int() also takes "७", " 7 " and "0_7"; a path must not.
_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_:-]{1,255}", re.ASCII)


def image_number(value: Any) -> int:
    """Give an id as a plain int; whole floats count, as joins and concatenations make them of integers.

    Raises UsageError for anything else: a bool, zero, a negative, NaN, text that is not plain digits.
    """
    number = 0
    if isinstance(value, str):
        number = int(value) if _ID.fullmatch(value) else 0
    elif type(value) is not bool and isinstance(value, Integral):
        number = int(value)
    elif _is_float(value) and float(value).is_integer() and float(value) < MOST_FLOAT:
        number = int(float(value))
    if 0 < number <= MOST_ID:
        return number
    shown = int(value) if type(value) is not bool and isinstance(value, Integral) else value
    raise UsageError(f"{shown!r} is no image id: an id is a whole number above zero. Nothing was sent.")


def _is_float(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, Integral)


def image_key(value: Any) -> int | str:
    """Give an id as an int or a slug as it is; only public images have a slug."""
    if isinstance(value, str) and _SLUG.fullmatch(value) and not value.isdigit():
        return value
    return image_number(value)


def image_keys(values: Any) -> list[int | str]:
    """Give the ids and slugs of one value or many, each once, in the order asked."""
    if isinstance(values, str) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        values = [values]
    # A frame would be read as its column names, a mapping as its keys, bytes as numbers.
    if isinstance(values, (bytes, Mapping)) or getattr(values, "ndim", 1) != 1:
        kind = type(values).__name__
        raise UsageError(f"image_id takes an id, a slug or a list of them, not a {kind}. Nothing was sent.")
    return list(dict.fromkeys(image_key(value) for value in values))


def check_tag(value: Any) -> str:
    """Give a tag if the API takes it: letters, digits, ``_``, ``:`` and ``-``, at most 255 of them."""
    if isinstance(value, str) and _TAG.fullmatch(value):
        return value
    raise UsageError(f"{value!r} is no tag: letters, digits, '_', ':' and '-', 1 to 255 of them. Nothing was sent.")
