"""Laws of the parser: what it reads it prints and reads again as the same; what it cannot read is a StatementError."""

from dataclasses import fields, replace

import grammar
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from doimages.errors import SHORT_LINES, StatementError
from doimages.sql.parse import parse
from doimages.sql.statements import Statement

quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def plain(statement: Statement) -> Statement:
    """Take the brackets out of the trees, which say by themselves what belongs together: the printer adds some."""
    held = {}
    for field in fields(statement):
        value = getattr(statement, field.name)
        if isinstance(value, exp.Expr):
            held[field.name] = value.transform(lambda node: node.unnest() if isinstance(node, exp.Paren) else node)
        elif isinstance(value, Statement):
            held[field.name] = plain(value)
    return replace(statement, **held)


def check_round_trip(text: str) -> None:
    [statement] = parse(text)
    [again] = parse(str(statement))
    assert plain(again) == plain(statement)
    assert str(again) == str(statement)


FORMS = {
    "expression": grammar.expressions.map("SELECT {}".format),
    "query": grammar.queries,
    "write": grammar.writes,
    "exec": grammar.execs,
    "show": grammar.shows,
    "describe": grammar.describes,
    "view": grammar.views,
    "note": grammar.notes,
    "explain": grammar.explains,
}


@pytest.mark.parametrize("form", FORMS)
def test_statement_that_is_printed_reads_as_itself(form):
    """Every form of the grammar is read; printed and read again it is the same statement, and prints the same."""

    @quick
    @given(FORMS[form])
    def law(text):
        check_round_trip(text)

    law()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT lag(id) OVER (ORDER BY id RANGE UNBOUNDED PRECEDING) FROM images",
        "SELECT sum(id) OVER (ORDER BY id ROWS 2 PRECEDING EXCLUDE TIES) FROM images",
        "SELECT extract(dow FROM created_at) FROM images",
        "SELECT upper(id::int), reverse(id::text), lower(id::date) FROM images",
        "SELECT /*+ SHOWRESULTS */ id FROM images",
        "SELECT count(DISTINCT (a, b)), count(DISTINCT a, b) FROM images",
        'USE "it\'s; -- not this"',
        "AUTH LOGIN ''",
        "EXEC images._list @size = .5, @other = -.5",
        "DELETE FROM \"delete\" WHERE name = 'DELETE'",
        "WITH d AS (SELECT 'DELETE') DELETE /*+ AWAIT */ FROM images WHERE id IN (SELECT 1 FROM d)",
        'WITH "INSERT" AS (SELECT 1) INSERT /*+ AWAIT */ INTO images (name) SELECT * FROM "INSERT"',
    ],
)
def test_statement_that_once_printed_otherwise(text):
    """These were seen to print as something else, or are near to it."""
    check_round_trip(text)


@quick
@given(st.lists(grammar.statements, min_size=1, max_size=3), st.sampled_from([";", " ; ", ";\n", ";;", ";-- x;\n"]))
def test_semicolons_part_statements(texts, between):
    """A text of several statements is those statements, however often `;` stands between them and at the end."""
    together = parse(between.join(texts) + between)
    assert together == [statement for text in texts for statement in parse(text)]
    assert parse("; ".join(map(str, together))) == [one for statement in together for one in parse(str(statement))]


def refusal_of(text: str) -> StatementError | None:
    """Parse a text; what is read must be read again when it is printed."""
    try:
        statements = parse(text)
    except StatementError as error:
        return error
    for statement in statements:
        parse(str(statement))
    return None


def check_refusal(text: str) -> None:
    """Anything is statements, or a StatementError that points into the text and shows in three lines."""
    error = refusal_of(text)
    if error is None:
        return
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines), (error.line, str(error))
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1, (error.column, str(error))
    shown = error._render_traceback_()
    assert 1 <= len(shown) <= SHORT_LINES
    assert all(line.isprintable() for line in shown), shown
    if len(shown) == SHORT_LINES and set(shown[2]) == {" ", "^"}:
        place = shown[2].index("^")
        letter = lines[error.line - 1][error.column - 1 : error.column]
        assert shown[1][place : place + 1] == (letter if letter.isprintable() else " "), shown


@settings(quick, max_examples=1000)
@given(st.text(max_size=60))
@example("\r")
@example("\x0b'")
@example("SELECT\x85'")
@example("SELECT 1;\x0bSELECT 2; FROM FROM")
@example("SELECT 'a\u2028")
@example("\ud800")
@example("SELECT '\ud800")
def test_text_is_statements_or_refused(text):
    """No text whatever makes the parser raise anything but a StatementError."""
    check_refusal(text)


WORDS = (
    *("SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "CASE", "WHEN", "THEN"),
    *("ELSE", "END", "WITH", "AS", "UNION", "EXCEPT", "JOIN", "LEFT", "ON", "USING", "GROUP", "BY", "HAVING", "ORDER"),
    *("LIMIT", "OFFSET", "QUALIFY", "OVER", "PARTITION", "WINDOW", "PIVOT", "UNPIVOT", "VALUES", "DISTINCT", "ALL"),
    *("INSERT", "INTO", "RETURNING", "UPDATE", "REPLACE", "SET", "DELETE", "EXEC", "SHOW", "EXTENDED", "METHODS"),
    *("DESCRIBE", "METHOD", "EXPLAIN", "CREATE", "VIEW", "DROP", "TABLE", "REGISTRY", "PULL", "USE", "SLEEP", "AUTH"),
    *("ATTACH", "COPY", "PRAGMA", "INSTALL", "LOAD", "CAST", "INTERVAL", "EXTRACT", "EXISTS", "LATERAL", "RECURSIVE"),
    *("images", "id", "name", "digitalocean.images.images", "tags", "json_each(tags)", "count(*)", "lambda", "x -> x"),
    *("'a'", "'", '"', '"b"', "`", "''", "$$", "$1", "$a", "e'", "x'", "1", "1.5", ".", "1e", "0x", "(", ")", "[", "]"),
    *("{", "}", ",", ";", "*", "=", "<>", "->", "->>", "::", ":", ":p", "@", "@@json", "?", "%", "#", "--", "/*", "*/"),
    *("/*+", "/*+ AWAIT */", "/*+ SHOWRESULTS */", "/*+ NO */", "\n", "\t", "\\", "é", "🚀", "\u2028", "\0", "\r\n"),
)


@settings(quick, max_examples=1500)
@given(st.lists(st.sampled_from(WORDS), max_size=14), st.sampled_from([" ", "", " ", "\n"]))
def test_soup_of_words_is_statements_or_refused(words, between):
    """No order of SQL's words, quotes, brackets, comments and hints does either."""
    check_refusal(between.join(words))


@settings(quick, max_examples=600)
@given(grammar.statements, st.data())
def test_statement_that_is_damaged_is_read_or_refused(text, data):
    """Nor does a statement of which a part is gone, doubled, or something else."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    put = data.draw(st.one_of(st.just(""), st.sampled_from(WORDS), st.just(text[start:end] * 2)))
    check_refusal(text[:start] + put + text[end:])


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("[", "]"), ("SELECT (", ")"), ("NOT ", ""), ("- ", "")])
def test_deep_statement_is_refused(opening, closing):
    """A statement that is nested without end is refused, not a crash."""
    check_refusal(f"SELECT {opening * 3000}1{closing * 3000}")
