"""Tables and columns of a query, held against the schema and the notebook's frames before anything is sent."""

from collections.abc import Callable
from difflib import get_close_matches

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.scope import Scope, ScopeType, traverse_scope

from doimages.errors import StatementError, UnknownColumnError, UsageError, did_you_mean
from doimages.schema import ColumnType
from doimages.sql.documents import JSON_EACH
from doimages.sql.kinds import kind_of
from doimages.sql.lookup import find_resource
from doimages.sql.place import place_of
from doimages.sql.scopes import (
    columns_in,
    in_from,
    is_renamed,
    items_of,
    merged,
    names_given,
    optional,
    outermost,
    outwards,
)
from doimages.sql.site import Field, Fields, Site
from doimages.sql.statements import Path

# Gives the columns of a frame of the notebook, or None; it is asked for no name but those in FROM.
FindFrame = Callable[[str], Fields | None]


class Names:
    """What the names in a query mean; resolving them leaves each column's type in its meta."""

    def __init__(self, tree: exp.Expr, text: str, find_frame: FindFrame) -> None:
        self.text = text
        self.sites: list[Site] = []
        self.frames: dict[str, Fields] = {}
        self._find_frame = find_frame
        self._is_query = isinstance(tree, exp.Query)
        self._items = {
            id(column) for comprehension in tree.find_all(exp.Comprehension) for column in items_of(comprehension)
        }
        self._sites: dict[int, Site] = {}
        self._fields: dict[int, Fields | None] = {}
        self.scopes = self._scopes(tree)
        for scope in self.scopes:
            for _, source in in_from(scope).values():
                if isinstance(source, exp.Table):
                    self._meet(source, scope)
        self._meet_stray_tables(tree)
        for scope in self.scopes:  # inner ones first
            for column in columns_in(scope):
                self._resolve(column, scope)

    @property
    def output(self) -> Fields | None:
        """The columns of the result, as far as they can be told without DuckDB."""
        is_query = self.scopes and self.scopes[-1].scope_type == ScopeType.ROOT and self._is_query
        return self._fields_of(self.scopes[-1]) if is_query else None

    def error(self, message: str, node: exp.Expr, hint: str | None = None) -> UsageError:
        """Make an error that points at a part of the query."""
        return place_of(node, self.text).error(message, hint)

    def site(self, table: object) -> Site | None:
        """Give the place of a table in FROM, if it is one of the API's."""
        return self._sites.get(id(table))

    def _scopes(self, tree: exp.Expr) -> list[Scope]:
        ctes = {cte.alias.lower(): cte.alias for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            name = ctes.get(table.name.lower())
            if name is not None and not table.db and isinstance(table.this, exp.Identifier):
                table.this.set("this", name)  # case does not count
        queries = [tree] if isinstance(tree, exp.Query) else list(outermost(tree))
        scopes = [scope for query in queries for scope in traverse_scope(query)]
        for scope in scopes:
            try:
                _ = scope.selected_sources
            except OptimizeError as error:
                hint = "Give each table in FROM an alias of its own."
                raise self.error(f"{str(error).rstrip('.')}.", scope.expression, hint) from None
        return scopes

    def _meet(self, table: exp.Table, scope: Scope) -> None:
        """Tell what a table in FROM is: the API's, a frame, or a function."""
        if not isinstance(table.this, exp.Identifier) or id(table) in self._sites:
            return
        path = _path(table)
        frame = self._find_frame(path.parts[0]) if len(path.parts) == 1 else None
        try:
            resource = find_resource(path, self.text)
        except StatementError as error:
            if frame is None and len(path.parts) == 1:
                name = path.parts[0]
                hint = f"{error.hint} A DataFrame goes by its name in a cell; in Python, give frames={{{name!r}: ...}}."
                raise self.error(f"no table {name!r}.", table, hint) from None
            if frame is None:
                raise
            self.frames[path.parts[0]] = frame
            return
        site = Site(table, resource, scope)
        table.meta["site"] = id(site)
        self.sites.append(site)
        self._sites[id(table)] = site

    def _meet_stray_tables(self, tree: exp.Expr) -> None:
        """Meet the tables that stand in no query's FROM, as in `PIVOT images ON type`: they are read whole."""
        ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        met = {id(source) for scope in self.scopes for _, source in in_from(scope).values()}
        for table in tree.find_all(exp.Table):
            if id(table) not in met and table.name.lower() not in ctes:
                self._meet(table, Scope(exp.select("*").from_(table.copy())))

    def _resolve(self, column: exp.Column, scope: Scope) -> None:
        """Find whose column it is; leave its type in its meta, and note it at its site."""
        name, qualifier = column.name.lower(), column.table.lower()
        is_of_union = isinstance(scope.expression, exp.SetOperation)  # ORDER BY names its result; DuckDB tells
        if isinstance(column.this, exp.Star) or is_of_union or id(column) in self._items:
            return
        is_dynamic = False
        known: list[str] = []
        for level in outwards(scope):
            for alias, (node, source) in in_from(level).items():
                if qualifier and alias.lower() != qualifier:
                    continue
                fields = None if is_renamed(node, source) else self._fields_of(source)
                site = self.site(source)
                if fields is None:
                    is_dynamic = True
                elif name in fields or (site and name in site.parameters):
                    if name not in fields and not qualifier and self._means_another(column, level):
                        continue
                    self._note(column, fields.get(name, Field(None)), source, alias, level)
                    return
                known += fields or ()
            if not qualifier and name in names_given(level):
                return
        if not is_dynamic:
            raise self._unknown(column, scope, known)

    def _note(self, column: exp.Column, found: Field, source: object, alias: str, level: Scope) -> None:
        seen = _joined(found, level, alias, "" if column.table else column.name.lower())
        column.meta.update(kind=seen.kind, required=seen.required, of=seen.of, source=alias)
        site = self.site(source)
        if site:
            site.columns.append(column)
            column.meta["site"] = id(site)

    def _means_another(self, column: exp.Column, level: Scope) -> bool:
        """Tell whether a parameter's name is, without its table, that of a column beside it, or one given with AS."""
        name = column.name.lower()
        sources = [source for _, source in in_from(level).values()]
        has_column = any(name in (self._fields_of(source) or ()) for source in sources)
        in_predicate = isinstance(column.find_ancestor(exp.Where, exp.Join, exp.Select), (exp.Where, exp.Join))
        if has_column and in_predicate:
            raise self.error(f"{name} is a parameter of a table and a column of another.", column, f"Write t.{name}.")
        return has_column or (name in names_given(level) and not in_predicate)

    def _unknown(self, column: exp.Column, scope: Scope, known: list[str]) -> UsageError:
        sources = {alias.lower(): alias for level in outwards(scope) for alias in in_from(level)}
        if column.table and column.table.lower() not in sources:
            close = get_close_matches(column.table, sources.values())
            message = f"no table {column.table!r} in this FROM.{did_you_mean(close, tuple(sources.values()))}"
            return self.error(message, column.args["table"])
        table = column.table or (" or ".join(sources.values()) if sources else "a query without FROM")
        error = UnknownColumnError(column.name, tuple(dict.fromkeys(known)), table)
        return place_of(column, self.text).mark(error)

    def _fields_of(self, source: object) -> Fields | None:
        """Give the columns of what stands in FROM; None if only DuckDB can tell."""
        if id(source) not in self._fields:
            self._fields[id(source)] = None  # what a recursive CTE finds of itself
            self._fields[id(source)] = self._make_fields(source)
        return self._fields[id(source)]

    def _make_fields(self, source: object) -> Fields | None:
        if isinstance(source, exp.Table):
            site = self.site(source)
            if source.args.get("pivots") or (source.args.get("alias") and source.args["alias"].columns):
                return None
            if isinstance(source.this, exp.Anonymous) and source.this.name.lower() == "json_each":
                return {name: Field(kind) for name, kind in JSON_EACH.items()}
            return site.fields if site else self.frames.get(source.name)
        if not isinstance(source, Scope) or source.outer_columns:
            return None
        if isinstance(source.expression, exp.SetOperation):
            return self._united(source)
        return self._projected(source) if isinstance(source.expression, exp.Select) else None

    def _united(self, scope: Scope) -> Fields | None:
        sides = [self._fields_of(side) for side in scope.set_operation_scopes]
        if any(side is None for side in sides) or scope.expression.args.get("by_name"):
            return None
        first, *others = [list((side or {}).items()) for side in sides]
        made = {}
        for place, (name, one) in enumerate(first):
            same = [side[place][1] if len(side) > place else Field(None) for side in others]
            is_of = all(other.of == one.of for other in same)
            made[name] = Field(one.kind, one.required and all(o.required for o in same), one.of if is_of else None)
        return made

    def _projected(self, scope: Scope) -> Fields | None:
        made: dict[str, Field] = {}
        for projection in scope.expression.expressions:
            if projection.is_star:
                fields = self._starred(projection, scope)
                if fields is None:
                    return None
                made = {**fields, **made}
            else:
                inner = projection.unalias()
                meta = inner.meta if isinstance(inner, exp.Column) else {}
                made.setdefault(
                    projection.alias_or_name.lower(),
                    Field(kind_of(inner, column_kind), bool(meta.get("required")), meta.get("of")),
                )
        return made

    def _starred(self, star: exp.Expr, scope: Scope) -> Fields | None:
        """Give the columns that `*` or `t.*` stands for."""
        inner = star.this if isinstance(star, exp.Column) else star
        if any(inner.args.get(word) for word in ("replace", "rename")):
            return None
        made: dict[str, Field] = {}
        left_out = {one.name.lower() for one in inner.args.get("except_") or ()}
        for alias, (node, source) in scope.selected_sources.items():
            if isinstance(star, exp.Column) and alias.lower() != star.table.lower():
                continue
            fields = None if is_renamed(node, source) else self._fields_of(source)
            if fields is None:
                return None
            site = self.site(source)
            hidden = left_out | ({name for name, _ in site.resource.aliases} if site else set())
            for name, one in fields.items():
                if name not in hidden:
                    made.setdefault(name, _joined(one, scope, alias, name))
        return made


def column_kind(column: exp.Column) -> ColumnType | None:
    """Give the type of a column that was resolved."""
    kind: ColumnType | None = column.meta.get("kind")
    return kind


def _joined(found: Field, scope: Scope, alias: str, name: str) -> Field:
    """Give a table's column as its joins leave it; ``name`` is empty if the table stands before it."""
    is_mixed = name in merged(scope)
    is_whole = alias.lower() not in optional(scope) and not is_mixed
    return Field(found.kind, found.required and is_whole, None if is_mixed else found.of)


def _path(table: exp.Table) -> Path:
    parts = table.parts
    start = min((part.meta.get("start", 0) for part in parts), default=0)
    return Path(tuple(part.name for part in parts), start, max(part.meta.get("end", 0) for part in parts) + 1)
