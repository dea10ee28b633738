"""SQLite's functions of date and time, in UTC, as DuckDB's SQL."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlglot import exp

from doimages.sql.call import Call
from doimages.sql.template import fill, fill_once

# ISO 8601 as DuckDB casts it; SQLite reads the same, and a time without a day, which is on 2000-01-01.
_DAY = r"(\d{4})-(\d{2})-(\d{2})"
_CLOCK = r"(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?\s*(Z|[+-]\d{2}:\d{2})?"
_TIME = re.compile(rf"{_DAY}(?:[ T]{_CLOCK.replace(chr(92) + 's*', '')})?", re.ASCII)
_CLOCK_ALONE = re.compile(_CLOCK, re.ASCII)
_HINT = "Write 'YYYY-MM-DD' or 'YYYY-MM-DDTHH:MM:SSZ'."

_SHIFT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s+(day|hour|minute|second|month|year)s?", re.ASCII)
_CLOCK_SHIFT = re.compile(r"([+-]?)(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?", re.ASCII)
_SECONDS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1, "month": 30 * 86_400, "year": 365 * 86_400}
_MONTHS = {"month": 1, "year": 12}
_FARTHEST = 10_000 * 366 * 86_400  # seconds; SQLite's calendar has the years 0 to 9999

_MODIFIERS = (
    "Known: '+7 days' (hours, minutes, seconds, months, years), '+01:30', 'start of day' (month, year), 'weekday 1', "
    "'unixepoch', 'utc', 'localtime'."
)

# SQLite's specifiers, and DuckDB's where SQLite has none of that letter.
_SPECIFIERS = {
    **{letter: f"%{letter}" for letter in "dHjmMSwWYaAbBpIyUuVG%"},
    "f": "%S.%g",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "T": "%H:%M:%S",
}
_SECONDS_SINCE_1970 = "CAST(floor(epoch_ms(X) / 1000.0) AS BIGINT)"
_JULIAN_DAY = "(epoch_ms(X) + 210866760000000) / CAST(86400000 AS DOUBLE)"
_OF_OTHER_FUNCTIONS = {"s": f"CAST({_SECONDS_SINCE_1970} AS VARCHAR)", "J": f"CAST({_JULIAN_DAY} AS VARCHAR)"}


def read_time(text: str) -> datetime | None:
    """Read an ISO 8601 date, or date and time, as DuckDB does; None if it is none. Without a zone it is UTC."""
    found = _TIME.fullmatch(text)
    return None if found is None else _to_time(*found.groups())


def _to_time(
    year: str,
    month: str,
    day: str,
    hour: str | None,
    minute: str | None,
    second: str | None,
    part: str | None,
    zone: str | None,
) -> datetime | None:
    offset = "+00:00" if zone in {None, "Z"} else zone
    micros = (part or "")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(
            f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}.{micros}{offset}"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def date(call: Call) -> exp.Expr:
    """Give the day, as text."""
    return _formatted(_moment(call, call.arguments), "%Y-%m-%d")


def datetime_(call: Call) -> exp.Expr:
    """Give the day and the time, as text."""
    return _formatted(_moment(call, call.arguments), "%Y-%m-%d %H:%M:%S")


def time(call: Call) -> exp.Expr:
    """Give the time of the day, as text."""
    return _formatted(_moment(call, call.arguments), "%H:%M:%S")


def julianday(call: Call) -> exp.Expr:
    """Count the days since noon of 24 November 4714 BC."""
    return fill(_JULIAN_DAY, X=_moment(call, call.arguments))


def unixepoch(call: Call) -> exp.Expr:
    """Count the seconds since 1970."""
    return fill(_SECONDS_SINCE_1970, X=_moment(call, call.arguments))


def strftime(call: Call) -> exp.Expr:
    """SQLite's strftime(format, time), unless the first argument is no format: that is DuckDB's (time, format)."""
    first, *rest = call.arguments
    if not (isinstance(first, exp.Literal) and first.is_string and "%" in first.name):
        if len(rest) == 1:
            return call.node
        raise call.error("the format is no text with % in it.", "Write strftime('%Y-%m', created_at).", at=first)
    parts = list(_format_parts(call, first))
    moment = _moment(call, rest)
    if len(parts) == 1 and isinstance(parts[0], exp.Literal):
        return fill("strftime(X, F)", X=moment, F=parts[0])
    names = {f"F{place}": part for place, part in enumerate(parts) if isinstance(part, exp.Literal)}
    pieces = [f"strftime(X, F{place})" if isinstance(part, exp.Literal) else part for place, part in enumerate(parts)]
    return fill_once(" || ".join(map(str, pieces)), moment, **names)


def _format_parts(call: Call, format_: exp.Literal) -> Iterator[exp.Literal | str]:
    """Part a format into formats of DuckDB's and SQL for what DuckDB's strftime has no letter for."""
    text = ""
    letters = iter(format_.name)
    for letter in letters:
        if letter != "%":
            text += letter
            continue
        specifier = next(letters, "")
        if specifier in _OF_OTHER_FUNCTIONS:
            if text:
                yield exp.Literal.string(text)
            yield _OF_OTHER_FUNCTIONS[specifier]
            text = ""
        elif specifier in _SPECIFIERS:
            text += _SPECIFIERS[specifier]
        else:
            known = " ".join(f"%{known}" for known in sorted({*_SPECIFIERS, *_OF_OTHER_FUNCTIONS}))
            raise call.error(f"strftime has no %{specifier}.", f"Known: {known}.", at=format_)
    if text:
        yield exp.Literal.string(text)


def _formatted(moment: exp.Expr, format_: str) -> exp.Expr:
    return fill("strftime(X, F)", X=moment, F=exp.Literal.string(format_))


@dataclass(frozen=True, slots=True)
class _Modifier:
    """A modifier that was read: SQL with X for the time, and the numbers in it."""

    sql: str
    numbers: tuple[tuple[str, int], ...] = ()

    def apply(self, moment: exp.Expr) -> exp.Expr:
        """Change a time; a number below zero stands in brackets."""
        return fill_once(self.sql, moment, **{name: exp.convert(number) for name, number in self.numbers})


def _moment(call: Call, arguments: list[exp.Expr]) -> exp.Expr:
    """Make a TIMESTAMP, in UTC, of a time and its modifiers; without any it is now."""
    if not arguments:
        return fill("CAST(current_timestamp AS TIMESTAMP)")
    value, *modifiers = arguments
    words = [_word(call, modifier) for modifier in modifiers]
    is_unix = words[:1] == ["unixepoch"]
    moment = _value(call, value, is_unix=is_unix)
    for word, node in list(zip(words, modifiers, strict=True))[is_unix:]:
        for modifier in _read_modifier(call, word, node):
            moment = modifier.apply(moment)
    return moment


def _word(call: Call, modifier: exp.Expr) -> str:
    if isinstance(modifier, exp.Literal) and modifier.is_string:
        return modifier.name.lower()
    raise call.error("a modifier is a text in single quotes.", "Write date('now', '-7 days').", at=modifier)


def _value(call: Call, value: exp.Expr, *, is_unix: bool) -> exp.Expr:
    """Make a TIMESTAMP of a time value: a time, ISO text, a Julian day, or seconds since 1970."""
    kind = call.kind_of(value)
    if isinstance(value, exp.Literal) and value.is_string:
        return _literal(call, value, is_unix=is_unix)
    if kind in {"boolean", "strings", "object"}:
        raise call.error("this is no time.", _HINT, at=value)
    if is_unix:
        if kind == "time":
            raise call.error("'unixepoch' reads a number of seconds; this is a time already.", at=value)
        return _number(value, is_unix=True)
    if kind in {"integer", "number"}:
        return _number(value, is_unix=False)
    if kind == "time":
        return fill("CAST(X AS TIMESTAMP)", X=value)
    return fill("CAST(TRY_CAST(X AS TIMESTAMPTZ) AS TIMESTAMP)", X=value)


def _literal(call: Call, value: exp.Literal, *, is_unix: bool) -> exp.Expr:
    text = value.name.strip()
    if text.lower() == "now" and not is_unix:
        return fill("CAST(current_timestamp AS TIMESTAMP)")
    if re.fullmatch(r"[+-]?\d+(\.\d*)?", text, re.ASCII):
        return _number(exp.Literal.string(text), is_unix=is_unix)
    clock = _CLOCK_ALONE.fullmatch(text)
    moment = read_time(text) if clock is None else _to_time("2000", "01", "01", *clock.groups())
    if moment is None or is_unix:
        raise call.error(
            f"{text!r} is no {'number of seconds' if is_unix else 'time'}.", None if is_unix else _HINT, at=value
        )
    return fill("CAST(X AS TIMESTAMP)", X=exp.Literal.string(moment.strftime("%Y-%m-%d %H:%M:%S.%f").zfill(26)))


def _number(value: exp.Expr, *, is_unix: bool) -> exp.Expr:
    """Make a TIMESTAMP of a number, to the millisecond; NULL outside SQLite's calendar, as there."""
    if is_unix:
        sql = (
            "CASE WHEN X BETWEEN -210866760000 AND 253402300799 "
            "THEN make_timestamp(CAST(round(X * 1000) AS BIGINT) * 1000) END"
        )
    else:
        sql = (
            "CASE WHEN X BETWEEN 0 AND 5373484.499999 "
            "THEN make_timestamp(CAST(round(X * 86400000) AS BIGINT) * 1000 - 210866760000000000) END"
        )
    return fill_once(sql, fill("TRY_CAST(X AS DOUBLE)", X=value))


def _read_modifier(call: Call, word: str, node: exp.Expr) -> Iterator[_Modifier]:
    """Read a modifier; a fraction of a month is days, so one may make two."""
    text = " ".join(word.split())
    if text in {"utc", "localtime"}:
        return
    if text in {"start of day", "start of month", "start of year"}:
        yield _Modifier(f"date_trunc('{text.removeprefix('start of ')}', X)")
        return
    if re.fullmatch(r"weekday [0-6]", text):
        yield _Modifier("X + to_days(CAST((N - dayofweek(X)) % 7 AS INTEGER))", (("N", int(text[-1]) + 7),))
        return
    months, seconds = _read_shift(word.strip()) or (None, None)
    if months is None or seconds is None or abs(months) > _FARTHEST // _SECONDS["month"] or abs(seconds) > _FARTHEST:
        if text == "unixepoch":
            raise call.error("'unixepoch' comes first, right behind the time.", at=node)
        raise call.error(f"no modifier {word!r}.", _MODIFIERS, at=node)
    if months:
        # 31 January and a month is 31 February, which is 2 or 3 March: DuckDB would say 28 or 29 February.
        sql = "date_trunc('month', X) + to_months(N) + (X - date_trunc('month', X))"
        yield _Modifier(sql, (("N", months),))
    if seconds:
        millis = int(seconds * 1000 + (0.5 if seconds > 0 else -0.5))
        yield _Modifier("X + to_milliseconds(N)", (("N", millis),))


def _read_shift(word: str) -> tuple[int, float] | None:
    """Read how far a modifier moves a time: months, and seconds."""
    found: Any = _SHIFT.fullmatch(word)
    if found is not None:
        amount, unit = float(found[1]), found[2]
        if unit not in _MONTHS:
            return 0, amount * _SECONDS[unit]
        whole = int(amount)
        return whole * _MONTHS[unit], (amount - whole) * _SECONDS[unit]
    found = _CLOCK_SHIFT.fullmatch(word)
    if found is None:
        return None
    seconds = int(found[2]) * 3600 + int(found[3]) * 60 + float(found[4] or 0)
    return 0, -seconds if found[1] == "-" else seconds
