"""Every operation of the client sends what DigitalOcean's description describes, and reads what it answers."""

import re

import httpx
import pytest

from doimages.api.client import Client
from doimages.api.credentials import Credentials
from doimages.api.pacing import Pacer
from doimages.api.portal import portal
from doimages.api.transport import Transport
from doimages.errors import NotFoundError
from doimages.redaction import Secret
from doimages.sandbox_api.app import OPERATIONS, create_app
from doimages.sandbox_api.state import State

TOKEN = "sandbox-of-a-test"
URL = "https://api.test"


class Watched(httpx.AsyncBaseTransport):
    """The sandbox in process, with every exchange kept."""

    def __init__(self, app) -> None:
        self._inner = httpx.ASGITransport(app)
        self.exchanges: list[httpx.Response] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await self._inner.handle_async_request(request)
        content = await reply.aread()
        kept = httpx.Response(reply.status_code, headers=reply.headers, content=content, request=request)
        self.exchanges.append(kept)
        return kept


@pytest.fixture
def state():
    return State(images=60, rate_limit=10_000)


@pytest.fixture
def watched(state):
    return Watched(create_app(state, token=TOKEN))


@pytest.fixture
def client(watched):
    secret = Secret(TOKEN)
    made = Client(Credentials(secret, "a test", URL), Transport(URL, secret, Pacer(10_000), over=watched))
    yield made
    made.close()


def _own(state, kind):
    return next(
        image["id"]
        for image in state.images.values()
        if image["type"] == kind and not image["public"] and image["status"] == "available"
    )


async def _everything(client, state):
    """Use every operation of the client once, in an order in which each works."""
    snapshot, backup = _own(state, "snapshot"), _own(state, "backup")
    state.images[snapshot]["regions"] = ["nyc3"]
    await client.images(type="distribution")
    await client.images(private=True, tag_name="prod")
    await client.image("ubuntu-24-04-x64")
    made = await client.create_image(
        name="golden", url="https://example.com/disk.img", region="nyc3", distribution="Ubuntu", tags=["prod"]
    )
    await client.update_image(made["id"], name="renamed", description="new")
    await client.update_image(snapshot, name="renamed")
    action = await client.transfer_image(snapshot, "fra1")
    await client.convert_image(backup)
    await client.image_action(snapshot, action["id"])
    await client.action(action["id"])
    await client.image_actions(snapshot)
    await client.actions()
    state.advance()
    await client.create_tag("fresh")
    await client.tag_images("fresh", [snapshot, backup])
    await client.tag("fresh")
    await client.tags()
    await client.untag_images("fresh", [snapshot])
    await client.delete_tag("fresh")
    await client.account()
    await client.regions()
    await client.snapshots("droplet")
    volume = (await client.snapshots("volume")).rows["id"][0].as_py()
    await client.snapshot(volume)
    await client.snapshot(snapshot)
    sent = await client.create_account_transfer(snapshot, email="somebody@example.com")
    await client.cancel_account_transfer(snapshot, sent["transfer_id"])
    sent = await client.create_account_transfer(snapshot, uuid="0b0a1f5e-0000-4000-8000-000000000000")
    await client.accept_account_transfer(snapshot, sent["transfer_id"], "0b0a1f5e-0000-4000-8000-000000000000")


def test_every_request_and_reply_is_described(client, state, watched, check_request, check_reply):
    """Each request of each operation, and each reply it gets, is as the official description says."""
    portal.wait(_everything(client, state))

    for exchange in watched.exchanges:
        check_request(exchange.request)
        check_reply(exchange)


async def _endings(client, state):
    """Delete, decline, and ask for what is gone."""
    snapshot, other = [i for i, image in state.images.items() if image["type"] == "snapshot"][:2]
    sent = await client.create_account_transfer(other, email="somebody@example.com")
    await client.decline_account_transfer(other, sent["transfer_id"])
    await client.delete_image(snapshot)
    await client.delete_snapshot(other)
    with pytest.raises(NotFoundError):
        await client.image(snapshot)


def test_deletes_and_refusals_are_described(client, state, watched, check_request, check_reply):
    """Deletes, a declined transfer and a 404 are as the official description says."""
    portal.wait(_endings(client, state))

    for exchange in watched.exchanges:
        check_request(exchange.request)
        check_reply(exchange)


def test_no_operation_is_left_out(client, state, watched):
    """The client has a method for every operation of the images API; those on Droplets are for a later release."""
    portal.wait(_everything(client, state))
    state.reset()
    portal.wait(_endings(client, state))

    used = {
        (method, path)
        for method, path, *_ in OPERATIONS
        for exchange in watched.exchanges
        if exchange.request.method == method
        and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), exchange.request.url.path)
    }
    assert used == {(method, path) for method, path, *_ in OPERATIONS if "/droplets" not in path}
