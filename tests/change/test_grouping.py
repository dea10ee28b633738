"""A retention rule keeps what it says, and never more falls outside it than was meant."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doimages.change.grouping import groups, name_prefix, split
from doimages.change.image import Image
from doimages.errors import UsageError

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = 86_400


def image(id_, days=0.0, **fields):
    return Image(id=id_, created_at=f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}", **fields)


def outside(images, *, keep_last=None, younger_than_seconds=None, per=None):
    return {
        one.id
        for one in split(images, keep_last=keep_last, younger_than_seconds=younger_than_seconds, per=per, now=NOW)[1]
    }


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        *(("web-01-2026-10-05", "web-01"), ("web-01-20261005", "web-01"), ("web-01-2026.10.05", "web-01")),
        *(("web_2026_10_05", "web"), ("web 2026-10-05", "web"), ("web-01- 2026-10-05", "web-01"), ("a@20261005", "a")),
        *(
            ("web-2026-10-05T12:30:00Z", "web"),
            ("web-2026-10-05T12:30:00.123Z", "web"),
            ("web-2026-10-05 12:30", "web"),
        ),
        *(("web-20261005T123000Z", "web"), ("web-20261005123000", "web"), ("web-20261005-1230", "web")),
        *(("web-2026-10-05-12-30-00", "web"), ("web-2026-10-05_12.30.00", "web"), ("web-2026-10-05t12:30z", "web")),
        *(("web-2026-10-05T12:30:00+02:00", "web"), ("web-2026-10-05 12:30:00 UTC", "web"), ("web-2026-10-05 ", "web")),
        *(("a.b--2026-10-05", "a.b"), ("Web-20261005", "Web")),
    ],
)
def test_timestamp_at_the_end_is_no_part_of_the_prefix(name, prefix):
    """A date with or without a time and a zone is cut off with what separates it from the name."""
    assert name_prefix(name) == prefix


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("packer-1790000000", "packer"),
        ("ubuntu-s-1vcpu-1gb-nyc3-01-1790000000123", "ubuntu-s-1vcpu-1gb-nyc3-01"),
        ("web-2026-10-05-1790000000", "web-2026-10-05"),
    ],
)
@pytest.mark.parametrize(("days", "is_epoch"), [(0, True), (1.99, True), (-1.99, True), (2.01, False), (-2.01, False)])
def test_long_number_is_an_epoch_near_the_time_of_making(name, prefix, days, is_epoch):
    """Within two days of when the image was made a number of 10 or 13 digits is a time, else part of the name."""
    made_at = datetime.fromtimestamp(1_790_000_000, UTC) + timedelta(days=days)

    assert name_prefix(name, made_at) == (prefix if is_epoch else name)
    assert name_prefix(name) == name


def test_numbers_of_phones_and_orders_are_no_epochs():
    """Images named by a phone or an order are as many series, though their numbers could be times."""
    images = [image(number, number, name=f"phone-151234567{number}") for number in range(1, 5)]

    assert outside(images, keep_last=1, per="name_prefix") == set()


@pytest.mark.parametrize(
    "name",
    [
        *("web-01", "web-02", "ubuntu-24.04", "arch-2026.10", "nixos-25.11", "web-2026", "web-2026-10", "web", "", "-"),
        *("web-2026-13-05", "web-2026-02-30", "web-2026-00-10", "web-20261399", "web-1926-10-05", "web-2026-10.05"),
        *("web-2026-10-05-12", "web-2026-10-05-2500", "web-2026-10-05-final", "2026-10-05-web", "web-2026-10-05 (1)"),
        *("web20261005", "v1790000000", "web-12026-10-05", "web-120261005", "web-179000000", "web-17900000001"),
        *("web-9876543210", "web-17900000001234", "web-2026-10-0५", "long-" + "0123456789" * 30, "web-2026-10-05Z"),
        *("2026-10-05", "20261005", "1790000000", " 2026-10-05", "-1790000000123"),
    ],
)
def test_name_without_timestamp_is_its_own_prefix(name):
    """A number, a version, a date that is none, a date within the name, and a name that is only a date stay whole."""
    assert name_prefix(name, datetime.fromtimestamp(1_790_000_000, UTC)) == name


@given(
    st.from_regex(r"[A-Za-z]{1,6}([-_. ][A-Za-z0-9]{1,3}){0,3}", fullmatch=True),
    st.sampled_from(("-", "_", ".", " ", "--", " - ", "@")),
    st.datetimes(datetime(2012, 1, 1), datetime(2064, 1, 1)),  # noqa: DTZ001 - a zone is written behind it
    st.sampled_from(("%Y-%m-%d", "%Y%m%d", "%Y.%m.%d", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%d%H%M%S", "%Y%m%d-%H%M", "epoch")),
)
def test_prefix_is_found_behind_any_time(name, separator, at, form):
    """Whatever time a name ends in, its prefix is the same."""
    stamp = f"{at.replace(tzinfo=UTC).timestamp():.0f}" if form == "epoch" else f"{at:{form}}"

    assert name_prefix(f"{name}{separator}{stamp}", at.replace(tzinfo=UTC)) == name


@given(st.text(max_size=40) | st.text("0129-. :TZ", max_size=30))
def test_prefix_begins_the_name(name):
    """A prefix is what a name begins with, and empty only if the name is."""
    assert name.startswith(name_prefix(name))
    assert bool(name_prefix(name)) == bool(name)


def test_groups_are_newest_first():
    """Of two made at one time the higher id is newer; one without a time comes last."""
    images = [image(1, 5), image(4, 1), Image(id=9), image(3, 1), image(2, 0), Image(id=8, created_at="long ago")]

    assert {key: [one.id for one in group] for key, group in groups(images, None).items()} == {"": [2, 4, 3, 1, 9, 8]}


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        (None, {"": [1, 2, 3, 4]}),
        ("name_prefix", {"web-01": [1, 2], "web-02": [3]}),
        ("tag", {"prod": [1], "web": [1, 2]}),
        ("distribution", {"Ubuntu": [1], "ubuntu": [2], "Unknown": [3]}),
    ],
)
def test_images_are_grouped(per, expected):
    """An image is in the group of each of its tags; one whose name or distribution is missing, or all tags, in none."""
    images = [
        image(1, 1, name="web-01-2026-10-31", tags=("prod", "web", "web"), distribution="Ubuntu"),
        image(2, 2, name="web-01-2026-10-30", tags=("web",), distribution="ubuntu"),
        image(3, 3, name="web-02-2026-10-29", tags=(), distribution="Unknown"),
        image(4, 4),
    ]

    assert {key: [one.id for one in group] for key, group in groups(images, per).items()} == expected


@pytest.mark.parametrize("per", ["tags", "name", "", "Tag", 5, ["tag"]], ids=repr)
def test_unknown_grouping_is_refused(per):
    """The message names the three there are."""
    with pytest.raises(UsageError, match=r"'name_prefix', 'tag', 'distribution' or None, not .*Nothing was sent\.$"):
        split([], keep_last=1, younger_than_seconds=None, per=per, now=NOW)


@pytest.mark.parametrize("value", [True, False, -1, 1.0, "3", float("nan"), np.bool_(True), 10**30], ids=repr)
def test_keep_last_is_a_whole_number(value):
    """A bool, a negative, a float and text are no number of images, nor is one that no account has."""
    with pytest.raises(UsageError, match="keep_last is a whole number"):
        split([image(1)], keep_last=value, younger_than_seconds=DAY, per=None, now=NOW)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_period_is_not_negative(seconds):
    """NaN and a negative period would put every image outside."""
    with pytest.raises(UsageError, match="younger_than is a length of time"):
        split([image(1)], keep_last=1, younger_than_seconds=seconds, per=None, now=NOW)


@pytest.mark.parametrize(("keep_last", "period"), [(None, None), (0, None), (None, 0.0), (0, 0.0)])
def test_rule_that_keeps_nothing_is_refused(keep_last, period):
    """Deleting all is said plainly by delete()."""
    with pytest.raises(UsageError, match=r"keeps no image.*delete\(\) says it plainly.*Nothing was sent\.$"):
        split([image(1)], keep_last=keep_last, younger_than_seconds=period, per=None, now=NOW)


def test_image_is_kept_by_count_or_age():
    """Either is enough; an image exactly as old as the period is outside."""
    images = [image(1, 1), image(2, 10), image(3, 30), image(4, 40)]

    assert outside(images, keep_last=1) == {2, 3, 4}
    assert outside(images, younger_than_seconds=30 * DAY) == {3, 4}
    assert outside(images, keep_last=3, younger_than_seconds=5 * DAY) == {4}
    assert outside(images, keep_last=0, younger_than_seconds=30 * DAY) == {3, 4}
    assert outside(images, keep_last=np.int64(4)) == set()


def test_image_of_several_tags_is_kept_by_any():
    """The newest of one tag is kept, though it is not the newest of another."""
    images = [image(1, 1, tags=("web",)), image(2, 2, tags=("web", "db")), image(3, 3, tags=("db",))]

    assert outside(images, keep_last=1, per="tag") == {3}


@pytest.mark.parametrize(
    "tags", [(), ("doimages:0123456789ab",), ("doimages-delete-after:2026-10-01", "Doimages:0123456789ab")]
)
def test_image_without_a_tag_of_its_own_is_in_no_series(tags):
    """Images without tags have nothing in common, nor have those with tags that doimages gives: all are kept."""
    images = [image(number, number, tags=tags) for number in range(1, 5)]

    assert groups(images, "tag") == {}
    assert outside(images, keep_last=1, per="tag") == set()
    assert outside(images, younger_than_seconds=2 * DAY, per="tag") == {2, 3, 4}
    assert outside([*images, *(image(10 + n, n, tags=("web", *tags)) for n in (1, 2))], keep_last=1, per="tag") == {12}


def test_image_without_a_time_is_kept_and_takes_no_place():
    """What cannot be dated is kept beside the newest, not instead of them; so is a time that cannot be read."""
    images = [Image(id=9), Image(id=8, created_at="2026-99-99T00:00:00Z"), image(1, 1), image(2, 2), image(3, 3)]

    assert outside(images, keep_last=2) == {3}
    assert outside(images, younger_than_seconds=DAY / 2) == {1, 2, 3}


@pytest.mark.parametrize("per", ["name_prefix", "tag", "distribution"])
def test_image_whose_group_is_unknown_is_kept(per):
    """A token without tag:read sees no tags; all images as one untagged group would lose all but the newest."""
    images = [image(number, number) for number in range(1, 5)]

    assert outside(images, keep_last=1, per=per) == set()
    assert outside(images, younger_than_seconds=2 * DAY, per=per) == {2, 3, 4}


def test_time_without_zone_is_utc_and_other_zones_count():
    """09:00+09:00 is midnight in UTC."""
    images = [
        Image(id=1, created_at="2026-10-31T00:00:00"),
        Image(id=2, created_at="2026-10-31T09:00:01+09:00"),
        Image(id=3, created_at="2026-10-31T00:00:02Z"),
    ]

    assert [one.id for one in groups(images, None)[""]] == [3, 2, 1]


def test_image_listed_twice_has_one_place():
    """A listing may repeat an image: it takes one place, and is not outside with one of its rows."""
    twice = image(1, 1)

    assert outside([twice, twice, image(2, 2), image(3, 3)], keep_last=2) == {3}
    assert outside([image(1, 50), twice], younger_than_seconds=2 * DAY) == set()


TIMES = (
    st.none()
    | st.just("?")
    | st.integers(0, 40).map(lambda hours: f"{NOW - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}")
)
PER = st.sampled_from((None, "name_prefix", "tag", "distribution"))
KEEP = st.integers(1, 4)
PERIOD = st.none() | st.integers(1, 40).map(lambda hours: 3600.0 * hours)
IMAGES = st.lists(
    st.builds(
        Image,
        id=st.integers(1, 10_000),
        name=st.sampled_from((None, "", "web-2026-10-05", "web-20261006", "web-1793484000", "db", "db-01")),
        created_at=TIMES,
        tags=st.none() | st.lists(st.sampled_from(("a", "b", "doimages:1")), max_size=3).map(tuple),
        distribution=st.sampled_from((None, "Ubuntu", "Debian")),
    ),
    max_size=14,
    unique_by=lambda one: one.id,
)


def newness(one):
    """Tell which is newer by the text alone: all times are in one form and one zone."""
    is_dated = one.created_at not in (None, "?")
    return is_dated, one.created_at if is_dated else "", one.id


@given(IMAGES, st.none() | KEEP, PERIOD, PER)
def test_split_is_a_partition_in_order(images, keep_last, period, per):
    """Each image is in one of the two lists, in the order given; one that cannot be dated is kept."""
    assume(keep_last or period)

    kept, rest = split(images, keep_last=keep_last, younger_than_seconds=period, per=per, now=NOW)

    assert [one for one in images if one in kept] == kept
    assert [one for one in images if one not in kept] == rest
    assert all(one.created_at not in (None, "?") for one in rest)


@given(IMAGES, st.none() | KEEP, PERIOD, PER, st.randoms(use_true_random=False))
def test_order_of_the_listing_does_not_count(images, keep_last, period, per, chance):
    """The API gives no order: the same images in another order are split the same."""
    assume(keep_last or period)
    shuffled = chance.sample(images, k=len(images))
    rule = {"keep_last": keep_last, "younger_than_seconds": period, "per": per}

    assert outside(shuffled, **rule) == outside(images, **rule)
    assert {key: [one.id for one in group] for key, group in groups(shuffled, per).items()} == {
        key: [one.id for one in group] for key, group in groups(images, per).items()
    }


@given(IMAGES, KEEP, PERIOD, PER, st.integers(0, 3), st.integers(0, 50))
def test_keeping_more_never_deletes_more(images, keep_last, period, per, places, hours):
    """A higher keep_last or a longer period puts no further image outside; nor does either beside the other."""
    longer = (period or 0.0) + 3600.0 * hours
    rest = outside(images, keep_last=keep_last, younger_than_seconds=period, per=per)

    assert outside(images, keep_last=keep_last + places, younger_than_seconds=longer, per=per) <= rest
    if period:
        assert rest <= outside(images, younger_than_seconds=period, per=per)


@given(IMAGES, KEEP, PERIOD, PER)
def test_every_group_keeps_its_newest(images, keep_last, period, per):
    """The newest of each group are kept, as many as there are up to keep_last."""
    kept, _ = split(images, keep_last=keep_last, younger_than_seconds=period, per=per, now=NOW)

    for group in groups(images, per).values():
        assert sorted(group, key=newness, reverse=True) == group
        assert all(one in kept for one in group[:keep_last])


@given(IMAGES, KEEP)
def test_without_groups_so_many_are_kept_in_all(images, keep_last):
    """Of images that can be dated, keep_last stay and no more."""
    dated = [one for one in images if one.created_at not in (None, "?")]

    assert len(dated) - len(outside(images, keep_last=keep_last)) == min(keep_last, len(dated))


@given(IMAGES, KEEP, PERIOD, PER, st.data())
def test_older_image_pushes_no_newer_one_out(images, keep_last, period, per, data):
    """To add an image older than another never puts that other outside."""
    assume(images)
    rule = {"keep_last": keep_last, "younger_than_seconds": period, "per": per}
    model = data.draw(st.sampled_from(images))
    older = Image(id=10_001, name=model.name, tags=model.tags, distribution=model.distribution, created_at="2020-01-01")

    assert outside([*images, older], **rule) - {older.id} == outside(images, **rule)
