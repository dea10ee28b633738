"""The vectors of statements about statements, and about the tables: none of them sends a request."""

# ruff: noqa: S608 - statements are what is tested here

import pytest
from desk import T, hold, listing

from doimages.errors import StatementError


def test_vector_98_finds_methods_by_pattern(desk):
    """LIKE is not ignored."""
    methods = desk.ask(f"SHOW METHODS IN {T} LIKE 'del%'")
    assert methods.columns.tolist() == ["MethodName", "RequiredParams", "SQLVerb"]
    assert methods.to_numpy().tolist() == [["delete", "image_id", "DELETE"]]
    assert desk.sent == []


def test_vector_98_finds_methods_by_condition(desk):
    """WHERE is applied, to the columns as they are named; StackQL ends in a crash."""
    methods = desk.ask(f"SHOW METHODS IN {T} WHERE SQLVerb='EXEC'")
    assert methods.MethodName.tolist() == ["_get", "_list", "update"]
    assert desk.ask(f"SHOW METHODS IN {T} WHERE MethodName='delete'").SQLVerb.tolist() == ["DELETE"]
    assert desk.sent == []


def test_vector_100_shows_a_template_of_what_must_be_given(desk):
    """The template has the required fields and no others; without the hint, all of them."""
    template = desk.ask(f"SHOW INSERT /*+ REQUIRED */ INTO {T}").insert_statement.item()
    assert template.startswith(f"INSERT INTO {T}")
    for field in ("data__name", "data__region", "data__url"):
        assert field in template
    assert "data__tags" not in template
    assert "data__tags" in desk.ask(f"SHOW INSERT INTO {T}").insert_statement.item()
    assert desk.sent == []


@pytest.mark.parametrize(("word", "more"), [("", []), ("EXTENDED ", ["description"])])
def test_vector_101_describes_the_columns_of_the_frame(desk, word, more):
    """A row for each column of SELECT *, in its order."""
    described = desk.ask(f"DESCRIBE {word}{T}")
    assert described.columns.tolist() == ["name", "type", *more]
    assert described.name.tolist() == desk.images.columns.tolist()
    assert len(described) == 14
    assert desk.sent == []


def test_vector_103_explains_without_asking(desk):
    """EXPLAIN shows requests, what is pushed down, the residual and the dtypes, and does no GET."""
    plan = desk.ask(f"EXPLAIN SELECT id FROM {T} WHERE private=true AND public")
    assert desk.sent == []
    steps = dict(zip(plan.step, plan.detail, strict=True))
    requests = [detail for step, detail in zip(plan.step, plan.detail, strict=True) if step.startswith("requests")]
    assert requests[0] == "GET /v2/images?private=true&per_page=200&page=1"
    assert steps["pushed down to images_1"] == "private = true"
    residual = steps["residual, in DuckDB"]
    assert "public" in residual
    assert "private" not in residual
    assert steps["column id"] == "int64"


@pytest.fixture
def _no_views(monkeypatch):
    monkeypatch.setattr("doimages.execute.views", {})


@pytest.mark.usefixtures("_no_views")
def test_vector_105_reads_a_view_anew_each_time(desk):
    """A view is a saved query: nothing is sent for it before it is used, and it stays for the next cell."""
    own = [f"SELECT id FROM {T} WHERE private = true", listing(private="true")]
    expected = desk.ask(own[0])
    assert "Saved as v" in desk.ask(f"CREATE VIEW v AS {own[0]}").message.item()
    assert desk.sent == []
    for _ in range(2):
        hold(desk.ask("SELECT * FROM v"), expected)
        assert desk.sent == own[1]
    desk.ask("DROP VIEW v")
    assert desk.sent == []
    desk.refuse("SELECT * FROM v", StatementError)


@pytest.mark.usefixtures("_no_views")
def test_vector_105_in_one_text(desk):
    """The three statements in one cell read once, and leave no view behind."""
    script = f"CREATE VIEW v AS SELECT id FROM {T} WHERE private = true; SELECT * FROM v"
    assert len(desk.ask(script)) == len(desk.ask(f"SELECT id FROM {T} WHERE private = true"))
    desk.ask("DROP VIEW v")
    desk.ask(f"{script}; DROP VIEW v")
    assert desk.sent == listing(private="true")
    desk.refuse("SELECT * FROM v", StatementError)


@pytest.mark.parametrize("statement", ["REGISTRY PULL digitalocean", "USE digitalocean", "SLEEP 10"])
def test_vector_106_does_nothing_and_says_so(desk, statement):
    """What has no meaning here is answered by a sentence."""
    answer = desk.ask(statement)
    assert answer.columns.tolist() == ["message"]
    assert len(answer.message.item()) > 10
    assert desk.sent == []
