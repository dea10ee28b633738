"""The filters of a picker: their values, checked, and the parts that code is written of."""

import math
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from doimages.change.period import to_seconds
from doimages.errors import UsageError
from doimages.pick import forms
from doimages.pick.forms import Form
from doimages.schema import IMAGES, REQUEST_TYPES

LONGEST = 500
MOST_VALUES = 1_000
_LONGEST_SHOWN = 100
_LARGE = 2**53
_LONGEST_AGE = 36_525 * 86_400  # seconds
_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
# A part of a filter's value, and the literals in it.
Part = tuple[str, tuple[Any, ...]]
Kind = Literal["text", "choice", "words", "range", "days", "age"]


@dataclass(frozen=True)
class Filter(ABC):
    """One filter: the name it has in a state, the column it looks at, what it is called on the screen."""

    key: str
    column: str
    label: str

    kind: ClassVar[Kind] = "text"

    @cached_property
    @abstractmethod
    def forms(self) -> tuple[Form, ...]:
        """How it is written."""

    @abstractmethod
    def check(self, value: Any) -> Any:
        """Give the value as it is kept; None for one that filters nothing. Raises UsageError."""

    @abstractmethod
    def to_parts(self, value: Any) -> list[Part]:
        """Take a value apart."""

    @abstractmethod
    def from_parts(self, parts: Mapping[str, tuple[Any, ...]]) -> Any:
        """Put it together again."""

    def form(self, part: str) -> Form:
        """Give how a part is written."""
        return next(form for form in self.forms if form.part == part)

    def check_letters(self, text: str) -> None:
        """Refuse half a letter, as JSON may have it: neither Arrow nor SQL takes it."""
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise self.refuse(text, "a text of whole letters")

    def refuse(self, value: Any, wanted: str) -> UsageError:
        """Make the error for a value that is none."""
        return UsageError(f"{self.key} is {wanted}, not {_cut(value)}. The rows are as before.")


class Text(Filter):
    """A text that is found in the column, whatever its case; between slashes a regular expression."""

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        return forms.forms_of_text(self.column)

    def check(self, value: Any) -> str | None:
        if not isinstance(value, str | None) or len(value or "") > LONGEST:
            raise self.refuse(value, f"a text of {LONGEST} letters at most, or a regular expression between slashes")
        self.check_letters(value or "")
        pattern = pattern_of(value or "")
        if pattern is not None:
            _check_pattern(self.key, pattern)
        return value or None

    def to_parts(self, value: str) -> list[Part]:
        pattern = pattern_of(value)
        return [("text", (_lower(value),))] if pattern is None else [("pattern", (_without_groups(pattern),))]

    def from_parts(self, parts: Mapping[str, tuple[Any, ...]]) -> str:
        return f"/{parts['pattern'][0]}/" if "pattern" in parts else str(parts["text"][0])


class Choice(Filter):
    """One of some values; None stands for a missing one."""

    kind: ClassVar[Kind] = "choice"

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        return forms.forms_of_choice(self.column)

    @property
    def type(self) -> type:
        """What its values are."""
        return bool if IMAGES.column(self.column).type == "boolean" else str

    def check(self, value: Any) -> tuple[Any, ...] | None:
        values = [value] if isinstance(value, (str, bool)) else value
        if values is None:
            return None
        if not isinstance(values, Sequence) or len(values) > MOST_VALUES:
            raise self.refuse(value, f"a list of {MOST_VALUES} values at most")
        for one in values:
            if one is not None and type(one) is not self.type:
                raise self.refuse(one, "true or false" if self.type is bool else "a list of texts")
            self.check_letters(one if isinstance(one, str) else "")
        return tuple(dict.fromkeys(map(self.read, values))) or None

    def read(self, value: Any) -> Any:
        """Give a value as it is compared."""
        return value

    def to_parts(self, value: tuple[Any, ...]) -> list[Part]:
        given = tuple(one for one in value if one is not None)
        if not given:
            return [("missing", ())]
        suffix = "_as_list" if self.column == "type" and not set(REQUEST_TYPES).isdisjoint(given) else ""
        return [(f"{'some' if len(given) == len(value) else 'either'}{suffix}", given)]

    def from_parts(self, parts: Mapping[str, tuple[Any, ...]]) -> tuple[Any, ...]:
        ((part, given),) = parts.items()
        return given if part.startswith("some") else (*given, None)


class Words(Choice):
    """A word that the list in the column has, whatever its case; None stands for a list without any."""

    kind: ClassVar[Kind] = "words"

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        return forms.forms_of_words(self.column)

    @property
    def type(self) -> type:
        return str

    def read(self, value: str | None) -> str | None:
        return value if value is None else value.casefold()


class Range(Filter):
    """A number from one to another, both among them; either may be left out."""

    kind: ClassVar[Kind] = "range"

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        return forms.forms_of_range(self.column)

    def check(self, value: Any) -> tuple[Any, Any] | None:
        if value is None:
            return None
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:  # noqa: PLR2004 - from, to
            raise self.refuse(value, "a pair of the least and the most, either may be None")
        least, most = (None if one is None or one == "" else self.read(one) for one in value)
        if least is not None and most is not None and least > most:
            raise self.refuse(tuple(value), "a pair of the least and the most, in this order")
        return None if least is None and most is None else (least, most)

    def read(self, value: Any) -> Any:
        """Give one of the two as it is compared; raises UsageError."""
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not 0 <= number < math.inf:
            raise self.refuse(value, "between numbers of zero or more")
        # Beyond that no other number is near, and Arrow takes no whole number so large.
        return int(number) if number.is_integer() and number < _LARGE else number

    def to_parts(self, value: tuple[Any, Any]) -> list[Part]:
        return [(part, (one,)) for part, one in zip(("least", "most"), value, strict=True) if one is not None]

    def from_parts(self, parts: Mapping[str, tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple(parts[part][0] if part in parts else None for part in ("least", "most"))


class Days(Range):
    """A time from one day to another in UTC, both among them."""

    kind: ClassVar[Kind] = "days"

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        return forms.forms_of_days(self.column)

    def read(self, value: Any) -> str:
        try:
            return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            raise self.refuse(value, "between days such as 2026-11-26") from None


class Age(Filter):
    """Older or younger than a length of time: ``>90d``, ``<2w``."""

    kind: ClassVar[Kind] = "age"

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        return forms.forms_of_age(self.column)

    def check(self, value: Any) -> str | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if not isinstance(value, str) or value.strip()[0] not in "<>":
            raise self.refuse(value, "a length of time after > or <, such as >90d or <2w")
        if self.seconds(value.strip()) > _LONGEST_AGE:
            raise self.refuse(value, "a length of time of a hundred years at most")
        return value.strip()

    def to_parts(self, value: str) -> list[Part]:
        seconds = self.seconds(value)
        word, size = next(unit for unit in _UNITS if seconds % unit[1] == 0 or unit[1] == 1)
        return [(value[0], (f"{round(seconds / size)} {word}",))]

    def from_parts(self, parts: Mapping[str, tuple[Any, ...]]) -> str:
        ((sign, (text,)),) = parts.items()
        return f"{sign}{text}"

    def seconds(self, value: str) -> float:
        """Give the length of time."""
        return float(round(to_seconds(value[1:], self.key)))


FILTERS: Mapping[str, Filter] = {
    one.key: one
    for one in (
        Text("name", "name", "Name (text or /regex/)"),
        Age("age", "created_at", "Age (>90d)"),
        Days("created_at", "created_at", "Created"),
        Range("size_gigabytes", "size_gigabytes", "Size, GB"),
        Range("monthly_cost", "monthly_cost", "Cost a month, $"),
        Range("min_disk_size", "min_disk_size", "Min disk, GB"),
        Choice("type", "type", "type"),
        Choice("status", "status", "status"),
        Words("tags", "tags", "tag"),
        Words("regions", "regions", "region"),
        Choice("distribution", "distribution", "distribution"),
        Choice("public", "public", "public"),
    )
}


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def pattern_of(value: str) -> str | None:
    """Give the regular expression between slashes, if it is one."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == "/" else None


def _lower(text: str) -> str:
    """Make it small as the columns are made small."""
    lowered: str = pc.utf8_lower(pa.scalar(text)).as_py()
    return lowered


def _check_pattern(key: str, pattern: str) -> None:
    """Refuse what either of Python and SQL does not take for a regular expression: both are to find the same."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of what Python may come to read in another way
            re.compile(pattern)
    except (re.error, FutureWarning, DeprecationWarning, RecursionError, OverflowError) as error:
        raise UsageError(f"{key}: /{pattern}/ is no regular expression: {error}. The rows are as before.") from None
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise UsageError(
            f"{key}: /{pattern}/ is no regular expression to SQL, which knows no look-around and no back-references: "
            f"{reason}. The rows are as before."
        ) from None


def _without_groups(pattern: str) -> str:
    """Have no group capture: to pandas, one that does is a sign that another method was meant, and it warns."""
    if re.compile(pattern).groups == 0:
        return pattern
    return re.sub(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\((?:\?P<\w+>|(?!\?))", lambda found: found[1] or "(?:", pattern)
