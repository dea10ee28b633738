"""Text to statements. Whatever the text is, it becomes records, or a StatementError that points into it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import groupby

from sqlglot import exp
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from doimages.errors import StatementError, UsageError, did_you_mean
from doimages.sql.cursor import Cursor
from doimages.sql.dialect import StackQL
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
from doimages.sql.tree import read_tree
from doimages.sql.words import HINTS, SHOWN

# What a person writes is far below; what is above takes its time.
LONGEST = 200_000  # characters
MOST_WORDS = 20_000
MOST_STATEMENTS = 100

# What these are instead; each is a word of StackQL's or DuckDB's that begins no statement here.
_INSTEAD: Mapping[str, str] = {
    **dict.fromkeys(("BEGIN", "COMMIT", "ROLLBACK"), "There are no transactions: a write is a plan, applied or not."),
    "NATIVEQUERY": "Write the query itself.",
    "REFRESH": "A view is read anew each time; keep a result in a variable and join it by its name.",
    **dict.fromkeys(("ATTACH", "COPY", "EXPORT", "IMPORT", "INSTALL", "LOAD"), "SQL here reaches no files or network."),
    **dict.fromkeys(("PRAGMA", "SET", "RESET"), "SQL here changes no settings; see doimages.options."),
}


def parse(text: str) -> list[Statement]:
    """Read the statements of a text, which `;` parts; raises StatementError, whatever the text. Nothing is sent."""
    if not isinstance(text, str):
        raise StatementError(f"a statement is text, not a {type(text).__name__}. Nothing was sent.")
    if len(text) > LONGEST:
        raise StatementError(f"the text has {len(text):,} characters; {LONGEST:,} are the most. Nothing was sent.")
    odd = re.search("[\0\ud800-\udfff]", text)
    if odd:
        message = f"{odd[0]!r} is no letter that SQL text can hold. Nothing was sent."
        raise StatementError(message).mark(text, odd.start(), odd.end())
    tokens = _tokenize(text)
    if len(tokens) > MOST_WORDS:
        hint = "Bind a long list: IN :name."
        raise StatementError(f"the text has {len(tokens):,} words; {MOST_WORDS:,} are the most.", hint=hint)
    parts = [list(part) for is_end, part in groupby(tokens, _is_semicolon) if not is_end]
    if len(parts) > MOST_STATEMENTS:
        raise StatementError(f"the text has {len(parts):,} statements; {MOST_STATEMENTS} are the most.")
    if not parts:
        raise StatementError("there is no statement. Nothing was sent.")
    return [_guarded(part, text) for part in parts]


def _tokenize(text: str) -> list[Token]:
    try:
        return StackQL().tokenize(text)
    except TokenError as error:
        end = len(text.rstrip())
        comment = text.rfind("/*")
        if comment >= 0 and "*/" not in text[comment:] and not text.count("'") % 2:
            raise StatementError("a comment is opened here and not closed.").mark(text, comment, end) from None
        start = text.rfind("'") if text.count("'") % 2 else text.rfind('"') if text.count('"') % 2 else error.start
        message = "a quote or comment is not closed." if start is None else "a quote is opened here and not closed."
        hint = "A quote within a text is doubled: 'it''s'."
        raise StatementError(message, hint=hint).mark(text, start or 0, end) from None


def _is_semicolon(token: Token) -> bool:
    return token.token_type == TokenType.SEMICOLON


def _guarded(tokens: list[Token], text: str) -> Statement:
    """Read one statement; what sqlglot stumbles over is the statement's error, not ours."""
    try:
        return _statement(Cursor(tokens, text))
    except UsageError:
        raise
    except RecursionError:
        error = StatementError("the brackets are nested too deep.")
        raise error.mark(text, tokens[0].start, tokens[0].end + 1) from None
    except Exception as error:  # noqa: BLE001 - sqlglot raises all kinds over text that is no SQL
        message = f"this cannot be read as a statement ({type(error).__name__})."
        raise StatementError(message).mark(text, tokens[0].start, tokens[-1].end + 1) from None


def _statement(cursor: Cursor) -> Statement:
    word = cursor.word
    read = _STATEMENTS.get(word) or (_query if word in {"", "("} else None)
    if read is None:
        known = sorted(_STATEMENTS)
        close = get_close_matches(word, known, n=2, cutoff=0.6)
        hint = _INSTEAD.get(word) or did_you_mean(close, known).strip()
        raise cursor.error(f"no statement begins with {word}.", hint)
    return replace(read(cursor), text=cursor.text)


def _query(cursor: Cursor) -> Statement:
    """Read a query or one of three writes, which begin alike with CTEs; REPLACE t SET is UPDATE t SET."""
    tokens, hints = cursor.rest, set[str]()
    if not tokens:
        raise cursor.error("a query is missing here.")
    if tokens[0].text.upper() == "REPLACE":
        first = tokens[0]
        tokens[0] = Token(TokenType.UPDATE, "UPDATE", first.line, first.col, first.start, first.end)
    for token in tokens:
        if token.token_type == TokenType.HINT:
            hints |= _words_of(token, cursor)
    made = _of_tree(read_tree([token for token in tokens if token.token_type != TokenType.HINT], cursor), cursor)
    return replace(made, is_awaited="AWAIT" in hints) if isinstance(made, (Insert, Update, Delete)) else made


def _of_tree(tree: exp.Expr, cursor: Cursor) -> Statement:
    if isinstance(tree, (exp.Query, exp.Pivot, exp.Values)):
        return Select(tree)
    if isinstance(tree, exp.Insert):
        return Insert(tree)
    if isinstance(tree, exp.Update):
        return Update(tree)
    if isinstance(tree, exp.Delete):
        return Delete(tree)
    raise cursor.error("this is no query.", f"Statements begin with {', '.join(sorted(_STATEMENTS))}.")


def _hints(cursor: Cursor) -> set[str]:
    token = cursor.take_kind(TokenType.HINT)
    return set() if token is None else _words_of(token, cursor)


def _words_of(token: Token, cursor: Cursor) -> set[str]:
    words = token.text.upper().removeprefix("/*+").removesuffix("*/").replace(",", " ").split()
    for hint in words:
        if hint not in HINTS:
            error = StatementError(f"no hint {hint}.", hint=f"Known: {', '.join(HINTS)}.")
            raise error.mark(cursor.text, token.start, token.end + 1)
    return set(words)


def _exec(cursor: Cursor) -> Statement:
    cursor.take()
    hints = _hints(cursor)
    path = cursor.take_path()
    arguments: list[tuple[str, exp.Expr]] = []
    body = None
    while cursor.rest:
        cursor.take_kind(TokenType.COMMA)
        if not cursor.take_kind(TokenType.PARAMETER):
            raise cursor.error("a parameter is missing here.", "Write @name = value, or @@json = '{...}'.")
        is_body = cursor.take_kind(TokenType.PARAMETER) is not None
        name = cursor.take_path()
        cursor.expect("=")
        value = _value(cursor)
        if body is not None:
            raise StatementError("@@json comes last.").mark(cursor.text, name.start, name.end)
        if not is_body:
            arguments.append((str(name), value))
        elif str(name).lower() == "json":
            body = value
        else:
            raise StatementError(f"no @@{name}; there is @@json.").mark(cursor.text, name.start, name.end)
    return Exec(path, tuple(arguments), body, shows_results="SHOWRESULTS" in hints, is_awaited="AWAIT" in hints)


def _value(cursor: Cursor) -> exp.Expr:
    """Read what an EXEC parameter may be: a text, a number, true, false, NULL, or :name."""
    tokens = [cursor.take()]
    while tokens[-1].text in {"-", ":", "."} and cursor.rest:
        tokens.append(cursor.take())
    tree = read_tree(tokens, cursor, exp.Condition)
    is_number = isinstance(tree, exp.Neg) and isinstance(tree.this, exp.Literal)
    if is_number or isinstance(tree, (exp.Literal, exp.Boolean, exp.Null, exp.Placeholder)):
        return tree
    hint = "Write a text in single quotes, a number, true, false, NULL or :name."
    error = StatementError("this is no value.", hint=hint)
    raise error.mark(cursor.text, tokens[0].start, tokens[-1].end + 1)


def _show(cursor: Cursor) -> Statement:
    cursor.take()
    is_extended = bool(cursor.take_word("EXTENDED"))
    if cursor.take_word("INSERT"):
        only_required = "REQUIRED" in _hints(cursor)
        cursor.expect("INTO")
        path = cursor.take_path()
        cursor.end()
        return Show("INSERT", path, only_required=only_required)
    what = cursor.expect(*SHOWN)
    within = cursor.take_path() if cursor.take_word("IN", "FROM") else None
    like = where = None
    if cursor.take_word("LIKE"):
        like = _value(cursor)
    elif cursor.take_word("WHERE"):
        if not cursor.rest:
            raise cursor.error("a condition is missing here.")
        where = read_tree(cursor.rest, cursor, exp.Condition)
        return Show(what, within, like, where, is_extended)
    cursor.end()
    return Show(what, within, like, where, is_extended)


def _describe(cursor: Cursor) -> Statement:
    cursor.take()
    is_method = is_extended = False
    while word := cursor.take_word("METHOD", "EXTENDED", "TABLE"):
        is_method |= word == "METHOD"
        is_extended |= word == "EXTENDED"
    path = cursor.take_path()
    cursor.end()
    return Describe(path, is_method, is_extended)


def _explain(cursor: Cursor) -> Statement:
    """EXPLAIN a statement; before a name alone it is DESCRIBE, as in StackQL."""
    cursor.take()
    explained = Cursor(cursor.rest, cursor.text)
    if cursor.word not in {*_STATEMENTS, "("}:
        path = cursor.take_path()
        if not cursor.rest:
            return Describe(path)
    return Explain(_statement(explained))


def _create(cursor: Cursor) -> Statement:
    """CREATE [OR REPLACE] VIEW name AS query; nothing else is created."""
    cursor.take()
    may_replace = bool(cursor.take_word("OR") and cursor.expect("REPLACE"))
    _expect_view(cursor)
    name = _view_name(cursor)
    cursor.expect("AS")
    query = _query(cursor)
    if not isinstance(query, Select) or not isinstance(query.tree, exp.Query):
        raise cursor.error("a view is a SELECT.")
    return CreateView(name, replace(query, text=cursor.text), may_replace)


def _drop(cursor: Cursor) -> Statement:
    cursor.take()
    _expect_view(cursor)
    may_miss = bool(cursor.take_word("IF") and cursor.expect("EXISTS"))
    name = _view_name(cursor)
    cursor.end()
    return DropView(name, may_miss)


def _expect_view(cursor: Cursor) -> None:
    if not cursor.take_word("VIEW"):
        hint = "Write CREATE VIEW name AS SELECT ..., or DROP VIEW name."
        raise cursor.error("only views are created and dropped.", hint)


def _view_name(cursor: Cursor) -> str:
    path = cursor.take_path()
    if len(path.parts) > 1:
        raise StatementError("a view has a name without dots.").mark(cursor.text, path.start, path.end)
    return path.parts[0]


def _note(cursor: Cursor) -> Statement:
    word = cursor.take().text.upper()
    return Note(word, tuple(cursor.text[token.start : token.end + 1] for token in cursor.rest))


_STATEMENTS: Mapping[str, Callable[[Cursor], Statement]] = {
    **dict.fromkeys(("SELECT", "WITH", "FROM", "VALUES", "PIVOT", "UNPIVOT"), _query),
    **dict.fromkeys(("INSERT", "UPDATE", "REPLACE", "DELETE"), _query),
    **dict.fromkeys(("EXEC", "EXECUTE"), _exec),
    "SHOW": _show,
    **dict.fromkeys(("DESCRIBE", "DESC"), _describe),
    "EXPLAIN": _explain,
    "CREATE": _create,
    "DROP": _drop,
    **dict.fromkeys(("REGISTRY", "AUTH", "USE", "SLEEP", "PURGE"), _note),
}
STATEMENT_WORDS = tuple(_STATEMENTS)
