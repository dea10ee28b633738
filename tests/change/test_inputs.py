"""Bad input, one line each: what it says, and that nothing was sent; the numbers are those of the list of faults.

An id in a frame is a whole number: a column of floats has no accessor at all, so that NaN and 7.5 cannot come up.
"""

import numpy as np
import pandas as pd
import pytest
from scripted import image

import doimages
from doimages.errors import UsageError

OLD = "2024-03-01T02:35:00Z"
CHANGES = {
    "delete": lambda images, client: images.delete(client=client),
    "delete due": lambda images, client: images.delete(due=True, client=client),
    "update": lambda images, client: images.update(name="new", client=client),
    "convert": lambda images, client: images.convert(client=client),
    "transfer": lambda images, client: images.transfer("ams3", client=client),
    "ensure_regions": lambda images, client: images.ensure_regions(["ams3", "fra1"], client=client),
    "tag": lambda images, client: images.tag("prod", client=client),
    "untag": lambda images, client: images.untag("prod", client=client),
    "transfer_account": lambda images, client: images.transfer_account(email="a@b.test", client=client),
    "retain": lambda images, client: images.retain(younger_than="1h", client=client),
    "quarantine": lambda images, client: images.quarantine(client=client),
}


def ids(*values, dtype="Int64"):
    return pd.DataFrame({"id": pd.Series(list(values), dtype=dtype)})


def refuse(desk, make, *, reads=False):
    """Have something refused before anything is sent, or after GETs alone, and give the message."""
    desk.wire.sent.clear()
    with pytest.raises(UsageError) as got:
        make()
    assert desk.writes == []
    assert reads or desk.sent == []
    return str(got.value)


# Ids


@pytest.mark.parametrize("operation", CHANGES)
def test_row_without_an_id(desk, operation):
    """54. A row without an id is named, and nothing is sent for the others either."""
    frame = ids(1, 2, None, 4)

    said = refuse(desk, lambda: CHANGES[operation](frame.do_images, desk.client))

    assert said == "row 2 has no id. Nothing was sent."


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.0, 2.0]),
        pd.Series([1.0, None]),
        pd.Series([True, False]),
        pd.Series(["1", "2"]),
        pd.Series(["ubuntu-24-04-x64"]),
        pd.Series(["\u096d"]),
        pd.Series([1, "2"], dtype=object),
    ],
    ids=["54 float", "54 NaN", "55 bool", "56 text", "56 slug", "56 another digit", "56 mixed"],
)
def test_no_accessor(column):
    """54, 55, 56. A frame whose ids are no whole numbers has no ways to change images."""
    assert not hasattr(pd.DataFrame({"id": column}), "do_images")


@pytest.mark.parametrize("value", [0, -1, -(2**63)])
@pytest.mark.parametrize("operation", ["delete", "update", "tag"])
def test_no_id(desk, value, operation):
    """55. Zero and negatives are no ids."""
    said = refuse(desk, lambda: CHANGES[operation](ids(1, value).do_images, desk.client))

    assert said == f"{value} is no image id: an id is a whole number above zero. Nothing was sent."


@pytest.mark.parametrize("operation", CHANGES)
def test_given_twice(desk, operation):
    """57. An id that is given twice is one request; the plan says so, where it plans anything."""
    desk.has(5, tags=["prod"] if operation == "untag" else ["doimages-delete-after:2024-03-02"])
    if operation == "convert":
        desk.has(5, type="backup")

    plan = CHANGES[operation](ids(1, 1, 2, 1).do_images, desk.client)

    assert len({(step.image_id, str(step.fields)) for step in plan.steps}) == len(plan.steps)
    assert {step.image_id for step in plan.steps} == {1, 2}
    report = desk.apply(plan)
    assert not set(report.counts) - {"done", "running"}


def test_given_twice_is_told(desk):
    """57. The plan says how many were given twice."""
    assert "2 given twice: one request each" in CHANGES["delete"](ids(1, 1, 2, 1).do_images, desk.client).warnings


@pytest.mark.parametrize("dtype", ["Int64", "int64", "int64[pyarrow]"])
@pytest.mark.parametrize("operation", CHANGES)
def test_empty_frame(desk, operation, dtype):
    """58. An empty frame is a plan of nothing, never of all; it applies to an empty report."""
    plan = CHANGES[operation](ids(dtype=dtype).do_images, desk.client)

    report = desk.apply(plan)

    assert (len(plan), plan.refusals) == (0, ())
    assert plan.confirmation.split(" ")[1] == "0"
    assert desk.writes == []
    assert (len(report), len(report.to_frame()), report.counts) == (0, 0, {})
    assert report.to_frame().dtypes["id"] == "Int64"
    report.raise_for_failures()
    assert len(desk.state.images) == 5


@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]", "uint32"])
def test_integers_of_all_kinds(desk, dtype):
    """62. numpy's and pyarrow's whole numbers are taken, and written as plain ones."""
    plan = CHANGES["tag"](ids(1, 2, dtype=dtype).do_images, desk.client)

    desk.state.tags["prod"] = None
    desk.apply(plan)

    assert desk.wire.sent[-1][2]["resources"][0] == {"resource_id": "1", "resource_type": "image"}
    assert [type(step.image_id) for step in plan.steps] == [int, int]


def test_index(desk):
    """An index named id is as good as a column."""
    frame = ids(1, 2).set_index("id")

    assert [step.image_id for step in CHANGES["delete"](frame.do_images, desk.client).steps] == [1, 2]


# Frames that do not tell the truth


@pytest.mark.parametrize("public", [None, False, "missing"])
def test_frame_that_lies_about_public(desk, public):
    """60. Whether an image is public is asked of the server, whatever the frame says; a public one is left alone."""
    desk.has([image(1, created_at=OLD, public=True, type="snapshot"), image(2, created_at=OLD)])
    frame = desk.frame(2)
    frame = pd.concat([frame.assign(id=1), frame])
    frame = frame.drop(columns="public") if public == "missing" else frame.assign(public=public)

    plan = frame.do_images.delete(client=desk.client)

    assert [(one.image_id, one.outcome, one.reason) for one in plan.refusals] == [
        (1, "refused", "it is public, so not yours")
    ]
    desk.apply(plan)
    assert desk.writes == ["DELETE /v2/images/2"]


def test_frame_changed_by_hand(desk):
    """60. Where the frame says otherwise than the server the plan goes by the server, and warns."""
    frame = desk.frame(1, 2)
    frame.loc[frame["id"] == 1, "name"] = "renamed by hand"

    plan = frame.do_images.delete(client=desk.client)

    assert "image 1 ('web-1'): the frame says name 'renamed by hand', the server 'web-1'" in plan.warnings
    assert [step.image.name for step in plan.steps] == ["web-1", "web-2"]
    assert "renamed by hand" in repr(plan)


def test_column_that_is_there_twice(desk):
    """60. What a frame says twice is not compared: the plan goes by the server."""
    frame = desk.frame(1, 2)
    frame = pd.concat([frame, frame[["name"]]], axis=1)

    assert [step.image.name for step in frame.do_images.delete(client=desk.client).steps] == ["web-1", "web-2"]


def test_frames_of_two_accounts(desk):
    """61. Of a frame put together from two accounts only this account's images are changed; others are not there."""
    mine = desk.frame()
    both = pd.concat([mine, mine.assign(id=mine["id"] + 1000)], ignore_index=True)

    plan = both.do_images.delete(client=desk.client)

    assert [step.image_id for step in plan.steps] == [1, 2, 3, 4, 5]
    assert [(one.image_id, one.outcome) for one in plan.refusals] == [(n, "already gone") for n in range(1001, 1006)]


@pytest.mark.parametrize("operation", CHANGES)
def test_frame_of_another_host(desk, operation):
    """61. A frame that was read elsewhere is refused: its ids mean other images there."""
    frame = desk.frame()
    other = desk.connect(base_url="https://other.test")

    said = refuse(desk, lambda: CHANGES[operation](frame.do_images, other))

    assert said.startswith(
        "This frame was read from https://api.test, the client speaks to https://other.test: ids mean"
    )
    assert said.endswith("Nothing was sent.")


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "\x1b[2Jgone", "\u202egnp.exe", "a\nb", "\u0000"])
def test_hostile_name(desk, name):
    """63. A hostile name is escaped where it is shown, and untouched in what is sent and recorded."""
    desk.has([image(1, name=name, created_at=OLD)])

    plan = ids(1).do_images.update(name=lambda image: f"x-{image.name}", client=desk.client)
    report = desk.apply(plan)

    for shown in (plan, report):
        assert "<img" not in shown._repr_html_()
        assert not set(repr(shown)) & {"\x1b", "\u202e", "\u0000"}
    assert desk.wire.sent[-1][2] == {"name": f"x-{name}"}
    assert report.to_frame()["before"].iloc[0] == {"name": name}


# Values


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "update changes nothing: give name, description, distribution, or some of them. Nothing was sent."),
        ({"name": ""}, "the name of each image would be empty. Nothing was changed."),
        ({"name": "  "}, "the name of each image would be empty. Nothing was changed."),
        ({"name": "x" * 256}, "the name of each image would have 256 letters, more than 255. Nothing was changed."),
        ({"name": 7}, "name of each image is 7, which is no text. Nothing was changed."),
        ({"description": ["a"]}, "description of each image is ['a'], which is no text. Nothing was changed."),
        ({"distribution": True}, "distribution of each image is True, which is no text. Nothing was changed."),
    ],
)
def test_update(desk, arguments, said):
    """64. A name that is empty, too long or no text is refused before anything is sent."""
    assert refuse(desk, lambda: ids(1).do_images.update(client=desk.client, **arguments)) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (lambda image: "", "the name of image 1 ('web-1') would be empty. Nothing was changed."),
        (lambda image: image.name * 99, "the name of image 1 ('web-1') would have 495 letters, more than 255."),
        (lambda image: None, "name of image 1 ('web-1') is None: give a text. Nothing was changed."),
        (lambda image: image.nothing, "the function for name failed for image 1 ('web-1'): AttributeError:"),
        (lambda image: np.str_("x") if image.id > 1 else 1.5, "name of image 1 ('web-1') is 1.5, which is no text."),
    ],
    ids=["empty", "long", "None", "fails", "number"],
)
def test_update_by_a_function(desk, name, said):
    """64. The same for what a function makes of an image, after the reads."""
    assert refuse(desk, lambda: ids(1, 2).do_images.update(name=name, client=desk.client), reads=True).startswith(said)


@pytest.mark.parametrize("name", ["\ud800", "\udfff x"])
def test_half_a_letter(desk, name):
    """64. Half of a surrogate pair cannot be sent: refused, and not met as a traceback midway."""
    said = refuse(desk, lambda: ids(1).do_images.update(name=name, client=desk.client), reads=True)

    assert said.endswith("Nothing was changed.")


@pytest.mark.parametrize("name", ["x" * 255, "\u540d" * 255, "'; DROP TABLE images; --", " x "])
def test_name_that_is_good(desk, name):
    """64, 68. A name at the limit, or one that looks like SQL, goes out as it is."""
    desk.apply(ids(1).do_images.update(name=name, client=desk.client))

    assert desk.state.images[1]["name"] == name


@pytest.mark.parametrize("tag", ["", "a b", "a,b", "a.b", "\u00e9", "x" * 256, "a\n", None, 7, "../x", "a/b"])
@pytest.mark.parametrize("operation", ["tag", "untag"])
def test_tag(desk, operation, tag):
    """65. What is no tag is refused."""
    said = refuse(desk, lambda: getattr(ids(1).do_images, operation)(tag, client=desk.client))

    assert said == f"{tag!r} is no tag: letters, digits, '_', ':' and '-', 1 to 255 of them. Nothing was sent."


@pytest.mark.parametrize("region", ["", None, 7, ["nyc3"], {"nyc3": 1}])
def test_region(desk, region):
    """What is no slug of a region is refused."""
    said = refuse(desk, lambda: ids(1).do_images.transfer(region, client=desk.client))

    assert said == f"region is {region!r}, which is no slug such as 'nyc3'. Nothing was sent."


@pytest.mark.parametrize("regions", [5, None, b"nyc3", {"nyc3": 1}], ids=repr)
def test_regions(desk, regions):
    """What is no list of slugs is refused."""
    said = refuse(desk, lambda: ids(1).do_images.ensure_regions(regions, client=desk.client))

    assert said == f"regions takes slugs, such as ['nyc3', 'fra1'], not {regions!r}. Nothing was sent."


@pytest.mark.parametrize("region", [["x"], None, {}], ids=repr)
def test_region_in_a_list(desk, region):
    """What is no slug is refused within a list too."""
    said = refuse(desk, lambda: ids(1).do_images.ensure_regions(["ams3", region], client=desk.client))

    assert said == f"region is {region!r}, which is no slug such as 'nyc3'. Nothing was sent."


def test_unknown_region(desk):
    """A region that is not there is refused, and the one that may be meant is named."""
    said = refuse(desk, lambda: ids(1).do_images.transfer("ams33", client=desk.client), reads=True)

    assert said.startswith("no region 'ams33'. Did you mean 'ams3'")
    assert desk.sent == ["GET /v2/regions"]


@pytest.mark.parametrize("arguments", [{}, {"email": "a@b.test", "team": "x"}])
def test_other_account(desk, arguments):
    """A transfer to another account needs to know which, by one of two names."""
    said = refuse(desk, lambda: ids(1).do_images.transfer_account(client=desk.client, **arguments))

    assert said == "transfer_account needs either email or team. Nothing was sent."


@pytest.mark.parametrize("email", ["", " ", "ops", "@b.test", "ops@", "ops@@b.test", "o ps@b.test", "a@b.test\n"])
def test_email(desk, email):
    """What is no e-mail address is refused: the image leaves this account for good."""
    said = refuse(desk, lambda: ids(1).do_images.transfer_account(email=email, client=desk.client))

    assert said == f"email is {email!r}, which is no address such as 'ops@example.com'. Nothing was sent."


@pytest.mark.parametrize("team", ["", "  "])
def test_team(desk, team):
    """An empty text is no team."""
    said = refuse(desk, lambda: ids(1).do_images.transfer_account(team=team, client=desk.client))

    assert said == f"team is {team!r}: give the uuid of a team. Nothing was sent."


@pytest.mark.parametrize(
    "guards",
    [
        {"max_count": -1},
        {"max_count": "many"},
        {"max_percent": -1},
        {"max_percent": "half"},
        {"min_age": "soon"},
        {"min_age": -1},
        {"pending": "yes"},
        {"in_use": "ignore"},
        {"in_use": ["warn"]},
        {"max_percent": float("inf")},
    ],
    ids=lambda guards: f"{guards}",
)
def test_guards(desk, guards):
    """A guard that makes no sense is refused, and named."""
    said = refuse(desk, lambda: ids(1).do_images.delete(client=desk.client, **guards))

    assert next(iter(guards)) in said


# How many


def test_too_many(desk):
    """67. More rows than max_count are refused as a whole, and the number to give is told."""
    desk.has(60)

    said = refuse(desk, lambda: ids(*range(1, 61)).do_images.delete(max_percent=100, client=desk.client), reads=True)

    assert said == (
        "This would delete 60 images, more than max_count=50. If all are meant, set max_count=60: as "
        "an argument, or in doimages.options. Nothing was changed."
    )


def test_too_large_a_share(desk):
    """67. More than half of the account's images, from ten on, are refused as a whole as well."""
    desk.has(12)

    said = refuse(desk, lambda: ids(*range(1, 8)).do_images.delete(client=desk.client), reads=True)

    assert said == (
        "This would delete 7 of the account's 12 images, more than max_percent=50. If all are meant, set "
        "max_percent=59: as an argument, or in doimages.options. Nothing was changed."
    )
    assert len(ids(*range(1, 8)).do_images.delete(client=desk.client, max_percent=59)) == 7


def test_many_that_are_meant(desk):
    """67. With max_count raised the plan says so, and what it takes."""
    desk.has(260)

    plan = ids(*range(1, 256)).do_images.delete(max_count=255, max_percent=100, client=desk.client)

    assert "max_count = 255 (usually 50)" in repr(plan)
    assert "about 1 min at 250 a minute" in repr(plan)


# SQL


@pytest.mark.parametrize("statement", ["DELETE FROM images", "UPDATE images SET name = 'x'"])
def test_no_where(desk, statement):
    """59. DELETE and UPDATE without WHERE are refused, and nothing is read."""
    said = refuse(desk, lambda: doimages.read_do_images(statement, client=desk.client))

    assert "WHERE" in said


@pytest.mark.parametrize("statement", ["DELETE FROM images WHERE true", "UPDATE images SET name = 'x' WHERE 1 = 1"])
def test_where_true(desk, statement):
    """59. A WHERE that holds for all is held back by max_count and max_percent as a frame is."""
    desk.has(60)

    said = refuse(desk, lambda: doimages.read_do_images(statement, client=desk.client), reads=True)

    assert "max_count" in said or "max_percent" in said or "WHERE" in said
