"""The account and the regions it may use (API pages "Account" and "Regions")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doimages.sandbox_api.call import Reply
from doimages.sandbox_api.paging import page

if TYPE_CHECKING:
    from doimages.sandbox_api.call import JSON, Call
    from doimages.sandbox_api.state import State


def get_account(state: State, call: Call) -> Reply:  # noqa: ARG001 - every operation is called alike
    """Answer the account the token belongs to."""
    return Reply(200, {"account": state.account})


def list_regions(state: State, call: Call) -> Reply:
    """Answer a page of the regions; without the scope sizes:read their sizes are empty."""
    return page(call, "regions", list(state.regions.values()), None if call.may("sizes:read") else _without_sizes)


def _without_sizes(region: JSON) -> JSON:
    return {**region, "sizes": []}
