"""Statements, start to finish: each becomes a step that is checked whole, and can be explained or run."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlglot import exp

from doimages.api.ids import image_key
from doimages.errors import StatementError, UnsupportedError, UsageError
from doimages.planned import Planned, make_planned
from doimages.query import FindObject, Query, make_query
from doimages.resources import RESOURCES
from doimages.sql.bind import Lookup, bind
from doimages.sql.catalog import answer
from doimages.sql.changes import Change, RawRead, read_change
from doimages.sql.parse import parse
from doimages.sql.predicates import literal
from doimages.sql.statements import (
    CreateView,
    Delete,
    Describe,
    DropView,
    Exec,
    Explain,
    Insert,
    Note,
    Select,
    Show,
    Statement,
    Update,
)
from doimages.sql.views import Views, expand, named_views
from doimages.steps import Explained, Raw, Step, Told, message
from doimages.table.arrow import is_frame

# Queries saved by CREATE VIEW or --save: for the length of the process, as StackQL's are for that of its session.
views: Views = {}


def prepare_steps(text: str, lookup: Lookup, find_object: FindObject, limit: int | None = None) -> list[Step]:
    """Read the statements of a text and check them all; raises UsageError, and sends nothing.

    ``limit`` is the most rows of each query.
    """
    preparation = _Preparation(lookup, find_object, limit, dict(views))
    try:
        return [preparation.step(statement) for statement in parse(text)]
    except RecursionError:  # a chain of thousands, which the parser reads in a loop
        raise StatementError("the statement is nested too deep. Nothing was sent.") from None


def save_view(name: str, text: str) -> None:
    """Save the one SELECT of a text under a name, in place of what had it."""
    statements = parse(text)
    select = statements[0]
    if len(statements) > 1 or not isinstance(select, Select) or not isinstance(select.tree, exp.Query):
        raise UnsupportedError(f"Only one SELECT is saved as {name}. Nothing was sent.")
    _check_name(name)
    views[name.lower()] = replace(select, tree=expand(select.tree, views))


def _check_name(name: str) -> None:
    taken = {path for resource in RESOURCES for path in resource.paths}
    if not name.isidentifier() or name.lower() in taken:
        raise StatementError(f"{name!r} cannot be the name of a view: take a word that is no table's.")


@dataclass(frozen=True, slots=True)
class _Preparation:
    """What the statements of one text share: values, frames, and the views as they stand at each."""

    lookup: Lookup
    find_object: FindObject
    limit: int | None
    views: Views

    def step(self, statement: Statement) -> Step:
        if isinstance(statement, Select):
            return self._query(statement)
        if isinstance(statement, Explain):
            return self._explain(statement.statement)
        if isinstance(statement, (CreateView, DropView)):
            return self._save(statement) if isinstance(statement, CreateView) else self._drop(statement)
        if isinstance(statement, (Show, Describe, Note)):
            return self._tell(statement)
        assert isinstance(statement, (Insert, Update, Delete, Exec))  # noqa: S101 - there are no others
        change = self._read(statement)
        return self._raw(change, statement) if isinstance(change, RawRead) else self._planned(change, statement)

    def _query(self, statement: Select) -> Query:
        for name in named_views(statement.tree, self.views):
            if is_frame(self.find_object(name)):
                hint = f"DROP VIEW {name}, or give the frame another name."
                raise StatementError(f"{name} is a view and a DataFrame.", hint=hint)
        tree = expand(statement.tree, self.views)
        return make_query(replace(statement, tree=tree), self.lookup, self.find_object, self.limit)

    def _read(self, statement: Insert | Update | Delete | Exec) -> Change | RawRead:
        if isinstance(statement, Exec) and statement.body is not None:
            body = bind(exp.Paren(this=statement.body.copy()), self.lookup, statement.text)
            statement = replace(statement, body=body.this)
        return read_change(statement)

    def _planned(self, change: Change, statement: Statement) -> Planned:
        """Check the query whose rows a write is about: all of them, whatever the most rows of a read are."""
        if self.limit is not None:
            raise UsageError(
                "max_results is for reads; a write is about all rows that its WHERE names. Nothing was sent."
            )
        query = self._query(Select(change.rows, text=statement.text))
        if tuple(query.columns.names) != change.columns:
            raise StatementError(
                f"disparity in fields to insert and supplied data: {', '.join(change.columns)} are the fields, "
                f"and {', '.join(query.columns.names)} are supplied."
            )
        return make_planned(replace(change, returning=self._bound(change, statement)), query)

    def _bound(self, change: Change, statement: Statement) -> tuple[exp.Expr, ...]:
        """Put the values of the parameters into RETURNING: when it is told, they may be gone."""
        return tuple(bind(exp.Paren(this=one.copy()), self.lookup, statement.text).this for one in change.returning)

    def _explain(self, statement: Statement) -> Explained:
        """Tell of a statement what it would do."""
        return Explained(replace(self, views=dict(self.views)).step(statement))

    def _save(self, statement: CreateView) -> Told:
        name = statement.name.lower()
        _check_name(name)
        if name in self.views and not statement.may_replace:
            raise StatementError(f"there is a view {name!r} already.", hint="Write CREATE OR REPLACE VIEW.")
        tree = expand(statement.query.tree, self.views)
        if not list(tree.find_all(exp.Placeholder)):
            self._query(statement.query)  # what is wrong with it is told now
        saved = replace(statement.query, tree=tree)
        self.views[name] = saved
        return message(f"Saved as {name}: FROM {name} reads it anew.", partial(views.__setitem__, name, saved))

    def _drop(self, statement: DropView) -> Told:
        name = statement.name.lower()
        if self.views.pop(name, None) is None and not statement.may_miss:
            raise StatementError(f"no view {name!r}.", hint=f"Known: {', '.join(self.views) or 'none'}.")
        return message(f"The view {name} is gone.", partial(views.pop, name, None))

    def _tell(self, statement: Show | Describe | Note) -> Step:
        table = answer(statement, tuple(self.views))
        where = statement.where if isinstance(statement, Show) else None
        if where is None:
            return Told(table)
        tree = exp.select("*").from_("shown").where(where)
        return make_query(Select(tree, text=statement.text), self.lookup, {"shown": table}.get)

    def _raw(self, read: RawRead, statement: Statement) -> Raw:
        given: dict[str, Any] = {}
        for name, value in read.arguments.items():
            tree = bind(exp.Paren(this=value.copy()), self.lookup, statement.text)
            given[name] = literal(tree.this)
        in_path = {name: image_key(given.pop(name)) for name in tuple(given) if f"{{{name}}}" in read.method.path}
        query = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
        return Raw(read.method.path.format(**in_path), query, read.shows_results)
