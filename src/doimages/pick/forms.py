"""How the filters of a picker are written in Python and in SQL: one table to write by and to read by."""

from dataclasses import dataclass

from doimages.schema import PRICE_AT_LEAST, PRICED_KINDS

# Stand for a literal, and for several with commas between.
VALUE, VALUES = "VALUE", "VALUES"
# US dollars per GB-month, in SQL; to Python the accessor tells it.
RATE = "RATE"

COST_SQL = (
    # Of a missing size the greatest would be the other one.
    "CASE WHEN size_gigabytes IS NULL THEN NULL "
    f"WHEN type IN ({', '.join(repr(kind) for kind in sorted(PRICED_KINDS))}) "
    f"THEN greatest({PRICE_AT_LEAST}, size_gigabytes * RATE) END"
)


@dataclass(frozen=True, slots=True)
class Form:
    """One predicate in both languages, and the part of a filter's value that it tells."""

    part: str
    python: str
    sql: str


def forms_of_choice(column: str) -> tuple[Form, ...]:
    """Give how one of some values is asked for, a missing one among them or alone.

    ``as_list`` is for words that SQL takes for the parameter of the request, not for values of the column ``type``.
    """
    some, missing = f'df["{column}"].isin([VALUES])', f'df["{column}"].isna()'
    forms = [Form("missing", missing, f"{column} IS NULL")]
    for suffix, sql in (("", f"{column} IN (VALUES)"), ("_as_list", f"list_contains([VALUES], {column})")):
        forms.append(Form(f"some{suffix}", some, sql))
        forms.append(Form(f"either{suffix}", f"({some} | {missing})", f"({sql} OR {column} IS NULL)"))
    return tuple(forms)


def forms_of_words(column: str) -> tuple[Form, ...]:
    """Give how a list is asked for that has one of some words, whatever their case; or none at all."""
    some = f"df.do_images.has_{column.removesuffix('s')}(VALUES)"
    missing = f'(df["{column}"].map(len, na_action="ignore").fillna(0) == 0)'
    sql = f"list_has_any(list_transform({column}, lambda word: lower(word)), [VALUES])"
    none = f"coalesce(len({column}), 0) = 0"
    return (
        Form("some", some, sql),
        Form("missing", missing, none),
        Form("either", f"({some} | {missing})", f"({sql} OR {none})"),
    )


def forms_of_text(column: str) -> tuple[Form, ...]:
    """Give how a text is looked for, whatever its case, or a regular expression."""
    return (
        Form(
            "text",
            f'df["{column}"].str.lower().str.contains(VALUE, regex=False)',
            f"contains(lower({column}), VALUE)",
        ),
        Form("pattern", f'df["{column}"].str.contains(VALUE)', f"regexp_matches({column}, VALUE)"),
    )


def forms_of_range(column: str) -> tuple[Form, ...]:
    """Give how a number is kept between two others, both among them; ``monthly_cost`` is no column, but made of two."""
    is_made = column == "monthly_cost"
    # Of plain floats: pandas cannot join what nullable ones give with what Arrow's give.
    cost = "df.do_images.monthly_cost().astype(float)"
    python, sql = (cost, COST_SQL) if is_made else (f'df["{column}"]', column)
    return (
        Form("least", f"({python} >= VALUE)", f"{sql} >= VALUE"),
        Form("most", f"({python} <= VALUE)", f"{sql} <= VALUE"),
    )


def forms_of_days(column: str) -> tuple[Form, ...]:
    """Give how a time is kept between two days in UTC, both among them."""
    day, sql_day = 'pd.Timestamp(VALUE, tz="UTC")', "TIMESTAMPTZ VALUE"
    return (
        Form("least", f'(df["{column}"] >= {day})', f"{column} >= {sql_day}"),
        Form("most", f'(df["{column}"] < {day} + pd.Timedelta(days=1))', f"{column} < {sql_day} + INTERVAL 1 DAY"),
    )


def forms_of_age(column: str) -> tuple[Form, ...]:
    """Give how a time is kept before or after so long ago."""
    ago, sql_ago = 'pd.Timestamp.now("UTC") - pd.Timedelta(VALUE)', "now() - INTERVAL VALUE"
    return (
        Form(">", f'(df["{column}"] < {ago})', f"{column} < {sql_ago}"),
        Form("<", f'(df["{column}"] > {ago})', f"{column} > {sql_ago}"),
    )
