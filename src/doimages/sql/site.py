"""A place in FROM where rows of the API are read, and its columns as a query sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from doimages.resources import Resource
from doimages.schema import ColumnType


@dataclass(frozen=True, slots=True)
class Field:
    """A column as a query sees it: its type, None if only DuckDB can tell, and whether it is never missing.

    ``of`` is the table that a key is of: an id of actions is none of images.
    """

    kind: ColumnType | None
    required: bool = False
    of: str | None = None


Fields = Mapping[str, Field]


@dataclass(eq=False, slots=True)
class Site:
    """A place in FROM where rows of the API are read, and the columns of it that the query names."""

    node: exp.Table
    resource: Resource
    scope: Scope
    columns: list[exp.Column] = field(default_factory=list)

    @property
    def alias(self) -> str:
        """What it is called in its query."""
        return str(self.node.alias_or_name)

    @property
    def fields(self) -> Fields:
        """The columns of its rows; the parameters that may be read as one, too."""
        table = self.resource.table
        known = {
            column.name: Field(column.type, column.required, table.name if column.name == table.key else None)
            for column in table.columns
        }
        return known | {alias: known[name] for alias, name in self.resource.aliases}

    @property
    def parameters(self) -> frozenset[str]:
        """What its requests take beside what is a column."""
        names = {one.name for method in self.resource.methods if method.verb == "SELECT" for one in method.parameters}
        return frozenset(names) - self.fields.keys()
