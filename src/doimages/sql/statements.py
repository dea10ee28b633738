"""The statements, as records: what was written, not yet held against the schema. Each prints as it can be parsed."""

import re
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from doimages.sql.dialect import StackQL

_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def to_sql(tree: exp.Expr, dialect: Any = StackQL) -> str:
    """Print a tree in one line; comments are left out, for they are no part of the meaning."""
    made: str = tree.sql(dialect, comments=False, unsupported_level=ErrorLevel.IGNORE)
    return made


def to_title(tree: exp.Expr) -> str:
    """Print an expression as the title of its column."""
    return str(tree.sql(StackQL, comments=False, normalize_functions="lower", unsupported_level=ErrorLevel.IGNORE))


@dataclass(frozen=True, slots=True)
class Path:
    """A dotted name, such as digitalocean.images.images, and where it stands in the text."""

    parts: tuple[str, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return ".".join(
            part if _PLAIN.fullmatch(part) else exp.to_identifier(part, quoted=True).sql() for part in self.parts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What all have: the text they were written in, for errors that point into it."""

    text: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Select(Statement):
    """A query: SELECT, WITH, FROM, VALUES, PIVOT, and what UNION and its like make of them."""

    tree: exp.Expr

    def __str__(self) -> str:
        return to_sql(self.tree)


@dataclass(frozen=True, slots=True)
class Insert(Statement):
    """INSERT INTO t (columns) SELECT | VALUES [RETURNING]."""

    tree: exp.Insert
    is_awaited: bool = False

    def __str__(self) -> str:
        return _hinted(self.tree, "INSERT", is_awaited=self.is_awaited)


@dataclass(frozen=True, slots=True)
class Update(Statement):
    """UPDATE or REPLACE t SET ... WHERE ... [RETURNING]: both are the API's PUT."""

    tree: exp.Update
    is_awaited: bool = False

    def __str__(self) -> str:
        return _hinted(self.tree, "UPDATE", is_awaited=self.is_awaited)


@dataclass(frozen=True, slots=True)
class Delete(Statement):
    """DELETE FROM t WHERE ... [RETURNING]."""

    tree: exp.Delete
    is_awaited: bool = False

    def __str__(self) -> str:
        return _hinted(self.tree, "DELETE", is_awaited=self.is_awaited)


@dataclass(frozen=True, slots=True)
class Exec(Statement):
    """EXEC t.method @parameter = value ... [@@json = '...']."""

    path: Path
    arguments: tuple[tuple[str, exp.Expr], ...] = ()
    body: exp.Expr | None = None
    shows_results: bool = False
    is_awaited: bool = False

    def __str__(self) -> str:
        hints = [word for word, is_set in (("SHOWRESULTS", self.shows_results), ("AWAIT", self.is_awaited)) if is_set]
        hint = f"/*+ {', '.join(hints)} */ " if hints else ""
        values = ", ".join(f"@{name} = {to_sql(value)}" for name, value in self.arguments)
        body = "" if self.body is None else f" @@json = {to_sql(self.body)}"
        return f"EXEC {hint}{self.path} {values}{body}".rstrip()


@dataclass(frozen=True, slots=True)
class Show(Statement):
    """SHOW [EXTENDED] what [IN path] [LIKE pattern | WHERE condition]."""

    what: str
    path: Path | None = None
    like: exp.Expr | None = None
    where: exp.Expr | None = None
    is_extended: bool = False
    only_required: bool = False

    def __str__(self) -> str:
        if self.what == "INSERT":
            return f"SHOW INSERT {'/*+ REQUIRED */ ' if self.only_required else ''}INTO {self.path}"
        words = ["SHOW", "EXTENDED" if self.is_extended else "", self.what, f"IN {self.path}" if self.path else ""]
        words += [f"LIKE {to_sql(self.like)}" if self.like else "", f"WHERE {to_sql(self.where)}" if self.where else ""]
        return " ".join(filter(None, words))


@dataclass(frozen=True, slots=True)
class Describe(Statement):
    """DESCRIBE [EXTENDED] table, or DESCRIBE METHOD [EXTENDED] table.method."""

    path: Path
    is_method: bool = False
    is_extended: bool = False

    def __str__(self) -> str:
        words = ["DESCRIBE", "METHOD" if self.is_method else "", "EXTENDED" if self.is_extended else "", str(self.path)]
        return " ".join(filter(None, words))


@dataclass(frozen=True, slots=True)
class Explain(Statement):
    """EXPLAIN statement: what would be sent."""

    statement: Statement

    def __str__(self) -> str:
        return f"EXPLAIN {self.statement}"


@dataclass(frozen=True, slots=True)
class CreateView(Statement):
    """CREATE [OR REPLACE] VIEW name AS query: a statement saved under a name."""

    name: str
    query: Select
    may_replace: bool = False

    def __str__(self) -> str:
        return f"CREATE {'OR REPLACE ' if self.may_replace else ''}VIEW {Path((self.name,))} AS {self.query}"


@dataclass(frozen=True, slots=True)
class DropView(Statement):
    """DROP VIEW [IF EXISTS] name."""

    name: str
    may_miss: bool = False

    def __str__(self) -> str:
        return f"DROP VIEW {'IF EXISTS ' if self.may_miss else ''}{Path((self.name,))}"


@dataclass(frozen=True, slots=True)
class Note(Statement):
    """REGISTRY, AUTH, USE, SLEEP, PURGE: what StackQL needs and this project does not; answered with a message."""

    word: str
    rest: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.word, *self.rest))


def _hinted(tree: exp.Expr, word: str, *, is_awaited: bool) -> str:
    """Print a write, its hint after its first word, which CTEs may come before."""
    body = tree.copy()
    ctes = body.args.get("with_")
    body.set("with_", None)
    text = to_sql(body).replace(word, f"{word} /*+ AWAIT */" if is_awaited else word, 1)
    return f"{to_sql(ctes)} {text}" if ctes else text
