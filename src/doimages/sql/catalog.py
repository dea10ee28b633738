"""What there is to ask: the answers to SHOW and DESCRIBE, and to what StackQL needs and this project does not."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import pyarrow as pa
from sqlglot import exp

from doimages.errors import StatementError
from doimages.resources import PROVIDER, SERVICES, Method, Resource
from doimages.schema import ColumnType, Table
from doimages.sql.lookup import find_method, find_resource, list_names
from doimages.sql.statements import Describe, Note, Path, Show

# A type as JSON schema writes it; its first word is what DESCRIBE shows.
_SHAPES: Mapping[ColumnType, Mapping[str, Any]] = {
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
}
_VARIABLES = "DIGITALOCEAN_TOKEN, DIGITALOCEAN_ACCESS_TOKEN"
_NOTES: Mapping[str, str] = {
    "REGISTRY": f"The one provider is {PROVIDER}; doimages brings it with it.",
    "AUTH": f"There is no login: a token is looked for when a request needs one, in {_VARIABLES} among others.",
    "USE": "USE changes nothing: a table is named in full, or by its last part alone.",
    "SLEEP": "SLEEP waits for nothing here.",
    "PURGE": "Nothing to purge: no definitions are kept.",
}

_Row = tuple[str | bool, ...]


def answer(statement: Show | Describe | Note, views: Sequence[str] = ()) -> pa.Table:
    """Give the rows of a statement about the catalog, its LIKE applied and its WHERE not yet. Nothing is sent."""
    if isinstance(statement, Note):
        return _table("message", [(_note(statement),)])
    if isinstance(statement, Describe):
        return _describe_method(statement) if statement.is_method else _describe(statement)
    if statement.path is not None and statement.what in {"PROVIDERS", "VERSION", "VIEWS", "AUTH"}:
        path = statement.path
        error = StatementError(f"SHOW {statement.what} takes no name.", hint=f"Write SHOW {statement.what} alone.")
        raise error.mark(statement.text, path.start, path.end)
    rows = (
        _table("name", [(name,) for name in views]) if statement.what == "VIEWS" else _SHOWN[statement.what](statement)
    )
    return rows if statement.like is None else _keep_like(rows, statement.like)


def _note(note: Note) -> str:
    words = [word.upper() for word in note.rest]
    if note.word == "REGISTRY" and words[:1] == ["PULL"]:
        return (
            f"Nothing to pull: doimages brings {PROVIDER} with it{'' if PROVIDER.upper() in words else ', no other'}."
        )
    return _NOTES[note.word]


def _show_providers(_: Show) -> pa.Table:
    return _table("name version", [(PROVIDER, version("doimages"))])


def _show_version(_: Show) -> pa.Table:
    return _table("version", [(version("doimages"),)])


def _show_auth(_: Show) -> pa.Table:
    return _table("provider type variables", [(PROVIDER, "token", _VARIABLES)])


def _show_services(show: Show) -> pa.Table:
    services = {service.name: service for service in SERVICES}
    rows: list[_Row] = [
        (f"{PROVIDER}.{name}", name, services[name].title, services[name].description, True, version("doimages"))
        for name in list_names(show.path or Path((PROVIDER,)), show.text, "provider")
    ]
    return _table("id name title", rows, "description preferred version" if show.is_extended else "")


def _show_resources(show: Show) -> pa.Table:
    """List the tables of a service, or of all, by their full names."""
    paths = [show.path] if show.path else [Path((PROVIDER, service.name)) for service in SERVICES]
    rows: list[_Row] = []
    for path in paths:
        for name in list_names(path, show.text, "service"):
            full = Path((*(part.lower() for part in path.parts), name))
            rows.append((str(full), name, find_resource(full, show.text).description))
    return _table("id name", rows, "description" if show.is_extended else "")


def _show_methods(show: Show) -> pa.Table:
    resource = _resource(show)
    named = [part.lower() for part in (show.path.parts if show.path else ())][1:2]
    rows: list[_Row] = [
        (
            method.name,
            ", ".join(parameter.stackql_name for parameter in method.parameters if parameter.required),
            method.verb,
            method.description,
        )
        for method in resource.methods
        if method.service is None or not named or method.service in named
    ]
    return _table("MethodName RequiredParams SQLVerb", rows, "description" if show.is_extended else "")


def _show_insert(show: Show) -> pa.Table:
    """Write an INSERT that lacks nothing but its values."""
    method = next(method for method in _resource(show).methods if method.verb == "INSERT")
    fields = [parameter for parameter in method.parameters if parameter.required or not show.only_required]
    columns = ", ".join(field.stackql_name for field in fields)
    values = ", ".join(f":{field.name}" for field in fields)
    statement = f"INSERT INTO {show.path} ({columns}) VALUES ({values})"  # noqa: S608 - every name was looked up
    return _table("insert_statement", [(statement,)])


def _resource(show: Show) -> Resource:
    if show.path is None:
        hint = f"Write SHOW {show.what} IN digitalocean.images.images."
        raise StatementError(f"SHOW {show.what} is about one table.", hint=hint)
    return find_resource(show.path, show.text)


_SHOWN: Mapping[str, Callable[[Show], pa.Table]] = {
    "PROVIDERS": _show_providers,
    "SERVICES": _show_services,
    "RESOURCES": _show_resources,
    "TABLES": _show_resources,
    "METHODS": _show_methods,
    "INSERT": _show_insert,
    "VERSION": _show_version,
    "AUTH": _show_auth,
}


def _describe(describe: Describe) -> pa.Table:
    columns = find_resource(describe.path, describe.text).table.columns
    rows = [(column.name, _SHAPES[column.type]["type"], column.description) for column in columns]
    return _table("name type", rows, "description" if describe.is_extended else "")


def _describe_method(describe: Describe) -> pa.Table:
    _, method = find_method(describe.path, describe.text)
    inputs = [
        (
            parameter.stackql_name,
            "input_required" if parameter.required else "input_optional",
            _SHAPES[parameter.type],
            parameter.description,
        )
        for parameter in method.parameters
    ]
    rows = [
        (name, shape["type"], use, json.dumps(shape, separators=(",", ":")), description)
        for name, use, shape, description in (*inputs, *_outputs(method))
    ]
    return _table("name type param_type shape", rows, "description" if describe.is_extended else "")


def _outputs(method: Method) -> Iterator[tuple[str, str, Mapping[str, Any], str]]:
    """Give what comes back: the fields of a record, or the keys of the whole body."""
    if method.reply is None:
        return
    if not method.is_whole:
        for column in method.reply.columns:
            yield column.name, "output", _SHAPES[column.type], column.description
    elif method.is_listing:
        shape = {"type": "array", "items": _shape(method.reply)}
        yield method.reply.plural, "output", shape, "The records of one page, as the API gives them."
        yield "links", "output", _SHAPES["object"], "Addresses of the pages around it."
        yield "meta", "output", _SHAPES["object"], "How many there are in all."
    else:
        yield method.reply.singular, "output", _shape(method.reply), "The record, as the API gives it."


def _shape(table: Table) -> Mapping[str, Any]:
    return {"type": "object", "properties": {column.name: _SHAPES[column.type] for column in table.columns}}


def _keep_like(rows: pa.Table, like: exp.Expr) -> pa.Table:
    """Keep the rows whose first column is like a pattern: % is any text, _ any letter, case does not matter."""
    if not isinstance(like, exp.Literal):
        raise StatementError("LIKE takes a text in single quotes here.", hint="Write LIKE 'del%'.")
    wild = {"%": ".*", "_": "."}
    pattern = re.compile(
        "".join(wild.get(letter) or re.escape(letter) for letter in like.name), re.IGNORECASE | re.DOTALL
    )
    return rows.filter(pa.array([pattern.fullmatch(value) is not None for value in rows[0].to_pylist()], pa.bool_()))


def _table(columns: str, rows: Sequence[_Row], more: str = "") -> pa.Table:
    """Make a table of the columns named; what a row has beyond them is left out."""
    names = f"{columns} {more}".split()
    kinds = [pa.bool_() if name == "preferred" else pa.string() for name in names]
    values = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    return pa.table(values, names)
