"""The functions worth knowing: those of StackQL, and the best of DuckDB's. A leaf: completion loads no parser."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """A function of SQL: how it is called and what it gives.

    ``least`` and ``most`` count the arguments of ours. An aggregate may have DISTINCT, ORDER BY, FILTER and OVER.
    """

    name: str
    signature: str
    meaning: str
    least: int = 0
    most: int | None = None
    is_aggregate: bool = False


# What they become in DuckDB: doimages.sql.functions.
_TIMES = "[time [, modifier ...]]"
OURS = (
    Function("date", f"date({_TIMES})", "The day as text, YYYY-MM-DD, in UTC."),
    Function("datetime", f"datetime({_TIMES})", "Day and time as text, YYYY-MM-DD HH:MM:SS, in UTC."),
    Function("time", f"time({_TIMES})", "The time of the day as text, HH:MM:SS, in UTC."),
    Function("julianday", f"julianday({_TIMES})", "Days since noon of 24 November 4714 BC."),
    Function("unixepoch", f"unixepoch({_TIMES})", "Seconds since 1970."),
    Function("strftime", "strftime(format [, time [, modifier ...]])", "A time as text in a format.", 1),
    Function("json_extract", "json_extract(json, path ...)", "What stands at a path.", 2),
    Function("json_array_length", "json_array_length(json [, path])", "How many items.", 1, 2),
    Function("json_each", "json_each(json [, path])", "The items, as a table in FROM.", 1, 2),
    Function("json_type", "json_type(json [, path])", "The type, in SQLite's words.", 1, 2),
    Function("json_valid", "json_valid(text)", "Whether a text is JSON.", 1, 1),
    Function("json_group_array", "json_group_array(x)", "The values as a JSON list.", 1, 1, is_aggregate=True),
    Function("iif", "iif(condition, then, otherwise)", "One of two values.", 3, 3),
    Function("ifnull", "ifnull(x, y)", "x, or y where x is missing.", 2, 2),
    Function("total", "total(x)", "The sum as a float; 0.0 of no rows.", 1, 1, is_aggregate=True),
    Function(
        "group_concat",
        "group_concat(x [, separator])",
        "The values as one text, parted by commas or the separator.",
        1,
        2,
        is_aggregate=True,
    ),
    Function(
        "split_part",
        "split_part(text, separator, number)",
        "A part of a text, from 1; from the end if below zero.",
        3,
        3,
    ),
    Function("regexp_like", "regexp_like(text, pattern)", "Whether a pattern is found in a text.", 2, 2),
    Function(
        "regexp_replace",
        "regexp_replace(text, pattern, replacement)",
        r"All matches replaced; \1 is the first group.",
        3,
        4,
    ),
    Function("regexp_substr", "regexp_substr(text, pattern)", "The first match; NULL if there is none.", 2, 2),
)
_DUCKDBS = (
    ("count", "count(x)", "How many values are not missing; count(*) counts rows."),
    ("count_if", "count_if(condition)", "How many rows a condition is true of."),
    ("sum", "sum(x)", "The sum; missing of no rows."),
    ("avg", "avg(x)", "The mean."),
    ("min", "min(x)", "The least."),
    ("max", "max(x)", "The greatest."),
    ("median", "median(x)", "The middle value."),
    ("quantile_cont", "quantile_cont(x, share)", "The value that this share of the values is below."),
    ("stddev", "stddev(x)", "The standard deviation."),
    ("mode", "mode(x)", "The most frequent value."),
    ("any_value", "any_value(x)", "Any value that is not missing."),
    ("arg_max", "arg_max(x, y)", "The x of the row with the greatest y."),
    ("arg_min", "arg_min(x, y)", "The x of the row with the least y."),
    ("bool_and", "bool_and(condition)", "Whether a condition is true of all rows."),
    ("bool_or", "bool_or(condition)", "Whether a condition is true of a row."),
    ("string_agg", "string_agg(x, separator)", "The values as one text."),
    ("list", "list(x)", "The values as a list."),
    ("histogram", "histogram(x)", "How often each value is there."),
    ("approx_count_distinct", "approx_count_distinct(x)", "About how many different values."),
    ("row_number", "row_number() OVER (...)", "The number of the row, from 1."),
    ("rank", "rank() OVER (...)", "The rank, with gaps after equals."),
    ("dense_rank", "dense_rank() OVER (...)", "The rank, without gaps."),
    ("ntile", "ntile(n) OVER (...)", "Which of n parts of equal size the row is in."),
    ("lag", "lag(x) OVER (...)", "The value of the row before."),
    ("lead", "lead(x) OVER (...)", "The value of the row after."),
    ("first_value", "first_value(x) OVER (...)", "The value of the first row of the window."),
    ("last_value", "last_value(x) OVER (...)", "The value of the last row of the window."),
    ("lower", "lower(text)", "In small letters."),
    ("upper", "upper(text)", "In capitals."),
    ("length", "length(x)", "How many letters of a text, or items of a list."),
    ("trim", "trim(text)", "Without the spaces around it."),
    ("replace", "replace(text, old, new)", "One text replaced by another, everywhere."),
    ("substr", "substr(text, start [, length])", "A part of a text, from 1; from the end if below zero."),
    ("instr", "instr(text, part)", "Where a part begins, from 1; 0 if it is not there."),
    ("concat", "concat(x, ...)", "The values as one text; missing ones are left out."),
    ("starts_with", "starts_with(text, part)", "Whether a text begins with another."),
    ("ends_with", "ends_with(text, part)", "Whether a text ends with another."),
    ("contains", "contains(text, part)", "Whether a text has another in it."),
    ("regexp_matches", "regexp_matches(text, pattern)", "Whether a pattern is found in a text."),
    ("regexp_extract", "regexp_extract(text, pattern [, group])", "The first match, or a group of it."),
    ("string_split", "string_split(text, separator)", "The parts of a text, as a list."),
    ("list_contains", "list_contains(list, x)", "Whether a list has an item."),
    ("list_has_any", "list_has_any(list, list)", "Whether two lists have an item in common."),
    ("list_has_all", "list_has_all(list, list)", "Whether a list has all the items of another."),
    ("list_sort", "list_sort(list)", "A list in order."),
    ("list_distinct", "list_distinct(list)", "A list without what it has twice."),
    ("list_filter", "list_filter(list, lambda x: ...)", "The items a condition is true of."),
    ("list_transform", "list_transform(list, lambda x: ...)", "A list of what is made of each item."),
    ("array_to_string", "array_to_string(list, separator)", "The items as one text."),
    ("len", "len(list)", "How many items."),
    ("unnest", "unnest(list)", "A row for each item."),
    ("date_trunc", "date_trunc('month', time)", "The begin of the month, or another unit."),
    ("date_diff", "date_diff('day', from, to)", "How many ends of days, or another unit, lie between."),
    ("date_part", "date_part('year', time)", "A part of a time, as a number."),
    ("age", "age(time)", "How long ago, as an interval."),
    ("now", "now()", "The time now."),
    ("to_timestamp", "to_timestamp(seconds)", "The time so many seconds after 1970."),
    ("strptime", "strptime(text, format)", "A time, read from a text."),
    ("coalesce", "coalesce(x, ...)", "The first that is not missing."),
    ("nullif", "nullif(x, y)", "x, but missing if it is y."),
    ("greatest", "greatest(x, y, ...)", "The greatest of several."),
    ("least", "least(x, y, ...)", "The least of several."),
    ("round", "round(x [, digits])", "Rounded."),
    ("abs", "abs(x)", "Without its sign."),
    ("ceil", "ceil(x)", "Rounded up."),
    ("floor", "floor(x)", "Rounded down."),
)
KNOWN = (*OURS, *(Function(*words) for words in _DUCKDBS))
