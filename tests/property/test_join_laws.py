"""Laws of pushdown in joins: wherever a predicate stands, the rows are those of the same join over whole listings."""

# ruff: noqa: S608 - the SQL is the test's own

import pytest
from clauses import conditions
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from world import ARGUMENTS, unordered

import doimages
from doimages.errors import StatementError

quick = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
asked = st.sampled_from(list(ARGUMENTS))


def _of(alias: str, parameters: str) -> str:
    """Write parameters for one table of several."""
    for name in ("private", "tag_name", "type"):
        parameters = parameters.replace(name, f"{alias}.{name}")
    return parameters


KINDS_OF_JOIN = {
    "JOIN": ("a", "b"),  # whose parameters may stand in ON
    "LEFT JOIN": ("b",),
    "RIGHT JOIN": ("a",),
    "FULL JOIN": (),
    "SEMI JOIN": ("b",),
}
small = conditions("a.", "b.", leaves=3)


@settings(quick, max_examples=350)
@given(
    join=st.sampled_from(list(KINDS_OF_JOIN)),
    asks=st.fixed_dictionaries({"a": st.none() | asked, "b": st.none() | asked}),
    in_on=st.fixed_dictionaries({"a": st.booleans(), "b": st.booleans()}),
    on=st.none() | small,
    where=st.none() | small,
    key=st.sampled_from(["a.id = b.id", "a.name = b.name", "a.type = b.type AND a.min_disk_size = b.min_disk_size"]),
)
@example(
    join="LEFT JOIN",
    asks={"a": None, "b": None},
    in_on={},
    on="b.type = 'base'",
    where="b.id IS NULL",
    key="a.id = b.id",
)
@example(
    join="LEFT JOIN", asks={"a": None, "b": None}, in_on={}, on=None, where="b.id IN (NULL, 42)", key="a.id = b.id"
)
@example(
    join="LEFT JOIN", asks={"a": None, "b": None}, in_on={}, on="a.type = 'snapshot'", where=None, key="a.id = b.id"
)
@example(join="RIGHT JOIN", asks={"a": None, "b": None}, in_on={}, on="b.id = 200002364", where=None, key="a.id = b.id")
@example(
    join="LEFT JOIN",
    asks={"a": None, "b": "private"},
    in_on={"b": False},
    on=None,
    where="b.public IS NOT TRUE",
    key="a.id = b.id",
)
def test_joins_are_those_of_whole_listings(world, join, asks, in_on, on, where, key):
    """A self-join gives what it gives over two listings read with these arguments, wherever its predicates stand.

    A parameter in WHERE speaks of rows of the API: a row that the join made up is none.
    """
    semi = join == "SEMI JOIN"
    clauses = {"on": [key, *filter(None, [on])], "where": [] if where is None or semi else [f"({where})"]}
    over = {name: list(parts) for name, parts in clauses.items()}
    for alias in ("a", "b"):
        if asks[alias]:
            place = "on" if alias in KINDS_OF_JOIN[join] and (in_on.get(alias) or (semi and alias == "b")) else "where"
            clauses[place].append(_of(alias, asks[alias]))
            if place == "where":
                over["where"].append(f"{alias}.id IS NOT NULL")

    def write(parts, a: str, b: str) -> str:
        ending = f" WHERE {' AND '.join(parts['where'])}" if parts["where"] else ""
        columns = "a.id" if semi else "a.id, b.id, a.name, b.type"
        brackets = [f"({part})" for part in parts["on"]]
        return f"SELECT {columns} FROM {a} a {join} {b} b ON {' AND '.join(brackets)}{ending}"

    found, _ = world.read(write(clauses, "images", "images"))
    expected = world.over(write(over, "one", "two"), one=asks["a"] or "", two=asks["b"] or "")
    assert unordered(found) == unordered(expected)


@settings(quick, max_examples=100)
@given(
    joins=st.lists(
        st.tuples(
            st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]),
            conditions("a.", "NEW.", "OLD.", leaves=2),
        ),
        min_size=2,
        max_size=2,
    ),
    where=conditions("a.", "t1.", "t2.", leaves=2),
)
def test_chains_of_joins_are_those_of_whole_listings(world, joins, where):
    """Three tables joined one after the other give what they give over listings."""

    def write(table: str) -> str:
        text = f"SELECT a.id, t1.id, t2.id FROM {table} a"
        for number, (join, on) in enumerate(joins, 1):
            old, new = ("a", "t1")[number - 1], f"t{number}"
            on = on.replace("NEW.", f"{new}.").replace("OLD.", f"{old}.")  # noqa: PLW2901 - the aliases are known here
            text += f" {join} {table} {new} ON {old}.id = {new}.id AND ({on})"
        return f"{text} WHERE {where}"

    found, _ = world.read(write("images"))
    assert unordered(found) == unordered(world.over(write("one"), one=""))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.id FROM images a LEFT JOIN images b ON a.id = b.id AND a.private = true",
        "SELECT a.id FROM images a RIGHT JOIN images b ON a.id = b.id AND b.private = true",
        "SELECT a.id FROM images a FULL JOIN images b ON a.id = b.id AND b.private = true",
        "SELECT a.id FROM images a ANTI JOIN images b ON a.id = b.id AND a.private = true",
        "SELECT a.id FROM images a LEFT JOIN images b ON a.id = b.id AND a.tag_name = b.tag_name",
        "SELECT id FROM images GROUP BY id HAVING private = true",
    ],
)
def test_parameter_in_a_join_that_keeps_its_rows_is_refused(world, sql):
    """A parameter in the ON of a table whose rows an outer join keeps cannot be a request, and is an error."""
    world.state.log.clear()
    with pytest.raises(StatementError):
        doimages.read_do_images(sql, client=world.client)
    assert not world.state.log
