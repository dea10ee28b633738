"""The vectors of SELECT in the facts on StackQL: what is sent for each statement, and what pandas makes of the same."""

# ruff: noqa: S608 - statements are what is tested here

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pytest
from desk import T, get, hold, listing

SNAPSHOT, BASE = 200002364, 112006329
ALL, OWN = listing(), listing(private="true")


def own(images: pd.DataFrame) -> pd.DataFrame:
    """The images that private=true lists: the sandbox has no others that are neither public nor of these kinds."""
    return images[images["type"].isin(["snapshot", "backup", "custom"]) & ~images.public]


def tagged(images: pd.DataFrame, tag: str) -> pd.DataFrame:
    return images[[isinstance(tags, list) and tag in tags for tags in images.tags]]


@dataclass(frozen=True)
class Vector:
    """A statement by its number, the requests it takes, and its result in pandas."""

    number: str
    statement: str
    sent: list[str]
    expected: Callable[[pd.DataFrame], pd.DataFrame]

    def __str__(self):
        return self.number


def where(number, condition, sent, keep, columns="id, name"):
    """A vector whose statement has columns and WHERE alone."""
    return Vector(
        number,
        f"SELECT {columns} FROM {T} WHERE {condition}",
        sent,
        lambda images: keep(images)[columns.split(", ")],
    )


def distributions(images):
    counts = images.distribution.value_counts(dropna=False)
    counts = counts[counts > 8]
    return pd.DataFrame({"distribution": counts.index, "n": counts.array}).astype({"distribution": "str", "n": "Int64"})


def newest_first(images):
    rank = images.groupby("distribution", dropna=False).created_at.rank(method="first", ascending=False)
    return pd.DataFrame({"name": images.name, "rn": rank.astype("Int64")}).sort_values(["name", "rn"])


VECTORS = [
    where("3", "image_id = 'ubuntu-24-04-x64'", [get("/v2/images/ubuntu-24-04-x64")], lambda i: i[i.id == BASE], "id"),
    where("10", "type = 'snapshot'", OWN, lambda i: own(i[i["type"] == "snapshot"]), "id, type"),
    where("11", "type IN ('snapshot','backup')", OWN, lambda i: own(i[i["type"].isin(["snapshot", "backup"])])),
    where("11 base", "type IN ('base','snapshot')", ALL, lambda i: i[i["type"].isin(["base", "snapshot"])]),
    where("13", "private = true", OWN, own),
    where(
        "16",
        "tag_name = 'prod' AND private = true",
        listing(private="true", tag_name="prod"),
        lambda i: tagged(own(i), "prod"),
    ),
    *(
        where(f"23 {form}", form, ALL, lambda i: i[i.public])
        for form in ("public = true", "public = 1", "public = 'true'", "public", "public IS TRUE")
    ),
    where("25", "name ILIKE 'WEB%'", ALL, lambda i: i[i.name.str.startswith("web")]),
    where("26", "min_disk_size BETWEEN 10 AND 20", ALL, lambda i: i[i.min_disk_size.between(10, 20).fillna(False)]),
    where("30", "created_at >= '2026-10-25'", ALL, lambda i: i[i.created_at >= "2026-10-25"]),
    where("31", "created_at LIKE '2026-10%'", ALL, lambda i: i[i.created_at.dt.strftime("%Y-%m") == "2026-10"]),
    Vector(
        "33",
        f"SELECT id, size_gigabytes FROM {T} ORDER BY size_gigabytes DESC LIMIT 3",
        ALL,
        lambda i: i.nlargest(3, "size_gigabytes")[["id", "size_gigabytes"]],
    ),
    Vector(
        "35",
        f"SELECT id, name FROM {T} WHERE name LIKE 'web%' LIMIT 3",
        ALL,
        lambda i: i[i.name.str.startswith("web")][["id", "name"]].head(3),
    ),
    Vector(
        "36",
        f"SELECT distribution, count(*) AS n FROM {T} GROUP BY distribution HAVING count(*)>8 ORDER BY n DESC",
        ALL,
        distributions,
    ),
    Vector(
        "38",
        f"SELECT max(created_at) AS m FROM {T}",
        ALL,
        lambda i: pd.DataFrame({"m": [i.created_at.max()]}, dtype="datetime64[us, UTC]"),
    ),
    *(
        Vector(
            number,
            f"SELECT {choice} AS p, name FROM {T}",
            ALL,
            lambda i: pd.DataFrame(
                {"p": i.public.map({True: "y", False: "n"}).fillna("n").astype("str"), "name": i.name}
            ),
        )
        for number, choice in (("40", "CASE WHEN public THEN 'y' ELSE 'n' END"), ("41", "iif(public,'y','n')"))
    ),
    Vector(
        "43",
        f"SELECT json_array_length(regions) AS n FROM {T}",
        ALL,
        lambda i: i.regions.str.len().astype("Int64").to_frame("n"),
    ),
    where("45 list_contains", "list_contains(regions,'ams3')", ALL, lambda i: i[["ams3" in one for one in i.regions]]),
    where("45 @>", "tags @> ['prod']", ALL, lambda i: tagged(i, "prod")),
    Vector(
        "46",
        "SELECT name, row_number() OVER (PARTITION BY distribution ORDER BY created_at DESC) AS rn"
        f" FROM {T} ORDER BY name, rn",
        ALL,
        newest_first,
    ),
    Vector(
        "48",
        f"WITH a AS (SELECT id FROM {T} WHERE private=true) SELECT count(*) AS n FROM a",
        OWN,
        lambda i: pd.DataFrame({"n": [len(own(i))]}, dtype="Int64"),
    ),
    Vector(
        "50",
        f"SELECT id FROM {T} EXCEPT SELECT id FROM {T} WHERE private = true ORDER BY id",
        [*ALL, *OWN],
        lambda i: i[~i.id.isin(own(i).id)][["id"]].sort_values("id"),
    ),
    Vector("51", f"SELECT a.id FROM {T} a LEFT JOIN {T} b ON a.id=b.id", ALL, lambda i: i[["id"]]),
    Vector(
        "53",
        f"SELECT t.id FROM (SELECT id FROM {T}) t WHERE t.id > 200100000",
        ALL,
        lambda i: i[i.id > 200100000][["id"]],
    ),
    Vector("58", "SELECT id FROM images", ALL, lambda i: i[["id"]]),
]


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_select_sends_this_and_gives_what_pandas_gives(desk, vector):
    """The rows are those of the same images filtered in pandas, with the same dtypes; there are some."""
    expected = vector.expected(desk.images)
    assert len(expected) > 0
    hold(desk.ask(vector.statement), expected)
    assert desk.sent == sorted(vector.sent)


def test_vector_1_reads_all_pages_and_keeps_the_order_of_the_columns(large_desk):
    """450 images are three pages of 200; StackQL reads twenty images and says nothing."""
    hold(large_desk.ask(f"SELECT name, id FROM {T}"), large_desk.images[["name", "id"]])
    assert large_desk.sent == listing(3)


def test_vector_33_sorts_before_it_cuts_over_all_pages(large_desk):
    """The largest of all images, not of the first page."""
    result = large_desk.ask(f"SELECT id, size_gigabytes FROM {T} ORDER BY size_gigabytes DESC, id LIMIT 3")
    largest = large_desk.images.sort_values(["size_gigabytes", "id"], ascending=[False, True])
    hold(result, largest[["id", "size_gigabytes"]].head(3))
    assert large_desk.sent == listing(3)


def test_vector_28_takes_a_quote_that_is_doubled(desk):
    """A text with an apostrophe is compared as it is."""
    desk.state.images[SNAPSHOT]["description"] = "it's"
    assert desk.ask(f"SELECT id FROM {T} WHERE description = 'it''s'").id.tolist() == [SNAPSHOT]
    assert desk.sent == ALL


@pytest.mark.parametrize(
    ("statement", "dtypes"),
    [
        (
            f"SELECT distribution, count(*) AS n FROM {T} WHERE id < 0 GROUP BY distribution",
            {"distribution": "str", "n": "Int64"},
        ),
        (f"SELECT max(created_at) AS m FROM {T} WHERE id < 0", {"m": "datetime64[us, UTC]"}),
        (f"SELECT json_array_length(regions) AS n FROM {T} WHERE id < 0", {"n": "Int64"}),
        (f"SELECT sum(min_disk_size) AS n, avg(id) AS a FROM {T} WHERE id < 0", {"n": "Int64", "a": "Float64"}),
        (f"SELECT iif(public,'y','n') AS p, public FROM {T} WHERE id < 0", {"p": "str", "public": "boolean"}),
    ],
    ids=["36", "38", "43", "sums", "41"],
)
def test_dtypes_are_the_same_for_no_rows(desk, statement, dtypes):
    """What a column holds is known without rows."""
    assert desk.ask(statement).dtypes.astype(str).to_dict() == dtypes


@pytest.mark.parametrize("where", ["", "WHERE id < 0"])
def test_all_columns_have_the_dtypes_of_a_plain_read(desk, where):
    """SELECT * is the frame of read_do_images, with rows or without."""
    hold(desk.ask(f"SELECT * FROM {T} {where}"), desk.images.head(0) if where else desk.images)
    assert desk.sent == ALL
