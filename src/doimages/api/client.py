"""Every operation of the images API, one method each, and listings that are whole or an error.

Endpoints and scopes: DigitalOcean's OpenAPI description, resources images, image_actions, snapshots, tags, account,
regions and actions. Methods are coroutines for :data:`doimages.api.portal.portal`; each sends what its first line says.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from doimages.api.asking import Asking
from doimages.api.credentials import Credentials
from doimages.api.ids import check_tag, image_key, image_number
from doimages.api.listing import Listing, Reading, read_listing
from doimages.api.model import Kind, Page, Request
from doimages.api.pages import decode_pages
from doimages.api.portal import portal
from doimages.api.wire import check_json, decode_body, decode_record
from doimages.errors import UsageError
from doimages.schema import ACTIONS, DROPLETS, IMAGES, REGIONS, SNAPSHOTS, TAGS, Table

if TYPE_CHECKING:
    from doimages.api.asking import AfterReply, BeforeSend, Sender
    from doimages.api.pacing import Quota

IMAGES_PATH = "/v2/images"


class Client:
    """One account at one address; made by :func:`doimages.connect`.

    It holds no state but its connections and the last totals of its listings. Its methods raise APIError's kinds for
    what DigitalOcean answers, TransportError if no whole reply came, UsageError before anything is sent.
    """

    def __init__(self, credentials: Credentials, transport: "Sender") -> None:
        self.base_url = credentials.base_url
        self.source = credentials.source
        self._transport = transport
        self._totals: dict[tuple[str, str], int] = {}

    def __repr__(self) -> str:
        return f"Client({self.base_url}, token from {self.source})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the client cannot be used after."""
        portal.wait(self._transport.aclose())

    def asking(self, before: "BeforeSend", after: "AfterReply") -> "Client":
        """Give this client with ``before`` awaited before each attempt, and ``after`` shown each good reply."""
        client = copy.copy(self)
        client._transport = Asking(self._transport, before, after)  # noqa: SLF001 - its own
        return client

    @property
    def quota(self) -> "Quota | None":
        """What the last reply told is left of the rate limit."""
        return self._transport.quota

    def seconds_to_place(self) -> float:
        """Tell how long a request would wait for its place in the rate limit's window."""
        return self._transport.seconds_to_place()

    # Listings

    async def listing(
        self,
        table: Table,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        limit: int | None = None,
        reading: Reading | None = None,
        scope: str = "image:read",
    ) -> Listing:
        """Send GET ``path`` for every page; the total of the last time is the hint for this one."""
        asked = dict(query or {})
        known = (path, str(sorted(asked.items())))

        async def fetch(number: int, page_size: int) -> bytes:
            request = Request("GET", path, {**asked, "page": str(number), "per_page": str(page_size)}, scope=scope)
            reply = await self._transport.send(request)
            check_json(request, reply)
            return reply.body

        listing = await read_listing(fetch, reading or Reading(table), limit=limit, hint=self._totals.get(known))
        if listing.total is not None:
            self._totals[known] = listing.total
        return listing

    def last_total(self, path: str, query: Mapping[str, str]) -> int | None:
        """Give the total that a listing had the last time, if it was read; nothing is sent."""
        return self._totals.get((path, str(sorted(query.items()))))

    async def page(self, table: Table, path: str, query: Mapping[str, str]) -> Page:
        """Send GET ``path`` for one page, which the query names."""
        request = Request("GET", path, dict(query), scope="image:read")
        reply = await self._transport.send(request)
        check_json(request, reply)
        return decode_pages([reply.body], table)[0]

    async def body(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Send GET ``path`` once, and give the whole reply as it is."""
        request = Request("GET", path, dict(query or {}), scope="image:read")
        return decode_body(request, await self._transport.send(request))

    async def images(
        self,
        *,
        type: str | None = None,
        private: bool = False,
        tag_name: str | None = None,
        **how: Any,
    ) -> Listing:
        """Send GET /v2/images; ``type`` is the request filter distribution or application, ``how`` as in listing."""
        return await self.listing(IMAGES, IMAGES_PATH, image_query(type, private=private, tag_name=tag_name), **how)

    async def image_actions(self, image_id: int, *, reading: Reading | None = None) -> Listing:
        """Send GET /v2/images/{id}/actions."""
        return await self.listing(ACTIONS, f"{_path_of(image_id)}/actions", reading=reading)

    async def actions(self) -> Listing:
        """Send GET /v2/actions."""
        return await self.listing(ACTIONS, "/v2/actions", scope="actions:read")

    async def snapshots(self, resource_type: str | None = None) -> Listing:
        """Send GET /v2/snapshots; ``resource_type`` is droplet or volume. It tells what each was made of."""
        query = {} if resource_type is None else {"resource_type": resource_type}
        return await self.listing(SNAPSHOTS, "/v2/snapshots", query, scope="snapshot:read")

    async def droplets(self) -> Listing:
        """Send GET /v2/droplets; the column ``image`` is the image's record as JSON."""
        return await self.listing(DROPLETS, "/v2/droplets", scope="droplet:read")

    async def regions(self) -> Listing:
        """Send GET /v2/regions."""
        return await self.listing(REGIONS, "/v2/regions", scope="regions:read")

    async def tags(self) -> Listing:
        """Send GET /v2/tags."""
        return await self.listing(TAGS, "/v2/tags", scope="tag:read")

    # Images

    async def image(self, image: int | str) -> dict[str, Any]:
        """Send GET /v2/images/{id or slug}; only public images have a slug."""
        return await self._record("image", "GET", f"{IMAGES_PATH}/{quote(str(image_key(image)), safe='')}")

    async def create_image(
        self,
        *,
        name: str,
        url: str,
        region: str,
        distribution: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> dict[str, Any]:
        """Send POST /v2/images: import a custom image; the reply is a subset of the record, with status NEW."""
        body: dict[str, Any] = {"name": name, "url": url, "region": region}
        body |= {} if distribution is None else {"distribution": distribution}
        body |= {} if description is None else {"description": description}
        body |= {} if tags is None else {"tags": [check_tag(tag) for tag in tags]}
        return await self._record("image", "POST", IMAGES_PATH, body, Kind.CREATE, "image:create")

    async def update_image(self, image_id: int, **fields: Any) -> dict[str, Any]:
        """Send PUT /v2/images/{id} with exactly the fields given: name, and for custom images the other two."""
        return await self._record("image", "PUT", _path_of(image_id), fields, Kind.UPDATE, "image:update")

    async def delete_image(self, image_id: int) -> None:
        """Send DELETE /v2/images/{id}; a 404 is raised, as is the 422 of an image that is deleted already."""
        await self._send("DELETE", _path_of(image_id), None, Kind.DELETE, "image:delete")

    # Actions

    async def convert_image(self, image_id: int) -> dict[str, Any]:
        """Send POST /v2/images/{id}/actions: make a backup into a snapshot."""
        return await self._act(image_id, {"type": "convert"})

    async def transfer_image(self, image_id: int, region: str) -> dict[str, Any]:
        """Send POST /v2/images/{id}/actions: copy an image to one more region."""
        return await self._act(image_id, {"type": "transfer", "region": region})

    async def _act(self, image_id: int, body: dict[str, Any]) -> dict[str, Any]:
        path = f"{_path_of(image_id)}/actions"
        return await self._record("action", "POST", path, body, Kind.ACTION, "image:update")

    async def image_action(self, image_id: int, action_id: int) -> dict[str, Any]:
        """Send GET /v2/images/{id}/actions/{id}."""
        return await self._record("action", "GET", f"{_path_of(image_id)}/actions/{image_number(action_id)}")

    async def action(self, action_id: int) -> dict[str, Any]:
        """Send GET /v2/actions/{id}; a token without actions:read can use image_action."""
        return await self._record("action", "GET", f"/v2/actions/{image_number(action_id)}", scope="actions:read")

    # Account transfers: a move of a snapshot to another account

    async def create_account_transfer(
        self, image_id: int, *, email: str | None = None, uuid: str | None = None
    ) -> dict[str, Any]:
        """Send POST .../account_transfer to an e-mail address or a team's uuid; transfer_id 0 is accepted already."""
        if (email is None) == (uuid is None):
            raise UsageError("An account transfer needs either email or uuid. Nothing was sent.")
        body = {"recipient_email": email} if email is not None else {"recipient_uuid": uuid}
        path = f"{_path_of(image_id)}/account_transfer"
        request = Request("POST", path, body=body, kind=Kind.ACTION, scope="image:update and image:delete")
        return decode_body(request, await self._transport.send(request))

    async def accept_account_transfer(self, image_id: int, transfer_id: int, recipient_uuid: str) -> None:
        """Send POST .../account_transfer/accept, by the receiving account."""
        body = {"transfer_id": transfer_id, "recipient_uuid": recipient_uuid}
        await self._send("POST", f"{_path_of(image_id)}/account_transfer/accept", body, Kind.ACTION, "image:create")

    async def cancel_account_transfer(self, image_id: int, transfer_id: int) -> None:
        """Send POST .../account_transfer/cancel, by the sending account."""
        body = {"transfer_id": transfer_id}
        await self._send("POST", f"{_path_of(image_id)}/account_transfer/cancel", body, Kind.ACTION, "image:update")

    async def decline_account_transfer(self, image_id: int, transfer_id: int) -> None:
        """Send POST .../account_transfer/decline, by the receiving account."""
        body = {"transfer_id": transfer_id}
        await self._send("POST", f"{_path_of(image_id)}/account_transfer/decline", body, Kind.ACTION, "image:create")

    # Snapshots, tags, account

    async def snapshot(self, snapshot_id: int | str) -> dict[str, Any]:
        """Send GET /v2/snapshots/{id}: a Droplet's by number, a volume's by uuid."""
        path = f"/v2/snapshots/{quote(str(image_key(snapshot_id)), safe='')}"
        return await self._record("snapshot", "GET", path, scope="snapshot:read")

    async def delete_snapshot(self, snapshot_id: int | str) -> None:
        """Send DELETE /v2/snapshots/{id}."""
        path = f"/v2/snapshots/{quote(str(image_key(snapshot_id)), safe='')}"
        await self._send("DELETE", path, None, Kind.DELETE, "image:delete and snapshot:delete")

    async def tag(self, name: str) -> dict[str, Any]:
        """Send GET /v2/tags/{name}."""
        return await self._record("tag", "GET", f"/v2/tags/{check_tag(name)}", scope="tag:read")

    async def create_tag(self, name: str) -> dict[str, Any]:
        """Send POST /v2/tags; one that is there already is no error."""
        return await self._record("tag", "POST", "/v2/tags", {"name": check_tag(name)}, Kind.TAG, "tag:create")

    async def delete_tag(self, name: str) -> None:
        """Send DELETE /v2/tags/{name}."""
        await self._send("DELETE", f"/v2/tags/{check_tag(name)}", None, Kind.TAG, "tag:delete")

    async def tag_images(self, name: str, image_ids: Iterable[int]) -> None:
        """Send POST /v2/tags/{name}/resources once for all the images; 404 if there is no such tag."""
        body = _resources(image_ids)
        await self._send("POST", f"/v2/tags/{check_tag(name)}/resources", body, Kind.TAG, "tag:create and image:update")

    async def untag_images(self, name: str, image_ids: Iterable[int]) -> None:
        """Send DELETE /v2/tags/{name}/resources, with a body, once for all the images."""
        path, body = f"/v2/tags/{check_tag(name)}/resources", _resources(image_ids)
        await self._send("DELETE", path, body, Kind.TAG, "tag:delete and image:update")

    async def account(self) -> dict[str, Any]:
        """Send GET /v2/account; 403 for a token without account:read, which may still be good for images."""
        return await self._record("account", "GET", "/v2/account", scope="account:read")

    async def _record(
        self,
        key: str,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        kind: Kind = Kind.READ,
        scope: str = "image:read",
    ) -> dict[str, Any]:
        request = Request(method, path, body=body, kind=kind, scope=scope)
        return decode_record(request, await self._transport.send(request), key)

    async def _send(self, method: str, path: str, body: dict[str, Any] | None, kind: Kind, scope: str) -> None:
        request = Request(method, path, body=body, kind=kind, scope=scope)
        check_json(request, await self._transport.send(request))


def image_query(type: str | None, *, private: bool, tag_name: str | None) -> dict[str, str]:
    """Give the query of GET /v2/images; private goes as the word true, or not at all."""
    query = {} if type is None else {"type": type}
    query |= {"private": "true"} if private else {}
    return query | ({} if tag_name is None else {"tag_name": tag_name})


def _path_of(image_id: int) -> str:
    return f"{IMAGES_PATH}/{image_number(image_id)}"


def _resources(image_ids: Iterable[int]) -> dict[str, Any]:
    """Name the images as the API wants it here, their ids as text: tags, "Tag a Resource"."""
    return {"resources": [{"resource_id": str(image_number(i)), "resource_type": "image"} for i in image_ids]}
