"""A seeded catalogue: images as an account sees them, the awkward ones included; no clock, no network."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import TYPE_CHECKING

from doimages.sandbox_api.names import APPLICATIONS, BASES, CUSTOMS, ODD_NAMES, SERVERS, TAG_SETS
from doimages.sandbox_api.regions import REGION_SLUGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doimages.sandbox_api.call import JSON

NEWEST = datetime(2026, 11, 1, 3, 0, 0, tzinfo=UTC)
FIRST_OWN_ID = 200_000_000
FIRST_PUBLIC_ID = 112_000_000
FIRST_DROPLET_ID = 400_000_000
# How DigitalOcean words two imports that failed (flatcar/Flatcar issue 37, fedora-coreos-tracker issue 395).
CANNOT_UNPACK = "We had a problem decompressing your file."
CANNOT_UNPACK_FORMAT = "We don't support the compression format of your image."

_KINDS = (
    "base", "snapshot", "application", "custom", "backup", "snapshot", "odd", "snapshot", "snapshot", "backup",
)  # fmt: skip


def catalogue(images: int = 300, seed: int = 7) -> list[JSON]:
    """Give exactly `images` listed images, in a stable order.

    The kinds take turns, so that a small catalogue has all of them, and `catalogue(5)` is the start of
    `catalogue(300)` for the same seed. What is awkward is taken from what has been seen in public (samples and
    issues of DigitalOcean's clients): nulls, regions twice or outside the enum, `Unknown OS`, 1-Clicks that are
    not public, a retired base image, a record of 2012 without half of the fields, hostile and repeated names.
    """
    return list(islice(_endless(random.Random(seed)), images))


def failed_imports() -> list[JSON]:
    """Give the custom images that are gone: never listed, yet GET answers 200 (doctl issue 671)."""
    return [
        _record(
            FIRST_OWN_ID - 2,
            "talos-broken-import",
            "custom",
            "Unknown",
            created_at="2026-09-30T14:36:13Z",
            status="deleted",
            error_message=CANNOT_UNPACK_FORMAT,
        ),
        _record(
            FIRST_OWN_ID - 1,
            "deleted-by-hand",
            "custom",
            "Debian",
            created_at="2026-08-12T08:00:00Z",
            status="deleted",
        ),
    ]


def source_droplet(name: str) -> int:
    """Give the id of the Droplet a snapshot or backup of that name was taken from."""
    servers = [server for server, *_ in SERVERS]
    position = next((n for n, server in enumerate(servers) if name.startswith(server)), len(servers))
    return FIRST_DROPLET_ID + position


def volume_snapshots() -> list[JSON]:
    """Give the snapshots of block storage volumes, which /v2/snapshots lists beside those of Droplets."""
    return [
        {
            "id": f"fbe805e8-866b-41e6-96bf-0000000000{n:02}",
            "name": f"pvc-0{n}-2026-10-0{n}",
            "created_at": f"2026-10-0{n}T23:14:30Z",
            "regions": [region],
            "resource_id": f"89bcc42f-85cf-41e6-a004-0000000000{n:02}",
            "resource_type": "volume",
            "min_disk_size": 10 * n,
            "size_gigabytes": size,
            "tags": ["k8s"],
        }
        for n, region, size in ((1, "nyc1", 0.1008), (2, "fra1", 1.42), (3, "fra1", 0))
    ]


def account() -> JSON:
    """Give the account of the sandbox, all optional fields included."""
    return {
        "droplet_limit": 25,
        "floating_ip_limit": 5,
        "email": "sandbox@example.com",
        "name": "Sandbox User",
        "uuid": "5a5a0000-0000-4000-8000-000000000001",
        "email_verified": True,
        "status": "active",
        "status_message": "",
        "team": {"uuid": "5a5a0000-0000-4000-8000-000000000002", "name": "sandbox"},
    }


def _endless(rng: random.Random) -> Iterator[JSON]:
    makers = {
        "base": _bases(rng),
        "application": _applications(rng),
        "custom": _customs(rng),
        "backup": _backups(rng),
        "odd": _odd_ones(rng),
        "snapshot": _snapshots(rng),
    }
    own_id = FIRST_OWN_ID
    public_id = FIRST_PUBLIC_ID
    for kind in cycle(_KINDS):
        # a kind that has run out leaves its turn to the snapshots
        image = next(makers[kind], None) or next(makers["snapshot"])
        if image["type"] in {"snapshot", "backup", "custom"} and not image["public"]:
            own_id += rng.randrange(1, 4000)
            image["id"] = own_id
        else:
            public_id += rng.randrange(1, 90_000)
            image["id"] = public_id
        yield image


def _record(image_id: int, name: str, kind: str, distribution: str | None, **fields: object) -> JSON:
    return {
        "id": image_id,
        "name": name,
        "distribution": distribution,
        "slug": None,
        "public": False,
        "regions": [],
        "created_at": "2026-01-01T00:00:00Z",
        "min_disk_size": None,
        "type": kind,
        "size_gigabytes": None,
        "description": "",
        "tags": [],
        "status": "available",
        "error_message": "",
        **fields,
    }


def _moment(rng: random.Random, days: int) -> str:
    moment = NEWEST - timedelta(days=days, seconds=rng.randrange(0, 3600))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _bases(rng: random.Random) -> Iterator[JSON]:
    for distribution, name, slug, disk in BASES:
        yield _record(
            0,
            name,
            "base",
            distribution,
            slug=slug,
            public=True,
            regions=list(REGION_SLUGS[2:]),
            created_at=_moment(rng, rng.randrange(20, 400)),
            min_disk_size=disk,
            size_gigabytes=round(rng.uniform(0.3, 3), 2),
            description=f"{distribution} {name.removesuffix(' x64')}",
        )
    yield _record(0, "18.04 x64", "base", "Ubuntu", created_at="2018-04-26T20:00:00Z", status="retired")
    # Two of the oddities of DigitalOcean's own: a public image of type snapshot under the wrong
    # distribution (digitalocean-api-java issue 53), and a record from before half the fields (api-v2 issue 60).
    yield _record(
        0, "24 x64", "snapshot", "Ubuntu", public=True, regions=["nyc3"], created_at="2016-06-10T04:54:21Z",
        min_disk_size=20, size_gigabytes=29.68,
    )  # fmt: skip
    yield {
        "id": 0,
        "name": "5.8 x64",
        "type": "base",
        "distribution": "CentOS",
        "slug": "",
        "public": True,
        "regions": ["nyc1", "ams1", "sfo1"],
        "created_at": "2012-04-09T11:17:11Z",
    }
    yield _record(0, "doks-worker-1.34", "admin", "Debian", regions=["fra1"], min_disk_size=20, size_gigabytes=2)


def _applications(rng: random.Random) -> Iterator[JSON]:
    for distribution, name, slug in APPLICATIONS:
        yield _record(
            0,
            name,
            "application",
            distribution,
            slug=slug,
            regions=list(REGION_SLUGS[2:]),
            created_at=_moment(rng, rng.randrange(20, 700)),
            min_disk_size=25,
            size_gigabytes=round(rng.uniform(1, 6), 2),
        )


def _customs(rng: random.Random) -> Iterator[JSON]:
    for turn, (name, distribution, status) in enumerate(CUSTOMS):
        ready = status == "available"
        yield _record(
            0,
            name,
            "custom",
            distribution,
            regions=(["nyc3", "atl1"] if turn == 0 else ["nyc3"]) if ready else [],
            created_at=_moment(rng, rng.randrange(0, 200)),
            min_disk_size=15 if ready else None,
            size_gigabytes=round(rng.uniform(0.2, 4), 2) if ready else None,
            description="imported by hand" if ready else " ",
            tags=["base-image"] if ready else None,
            status=status,
        )


def _snapshots(rng: random.Random) -> Iterator[JSON]:
    for turn, (server, distribution, region, disk) in enumerate(cycle(SERVERS)):
        days = 7 * (turn // len(SERVERS)) % 1400
        taken = NEWEST - timedelta(days=days)
        yield _snapshot(rng, f"{server}-{taken:%Y-%m-%d}", (distribution, region, disk), days)


def _snapshot(rng: random.Random, name: str, server: tuple[str | None, str, int], days: int) -> JSON:
    distribution, region, disk = server
    tags = rng.choice(TAG_SETS)
    extra = rng.sample(REGION_SLUGS[2:], k=rng.choice((0, 0, 1, 3)))
    return _record(
        0,
        name,
        "snapshot",
        distribution,
        regions=[region, *(slug for slug in extra if slug != region)],
        created_at=_moment(rng, days),
        min_disk_size=disk,
        size_gigabytes=rng.choice((0, 3, None, *(round(rng.uniform(0.4, 30), 2) for _ in range(9)))),
        description=rng.choice(("", "", " ", None)),
        tags=None if tags is None else list(tags),
    )


def _backups(rng: random.Random) -> Iterator[JSON]:
    # weekly backups are kept four weeks, so there are four a server
    for week in range(4):
        for server, distribution, region, disk in SERVERS[:5]:
            yield _record(
                0,
                f"{server}- {NEWEST - timedelta(days=7 * week):%Y-%m-%d}",
                "backup",
                distribution,
                regions=[region],
                created_at=_moment(rng, 7 * week),
                min_disk_size=disk,
                size_gigabytes=round(rng.uniform(2, 30), 2),
                tags=None,
            )


def _odd_ones(rng: random.Random) -> Iterator[JSON]:
    for turn, name in enumerate(ODD_NAMES):
        distribution = (None, "Unknown", "ubuntu", "Unknown OS")[turn % 4]
        image = _snapshot(rng, name, (distribution, "nyc3", 20), 30 * turn + 1)
        image["regions"] = ["nyc3", "ams2", "nyc3"] if turn % 2 else ["nyc3"]
        image["min_disk_size"] = None if turn % 3 == 0 else 20
        yield image
