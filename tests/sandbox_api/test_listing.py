from __future__ import annotations

import pytest


def listed(box, **query):
    return box.send("GET", "/v2/images", params={"per_page": 200, **query}).json()


def test_first_page(box):
    """A page has 20 images unless asked otherwise, the total of all, and links on this host."""
    reply = box.send("GET", "/v2/images")

    assert reply.status_code == 200
    assert len(reply.json()["images"]) == 20
    assert reply.json()["meta"] == {"total": 60}
    assert reply.json()["links"] == {
        "pages": {
            "next": "http://sandbox/v2/images?page=2&per_page=20",
            "last": "http://sandbox/v2/images?page=3&per_page=20",
        }
    }


def test_middle_and_last_page(box):
    """A middle page has four links and the last one two; filters stay in the links."""
    middle = box.send("GET", "/v2/images", params={"page": 2, "per_page": 5, "private": "true"}).json()
    last = box.send("GET", "/v2/images", params={"page": 3}).json()

    assert list(middle["links"]["pages"]) == ["first", "prev", "next", "last"]
    assert middle["links"]["pages"]["next"] == "http://sandbox/v2/images?page=3&per_page=5&private=true"
    assert list(last["links"]["pages"]) == ["first", "prev"]


def test_one_page(box):
    """Where one page holds everything there are no links."""
    assert listed(box)["links"] == {}


def test_past_the_end(box):
    """A page past the end is empty and no error; the total is the same."""
    reply = box.send("GET", "/v2/images", params={"page": 999_999_999})

    assert reply.status_code == 200
    assert reply.json()["images"] == []
    assert reply.json()["meta"] == {"total": 60}


def test_page_too_large(box):
    """per_page above 200 is taken as 200, which the links show."""
    box.state.images |= {n: {**box.state.images[box.id_of("snapshot")], "id": n} for n in range(1, 301)}

    reply = box.send("GET", "/v2/images", params={"per_page": 500}).json()

    assert len(reply["images"]) == 200
    assert reply["links"]["pages"]["next"].endswith("page=2&per_page=200")


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=", "per_page=0", "page=७", "page=1e3"])
def test_page_is_no_number(box, query):
    """A page that is no whole number from 1 up is a 422 with the error shape."""
    reply = box.send("GET", f"/v2/images?{query}")

    assert reply.status_code == 422
    assert set(reply.json()) == {"id", "message", "request_id"}


def test_private(box):
    """private=true lists the account's own; 1-Clicks and retired bases are neither public nor own."""
    own = listed(box, private="true")["images"]
    everything = listed(box)["images"]

    assert {image["type"] for image in own} == {"snapshot", "backup", "custom"}
    assert {image["type"] for image in everything if not image["public"]} > {"application", "snapshot"}


def test_type_filter(box):
    """The filter type is not the attribute: distribution gives base images, application 1-Clicks."""
    assert {image["type"] for image in listed(box, type="application")["images"]} == {"application"}
    assert "base" in {image["type"] for image in listed(box, type="distribution")["images"]}
    assert box.send("GET", "/v2/images", params={"type": "snapshot"}).status_code == 422


def test_private_word(box):
    """The filter private takes true and false in lower case only."""
    assert box.send("GET", "/v2/images", params={"private": "True"}).status_code == 422


def test_tag_filter(box):
    """tag_name lists what bears the tag; filters hold together; an unknown tag gives no rows."""
    tagged = listed(box, tag_name="prod")["images"]

    assert tagged
    assert all("prod" in image["tags"] for image in tagged)
    assert listed(box, tag_name="prod", type="application")["images"] == []
    assert listed(box, tag_name="nobody")["images"] == []


def test_deleted_is_not_listed(box):
    """A failed import is not listed and yet can be read."""
    deleted = next(image for image in box.state.images.values() if image.get("error_message"))

    assert deleted["id"] not in {image["id"] for image in listed(box)["images"]}
    reply = box.send("GET", f"/v2/images/{deleted['id']}")
    assert reply.status_code == 200
    assert reply.json()["image"]["status"] == "deleted"


def test_other_collections(box):
    """Regions, tags, actions and snapshots are paged alike."""
    for path, key in (("regions", "regions"), ("tags", "tags"), ("actions", "actions"), ("snapshots", "snapshots")):
        reply = box.send("GET", f"/v2/{path}", params={"per_page": 2}).json()
        assert len(reply[key]) == 2
        assert reply["meta"]["total"] > 2


def test_empty_account(box):
    """An account without images lists none, with no links."""
    box.state._size = 0
    box.state.reset()

    assert listed(box) == {"images": [], "links": {}, "meta": {"total": 0}}
