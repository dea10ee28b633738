"""The seeded Droplets: which server runs on which image of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doimages.sandbox_api.names import SERVERS
from doimages.sandbox_api.regions import regions
from doimages.sandbox_api.seed import FIRST_DROPLET_ID, FIRST_PUBLIC_ID

if TYPE_CHECKING:
    from doimages.sandbox_api.call import JSON

GONE_ID = FIRST_PUBLIC_ID - 1
# slug, memory in MB, processors, disk in GB
_SIZES = (
    ("s-1vcpu-1gb", 1024, 1, 25),
    ("s-1vcpu-2gb", 2048, 1, 50),
    ("s-2vcpu-4gb", 4096, 2, 80),
    ("s-4vcpu-8gb", 8192, 4, 160),
)
_DESTROYED = frozenset({"golden-base", "legacy"})  # their snapshots outlived them, and go on costing
_TAGS = {"web": ["prod", "web"], "db": ["env:prod", "db"]}
# Beyond the servers that snapshots are named after, so their ids are out of the reach of source_droplet().
_FIRST_OTHER_ID = FIRST_DROPLET_ID + 100


def droplets(images: list[JSON]) -> list[JSON]:
    """Give the Droplets of an account with these images; one whose image is not among them is left out.

    web-02 runs on the first snapshot of the account, web-03 on the second, cluster-01 on the first custom image
    that is available, worker-01 on an image that is gone, the others on base images. There is no Droplet for
    the servers golden-base and legacy, nor for snapshots named after none.
    """
    bases = [image for image in images if image["type"] == "base" and image["slug"]]
    snapshots = [image for image in images if image["type"] == "snapshot" and not image["public"]]
    customs = [image for image in images if image["type"] == "custom" and image["status"] == "available"]
    made = []
    for position, (name, distribution, region, disk) in enumerate(SERVERS):
        fitting = [image for image in bases if image["distribution"] == distribution] or bases
        chosen = {"web-02": snapshots[:1], "worker-01": [_gone()]}.get(name, fitting[:1])
        if name not in _DESTROYED:
            created_at = f"2022-{position + 1:02}-15T09:00:00Z"
            made += [_droplet(FIRST_DROPLET_ID + position, name, region, disk, image, created_at) for image in chosen]
    for number, (name, chosen) in enumerate((("web-03", snapshots[1:2]), ("cluster-01", customs[:1]))):
        made += [
            _droplet(_FIRST_OTHER_ID + number, name, image["regions"][0], 50, image, image["created_at"])
            for image in chosen
        ]
    return made


def _droplet(droplet_id: int, name: str, region: str, disk: int, image: JSON, created_at: str) -> JSON:
    size_slug, memory, vcpus, disk = next(size for size in _SIZES if size[-1] >= disk)
    return {
        "id": droplet_id,
        "name": name,
        "memory": memory,
        "vcpus": vcpus,
        "disk": disk,
        "locked": False,
        "status": "off" if name == "mail" else "active",
        "created_at": created_at,
        "features": ["backups", "private_networking"],
        "image": image,
        "volume_ids": [],
        "size": {"slug": size_slug, "memory": memory, "vcpus": vcpus, "disk": disk},
        "size_slug": size_slug,
        "networks": {"v4": [], "v6": []},
        "region": regions()[region],
        "tags": list(_TAGS.get(name.partition("-")[0], ())),
    }


def _gone() -> JSON:
    """Give an image as a Droplet still shows it after it is gone: no slug (digitalocean-api-java issue 82)."""
    return {
        "id": GONE_ID,
        "name": "16.04.6 (LTS) x64",
        "distribution": "Ubuntu",
        "slug": None,
        "public": True,
        "regions": [],
        "created_at": "2019-10-22T01:38:19Z",
        "min_disk_size": 20,
        "type": "base",
        "size_gigabytes": 0.29,
        "description": "Ubuntu 16.04.6 (LTS)",
        "tags": [],
        "status": "retired",
        "error_message": "",
    }
