"""WHERE clauses over images as hypothesis draws them, in words that SQLite means as DuckDB does."""

import json
import sqlite3

import pandas as pd
from hypothesis import strategies as st

from doimages.schema import IMAGES, KINDS

LISTS = ("tags", "regions")
TEXTS = {
    "name": ("web-01-2026-11-01", "it's 100%_x\\", "=1+1", "24.04 (LTS) x64", "", "talos-v1.8-nyc3", "zz"),
    "slug": ("ubuntu-24-04-x64", "debian-12-x64", "docker-24-04", "no-such"),
    "type": (*KINDS, "volume"),
    "status": ("available", "NEW", "new", "pending"),
    "distribution": ("Ubuntu", "ubuntu", "Debian", "Unknown", "Rocky Linux"),
    "created_at": ("2026-11-01T02:35:03Z", "2026-10-21T02:22:00Z", "2026-05-01T00:00:00Z"),
}
NUMBERS = {
    "min_disk_size": ("7", "10", "20", "25", "80", "25.0"),
    "size_gigabytes": ("0", "0.0", "3", "3.46", "20.9", "-1"),
}
IDS = ("112006329", "200002364", "112035307", "200003551", "200004034", "200009315", "42", "-3", "0")
ITEMS = ("prod", "staging", "env:prod", "nyc3", "ams3", "no-such")


def quoted(text: str) -> str:
    """Write a text as SQL does."""
    return "'" + text.replace("'", "''") + "'"


LITERALS = {
    **{name: tuple(map(quoted, values)) for name, values in TEXTS.items()},
    **NUMBERS,
    "id": IDS,
    "public": ("true", "false", "1", "0"),
}
_compare = st.sampled_from(["=", "=", "<>", "!=", "<", "<=", ">", ">="])
_equals = st.sampled_from(["=", "=", "=", "<>"])
_not = st.sampled_from(["", "", "NOT "])


def _atoms(prefix: str) -> st.SearchStrategy[str]:
    """Predicates on one column of the table that ``prefix`` names."""

    def on(column: str) -> st.SearchStrategy[str]:
        value = st.sampled_from(LITERALS[column])
        name = f"{prefix}{column}"
        several = st.lists(value | st.just("NULL") if column != "public" else value, min_size=1, max_size=4)
        forms = [
            st.builds("{} {} {}".format, st.just(name), _equals if column in {"type", "public"} else _compare, value),
            st.builds("{1} = {0}".format, st.just(name), value),
            st.builds("{} {}IN ({})".format, st.just(name), _not, several.map(", ".join)),
            st.builds("{} IS {}NULL".format, st.just(name), _not),
        ]
        if column not in {"public", "created_at", "type"}:
            forms.append(st.builds("{} {}BETWEEN {} AND {}".format, st.just(name), _not, value, value))
        if column in TEXTS:
            pattern = st.sampled_from(
                ["%", "web%", "WEB-0_-%", "%x64", "snap%", "%a%", "2026-1%", "available", "", "%'%"]
            )
            forms.append(st.builds("{} {}LIKE {}".format, st.just(name), _not, pattern.map(quoted)))
        if column == "public":
            forms.append(st.sampled_from([name, f"{name} IS TRUE", f"{name} IS NOT TRUE", f"{name} IS FALSE"]))
        return st.one_of(forms)

    columns = st.one_of([on(column) for column in (*LITERALS, "type", "type", "id", "id")])
    item = st.sampled_from(ITEMS).map(quoted)
    lists = st.builds("list_contains({}{}, {})".format, st.just(prefix), st.sampled_from(LISTS), item)
    return st.one_of(columns, columns, columns, lists, st.just(f"{prefix}name = {prefix}slug"), st.just("1 = 1"))


def conditions(*prefixes: str, leaves: int = 6) -> st.SearchStrategy[str]:
    """Predicates under AND, OR, NOT and brackets, on the tables that the prefixes name."""
    return st.recursive(
        st.one_of([_atoms(prefix) for prefix in prefixes]),
        lambda x: st.one_of(
            st.builds("{} AND {}".format, x, x),
            st.builds("({} AND {})".format, x, x),
            st.builds("({} OR {})".format, x, x),
            st.builds("{} OR {}".format, x, x),
            st.builds("NOT ({})".format, x),
            st.builds("(({}))".format, x),
        ),
        max_leaves=leaves,
    )


def in_sqlite(frame) -> sqlite3.Connection:
    """Put a listing into SQLite: times as the API writes them, lists as JSON, the rows in their order."""
    made = sqlite3.connect(":memory:")
    made.create_function("list_contains", 2, lambda held, item: None if held is None else item in json.loads(held))
    made.execute(f"CREATE TABLE images ({', '.join(IMAGES.column_names)})")
    marks = ", ".join("?" * len(IMAGES.column_names))
    for row in frame[list(IMAGES.column_names)].astype(object).itertuples(index=False):
        made.execute(f"INSERT INTO images VALUES ({marks})", [_plain(value) for value in row])  # noqa: S608 - marks only
    return made


def _plain(value):
    if isinstance(value, list):
        return json.dumps(value)
    if pd.isna(value):
        return None
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, pd.Timestamp) else value
