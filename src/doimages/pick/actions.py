"""What can be done with the selected images: one table for the panel, for the plans it makes, and for their code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from doimages.pick.code import MAGIC, PYTHON, SQL
from doimages.pick.pattern import Pattern

if TYPE_CHECKING:
    from doimages.api.client import Client
    from doimages.change.plan import Plan

_NO_SQL = "-- tags are not changed by SQL"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do: its label, the method of the accessor, the argument that it takes and what that is called.

    ``sql`` is a template with the value and the ids.
    """

    label: str
    method: str
    sql: str
    argument: str | None = None
    asks: str = ""

    def plan(self, frame: pd.DataFrame, value: str, client: "Client") -> "Plan":
        """Plan it for the images of a frame; sends what planning sends."""
        plan: Plan = getattr(frame.do_images, self.method)(**self._arguments(value), client=client)
        return plan

    def _arguments(self, value: str) -> dict[str, Any]:
        if self.argument is None:
            return {}
        return {self.argument: Pattern.of(value) if self.argument == "name" else value}

    def codes(self, ids: Sequence[int], value: str) -> dict[str, str]:
        """Write the plan in each language, by its name."""
        pattern = Pattern.of(value) if self.argument == "name" else None
        argument = pattern.python if pattern else PYTHON.literal(value)
        given = "" if self.argument is None else f"{self.argument}={argument}"
        numbers = ", ".join(map(str, ids))
        read = f"df = pd.read_do_images(image_id=[{numbers}])"
        statement = self.sql.format(value=pattern.sql if pattern else SQL.literal(value), ids=numbers)
        return {
            PYTHON.name: f"{read}\nplan = df.do_images.{self.method}({given})\nplan",
            SQL.name: statement,
            MAGIC.name: statement if statement == _NO_SQL else f"%%doimages plan --show\n{statement}",
        }


_WHERE = "WHERE id IN ({ids})"
_FOR_EACH = "INSERT INTO actions (image_id, type{more}) SELECT id, {values} FROM images " + _WHERE
ACTIONS: Mapping[str, Action] = {
    one.label: one
    for one in (
        Action("delete", "delete", f"DELETE FROM images {_WHERE}"),
        Action(
            "rename", "update", f"UPDATE images SET name = {{value}} {_WHERE}", "name", "New name, such as old-{name}"
        ),
        Action(
            "set description", "update", f"UPDATE images SET description = {{value}} {_WHERE}", "description", "Text"
        ),
        Action(
            "set distribution", "update", f"UPDATE images SET distribution = {{value}} {_WHERE}", "distribution", "Name"
        ),
        Action("convert to snapshot", "convert", _FOR_EACH.replace("{more}", "").replace("{values}", "'convert'")),
        Action(
            "transfer to a region",
            "transfer",
            _FOR_EACH.replace("{more}", ", region").replace("{values}", "'transfer', {value}"),
            "region",
            "Region",
        ),
        Action("tag", "tag", _NO_SQL, "tag", "Tag"),
        Action("untag", "untag", _NO_SQL, "tag", "Tag"),
    )
}
