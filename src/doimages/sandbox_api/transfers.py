"""Moving a snapshot to another account (API page "Image Account Transfer"): a move, not a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doimages.sandbox_api.call import JSON, Refusal, Reply, not_found, text_of
from doimages.sandbox_api.images import own_image

if TYPE_CHECKING:
    from doimages.sandbox_api.call import Call
    from doimages.sandbox_api.state import State


def create_transfer(state: State, call: Call) -> Reply:
    """Offer a snapshot to one recipient, by email or by team uuid.

    A uuid of the account's own team is accepted at once: `transfer_id` 0, and the image is gone. Any other
    recipient leaves it pending. What the spec documents as refusal of this call is 400.
    """
    image = own_image(state, call)
    body = call.json()
    if image["type"] != "snapshot":
        raise Refusal(400, "only snapshots can be transferred to another account")
    if ("recipient_email" in body) == ("recipient_uuid" in body):
        raise Refusal(400, "exactly one of recipient_email and recipient_uuid is required")
    if image["id"] in state.transfers.values():
        raise Refusal(400, "the image already has a pending transfer")
    if "recipient_email" in body:
        email = text_of(body, "recipient_email", required=True, status=400) or ""
        if "@" not in email:
            raise Refusal(400, "recipient_email must be an email address")
    elif text_of(body, "recipient_uuid", required=True, status=400) == state.account["team"]["uuid"]:
        state.remove_image(image["id"])
        return Reply(201, {"transfer_id": 0})
    transfer_id = next(state.transfer_ids)
    state.transfers[transfer_id] = image["id"]
    return Reply(201, {"transfer_id": transfer_id})


def accept_transfer(state: State, call: Call) -> Reply:
    """Accept a pending transfer: 201, no body; the image leaves the account."""
    body = call.json()
    text_of(body, "recipient_uuid", required=True, status=400)
    image_id = state.transfers[_transfer_id(state, call, body)]
    state.remove_image(image_id)
    return Reply(201)


def end_transfer(state: State, call: Call) -> Reply:
    """Cancel (the sender) or decline (the recipient) a pending transfer: 204, the image stays."""
    del state.transfers[_transfer_id(state, call, call.json())]
    return Reply(204)


def _transfer_id(state: State, call: Call, body: JSON) -> int:
    transfer_id = body.get("transfer_id")
    if not isinstance(transfer_id, int) or isinstance(transfer_id, bool):
        raise Refusal(400, "transfer_id must be a number")
    if str(state.transfers.get(transfer_id)) != call.params["image_id"]:
        raise not_found()
    return transfer_id
