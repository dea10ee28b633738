"""What can be done to images: the words for it, and which kinds of image it is done to.

Source: DigitalOcean's OpenAPI description (images, image_actions, tags) and what clients of it have met. What is
documented nowhere is refused: a plan is about many images, and one that answers oddly is found too late.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from doimages.schema import PRICED_KINDS

OperationName = Literal["delete", "update", "convert", "transfer", "tag", "untag", "transfer_account", "create"]

_UNTOLD = "what the API does with it is not documented"


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of change.

    ``verb`` is what a person confirms, ``request`` what is sent for each image, ``kinds`` the types it is for, and
    ``reasons`` say why not for others. ``takes_away`` tells that something is lost by it for good.
    """

    name: OperationName
    verb: str
    request: str
    kinds: frozenset[str] = PRICED_KINDS
    reasons: Mapping[str, str] = field(default_factory=dict)
    takes_away: bool = False
    alters: bool = False
    needs_finished: bool = False


OPERATIONS: Mapping[OperationName, Operation] = {
    one.name: one
    for one in (
        Operation(
            "delete",
            "delete",
            "DELETE /v2/images/{id}",
            reasons={
                "backup": "the API answers 204 and keeps it (doctl issue 504); backups end by themselves, weekly ones "
                "after four weeks"
            },
            takes_away=True,
            needs_finished=True,
        ),
        Operation("update", "update", "PUT /v2/images/{id}", reasons={"backup": _UNTOLD}, alters=True),
        Operation(
            "convert",
            "convert",
            "POST /v2/images/{id}/actions",
            kinds=frozenset({"backup"}),
            reasons=dict.fromkeys(("snapshot", "custom"), "only a backup is converted, and becomes a snapshot"),
        ),
        Operation(
            "transfer",
            "transfer",
            "POST /v2/images/{id}/actions",
            reasons={"backup": "the API refuses it: backups cannot be transferred to other regions (api-v2 issue 126)"},
            needs_finished=True,
        ),
        Operation("tag", "tag", "POST /v2/tags/{tag}/resources", reasons={"backup": _UNTOLD}),
        Operation("untag", "untag", "DELETE /v2/tags/{tag}/resources", reasons={"backup": _UNTOLD}),
        Operation(
            "transfer_account",
            "move",
            "POST /v2/images/{id}/account_transfer",
            kinds=frozenset({"snapshot"}),
            reasons=dict.fromkeys(("backup", "custom"), "only snapshots move to another account"),
            takes_away=True,
            needs_finished=True,
        ),
        Operation("create", "create", "POST /v2/images"),
    )
}

# The fields of an update that only a custom image has: images_update of the description.
CUSTOM_ONLY = ("description", "distribution")
