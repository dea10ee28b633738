"""An account of the sandbox that a test fills itself, without a server: its images, its clients, what it was sent."""

import copy
import json
import re
from contextlib import contextmanager

import httpx
import pandas as pd
from scripted import image

from doimages.api.client import Client
from doimages.api.credentials import Credentials
from doimages.api.pacing import Pacer
from doimages.api.transport import Transport
from doimages.redaction import Secret
from doimages.sandbox_api.app import create_app
from doimages.sandbox_api.state import State

TOKEN = "made-up-for-the-sandbox"
SCOPES = frozenset({
    *("image:read", "image:create", "image:update", "image:delete", "tag:read", "tag:create", "tag:delete"),
    *("account:read", "regions:read", "droplet:read"),
})  # fmt: skip
HERE = "http://127.0.0.1:8080"


class Estate:
    """The state of an account with the images it is given, and clients of it."""

    def __init__(self, *images: dict, size: int = 0) -> None:
        self.state = State(size, rate_limit=10**9, polls=0)
        self.state.images |= {record["id"]: record for record in images}
        self.state.tags |= dict.fromkeys(tag for record in images for tag in record["tags"] or ())
        self.app = create_app(self.state, token=TOKEN)
        self._clients: dict[tuple[str, str], Client] = {}

    @property
    def here(self) -> Client:
        """The client that may do everything, at an address of this machine."""
        return self.client()

    def client(self, base_url: str = HERE, without: str | None = None) -> Client:
        """Give a client at an address, and without a scope."""
        token = TOKEN if without is None else f"no-{without}"
        if without is not None:
            self.state.tokens[token] = SCOPES - {without}
        key = base_url, token
        if key not in self._clients:
            over = httpx.ASGITransport(app=self.app)
            transport = Transport(base_url, Secret(token), Pacer(10**9), over=over)
            self._clients[key] = Client(Credentials(Secret(token), "the test", base_url), transport)
        return self._clients[key]

    def use(self, number: int, name: str) -> None:
        """Run a Droplet on an image."""
        droplet_id = 400 + len(self.state.droplets)
        self.state.droplets[droplet_id] = {"id": droplet_id, "name": name, "tags": [], "image": {"id": number}}

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Every request that came in."""
        return [(record.method, record.path) for record in self.state.log]

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Every request that came in and was no GET."""
        return [(method, path) for method, path in self.sent if method != "GET"]

    @property
    def written(self) -> set[int]:
        """The ids of the images that a request but GET was about."""
        found = set()
        for record in self.state.log:
            if record.method != "GET":
                found |= {int(number) for number in re.findall(r"/images/(\d+)", record.path)}
                body = record.body if isinstance(record.body, dict) else {}
                found |= {int(one["resource_id"]) for one in body.get("resources", ())}
        return found

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@contextmanager
def estate(*images: dict, size: int = 0):
    """Give an account for a with block."""
    made = Estate(*images, size=size)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def mixed():
    """Give an account of five snapshots and a custom image, and two tags, for a with block."""
    with estate(*images(5, tags=["new"]), image(6, type="custom", description="text")) as made:
        made.state.tags["old"] = None
        yield made


def images(number: int, **fields) -> list[dict]:
    """Give so many records, from the id 1 on."""
    return [copy.deepcopy(image(one, **fields)) for one in range(1, number + 1)]


def frame_of(*ids: int, **columns) -> pd.DataFrame:
    """Give a frame of ids, and what it says of them."""
    return pd.DataFrame({"id": pd.array(ids, "int64"), **columns})


def outcomes(report) -> list[tuple[int, str, str]]:
    """Give what a report says of each row: id, outcome, message."""
    rows = report.to_frame()[["id", "outcome", "message"]].to_dict("records")
    return [(row["id"], row["outcome"], row["message"]) for row in rows]


def reasons(plan) -> dict[int, tuple[str, str]]:
    """Give why a plan leaves images alone, by their ids."""
    return {one.image_id: (one.outcome, one.reason) for one in plan.refusals}


def confirmed(plan, **how):
    """Apply a plan with its own words."""
    return plan.apply(confirm=plan.confirmation, **how)


def plain(record) -> str:
    """Give a record as text, in which 1, 1.0 and True differ."""
    return json.dumps(record, sort_keys=True)
