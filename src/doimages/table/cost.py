"""What images cost a month."""

from doimages.schema import PRICE_AT_LEAST, PRICED_KINDS


def monthly_cost(kind: str | None, size_gigabytes: float | None, rate: float) -> float | None:
    """Give US dollars a month; None for kinds that are not billed by size, and for an unknown size.

    Source: docs.digitalocean.com, pricing of snapshots and custom images: a cent at least.
    """
    if kind not in PRICED_KINDS or size_gigabytes is None:
        return None
    return max(PRICE_AT_LEAST, size_gigabytes * rate)
