"""What is done to an image over time: convert and transfer (API pages "Image Actions" and "Actions")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doimages.sandbox_api.call import JSON, Refusal, Reply, digits, not_found, text_of
from doimages.sandbox_api.images import find_image, own_image
from doimages.sandbox_api.paging import is_first, page

if TYPE_CHECKING:
    from doimages.sandbox_api.call import Call
    from doimages.sandbox_api.state import State


def list_actions(state: State, call: Call) -> Reply:
    """Answer a page of all actions, newest first."""
    return page(call, "actions", _seen(state, call, list(state.actions)))


def get_action(state: State, call: Call) -> Reply:
    """Answer one action of whatever image."""
    return Reply(200, {"action": _one(state, call.params["action_id"])})


def list_image_actions(state: State, call: Call) -> Reply:
    """Answer a page of an image's actions, newest first; paged, though the spec forgets the parameters."""
    image_id = _image_id(state, call)
    return page(call, "actions", _seen(state, call, _of_image(state, image_id)))


def get_image_action(state: State, call: Call) -> Reply:
    """Answer one action, which must be of this image."""
    action = _one(state, call.params["action_id"], _image_id(state, call))
    return Reply(200, {"action": action})


def start_action(state: State, call: Call) -> Reply:
    """Begin a convert or a transfer: 201 and an action in progress.

    No `type`, or another one, is a 404 (doctl issue 192). Only a backup can be converted here: what the API
    answers for the other kinds is not known.
    """
    image = own_image(state, call)
    body = call.json()
    kind = body.get("type")
    if kind == "convert":
        if image["type"] != "backup":
            raise Refusal(422, "Only a backup can be converted to a snapshot.")
        region = image["regions"][0]
    elif kind == "transfer":
        region = _transfer_region(state, image, body)
    else:
        raise Refusal(404, "The specified action type is not available.")
    for action_id in _of_image(state, image["id"]):
        action = state.actions[action_id]
        if action_id in state.running and action["type"] == kind and action["region_slug"] == region:
            raise Refusal(422, f"Image already has a pending {kind}.")
    return Reply(201, {"action": state.start_action(kind, image, region)})


def _transfer_region(state: State, image: JSON, body: JSON) -> str:
    if image["type"] == "backup":
        raise Refusal(422, "Backups can not be transfered to other regions")  # as spelt in api-v2 issue 126
    if image["status"] != "available":
        raise Refusal(422, "Image is not available.")
    region = text_of(body, "region", required=True) or ""
    if region not in state.regions or "image_transfer" not in state.regions[region]["features"]:
        raise Refusal(422, f"Images can not be transferred to region {region}.")
    if region in image["regions"]:
        raise Refusal(422, f"Image is already available in region {region}.")
    return region


def _image_id(state: State, call: Call) -> int:
    image = find_image(state, call.params["image_id"])
    if image is None:
        raise not_found()
    return int(image["id"])


def _of_image(state: State, image_id: int) -> list[int]:
    return [action_id for action_id, action in state.actions.items() if action["resource_id"] == image_id]


def _seen(state: State, call: Call, action_ids: list[int]) -> list[JSON]:
    is_new = is_first(call)
    rows = []
    for action_id in reversed(action_ids):
        action = state.stale.look("actions", action_id, state.actions[action_id], is_new=is_new)
        if action is not None:
            state.see_action(action_id)
            rows.append(action)
    return rows


def _one(state: State, text: str, image_id: int | None = None) -> JSON:
    action_id = digits(text)
    action = None if action_id is None else state.actions.get(action_id)
    if action is None or image_id not in {None, action["resource_id"]}:
        raise not_found()
    if state.stale.look("action", action["id"], action) is None:
        raise not_found()
    state.see_action(action["id"])
    return action
