"""What the account is like at one moment: whose it is, its images, and the Droplets that use them."""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from doimages.api.client import Client
from doimages.api.listing import Reading, do_all
from doimages.change.image import Image
from doimages.errors import ForbiddenError, NotFoundError
from doimages.schema import IMAGES, PRIVATE_KINDS
from doimages.table.filters import Filters
from doimages.table.read import read_rows


@dataclass(frozen=True, slots=True)
class Account:
    """Who a token belongs to."""

    uuid: str
    team_uuid: str | None
    name: str

    def is_same(self, other: "Account") -> bool:
        """Tell whether it is one account and team; a name may change."""
        return (self.uuid, self.team_uuid) == (other.uuid, other.team_uuid)


@dataclass(frozen=True, slots=True)
class Scene:
    """A fresh read. ``images`` has the account's own, ``others`` what else was asked for, None for what is not there.

    ``account`` and ``uses`` (an image's id to the names of its Droplets) are None where the token may not read them.
    ``requests`` is how many were sent for it; ``began_at`` and ``ended_at`` are by the clock of whoever looked.
    """

    images: Mapping[int, Image]
    others: Mapping[int, Image | None]
    account: Account | None = None
    uses: Mapping[int, tuple[str, ...]] | None = None
    requests: int = 0
    began_at: float = 0.0
    ended_at: float = 0.0

    def find(self, image_id: int) -> Image | None:
        """Give an image that was asked for; None if it is gone."""
        return self.images.get(image_id) or self.others.get(image_id)


@dataclass(slots=True)
class _Look:
    requests: int = 0
    own: dict[int, Image] = field(default_factory=dict)
    others: dict[int, Image | None] = field(default_factory=dict)
    account: Account | None = None
    uses: dict[int, tuple[str, ...]] | None = None


async def look(
    client: Client,
    image_ids: Collection[int],
    *,
    with_account: bool = True,
    with_uses: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Scene:
    """Read the account's own images, and those of ``image_ids`` that are not among them.

    Sends GET /v2/images?private=true, all pages, and GET /v2/images/{id} for what it lacks; GET /v2/account and
    GET /v2/droplets where asked. A token that may not read the last two is no error.
    """
    found = _Look()
    began = clock()
    reads = [_read_own(client, found)]
    reads += [_read_account(client, found)] if with_account else []
    reads += [_read_uses(client, found)] if with_uses else []
    await do_all(reads)
    lacking = [image_id for image_id in dict.fromkeys(image_ids) if image_id not in found.own]
    if lacking:
        await _read_others(client, lacking, found)
    return Scene(found.own, found.others, found.account, found.uses, found.requests, began, clock())


def owns(image: Image) -> bool:
    """Tell whether an image is the account's own; ``public: false`` alone does not (1-Clicks, retired bases)."""
    return image.type in PRIVATE_KINDS and image.public is False


async def _read_own(client: Client, found: _Look) -> None:
    reading = Reading(IMAGES)
    listing = await read_rows(client, Filters(private=True), reading)
    found.requests += reading.requests
    images = map(Image.of, listing.rows.to_pylist())
    found.own = {image.id: image for image in images if owns(image) and not image.is_gone}


async def _read_others(client: Client, image_ids: list[int], found: _Look) -> None:
    reading = Reading(IMAGES)
    listing = await read_rows(client, Filters(keys=tuple(image_ids), is_strict=False), reading)
    found.requests += reading.requests
    others = {image.id: image for image in map(Image.of, listing.rows.to_pylist()) if not image.is_gone}
    for image_id in image_ids:
        image = others.get(image_id)
        if image is not None and owns(image):
            found.own[image_id] = image  # made a moment ago: a listing may lag
        else:
            found.others[image_id] = image


async def read_account(client: Client) -> Account | None:
    """Send GET /v2/account; None if the token may not read it."""
    try:
        record = await client.account()
    except (ForbiddenError, NotFoundError):
        return None
    team = record.get("team") or {}
    uuid, name = str(record.get("uuid") or ""), team.get("name") or record.get("name") or record.get("email")
    return Account(uuid, team.get("uuid"), str(name or uuid)) if uuid else None


async def _read_account(client: Client, found: _Look) -> None:
    found.requests += 1
    found.account = await read_account(client)


async def _read_uses(client: Client, found: _Look) -> None:
    found.requests += 1
    try:
        droplets = (await client.droplets()).rows.to_pylist()
    except ForbiddenError:
        return
    uses: dict[int, tuple[str, ...]] = {}
    for droplet in droplets:
        image: Any = json.loads(droplet["image"] or "null")
        if isinstance(image, dict) and type(image.get("id")) is int:
            uses[image["id"]] = (*uses.get(image["id"], ()), droplet["name"] or str(droplet["id"]))
    found.uses = uses


async def read_image(client: Client, image_id: int) -> Image | None:
    """Send GET /v2/images/{id}; None if it is gone, as one is that reads as deleted."""
    try:
        image = Image.of(await client.image(image_id))
    except NotFoundError:
        return None
    return None if image.is_gone else image
