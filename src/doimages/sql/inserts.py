"""INSERT: which fields, and a query whose rows are the requests; an action of an image is inserted, too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sqlglot import exp

from doimages.errors import did_you_mean
from doimages.resources import RESOURCES, Method, Parameter, Resource
from doimages.schema import IMAGES
from doimages.sql.fields import PREFIX, check_value, find_field
from doimages.sql.place import Place, place_of
from doimages.sql.targets import Target

_IMAGES = next(one for one in RESOURCES if one.table is IMAGES)
_KINDS = ("convert", "transfer")
_REFUSED = {
    "alternative": "OR",
    "conflict": "ON CONFLICT",
    "overwrite": "OVERWRITE",
    "by_name": "BY NAME",
    "default": "DEFAULT VALUES",
    "where": "REPLACE WHERE",
}


@dataclass(frozen=True, slots=True)
class Inserted:
    """A method, the fields it is given, and the query whose rows are its requests."""

    resource: Resource
    method: Method
    fields: tuple[str, ...]
    rows: exp.Query


def read_insert(tree: exp.Insert, target: Target, text: str) -> Inserted:
    """Check the columns and values of an INSERT; raises StatementError."""
    tree = tree.copy()
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    for key, word in _REFUSED.items():
        if tree.args.get(key):
            raise place_of(table, text).error(f"INSERT {word} is not there: an INSERT makes what is new.")
    method = next(one for one in target.resource.methods if one.verb == "INSERT")
    fields = _read_columns(tree, method, place_of(table, text), text)
    source = tree.expression
    if not isinstance(source, (exp.Values, exp.Query)):
        raise place_of(tree.this, text).error("INSERT has no rows.", "Write VALUES (...), or SELECT ... .")
    for row in _rows(source):
        _check_row(row, fields, text)
    return make_insert(target.resource, method, [one.name for one in fields], source, tree.args.get("with_"), text)


def make_insert(
    resource: Resource, method: Method, names: Sequence[str], source: exp.Expr, ctes: exp.Expr | None, text: str
) -> Inserted:
    """Make the query of values that were checked; those of an action become one of convert or transfer."""
    projections: list[exp.Expr] = [exp.Star()]
    fields = tuple(names)
    if resource.table is not IMAGES:
        resource, method, fields = _IMAGES, *_read_action(names, source, text)
        projections = [exp.alias_(exp.column("image_id"), "id"), *(exp.column(name) for name in fields)]
    columns = exp.TableAlias(this=exp.to_identifier("given"), columns=[exp.to_identifier(name) for name in names])
    if isinstance(source, exp.Values):
        source.set("alias", columns)
    else:
        source = exp.Subquery(this=source, alias=columns)
    rows = exp.select(*projections).from_(source, copy=False)
    rows.set("with_", ctes)
    return Inserted(resource, method, fields, rows)


def _read_columns(tree: exp.Insert, method: Method, at_table: Place, text: str) -> list[Parameter]:
    required = [one.name for one in method.parameters if one.required]
    others = [one.name for one in method.parameters if not one.required]
    columns = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    if not columns:
        hint = f"Write ({', '.join(required)}) after the table; there are {', '.join(others)}, too."
        raise at_table.error("INSERT names no columns.", hint)
    found: list[Parameter] = []
    for column in columns:
        place = place_of(column, text)
        if not isinstance(column, exp.Identifier):
            raise place.error("only the names of columns stand here.")
        bare = column.name.lower().removeprefix(PREFIX)
        if method.path == "/v2/images" and bare in {"id", "image_id"}:
            raise place.error(f"{column.name} is not set: DigitalOcean numbers a new image.", "Leave it out.")
        field = find_field(column.name, method.parameters, "INSERT", place)
        if field in found:
            raise place.error(f"{field.name} is given twice.")
        found.append(field)
    missing = [name for name in required if name not in {one.name for one in found}]
    if missing:
        place = Place(text, place_of(columns[0], text).start, place_of(columns[-1], text).end)
        hint = f"An INSERT here needs {', '.join(required)}."
        raise place.error(f"missing required parameter {', '.join(missing)}.", hint)
    return found


def _rows(source: exp.Expr) -> Iterator[exp.Expr]:
    """Give the rows that are written out: those of VALUES, and the SELECTs of a query and of what UNION joins."""
    waiting = [source]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Values):
            yield from node.expressions
        elif isinstance(node, exp.SetOperation):
            waiting += [node.right, node.left]
        elif isinstance(node, exp.Subquery):
            waiting.append(node.this)
        elif isinstance(node, exp.Select) and not any(_is_many(one) for one in node.expressions):
            yield node


def _is_many(projection: exp.Expr) -> bool:
    return projection.is_star or isinstance(projection.unalias(), exp.Columns)


def _check_row(row: exp.Expr, fields: Sequence[Parameter], text: str) -> None:
    cells = list(row.expressions)
    if len(cells) != len(fields):
        first, last = (place_of(cells[0], text), place_of(cells[-1], text)) if cells else (place_of(row, text),) * 2
        message = f"disparity in fields to insert and supplied data: {len(fields)} fields, {len(cells)} values."
        raise Place(text, first.start, last.end).error(message)
    for field, cell in zip(fields, cells, strict=True):
        value = cell.unalias()
        if isinstance(value, exp.Column) and not isinstance(row, exp.Select):
            place = place_of(value, text)
            raise place.error(f"VALUES reads no columns, so {value.name!r} is none.", "A text stands in single quotes.")
        checked = check_value(field, value, place_of(cell, text))
        if checked is not value:
            value.replace(checked)


def _read_action(names: Sequence[str], source: exp.Expr, text: str) -> tuple[Method, tuple[str, ...]]:
    """Tell convert from transfer by the literal type, one for all rows; a transfer has a region, a convert none."""
    kinds: dict[str, Place] = {}
    rows = list(_rows(source))
    for row in rows:
        cell = row.expressions[names.index("type")].unalias() if "type" in names else None
        if cell is not None and cell.is_string:
            kinds[cell.name] = place_of(cell, text)
        else:
            raise place_of(row, text).error("type is 'convert' or 'transfer', written out.")
    if not rows:
        raise place_of(source, text).error("type is 'convert' or 'transfer', written out; here it cannot be told.")
    kind, place = next(iter(kinds.items()))
    if kind not in _KINDS:
        hint = did_you_mean(get_close_matches(kind, _KINDS, n=1), _KINDS).strip()
        raise place.error(f"no action {kind!r} can be asked for.", hint)
    if len(kinds) > 1:
        raise list(kinds.values())[1].error("one INSERT asks for one kind of action.", "Write two.")
    if (kind == "transfer") != ("region" in names):
        message = "convert takes no region." if kind == "convert" else "missing required parameter region."
        raise place.error(message)
    method = next(one for one in _IMAGES.methods if one.name == kind)
    return method, ("region",) if kind == "transfer" else ()
