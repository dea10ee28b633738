"""One query, start to finish: checked before anything is sent, its rows read side by side, its residual run."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from sqlglot import exp

from doimages.api.client import Client
from doimages.api.ids import image_key, image_number
from doimages.api.listing import do_all
from doimages.errors import UsageError
from doimages.sql.allowed import check_calls, check_size
from doimages.sql.bind import Lookup, bind
from doimages.sql.functions import to_duckdb
from doimages.sql.literals import check_literals
from doimages.sql.names import Names, column_kind
from doimages.sql.pushdown import push_down
from doimages.sql.residual import Residual
from doimages.sql.site import Field, Fields
from doimages.sql.sources import Source
from doimages.sql.statements import Select, to_sql, to_title
from doimages.table.arrow import column_types, is_frame, read_once, to_arrow
from doimages.table.fetch import Readings, fetch, no_rows, requests_of

# Gives the notebook's object of a name, or None; it is asked for no name but those in FROM.
FindObject = Callable[[str], Any]

_INTERRUPT_SECONDS = 0.05
_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "image_id": image_key,
    "action_id": image_number,
}


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was checked: its sources, the residual over them, and the columns it gives.

    ``required`` are columns that are never missing; ``needed`` those that are looked at, None for all; ``ids_of`` is
    the table that the column ``id`` of the result tells apart, if it does.
    """

    text: str
    residual: exp.Expr
    sources: tuple[Source, ...]
    frames: Mapping[str, pa.Table]
    columns: pa.Schema
    required: frozenset[str]
    needed: frozenset[str] | None
    ids_of: str | None
    # What frames tell of where they were read: the same id is another image elsewhere.
    origins: tuple[Mapping[str, Any], ...] = ()

    @property
    def needs_client(self) -> bool:
        """Whether it sends requests."""
        return bool(self.sources)

    async def rows(self, client: Client | None, readings: Readings) -> pa.Table:
        """Read the sources, side by side, and run the residual; a query without sources needs no client."""
        room = _furnish(self)
        try:
            if client is not None:
                await do_all(self._fill(one, room, client, readings) for one in self.sources if one.feed is None)
                for one in self.sources:
                    if one.feed is not None:
                        await self._fill(one, room, client, readings)
            return await _aside(room, self.residual)
        finally:
            room.close()

    async def _fill(self, source: Source, room: Residual, client: Client, readings: Readings) -> None:
        ids = [] if source.feed is None else (await _aside(room, source.feed)).column(0).drop_null().to_pylist()
        room.hand_over(source.name, await fetch(source, dict.fromkeys(ids), client, readings, self.needed))

    def explain(self, client: Client | None = None) -> list[tuple[str, str]]:
        """Say what would be sent and done, a line each."""
        lines: list[tuple[str, str]] = []
        for source in self.sources:
            lines += [(f"requests of {source.name}", text) for text in requests_of(source, client) or ["none"]]
            if source.feed is not None:
                lines.append((f"an id each of {source.name}", to_sql(source.feed, "duckdb")))
            pushed = [
                f"{name} = {' or '.join(map(_written, values)) or 'none of its values'}"
                for name, values in source.given.items()
            ]
            pushed += [f"at most {source.limit} rows"] if source.limit is not None else []
            pushed += ["only the number of rows"] if source.is_counted else []
            if source.feed is None:
                lines.append((f"pushed down to {source.name}", ", ".join(pushed) or "nothing: all rows are read"))
        lines += [("frame", f"{name}: {rows.num_rows} rows") for name, rows in self.frames.items()]
        return [*(lines or [("requests", "none")]), ("residual, in DuckDB", to_sql(self.residual, "duckdb"))]


def make_query(statement: Select, lookup: Lookup, find_object: FindObject, limit: int | None = None) -> Query:
    """Check a query whole: names, types, parameters, values. Raises UsageError; nothing is sent."""
    text = statement.text
    tree = bind(statement.tree, lookup, text)
    _cut(tree, limit)
    objects: dict[str, Any] = {}

    def find_fields(name: str) -> Fields | None:
        if name not in objects:
            found = find_object(name)
            with _guarded(name):
                if found is None or not is_frame(found):
                    return None
                if name.lower() in map(str.lower, objects):
                    raise UsageError(f"SQL has no capitals: two frames of the name {name} are one. Nothing was sent.")
                objects[name] = read_once(name, found)
        with _guarded(name):
            return {column.lower(): Field(kind) for column, kind in column_types(objects[name]).items()}

    check_size(tree)
    check_calls(tree, text)
    names = Names(tree, text, find_fields)
    check_literals(tree, text)
    output = names.output or {}
    _title(tree)
    sources = push_down(tree, names, _CHECKS)
    needed = _needed([tree, *(one.feed for one in sources if one.feed is not None)])
    sources = [replace(one, feed=one.feed and to_duckdb(one.feed, column_kind, text=text)) for one in sources]
    query = Query(
        text=text,
        residual=to_duckdb(tree, column_kind, text=text),
        sources=tuple(sources),
        frames={name: to_arrow(name, objects[name], needed) for name in names.frames},
        columns=pa.schema([]),
        required=frozenset(name for name, one in output.items() if one.required),
        needed=needed,
        ids_of=output["id"].of if "id" in output else None,
        origins=tuple(getattr(objects[name], "attrs", {}).get("do_images", {}) for name in names.frames),
    )
    room = _furnish(query)
    try:
        # Over no rows: DuckDB tells the columns, and what it cannot do, before anything is sent.
        for source in query.sources:
            if source.feed is not None:
                room.run(source.feed, with_rows=False)
        return replace(query, columns=room.run(query.residual, with_rows=False).schema)
    finally:
        room.close()


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


@contextlib.contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Have what a frame of some other kind raises, when it is looked at, be about that frame."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - a value may raise anything when it is looked at
        raise UsageError(f"{name} cannot be read as a frame: {type(error).__name__}. Nothing was sent.") from None


def _furnish(query: Query) -> Residual:
    """Open a room with the frames in it, and the sources without their rows."""
    room = Residual(query.text)
    for source in query.sources:
        room.hand_over(source.name, no_rows(source, query.needed))
    for name, rows in query.frames.items():
        room.hand_over(name, rows)
    return room


async def _aside(room: Residual, tree: exp.Expr) -> pa.Table:
    """Run a query on another thread; if this is cancelled, end it first."""
    work = asyncio.get_running_loop().run_in_executor(None, room.run, tree)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():  # more than once, for a query that has not begun yet does not hear it
            room.interrupt()
            await asyncio.wait((work,), timeout=_INTERRUPT_SECONDS)
        with contextlib.suppress(UsageError):
            await work
        raise


def _cut(tree: exp.Expr, limit: int | None) -> None:
    """Give a query a limit from outside, if it has no smaller one."""
    if limit is None or not isinstance(tree, exp.Query):
        return
    own = tree.args.get("limit")
    written = None if own is None or own.args.get("limit_options") else own.expression
    is_larger = isinstance(written, exp.Literal) and written.this.isdecimal() and int(written.this) > limit
    if own is None or is_larger:
        tree.set("limit", exp.Limit(expression=exp.Literal.number(limit)))


def _title(tree: exp.Expr) -> None:
    """Name the columns that have no name by what they were written as, as SQLite does."""
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    if isinstance(tree, exp.Select):
        tree.set("expressions", [_titled(projection) for projection in tree.expressions])


def _titled(projection: exp.Expr) -> exp.Expr:
    is_star = projection.is_star or projection.find(exp.Columns) is not None
    if is_star or isinstance(projection, (exp.Column, exp.Alias, exp.Aliases)):
        return projection
    title = to_title(projection)
    # DuckDB would take current_date AS "current_date" for a column that names itself.
    return (
        projection if title.isidentifier() else exp.Alias(this=projection, alias=exp.to_identifier(title, quoted=True))
    )


def _needed(trees: list[exp.Expr]) -> frozenset[str] | None:
    """Give the names that a query has of columns, or more; None for all columns."""
    names: set[str] = set()
    for tree in trees:
        for node in tree.walk():
            is_all = isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count)
            if is_all or isinstance(node, (exp.Columns, exp.Pivot)) or (isinstance(node, exp.Join) and node.method):
                return None
            if isinstance(node, exp.Table) and node.args.get("alias") and node.args["alias"].columns:
                return None  # t(a, b) names columns by their place
            if isinstance(node, exp.Identifier):
                names.add(node.this.lower())
    return frozenset(names)
