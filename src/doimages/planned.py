"""A mutating statement, checked: the query for its rows, and the plan that is made of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlglot import exp

from doimages.api.client import Client
from doimages.api.ids import image_number
from doimages.change.fields import check_fields, check_import
from doimages.change.guards import make_guards
from doimages.change.operations import OPERATIONS
from doimages.change.plan import Plan
from doimages.change.planning import Asked, Wish, aplan_changes, aplan_create
from doimages.change.returned import check_returning
from doimages.errors import DOImagesError, UsageError
from doimages.query import Query
from doimages.sql.changes import Change
from doimages.sql.statements import to_sql
from doimages.table.fetch import Readings
from doimages.table.read import refuse_elsewhere


@dataclass(frozen=True, slots=True)
class Planned:
    """A step that reads, and then plans; a plan sends nothing that changes anything."""

    change: Change
    query: Query
    needs_client: bool = True
    columns: pa.Schema | None = None
    required: frozenset[str] = frozenset()
    ids_of: str | None = None

    def explain(self, client: Client | None = None) -> list[tuple[str, str]]:
        """Say what would be read, and what would be sent once the plan is applied."""
        return [*self.query.explain(client), *self.then]

    @property
    def then(self) -> tuple[tuple[str, str], ...]:
        """What is read to plan, and what is sent for each row when the plan is applied."""
        method = self.change.method
        given = [*(f"{name} = {value!r}" for name, value in method.fixed), *self.change.fields]
        fields = f", with {', '.join(given)}" if given else ""
        return ("then, to plan", ", ".join(self._looks)), ("then, for each row", f"{method.http} {method.path}{fields}")

    @property
    def _looks(self) -> list[str]:
        """What planning sends beside the rows; of an image that is not the account's own, itself, too."""
        action = self.change.action
        looks = ["GET /v2/account"]
        looks += ["GET /v2/regions"] if action in {"create", "transfer"} else []
        looks += ["GET /v2/images?private=true"] if action != "create" else []
        return [*looks, *(["GET /v2/droplets"] if OPERATIONS[action].takes_away else [])]

    async def rows(self, client: Client | None, readings: Readings) -> pa.Table:
        """Give the rows that the plan is made of."""
        return await self.query.rows(client, readings)

    async def plan(self, client: Client, readings: Readings) -> Plan:
        """Read the rows, and plan what they ask for; raises UsageError for a value that cannot be sent."""
        for origin in self.query.origins:
            refuse_elsewhere(origin, client)
        try:
            rows = (await self.rows(client, readings)).to_pylist()
        except DOImagesError as error:
            error.add("No plan was made. Nothing was changed.")
            raise
        change = self.change
        wish = Wish(
            operation=change.action, guards=make_guards(), waits=change.is_awaited, returning=returning_text(change)
        )
        if change.action == "create":
            return await aplan_create(wish, [check_import(_fields_of(row)) for row in rows], client)
        asked = []
        for row in rows:
            fields = _fields_of(row)
            image_id = _id_of(fields.pop("id"))
            missing = [name for name, value in fields.items() if value is None]
            if missing:
                raise UsageError(
                    f"{missing[0]} of image {image_id} would be NULL, which cannot be sent. Nothing was changed."
                )
            asked.append(Asked(image_id=image_id, fields=check_fields(fields, f"image {image_id}")))
        return await aplan_changes(wish, asked, client)


def make_planned(change: Change, query: Query) -> Planned:
    """Make the step; raises UsageError if RETURNING cannot be told of its records."""
    check_returning(change.action, returning_text(change))
    return Planned(change, query)


def returning_text(change: Change) -> str | None:
    """Give RETURNING as SQL over the records of the reply: no column has a table before it."""
    parts: list[str] = []
    for expression in change.returning:
        if type(expression) is exp.Star and not any(expression.args.values()):
            parts += change.reply.column_names
            continue
        bare = expression.copy()
        star, whole = bare.find(exp.Star), change.reply.singular
        if star is not None and whole not in {one.name.lower() for one in star.args.get("except_") or ()}:
            star.append("except_", exp.column(whole))  # the whole record is named, or left out
        for column in list(bare.find_all(exp.Column)):
            column.set("table", None)
        parts.append(to_sql(bare))
    return ", ".join(parts) or None


def _id_of(value: Any) -> int:
    """Give the id of a row; one that would have to be rounded is another image's."""
    if value is None:
        raise UsageError("a row of this statement has no id. Nothing was changed.")
    try:
        return image_number(value)
    except UsageError:
        raise UsageError(
            f"{value!r} is no image id: an id is a whole number above zero. Nothing was changed."
        ) from None


def _fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row's fields; a list of tags may come as JSON text."""
    fields = dict(row)
    tags = fields.get("tags")
    if isinstance(tags, str):
        try:
            fields["tags"] = json.loads(tags)
        except ValueError:
            raise UsageError(f"tags is {tags!r}, which is no list. Nothing was changed.") from None
    return fields
