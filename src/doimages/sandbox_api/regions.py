"""The fifteen regions of the API's region_slug enum, as GET /v2/regions shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doimages.sandbox_api.call import JSON

# The old ones take no new Droplets; nyc2 takes image transfers nevertheless (hashicorp/packer issue 5948).
_NAMES = {
    "ams1": "Amsterdam 1",
    "ams2": "Amsterdam 2",
    "ams3": "Amsterdam 3",
    "blr1": "Bangalore 1",
    "fra1": "Frankfurt 1",
    "lon1": "London 1",
    "nyc1": "New York 1",
    "nyc2": "New York 2",
    "nyc3": "New York 3",
    "sfo1": "San Francisco 1",
    "sfo2": "San Francisco 2",
    "sfo3": "San Francisco 3",
    "sgp1": "Singapore 1",
    "syd1": "Sydney 1",
    "tor1": "Toronto 1",
}
_CLOSED = frozenset({"ams1", "ams2", "nyc2", "sfo1"})
_NO_TRANSFER = frozenset({"ams1"})
_FEATURES = ("backups", "ipv6", "metadata", "install_agent", "storage")
_SIZES = ("s-1vcpu-1gb", "s-1vcpu-2gb", "s-2vcpu-2gb", "s-2vcpu-4gb", "s-4vcpu-8gb")

REGION_SLUGS = tuple(_NAMES)


def regions() -> dict[str, JSON]:
    """Give the regions by slug; all but ams1 have the feature image_transfer."""
    return {slug: _region(slug, name) for slug, name in _NAMES.items()}


def _region(slug: str, name: str) -> JSON:
    is_open = slug not in _CLOSED
    transfer = () if slug in _NO_TRANSFER else ("image_transfer",)
    return {
        "name": name,
        "slug": slug,
        "features": [*_FEATURES, *transfer],
        "available": is_open,
        "sizes": list(_SIZES) if is_open else [],
    }
