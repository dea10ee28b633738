"""A scripted API for tests: records, pages, a clock that only sleeping moves."""

import asyncio
from collections.abc import Callable

import httpx

URL = "https://api.test"
# No real token: the prefix is DigitalOcean's, the rest is made up. It must show up nowhere.
CANARY = "dop_v1_" + "c0ffee" * 10 + "c0ff"

Handler = Callable[[httpx.Request], httpx.Response]


class FakeTime:
    """A clock that only sleeping moves, and a chance that always draws the same."""

    def __init__(self, now: float = 1_790_000_000.0, share: float = 1.0) -> None:
        self.now = now
        self.share = share
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def draw(self) -> float:
        return self.share

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def image(number: int, **fields) -> dict:
    """A record as the API sends it."""
    return {
        "id": number,
        "name": f"web-{number}",
        "description": "",
        "tags": [],
        "regions": ["nyc3"],
        "type": "snapshot",
        "slug": None,
        "status": "available",
        "min_disk_size": 25,
        "public": False,
        "created_at": "2026-03-01T02:35:00Z",
        "distribution": "Ubuntu",
        "error_message": "",
        "size_gigabytes": 2.34,
    } | fields


def pages_of(images: list[dict], *, total: int | None = None) -> Handler:
    """A script that answers GET /v2/images as the API does."""

    def handler(request: httpx.Request) -> httpx.Response:
        page, size = (int(request.url.params.get(name, default)) for name, default in (("page", 1), ("per_page", 20)))
        rows = images[(page - 1) * size : page * size]
        return httpx.Response(
            200, json={"images": rows, "links": {}, "meta": {"total": len(images) if total is None else total}}
        )

    return handler
