"""The images themselves: list, get, update, delete, and import of a custom one (API pages "Images")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doimages.sandbox_api import tags
from doimages.sandbox_api.call import JSON, Refusal, Reply, digits, forbidden, not_found, text_of
from doimages.sandbox_api.paging import is_first, page
from doimages.sandbox_api.seed import CANNOT_UNPACK, CANNOT_UNPACK_FORMAT
from doimages.sandbox_api.stale import WAYS_TO_AN_IMAGE
from doimages.sandbox_api.state import Import, is_own

if TYPE_CHECKING:
    from doimages.sandbox_api.call import Call
    from doimages.sandbox_api.stale import Way
    from doimages.sandbox_api.state import State

# The names the spec lists under distribution; it says that any other is accepted and read as Unknown.
DISTRIBUTIONS = frozenset({
    "Arch Linux", "CentOS", "CoreOS", "Debian", "Fedora", "Fedora Atomic", "FreeBSD", "Gentoo", "openSUSE",
    "RancherOS", "Rocky Linux", "Ubuntu", "Unknown",
})  # fmt: skip
ALREADY_DELETED = "Image Can not delete an already deleted image."
_SUBSET = (
    "id", "name", "type", "distribution", "description", "created_at", "regions", "tags", "status", "error_message",
)  # fmt: skip


def list_images(state: State, call: Call) -> Reply:
    """Answer a page of the images that are not deleted; the filters hold together.

    `type` is not the attribute: distribution is what DigitalOcean built, application is a 1-Click (spec).
    `private=true` is the account's own. How the filters combine is undocumented; here all must fit.
    """
    kind = call.choice("type", ("application", "distribution"))
    private = call.choice("private", ("true", "false")) == "true"
    tag = call.query.get("tag_name")
    for image_id in list(state.importing):
        state.see_import(image_id)

    def fits(image: JSON) -> bool:
        return (
            image.get("status") != "deleted"
            and (not private or is_own(image))
            and (tag is None or tag in (image.get("tags") or ()))
            and (kind is None or kind == _produced_as(image))
        )

    way: Way = "images" if tag is None else "tagged"
    rows = state.stale.rows(way, state.images, fits, is_new=is_first(call))
    return page(call, "images", rows, None if call.may("tag:read") else _without_tags)


def get_image(state: State, call: Call) -> Reply:
    """Answer one image by id, or a public one by slug; a deleted custom image is still answered."""
    key = call.params["image_id"]
    image_id = digits(key)
    image = (
        _by_slug(state, key) if image_id is None else state.stale.look("image", image_id, state.images.get(image_id))
    )
    if image is None:
        raise not_found()
    state.see_import(image["id"])
    return Reply(200, {"image": as_shown(call, image)})


def update_image(state: State, call: Call) -> Reply:
    """Change exactly the keys sent; description and distribution are for custom images only (spec)."""
    image = own_image(state, call)
    body = call.json()
    changes: JSON = {}
    if "name" in body:
        changes["name"] = text_of(body, "name", required=True)
    for name in ("description", "distribution"):
        if name in body:
            if image["type"] != "custom":
                raise Refusal(422, f"only a custom image has a {name} that can be changed")
            changes[name] = text_of(body, name)
    if "distribution" in changes:
        changes["distribution"] = known_distribution(changes["distribution"])
    if image["status"] == "deleted":
        raise Refusal(422, "Image is deleted.")
    image |= changes
    return Reply(200, {"image": as_shown(call, image)})


def delete_image(state: State, call: Call) -> Reply:
    """Delete a snapshot or a custom image.

    A backup answers 204 and stays (doctl issue 504). A custom image is marked deleted, and a second delete of
    it is a 422 (terraform-provider, resource_custom_image). Images of DigitalOcean's are a 403 here: what the
    API answers is not known.
    """
    image = own_image(state, call)
    if image["status"] == "deleted":
        raise Refusal(422, ALREADY_DELETED)
    if image["type"] == "custom":
        state.importing.pop(image["id"], None)
        state.hold_back(WAYS_TO_AN_IMAGE, image["id"], image)
        image |= {"status": "deleted", "regions": []}
    elif image["type"] == "snapshot":
        state.remove_image(image["id"])
    return Reply(204)


def create_image(state: State, call: Call) -> Reply:
    """Begin an import: 202 and a subset of the image, status NEW (spec, new_custom_image).

    The url is never fetched. One with "fail" in it, or that ends in .xz, ends deleted with an error_message, any
    other available.
    """
    body = call.json()
    name = text_of(body, "name", required=True)
    url = text_of(body, "url", required=True) or ""
    region = text_of(body, "region", required=True) or ""
    distribution = text_of(body, "distribution")
    description = text_of(body, "description")
    if not url.lower().startswith(("http://", "https://")):
        raise Refusal(422, "url must begin with http:// or https://")
    if region not in state.regions:
        raise Refusal(422, f"region {region} is not known")
    names = tags.names_of(body)
    if names and not call.may("tag:create"):
        raise forbidden()
    image: JSON = {
        "id": next(state.image_ids),
        "name": name,
        "distribution": known_distribution(distribution),
        "slug": None,
        "public": False,
        "regions": [],
        "created_at": state.now(),
        "min_disk_size": None,
        "type": "custom",
        "size_gigabytes": None,
        "description": description or "",
        "tags": [tags.create(state, tag) for tag in names],
        "status": "NEW",
        "error_message": "",
    }
    state.images[image["id"]] = image
    state.importing[image["id"]] = Import(region, state.looks_to_come(), _error_of(url))
    state.hold_back(WAYS_TO_AN_IMAGE, image["id"], None)
    return Reply(202, {"image": as_shown(call, {key: image[key] for key in _SUBSET})})


def find_image(state: State, text: str) -> JSON | None:
    """Find an image by the digits of its id."""
    image_id = digits(text)
    return None if image_id is None else state.images.get(image_id)


def own_image(state: State, call: Call) -> JSON:
    """Find the image of a write: 404 where there is none, 403 where it is not the account's."""
    image = find_image(state, call.params["image_id"])
    if image is None:
        raise not_found()
    if not is_own(image):
        raise forbidden()
    return image


def as_shown(call: Call, record: JSON) -> JSON:
    """Give a record as this token may see it: without the scope tag:read it has no key tags."""
    return record if call.may("tag:read") else _without_tags(record)


def known_distribution(name: str | None) -> str:
    """Give a distribution of the spec's list, or Unknown."""
    return name if name in DISTRIBUTIONS else "Unknown"


def _produced_as(image: JSON) -> str | None:
    if image["type"] == "base" or (image["type"] == "snapshot" and image["public"]):
        return "distribution"
    return "application" if image["type"] == "application" else None


def _by_slug(state: State, slug: str) -> JSON | None:
    return next((image for image in state.images.values() if slug and image["slug"] == slug), None)


def _error_of(url: str) -> str:
    if url.lower().endswith(".xz"):
        return CANNOT_UNPACK_FORMAT
    return CANNOT_UNPACK if "fail" in url else ""


def _without_tags(record: JSON) -> JSON:
    return {key: value for key, value in record.items() if key != "tags"}
