"""Imports: what is refused before anything is sent, the tag they are found by, and the way back."""

import httpx
import pytest
from scripted import image

from doimages.errors import UsageError

OLD = "2024-03-01T02:35:00Z"
GOOD = "https://images.example.com/base.qcow2"


def refuse(desk, **fields):
    """Have an import refused before anything is sent, and give the message."""
    with pytest.raises(UsageError) as got:
        desk.create(**fields)
    assert desk.sent == []
    return str(got.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://user:hunter2@example.com/a.img", "has a user name or password in it"),
        ("https://hunter2@example.com/a.img", "has a user name or password in it"),
        ("file:///etc/passwd", "does not begin with https:// or http://"),
        ("ftp://example.com/a.img", "does not begin with https:// or http://"),
        ("https://localhost/a.img", "which DigitalOcean cannot reach or should not"),
        ("https://127.0.0.1/a.img", "which DigitalOcean cannot reach or should not"),
        ("https://10.0.0.8/a.img", "which DigitalOcean cannot reach or should not"),
        ("https://169.254.169.254/latest/a.img", "which DigitalOcean cannot reach or should not"),
        ("https://[::1]/a.img", "which DigitalOcean cannot reach or should not"),
        ("https://2130706433/a.img", "which is no IP address of four decimal numbers"),
        (f"{GOOD}?X-Amz-Signature=hunter2", "has a query or a fragment"),
        (f"{GOOD}#hunter2", "has a query or a fragment"),
        ("https://example.com/a.img.xz", "xz is not decompressed"),
        ("https://example.com/a.iso", "an installer is no disk image"),
        ("https://example.com/a.tar.gz", "an archive is not unpacked"),
        ("https://example.com/", "does not end in a file name"),
        ("", "is empty or no text"),
    ],
)
def test_address(desk, url, said):
    """66. A URL that cannot or should not be imported is refused, and no secret in it is shown."""
    message = refuse(desk, url=url)

    assert message.startswith("the URL of the image ")
    assert said in message
    assert message.endswith("Nothing was sent.")
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "the name of the new image would be empty. Nothing was changed."),
        ({"name": "x" * 256}, "the name of the new image would have 256 letters, more than 255. Nothing was changed."),
        ({"name": 7}, "name of the new image is 7, which is no text. Nothing was changed."),
        ({"name": None}, "name is missing: an import needs name, url, region. Nothing was sent."),
        ({"region": None}, "region is missing: an import needs name, url, region. Nothing was sent."),
        ({"url": None}, "url is missing: an import needs name, url, region. Nothing was sent."),
        ({"tags": "prod"}, "tags takes a list of tags, not 'prod'. Nothing was sent."),
        ({"tags": ["a b"]}, "'a b' is no tag: letters, digits, '_', ':' and '-', 1 to 255 of them. Nothing was sent."),
        ({"tags": [None]}, "None is no tag: letters, digits, '_', ':' and '-', 1 to 255 of them. Nothing was sent."),
        ({"description": 1.5}, "description of the new image is 1.5, which is no text. Nothing was changed."),
    ],
)
def test_fields(desk, fields, said):
    """64, 65. Fields that are no fields of an image are refused before anything is sent."""
    assert refuse(desk, **fields) == said


def test_unknown_region(desk):
    """A region that is not there is refused after one GET."""
    with pytest.raises(UsageError, match=r"^no region 'nyc33'\. Did you mean 'nyc3'"):
        desk.create(region="nyc33")

    assert desk.sent == ["GET /v2/regions"]


def test_sent(desk, rows):
    """A plan sends GETs alone; applied, one POST with the fields, and a tag more that only this image has."""
    plan = desk.create(tags=["prod"], description="A base.", distribution="Ubuntu")
    assert desk.writes == []

    [row] = rows(desk.apply(plan))

    [(method, path, body)] = [one for one in desk.wire.sent if one[0] != "GET"]
    [tag, marker] = body.pop("tags")
    assert (method, path, tag) == ("POST", "/v2/images", "prod")
    assert marker.startswith("doimages:")
    assert len(marker) == len("doimages:") + 12
    assert body == {
        "name": "base",
        "url": GOOD,
        "region": "nyc3",
        "description": "A base.",
        "distribution": "Ubuntu",
    }
    assert (row["outcome"], row["status"], row["id"]) == ("running", 202, max(desk.state.images))


def test_two_have_two_tags(desk):
    """Two plans of the same import have two tags: one is not taken for the other."""
    markers = set()
    for plan in (desk.create(), desk.create()):
        desk.apply(plan)
        markers |= set(desk.state.images[max(desk.state.images)]["tags"])

    assert len(markers) == 2


def test_token_without_tags(desk, rows):
    """A token that may not make tags imports all the same: the 403 has made nothing, and it is sent without the tag."""
    desk.state.tokens[desk.token] = frozenset({"image:read", "image:create", "account:read", "regions:read"})

    [row] = rows(desk.apply(desk.create()))

    assert row["outcome"] == "running"
    assert [body.get("tags") for method, _, body in desk.wire.sent if method == "POST"][-1] is None
    assert desk.writes == ["POST /v2/images"] * 2


def test_lost_without_tags(desk, rows):
    """With no tag to find it by, an image of that name made since is told of by resume, and stays in doubt."""
    desk.state.tokens[desk.token] = frozenset({"image:read", "image:create", "account:read", "regions:read"})
    plan = desk.create()
    desk.trouble("POST", httpx.ReadTimeout, is_done=True, after=1)

    [row] = rows(desk.apply(plan))
    assert (row["outcome"], row["message"].partition(": ")[2]) == ("in doubt", "resume looks again.")
    assert desk.writes == ["POST /v2/images"] * 2
    [row] = rows(desk.resume(plan))

    made = max(desk.state.images)
    assert row["outcome"] == "in doubt"
    assert row["message"] == f"image {made} of that name was made since; whether by this request cannot be told."
    assert desk.writes == []


def test_namesake_of_another_plan(desk, rows):
    """An image of the same name that another plan has made meanwhile is not taken for this one's."""
    other, plan = desk.create(), desk.create()
    desk.apply(other)
    desk.trouble("POST", httpx.ReadTimeout)

    [row] = rows(desk.apply(plan))
    [later] = rows(desk.resume(plan))

    assert row["outcome"] == "in doubt"
    assert (later["outcome"], later["message"].partition(":")[0]) == ("failed", "not created")


def test_not_created(desk, rows):
    """10. A create that never came through is failed once resume has looked again; planned anew, it is made once."""
    plan = desk.create()
    desk.trouble("POST", httpx.ReadTimeout)

    report = desk.apply(plan)

    assert report.in_doubt["message"].tolist() == [
        "image 'base' was looked for three times and is not seen yet: resume looks again."
    ]
    with pytest.raises(UsageError, match="is not at its end"):
        report.retry_plan(desk.client)
    report = desk.resume(plan)
    assert desk.writes == []
    assert report.failed["message"].tolist() == [
        "not created: it was looked for again and is not there. report.retry_plan() plans it anew."
    ]
    again = report.retry_plan(desk.client)
    assert [row["outcome"] for row in rows(desk.apply(again))] == ["running"]
    assert desk.writes == ["POST /v2/images"]


def test_refused(desk, rows):
    """A create that the API refuses is failed, in its words."""
    desk.trouble("POST", httpx.Response(422, json={"id": "unprocessable_entity", "message": "Quota exceeded."}))

    [row] = rows(desk.apply(desk.create()))

    assert row["outcome"] == "failed"
    assert row["message"] == (
        "POST /v2/images: DigitalOcean answered 422 unprocessable_entity: Quota exceeded. Nothing was changed."
    )


def test_undo(desk, rows):
    """The way back is the delete of what was made, and of nothing else."""
    desk.has([image(1, name="base", type="custom", created_at=OLD)])
    report = desk.apply(desk.create(), wait=True)
    [made] = report.to_frame()["id"]

    undo = report.undo_plan(desk.client)

    assert undo.confirmation == "delete 1 image from sandbox"
    assert [row["outcome"] for row in rows(desk.apply(undo))] == ["done"]
    assert desk.writes == [f"DELETE /v2/images/{made}"]
    assert desk.state.images[1]["status"] == "available"


def test_undo_while_importing(desk, rows):
    """An import that runs still can be undone as well."""
    desk.state.polls = None
    report = desk.apply(desk.create())

    assert [row["outcome"] for row in rows(desk.apply(report.undo_plan(desk.client)))] == ["done"]


def test_url_is_never_fetched(desk):
    """66. Nothing is sent to the URL, and no name is looked up: all requests go to the API."""
    desk.apply(desk.create(), wait=True)

    assert all(path.startswith("/v2/") for _, path, _ in desk.wire.sent)
