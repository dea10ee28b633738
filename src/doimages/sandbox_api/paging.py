"""One page of a collection, with its links and its total (the API's description, "Links" and "Meta")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from doimages.sandbox_api.call import JSON, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doimages.sandbox_api.call import Call

DEFAULT_PER_PAGE = 20
MAX_PER_PAGE = 200


def page(call: Call, key: str, rows: Sequence[Any], show: Callable[[Any], Any] | None = None) -> Reply:
    """Cut the asked page out of `rows`.

    `per_page` above 200 is taken as 200 ("we will be enforcing a maximum", api-v2 issue 43), and any page
    number is answered: one past the end is an empty page. `links` is `{}` where one page holds everything.
    """
    number = call.number("page", 1)
    per_page = min(call.number("per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE)
    last = max(1, -(-len(rows) // per_page))
    shown = rows[(number - 1) * per_page : number * per_page]
    if show is not None:
        shown = [show(row) for row in shown]
    return Reply(
        200,
        {key: shown, "links": _links(call, number, per_page, last), "meta": {"total": len(rows)}},
    )


def is_first(call: Call) -> bool:
    """Say whether the first page is asked for: where a new reading of the collection begins."""
    return call.number("page", 1) == 1


def _links(call: Call, number: int, per_page: int, last: int) -> JSON:
    pages: dict[str, int] = {}
    if number > 1:
        pages |= {"first": 1, "prev": min(number - 1, last)}
    if number < last:
        pages |= {"next": number + 1, "last": last}
    if not pages:
        return {}
    return {"pages": {name: _address(call, page_number, per_page) for name, page_number in pages.items()}}


def _address(call: Call, number: int, per_page: int) -> str:
    filters = {name: value for name, value in call.query.items() if name not in {"page", "per_page"}}
    return f"{call.base_url}{call.path}?{urlencode({'page': number, 'per_page': per_page, **filters})}"
