from __future__ import annotations

from collections import Counter

import pytest

from doimages.sandbox_api.regions import REGION_SLUGS
from doimages.sandbox_api.seed import catalogue


@pytest.mark.parametrize("images", [0, 1, 5, 300, 1000])
def test_size(images):
    """A catalogue has exactly the images asked for, each with an id of its own."""
    rows = catalogue(images)

    assert len(rows) == images
    assert len({row["id"] for row in rows}) == images


def test_same_seed():
    """The same seed gives the same images, and a smaller catalogue is the start of a larger one."""
    assert catalogue(300, seed=3) == catalogue(300, seed=3)
    assert catalogue(5, seed=3) == catalogue(300, seed=3)[:5]
    assert catalogue(300, seed=3) != catalogue(300, seed=4)


def test_kinds():
    """The default catalogue has every type and every status that is listed, nulls and oddities included."""
    rows = catalogue()

    assert set(Counter(row["type"] for row in rows)) == {
        "base", "snapshot", "application", "custom", "backup", "admin",
    }  # fmt: skip
    assert {row.get("status") for row in rows} == {"available", "NEW", "new", "pending", "retired", None}
    for name in ("min_disk_size", "size_gigabytes", "description", "tags", "distribution", "slug"):
        assert any(name in row and row[name] is None for row in rows), name
    assert any(len(set(row["regions"])) < len(row["regions"]) for row in rows)
    assert {slug for row in rows for slug in row["regions"]} - set(REGION_SLUGS) == {"atl1"}
    assert max(Counter(row["name"] for row in rows).values()) > 1
    assert any(row["name"].startswith("<img") for row in rows)


def test_small_catalogue():
    """Five images are already five different kinds of row."""
    assert [row["type"] for row in catalogue(5)] == ["base", "snapshot", "application", "custom", "backup"]
