"""Everything the sandbox knows and remembers; the rules that change it live beside it, one file a noun."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from doimages.sandbox_api import seed as seeded
from doimages.sandbox_api.droplet_seed import droplets as seeded_droplets
from doimages.sandbox_api.limits import Limits
from doimages.sandbox_api.regions import regions
from doimages.sandbox_api.stale import WAYS_TO_AN_ACTION, WAYS_TO_AN_IMAGE, Stale

if TYPE_CHECKING:
    from collections.abc import Callable

    from doimages.sandbox_api.call import JSON
    from doimages.sandbox_api.faults import Fault
    from doimages.sandbox_api.stale import Way

OWN_TYPES = frozenset({"snapshot", "backup", "custom"})
LOG_LENGTH = 10_000


@dataclass(frozen=True)
class Record:
    """One request as it came in; `status` is None where a fault left it without a reply. Never the token."""

    method: str
    path: str
    query: dict[str, str]
    status: int | None
    body: Any
    has_authorization: bool
    request_id: str


@dataclass
class Import:
    """A custom image that is being imported: how often it is still seen unfinished, and its error if it fails."""

    region: str
    polls_left: float
    error: str = ""


class State:
    """The account of the sandbox: images, Droplets, tags, actions, transfers, and how requests are met.

    Built from `images` and `seed` alone, so two states built alike are alike. Nothing happens by itself:
    an import or an action is seen unfinished `polls` times and is settled at the next look, or by `advance()`;
    one begun while `polls` is None never ends without `advance()`. What is written while `lag` is above 0 is
    not seen by the next `lag` looks: an image or action that was made, an image that was deleted, and in
    listings by tag_name what was tagged or untagged (see `Stale`).
    `tokens` holds the scopes of each token, None for all. `faults` are used up from the front; `log` has the
    newest requests last. `clock` gives the Unix time for the rate limit and for what is made from now on.
    """

    def __init__(
        self,
        images: int = 300,
        seed: int = 7,
        *,
        rate_limit: int = 250,
        polls: int | None = 2,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._size = images
        self._seed = seed
        self._rate_limit = rate_limit
        self.clock = clock
        self._polls = polls
        self.tokens: dict[str, frozenset[str] | None] = {}
        self.reset()

    def reset(self) -> None:
        """Give the seeded state back: catalogue, empty log, no faults, no lag, fresh rate limit; tokens stay."""
        listed = seeded.catalogue(self._size, self._seed)
        self.images: dict[int, JSON] = {image["id"]: image for image in [*listed, *seeded.failed_imports()]}
        self.sources: dict[int, int] = {
            image["id"]: seeded.source_droplet(image["name"]) for image in listed if is_droplet_made(image)
        }
        self.droplets: dict[int, JSON] = {droplet["id"]: droplet for droplet in seeded_droplets(listed)}
        self.volume_snapshots: dict[str, JSON] = {row["id"]: row for row in seeded.volume_snapshots()}
        self.regions: dict[str, JSON] = regions()
        self.account: JSON = seeded.account()
        self.tags: dict[str, None] = dict.fromkeys(
            name
            for bearer in [*listed, *self.volume_snapshots.values(), *self.droplets.values()]
            for name in bearer.get("tags") or ()
        )
        self.actions: dict[int, JSON] = {}
        self.running: dict[int, float] = {}
        self.importing: dict[int, Import] = {}
        self.transfers: dict[int, int] = {}
        self.image_ids = count(max((*self.images, seeded.FIRST_OWN_ID)) + 1)
        self.action_ids = count(36_804_636)
        self.transfer_ids = count(3_164_444)
        self.request_ids = count(1)
        self.limits = Limits(self._rate_limit, self.clock)
        self.polls = self._polls
        self.lag = 0
        self.stale = Stale()
        self.faults: list[Fault] = []
        self.log: list[Record] = []
        self._remember_transfers(listed)

    def advance(self) -> None:
        """Let time pass: every import and every action comes to its end."""
        for image_id in list(self.importing):
            self.settle_import(image_id)
        for action_id in list(self.running):
            self.settle_action(action_id)

    def now(self) -> str:
        """Give the time of the clock as the API writes it."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def looks_to_come(self) -> float:
        """Give how often what begins now is seen unfinished: `polls` times, or for ever."""
        return math.inf if self.polls is None else self.polls

    def hold_back(self, ways: tuple[Way, ...], key: int, before: JSON | None) -> None:
        """Keep a write from the next `lag` looks, which see `before`: call it before the record is changed."""
        self.stale.hold(ways, key, before, self.lag)

    def see_import(self, image_id: int) -> None:
        """Count one look at an image that may be importing: NEW, pending at the last look, then settled."""
        job = self.importing.get(image_id)
        if job is None:
            return
        if job.polls_left <= 0:
            self.settle_import(image_id)
            return
        job.polls_left -= 1
        self.images[image_id]["status"] = "NEW" if job.polls_left else "pending"

    def settle_import(self, image_id: int) -> None:
        """End an import: available, or deleted with an error_message (doctl issue 671)."""
        job = self.importing.pop(image_id)
        image = self.images[image_id]
        if job.error:
            image |= {"status": "deleted", "error_message": job.error}
        else:
            image |= {"status": "available", "regions": [job.region], "min_disk_size": 15, "size_gigabytes": 1.42}

    def start_action(self, kind: str, image: JSON, region: str | None) -> JSON:
        """Make an action that is in progress."""
        action = self._action(kind, image["id"], region, self.now())
        self.running[action["id"]] = self.looks_to_come()
        self.hold_back(WAYS_TO_AN_ACTION, action["id"], None)
        return action

    def see_action(self, action_id: int) -> None:
        """Count one look at an action that may be running."""
        left = self.running.get(action_id)
        if left is None:
            return
        if left <= 0:
            self.settle_action(action_id)
        else:
            self.running[action_id] = left - 1

    def settle_action(self, action_id: int) -> None:
        """End an action: its effect shows now; it is errored where the image is gone or named "errored"."""
        del self.running[action_id]
        action = self.actions[action_id]
        action["completed_at"] = self.now()
        image = self.images.get(action["resource_id"])
        if image is None or image["status"] == "deleted" or "errored" in image["name"]:
            action["status"] = "errored"
            return
        action["status"] = "completed"
        if action["type"] == "transfer" and action["region_slug"] not in image["regions"]:
            image["regions"].append(action["region_slug"])
        elif action["type"] == "convert":
            image["type"] = "snapshot"

    def remove_image(self, image_id: int) -> None:
        """Take an image out for good; its actions stay ("never purged")."""
        self.hold_back(WAYS_TO_AN_IMAGE, image_id, self.images.pop(image_id))
        self.importing.pop(image_id, None)
        self.transfers = {key: value for key, value in self.transfers.items() if value != image_id}

    def remember(self, record: Record) -> None:
        """Put a request on the log, which forgets its older half when it is full."""
        if len(self.log) >= LOG_LENGTH:
            del self.log[: LOG_LENGTH // 2]
        self.log.append(record)

    def _action(self, kind: str, image_id: int, region: str | None, started_at: str) -> JSON:
        action: JSON = {
            "id": next(self.action_ids),
            "status": "in-progress",
            "type": kind,
            "started_at": started_at,
            "completed_at": None,
            "resource_id": image_id,
            "resource_type": "image",
            "region": self.regions.get(region) if region else None,
            "region_slug": region,
        }
        self.actions[action["id"]] = action
        return action

    def _remember_transfers(self, listed: list[JSON]) -> None:
        # what is in a second region came there by a transfer; one more image was there and is gone
        for image in listed:
            if is_own(image):
                for region in dict.fromkeys(image["regions"][1:]):
                    moment = image["created_at"]
                    done = self._action("transfer", image["id"], region, moment)
                    done |= {"status": "completed", "completed_at": moment}
        destroyed = self._action("image_destroy", seeded.FIRST_OWN_ID - 1, None, "2026-08-13T09:00:00Z")
        destroyed |= {"status": "completed", "completed_at": "2026-08-13T09:00:05Z"}


def is_own(image: JSON) -> bool:
    """Say whether an image is the account's; `public: false` alone does not (1-Clicks, retired bases)."""
    return image["type"] in OWN_TYPES and not image["public"]


def is_droplet_made(image: JSON) -> bool:
    """Say whether an image was taken from a Droplet of the account."""
    return is_own(image) and image["type"] != "custom"
