"""What INSERT, UPDATE, DELETE and EXEC ask to be changed: checked whole, and nothing sent.

StackQL ignores all of a WHERE but its literals, and sends fields it does not know; here each is an error, or is meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from doimages.resources import RESOURCES, Method, Parameter, Resource
from doimages.schema import IMAGES, Table
from doimages.sql.calls import Called, RawRead, read_call
from doimages.sql.fields import check_value, find_field
from doimages.sql.inserts import make_insert, read_insert
from doimages.sql.place import place_of
from doimages.sql.statements import Delete, Exec, Insert, Update
from doimages.sql.targets import Target, find_target, joined, read_returning

__all__ = ["Action", "Change", "RawRead", "read_change"]

Action = Literal["create", "update", "delete", "convert", "transfer"]

_ACTIONS: Mapping[str, Action] = {
    "create_custom": "create",
    **{name: name for name in ("update", "delete", "convert", "transfer")},
}
_IMAGES = next(one for one in RESOURCES if one.table is IMAGES)


@dataclass(frozen=True, slots=True)
class Change:
    """What a mutating statement asks for; all that a plan needs.

    ``rows`` has one row a request: the fields, and before them the ``id`` of the image unless it is created. With
    ``body``, a `:name`, the fields are those besides it, and ``rows`` has it as the column ``body``.
    """

    action: Action
    resource: Resource
    method: Method
    rows: exp.Query
    fields: tuple[str, ...]
    returning: tuple[exp.Expr, ...]
    is_awaited: bool
    body: exp.Expr | None = None

    @property
    def reply(self) -> Table:
        """The kind of record that RETURNING tells of; a delete has none, and tells of the image as it was."""
        return self.method.reply or IMAGES

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that ``rows`` has; what came of a `*` has others, and is no change."""
        first = () if self.action == "create" else ("id",)
        return (*first, *self.fields, *(() if self.body is None else ("body",)))


def read_change(statement: Insert | Update | Delete | Exec) -> Change | RawRead:
    """Check a mutating statement whole; raises UsageError that points at what is wrong. Nothing is sent.

    Names and types within expressions are left to whoever checks ``rows``.
    """
    if isinstance(statement, Exec):
        called = read_call(statement)
        return called if isinstance(called, RawRead) else _of_call(called, statement)
    if isinstance(statement, Insert):
        return _read_insert(statement)
    return _read_update(statement) if isinstance(statement, Update) else _read_delete(statement)


def _of_call(called: Called, statement: Exec) -> Change:
    """Make of an EXEC what INSERT, UPDATE or DELETE make of the same."""
    resource, method = called.resource, called.method
    values = {name: value.copy() for name, value in called.arguments.items()}
    returning = (exp.column(method.reply.singular),) if method.reply and statement.shows_results else ()
    extra = {} if called.body is None else {"body": called.body.copy()}
    if method.verb == "INSERT":
        given = values | extra
        row = exp.Values(expressions=[exp.Tuple(expressions=list(given.values()))])
        made = make_insert(resource, method, list(given), row, None, statement.text)
        resource, method, rows = made.resource, made.method, made.rows
        fields = tuple(name for name in made.fields if name not in extra)
    else:
        where = exp.EQ(this=exp.column("image_id"), expression=values.pop("image_id"))
        rows, fields = _rows_of_images(exp.Where(this=where), values | extra), tuple(values)
    return Change(_ACTIONS[method.name], resource, method, rows, fields, returning, statement.is_awaited, called.body)


def _read_insert(statement: Insert) -> Change:
    tree, text = statement.tree, statement.text
    target = find_target(tree.this.this if isinstance(tree.this, exp.Schema) else tree.this, "INSERT", text)
    made = read_insert(tree, target, text)
    returning = read_returning(tree, target, made.method.reply, text)
    return Change(
        _ACTIONS[made.method.name], made.resource, made.method, made.rows, made.fields, returning, statement.is_awaited
    )


def _read_update(statement: Update) -> Change:
    tree, text = statement.tree, statement.text
    target, method = _read_target(tree, "update", text)
    values: dict[str, exp.Expr] = {}
    for node in tree.expressions:
        field, value = _read_assignment(node, target, method, text)
        if field.name in values:
            raise place_of(node, text).error(f"{field.name} is set twice.")
        values[field.name] = value
    if not values:
        names = ", ".join(one.name for one in method.parameters if one.in_body)
        raise place_of(tree.this, text).error("UPDATE sets nothing.", f"Write SET and one of {names}.")
    where = _read_where(tree, "UPDATE", text)
    rows = _rows_of_images(where, {name: value.copy() for name, value in values.items()}, tree)
    returning = read_returning(tree, target, method.reply, text)
    return Change("update", target.resource, method, rows, tuple(values), returning, statement.is_awaited)


def _read_assignment(node: exp.Expr, target: Target, method: Method, text: str) -> tuple[Parameter, exp.Expr]:
    place = place_of(node, text)
    if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Column) or not target.has(node.this):
        raise place.error("this sets nothing.", "Write SET name = ..., description = ... .")
    fields = [one for one in method.parameters if one.in_body]
    field = find_field(node.this.name, fields, "SET", place_of(node.this, text))
    value = node.expression
    if isinstance(value, exp.Connector):
        raise place.error(f"{field.name} takes a text, and this is a condition.", "Part what is set with commas.")
    if value.find(exp.Explode, exp.Unnest):
        raise place.error(f"{field.name} takes one text, and unnest gives many.")
    return field, check_value(field, value, place_of(value, text))


def _read_delete(statement: Delete) -> Change:
    tree, text = statement.tree, statement.text
    if tree.args.get("tables"):
        raise place_of(tree, text).error("FROM is missing, or stands too late.", "Write DELETE FROM images WHERE ... .")
    target, method = _read_target(tree, "delete", text)
    rows = _rows_of_images(_read_where(tree, "DELETE", text), {}, tree)
    returning = read_returning(tree, target, method.reply, text)
    return Change("delete", target.resource, method, rows, (), returning, statement.is_awaited)


def _read_target(tree: exp.Expr, name: str, text: str) -> tuple[Target, Method]:
    """Find the one table, which is images, and refuse the clauses that are not there."""
    word = name.upper()
    target = find_target(tree.this, word, text)
    for clause in ("using", "from_"):
        if tree.args.get(clause):
            parts = tree.args[clause]
            raise joined(parts[0] if isinstance(parts, list) else parts, word, text)
    for clause in ("order", "limit"):
        if tree.args.get(clause):
            message = f"{word} takes no {clause.upper()}."
            raise place_of(tree.args[clause], text).error(message, "Write it within WHERE image_id IN (SELECT ...).")
    method = next((one for one in target.resource.methods if one.name == name), None)
    if method is None:
        message = f"{word} is about images; an action stays as it is."
        raise place_of(tree.this, text).error(message, "To convert or transfer an image, INSERT INTO actions.")
    return target, method


def _read_where(tree: exp.Expr, word: str, text: str) -> exp.Where:
    where = tree.args.get("where")
    if not isinstance(where, exp.Where):
        message = f"missing required parameter image_id: without WHERE this {word} would change every image."
        hint = "Write WHERE image_id = ..., or WHERE image_id IN (SELECT ...)."
        raise place_of(tree.this, text).error(message, hint)
    return where


def _rows_of_images(where: exp.Where, values: Mapping[str, exp.Expr], tree: exp.Expr | None = None) -> exp.Select:
    """Make the query for the images that are meant, with the values for each; names stay those of the statement."""
    table = exp.to_table(_IMAGES.path)
    if tree is not None and tree.this.alias_or_name.lower() != table.name:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(tree.this.alias_or_name)))
    # Not exp.alias_: of a subquery it would make one in FROM, whose name DuckDB does not take here.
    named = (exp.Alias(this=value, alias=exp.to_identifier(name)) for name, value in values.items())
    projections = [exp.column("id"), *named]
    rows = exp.select(*projections).from_(table, copy=False)
    rows.set("where", where.copy())
    ctes = None if tree is None else tree.args.get("with_")
    rows.set("with_", ctes and ctes.copy())
    return rows
