"""Retention from end to end: what is kept of a series, the delete in two steps, and copies in all regions."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from estate import confirmed, estate, frame_of, reasons
from scripted import image

import doimages
from doimages.change.retention import due_on, due_tag
from doimages.errors import UsageError

WIDE = {"max_count": 1000, "max_percent": 100}


def ago(days, **more):
    return (datetime.now(UTC) - timedelta(days=days, **more)).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(days):
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


@pytest.fixture
def account():
    """Two series of four, made a day apart, one image that stands alone, and what is not to be deleted anyway."""
    web = [
        image(number, name=f"web-{ago(number)[:10]}", created_at=ago(number), tags=["web"]) for number in range(1, 5)
    ]
    db = [
        image(10 + number, name=f"db-{ago(number)[:10]}", created_at=ago(number), tags=["db"], distribution="Debian")
        for number in range(1, 5)
    ]
    others = [
        image(20, name="golden", created_at=ago(300), tags=["web", "db"]),
        image(21, name=f"web-{ago(90)[:10]}", type="backup", created_at=ago(90)),
        image(22, name="24.04", type="base", public=True, created_at=ago(400)),
    ]
    with estate(*web, *db, *others) as made:
        yield made


def frame(account):
    return doimages.read_do_images(client=account.here)


def steps(plan):
    return sorted(step.image_id for step in plan.steps)


def left(account):
    return sorted(
        number for number, one in account.state.images.items() if number < 1000 and one["status"] != "deleted"
    )


# retain


@pytest.mark.parametrize(
    ("rule", "deleted"),
    [
        ({"keep_last": 2, "per": "name_prefix"}, [3, 4, 13, 14]),
        ({"keep_last": 1, "per": "name_prefix"}, [2, 3, 4, 12, 13, 14]),
        ({"keep_last": 9, "per": "name_prefix"}, []),
        ({"keep_last": 2}, [2, 3, 4, 12, 13, 14, 20]),
        ({"keep_last": 1, "per": "tag"}, [2, 3, 4, 12, 13, 14, 20]),
        ({"keep_last": 5, "per": "tag"}, []),
        ({"keep_last": 1, "per": "distribution"}, [2, 3, 4, 12, 13, 14, 20]),
        ({"younger_than": "60 h"}, [3, 4, 13, 14, 20]),
        ({"younger_than": timedelta(days=2.5)}, [3, 4, 13, 14, 20]),
        ({"younger_than": "400 d"}, []),
        ({"keep_last": 1, "younger_than": "60 h", "per": "name_prefix"}, [3, 4, 13, 14]),
    ],
)
def test_retain(account, rule, deleted):
    """What is neither among the newest of its group nor young enough is deleted; backups and others' are refused."""
    before = left(account)

    plan = frame(account).do_images.retain(**rule, **WIDE, client=account.here)

    assert plan.operation == "delete"
    assert steps(plan) == deleted
    assert {number: outcome for number, (outcome, _) in reasons(plan).items()} == {21: "refused", 22: "refused"}
    assert account.writes == []
    report = confirmed(plan)
    assert report.counts.get("done", 0) == len(deleted)
    assert left(account) == [number for number in before if number not in deleted]


def test_retain_tells_what_is_kept(account):
    """The plan tells how many it keeps, by which rule, and what beside it."""

    def note(**rule):
        [said] = frame(account).do_images.retain(**rule, **WIDE, client=account.here).notes
        return said

    assert note(keep_last=2, per="name_prefix") == "kept: 5 images: the 2 newest of each name_prefix"
    assert note(keep_last=1) == "kept: 1 image: the newest"
    assert note(younger_than="60 h") == "kept: 4 images: those younger than 60 h"
    account.state.images[1]["status"] = "NEW"
    assert note(keep_last=3) == "kept: 4 images: the 3 newest and those unfinished"
    account.state.images[4]["created_at"] = None
    assert note(keep_last=1, younger_than="60 h", per="name_prefix") == (
        "kept: 6 images: the newest of each name_prefix, those younger than 60 h, and those unfinished or of which "
        "too little is known"
    )
    account.state.images[4] |= {"created_at": ago(4), "tags": []}
    assert (
        note(keep_last=1, per="tag") == "kept: 4 images: the newest of each tag and those unfinished or without a tag"
    )
    account.state.images[1]["status"] = "available"
    blind = frame(account).do_images.retain(keep_last=1, per="tag", **WIDE, client=account.client(without="tag:read"))
    assert blind.notes == ("kept: 9 images: the newest of each tag and those of which too little is known",)


def test_retain_by_tag_spares_what_has_none(account):
    """Images without a tag of their own are no series, and none of them is deleted for another."""
    for number in (1, 2, 3):
        account.state.images[number]["tags"] = []
    account.state.images[4]["tags"] = [f"doimages-delete-after:{day(7)}"]

    plan = frame_of(1, 2, 3, 4, 11, 12).do_images.retain(keep_last=1, per="tag", **WIDE, client=account.here)

    assert steps(plan) == [12]


def test_retain_twice(account):
    """Where the rule was applied, nothing falls outside it any more."""
    rule = {"keep_last": 2, "per": "name_prefix", **WIDE, "client": account.here}
    confirmed(frame(account).do_images.retain(**rule))

    assert len(frame(account).do_images.retain(**rule)) == 0


def test_retain_counts_in_the_frame(account):
    """Only the images of the frame are counted, and only they are deleted."""
    chosen = frame(account)
    chosen = chosen[chosen["id"].isin([2, 3, 4])]

    assert steps(chosen.do_images.retain(keep_last=1, **WIDE, client=account.here)) == [3, 4]


def test_retain_by_the_servers_word(account):
    """Names, times and tags are the server's: a frame that is old or wrong keeps and deletes the same."""
    lying = frame_of(1, 2, 3, 4, name=["a", "b", "c", "d"], created_at=["2030-01-01T00:00:00Z"] * 4)

    assert steps(lying.do_images.retain(keep_last=2, per="name_prefix", **WIDE, client=account.here)) == [3, 4]


def test_retain_spares_what_is_unfinished(account):
    """An image that is not finished takes no place of a good one, and is kept."""
    account.state.images[1]["status"] = "pending"

    chosen = frame_of(1, 2, 3, 4).do_images
    for pending in (False, True):
        plan = chosen.retain(keep_last=2, pending=pending, **WIDE, client=account.here)
        assert steps(plan) == [4]


def test_retain_spares_what_is_protected(account):
    """An image outside the rule that is protected is refused, and stays."""
    account.state.images[4]["tags"] = ["keep"]

    plan = frame_of(1, 2, 3, 4).do_images.retain(keep_last=1, **WIDE, client=account.here)

    assert steps(plan) == [2, 3]
    assert reasons(plan) == {4: ("refused", "its tag 'keep' protects it: untag it first")}


def test_retain_spares_what_is_not_known(account):
    """An image without a time, or whose tags the token does not see, is kept."""
    account.state.images[4]["created_at"] = None
    plan = frame_of(1, 2, 3, 4).do_images.retain(keep_last=1, **WIDE, client=account.here)
    blind = account.client(without="tag:read")

    assert steps(plan) == [2, 3]
    assert steps(frame_of(1, 2, 3).do_images.retain(keep_last=1, per="tag", **WIDE, client=blind)) == []


def test_retain_is_under_the_guards(account):
    """A rule that would take too much is refused as any delete."""
    with pytest.raises(UsageError, match="max_percent=50"):
        frame(account).do_images.retain(keep_last=1, per="name_prefix", client=account.here)
    with pytest.raises(UsageError, match="max_count=1"):
        frame(account).do_images.retain(keep_last=2, per="name_prefix", max_count=1, client=account.here)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, "the rule keeps no image"),
        ({"keep_last": 0}, "the rule keeps no image"),
        ({"per": "tag"}, "the rule keeps no image"),
        ({"younger_than": "0 d"}, "the rule keeps no image"),
        ({"keep_last": -1}, "keep_last is a whole number"),
        ({"keep_last": 1.5}, "keep_last is a whole number"),
        ({"keep_last": True}, "keep_last is a whole number"),
        ({"keep_last": 10**30}, "keep_last is a whole number from 0 to 1000000"),
        ({"younger_than": 30}, "younger_than is a length of time"),
        ({"younger_than": "1 month"}, "younger_than is a length of time"),
        ({"keep_last": 1, "per": "name"}, "per is 'name_prefix'"),
    ],
)
def test_rule_that_is_none(account, rule, message):
    """A rule that keeps nothing, or cannot be read, is refused before anything is sent."""
    with pytest.raises(UsageError, match=rf"{message}.*Nothing was sent\.$"):
        frame_of(1, 2).do_images.retain(**rule, client=account.here)
    assert account.sent == []


def test_retain_by_names_with_an_epoch(account):
    """An epoch at the end of a name is told by when the image was made: a long number of another time is its name."""
    for number in (1, 2, 3, 4):
        made = datetime.now(UTC) - timedelta(days=number)
        account.state.images[number]["name"] = f"packer-{made.timestamp():.0f}"
    account.state.images[4]["name"] = "packer-1512345678"

    plan = frame_of(1, 2, 3, 4).do_images.retain(keep_last=1, per="name_prefix", **WIDE, client=account.here)
    last = frame_of(1, 2, 3, 4).do_images.delete(**WIDE, client=account.here)

    assert steps(plan) == [2, 3]
    assert [text for text in last.warnings if "series" in text] == ["no image is left of the series 'packer' (3)"]


# quarantine, and the delete of what is due


def test_quarantine_and_delete(account):
    """An image that is quarantined is deleted on its day, and not before."""
    rows = frame_of(1, 2, 3).do_images
    confirmed(rows.quarantine(7, client=account.here))
    confirmed(frame_of(1).do_images.quarantine(0, client=account.here))
    account.state.images[1]["tags"].remove(f"doimages-delete-after:{day(7)}")
    assert account.state.images[2]["tags"] == ["web", f"doimages-delete-after:{day(7)}"]

    plan = frame_of(1, 2, 3, 4).do_images.delete(due=True, client=account.here)

    assert steps(plan) == [1]
    assert reasons(plan) == {
        2: ("refused", f"it is not due before {day(7)}"),
        3: ("refused", f"it is not due before {day(7)}"),
        4: ("refused", "it has no tag doimages-delete-after:...: quarantine() gives it one"),
    }
    confirmed(plan)
    assert 1 not in account.state.images
    assert {2, 3, 4} <= account.state.images.keys()


@pytest.mark.parametrize(
    ("tags", "is_due"),
    [
        ([f"doimages-delete-after:{day(-1)}"], True),
        ([f"doimages-delete-after:{day(0)}"], True),
        ([f"doimages-delete-after:{day(1)}"], False),
        ([f"doimages-delete-after:{day(-1)}", f"doimages-delete-after:{day(1)}"], False),
        ([f"doimages-delete-after:{day(1)}", f"doimages-delete-after:{day(-1)}"], False),
        (["doimages-delete-after:2026-02-30"], False),
        (["doimages-delete-after:"], False),
        (["doimages-delete-after:yesterday"], False),
        ([f"x-doimages-delete-after:{day(-1)}"], False),
        ([f"doimages-delete-after:{day(-1)}-x"], False),
        ([f"doimages-delete-after:{day(-1)}", "keep"], False),
        ([], False),
        (None, False),
    ],
)
def test_due(account, tags, is_due):
    """Due is what has a day in its tag that has come, the last day where there are several, and is not protected."""
    account.state.images[1]["tags"] = tags

    assert steps(frame_of(1).do_images.delete(due=True, client=account.here)) == ([1] if is_due else [])


def test_due_is_the_servers_word(account):
    """The frame's tags do not make an image due."""
    rows = frame_of(1, tags=[["doimages-delete-after:2026-01-01"]]).do_images

    assert steps(rows.delete(due=True, client=account.here)) == []


def test_due_without_tags(account):
    """A token that sees no tags deletes nothing that is due."""
    account.state.images[1]["tags"] = ["doimages-delete-after:2026-01-01"]

    plan = frame_of(1).do_images.delete(due=True, client=account.client(without="tag:read"))

    assert steps(plan) == []
    assert reasons(plan) == {1: ("refused", "its tags are not known: the token lacks the scope tag:read")}


def test_due_of_what_is_not_yours(account):
    """A public image, a backup and one that is gone are refused though they were due."""
    for number in (21, 22):
        account.state.images[number]["tags"] = ["doimages-delete-after:2026-01-01"]

    plan = frame_of(21, 22, 99).do_images.delete(due=True, client=account.here)

    assert [outcome for outcome, _ in reasons(plan).values()] == ["refused", "refused", "already gone"]
    assert len(plan) == 0


def test_quarantine_again(account):
    """An image that has the tag of the day is left as it is."""
    confirmed(frame_of(1).do_images.quarantine(3, client=account.here))

    plan = frame_of(1, 2).do_images.quarantine(3, client=account.here)

    assert steps(plan) == [2]
    assert reasons(plan)[1][0] == "no change"


def test_quarantine_that_is_shorter(account):
    """Where an image has the tag of a later day, the plan warns that this day counts; an earlier one is no matter."""
    confirmed(frame_of(1).do_images.quarantine(9, client=account.here))
    confirmed(frame_of(2).do_images.quarantine(1, client=account.here))
    confirmed(frame_of(4).do_images.quarantine(3, client=account.here))

    plan = frame_of(1, 2, 3, 4, 99).do_images.quarantine(3, client=account.here)

    [warning] = [text for text in plan.warnings if "the last day counts" in text]
    assert warning.startswith("image 1 (")
    assert f"is not due before {day(9)}, by a tag that it has" in warning
    assert steps(plan) == [1, 2, 3]


@pytest.mark.parametrize("days", [np.int64(7), np.uint8(7)], ids=repr)
def test_days_as_numpy_counts(account, days):
    """A whole number of numpy's is a number of days."""
    plan = frame_of(1).do_images.quarantine(days, client=account.here)

    assert [step.fields for step in plan.steps] == [{"tag": f"doimages-delete-after:{day(7)}"}]


def test_undo_of_a_quarantine(account):
    """A quarantine is undone: the tag is off again, and nothing is due."""
    report = confirmed(frame_of(1, 2).do_images.quarantine(0, client=account.here))
    confirmed(report.undo_plan())

    assert steps(frame_of(1, 2).do_images.delete(due=True, client=account.here)) == []
    assert account.state.images[1]["tags"] == ["web"]


@pytest.mark.parametrize("days", [-1, 3651, 1.0, "7", True, None, np.bool_(True), np.int64(-1)])
def test_no_number_of_days(account, days):
    """What is no number of days is refused before anything is sent."""
    with pytest.raises(UsageError, match=r"days must be a whole number from 0 to 3650.*Nothing was sent\.$"):
        frame_of(1).do_images.quarantine(days, client=account.here)
    assert account.sent == []


def test_due_tag_is_read_back():
    """The tag of so many days from now is read back as that day."""
    today = datetime.now(UTC).date()

    for days in (0, 1, 7, 3650):
        assert due_on(["x", due_tag(days, today)]) == today + timedelta(days=days)


# ensure_regions


def test_ensure_regions(account):
    """Each image is transferred to the regions it lacks, and to those alone."""
    account.state.images[1]["regions"] = ["nyc3", "ams3"]
    account.state.images[2]["regions"] = ["fra1"]
    regions = ["nyc3", "ams3", "nyc3"]

    plan = frame_of(1, 2, 3, 21, 22).do_images.ensure_regions(regions, client=account.here)

    assert [(step.image_id, step.fields["region"]) for step in plan.steps] == [(2, "nyc3"), (2, "ams3"), (3, "ams3")]
    told = [(one.image_id, one.outcome, one.fields["region"]) for one in plan.refusals]
    assert told == [
        (1, "no change", "nyc3"),
        (1, "no change", "ams3"),
        (3, "no change", "nyc3"),
        (21, "refused", "nyc3"),
        (21, "refused", "ams3"),
        (22, "refused", "nyc3"),
        (22, "refused", "ams3"),
    ]
    assert confirmed(plan, wait=True).counts["done"] == 3
    assert all({"nyc3", "ams3"} <= set(account.state.images[number]["regions"]) for number in (1, 2, 3))
    assert len(frame_of(1, 2, 3).do_images.ensure_regions(regions, client=account.here)) == 0


def test_regions_that_are_not_there(account):
    """A region that is not there is refused with those that are; none at all, too."""
    with pytest.raises(UsageError, match=r"ams9.*ams3"):
        frame_of(1).do_images.ensure_regions(["nyc3", "ams9"], client=account.here)
    account.state.log.clear()
    for wrong in ([], [""], [None], [3]):
        with pytest.raises(UsageError, match="region"):
            frame_of(1).do_images.ensure_regions(wrong, client=account.here)
    assert account.writes == []


def test_one_region_as_text(account):
    """One region may be given as text."""
    plan = frame_of(1).do_images.ensure_regions("ams3", client=account.here)

    assert [step.fields for step in plan.steps] == [{"region": "ams3"}]
    assert plan.steps == frame_of(1).do_images.transfer("ams3", client=account.here).steps


def test_regions_unchecked(account):
    """A token that may not read regions is told that they were not checked."""
    client = account.client(without="regions:read")
    plan = frame_of(1).do_images.ensure_regions(["ams3"], client=client)

    assert "the regions were not checked: the token lacks the scope regions:read" in plan.warnings


# latest, and then a change of it


def test_latest_is_planned(account):
    """The newest image of a series is found in the frame, and copied by its id."""
    rows = frame(account).do_images
    row = rows.latest("^web-", tag="web", region="nyc3")
    plan = frame_of(int(row["id"])).do_images.ensure_regions(["ams3"], client=account.here)

    assert row["id"] == 1
    assert confirmed(plan, wait=True).counts == {"done": 1}
    assert frame(account).do_images.latest(region="ams3")["id"] == 1


def test_saved_meanwhile(account):
    """An image that is due and has lost its tag before the plan is applied is not deleted; the others are."""
    for number in (1, 2):
        account.state.images[number]["tags"] = [f"doimages-delete-after:{day(-1)}"]
    plan = frame_of(1, 2).do_images.delete(due=True, client=account.here, **WIDE)
    account.state.images[2]["tags"] = []

    report = confirmed(plan)

    assert list(report.to_frame()["outcome"]) == ["done", "changed since plan"]
    assert account.written == {1}


def test_retention_is_not_planned_again_by_ids(account):
    """A plan of retain is neither refreshed nor retried by its ids: what it keeps may be others now."""
    plan = frame(account).do_images.retain(keep_last=2, per="name_prefix", client=account.here, **WIDE)

    for again in (plan.refresh, confirmed(plan).retry_plan):
        with pytest.raises(UsageError, match="call what made it again"):
            again()


def test_function_sees_what_may_be_changed(account):
    """A function for a new name is not called for images that are left alone."""
    seen = []
    frame_of(1, 21, 22).do_images.update(name=lambda one: seen.append(one.id) or "x", client=account.here, **WIDE)

    assert seen == [1]
