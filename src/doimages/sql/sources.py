"""What a query asks of the API: which listing, image or actions, with which parameters."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from doimages.resources import Resource

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that a query reads of the API, under the name that its residual gives them.

    ``given`` are request parameters; more than one value of one is a union. ``feed`` is a query whose result are the
    ids to ask for. Of a missing image, ``is_strict`` makes an error, else it is no row. Of ``is_counted`` only the
    number of rows matters.
    """

    name: str
    resource: Resource
    given: Mapping[str, tuple[Value, ...]]
    feed: exp.Expr | None = None
    is_strict: bool = True
    limit: int | None = None
    is_counted: bool = False

    @property
    def ids(self) -> tuple[Value, ...] | None:
        """The images that are asked for one by one; None for a listing."""
        return self.given.get("image_id")
