"""SHOW, DESCRIBE and the statements that change nothing here: exact rows, every alias, and what unknown names get."""

import json
import sqlite3
from importlib.metadata import version

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot import exp

from doimages.errors import StatementError
from doimages.resources import RESOURCES
from doimages.schema import ACTIONS, IMAGES
from doimages.sql.bind import bind
from doimages.sql.catalog import answer
from doimages.sql.lookup import find_resource
from doimages.sql.parse import parse
from doimages.sql.statements import Path

T = "digitalocean.images.images"
# product.md, "Seven methods".
SEVEN = [
    ("get", "image_id", "SELECT"),
    ("list", "", "SELECT"),
    ("create_custom", "data__name, data__region, data__url", "INSERT"),
    ("delete", "image_id", "DELETE"),
    ("_get", "image_id", "EXEC"),
    ("_list", "", "EXEC"),
    ("update", "image_id", "EXEC"),
]
METHODS = [*SEVEN, ("convert", "image_id", "EXEC"), ("transfer", "image_id, data__region", "EXEC")]
TYPES = [
    ("id", "integer"),
    ("name", "string"),
    ("description", "string"),
    ("tags", "array"),
    ("regions", "array"),
    ("type", "string"),
    ("slug", "string"),
    ("status", "string"),
    ("min_disk_size", "integer"),
    ("public", "boolean"),
    ("created_at", "string"),
    ("distribution", "string"),
    ("error_message", "string"),
    ("size_gigabytes", "number"),
]
PATHS = [path for resource in RESOURCES for path in resource.paths]


def ask(statement, views=()):
    """Give the columns and the rows of the answer to one statement."""
    rows = answer(parse(statement)[0], views)
    return rows.column_names, list(zip(*(column.to_pylist() for column in rows.columns), strict=True))


def name_of(dotted):
    return Path(tuple(dotted.split(".")), 0, len(dotted))


@pytest.mark.parametrize(
    ("statement", "columns", "rows"),
    [
        ("SHOW PROVIDERS", ["name", "version"], [("digitalocean", version("doimages"))]),
        ("SHOW VERSION", ["version"], [(version("doimages"),)]),
        (
            "SHOW SERVICES IN digitalocean",
            ["id", "name", "title"],
            [("digitalocean.images", "images", "Images"), ("digitalocean.compute", "compute", "Compute")],
        ),
        (
            "SHOW RESOURCES IN digitalocean.images",
            ["id", "name"],
            [("digitalocean.images.images", "images"), ("digitalocean.images.actions", "actions")],
        ),
        (
            "show resources in DigitalOcean.Compute",
            ["id", "name"],
            [("digitalocean.compute.images", "images"), ("digitalocean.compute.image_actions", "image_actions")],
        ),
        (
            "SHOW TABLES",
            ["id", "name"],
            [
                ("digitalocean.images.images", "images"),
                ("digitalocean.images.actions", "actions"),
                ("digitalocean.compute.images", "images"),
                ("digitalocean.compute.image_actions", "image_actions"),
            ],
        ),
        (f"SHOW METHODS IN {T}", ["MethodName", "RequiredParams", "SQLVerb"], SEVEN),
        ("SHOW METHODS IN images", ["MethodName", "RequiredParams", "SQLVerb"], METHODS),
        ("SHOW METHODS IN digitalocean.compute.images", ["MethodName", "RequiredParams", "SQLVerb"], METHODS),
        (
            "SHOW METHODS IN digitalocean.images.actions",
            ["MethodName", "RequiredParams", "SQLVerb"],
            [
                ("get", "image_id, action_id", "SELECT"),
                ("list", "image_id", "SELECT"),
                ("post", "image_id, data__type", "INSERT"),
            ],
        ),
        (
            "SHOW AUTH",
            ["provider", "type", "variables"],
            [("digitalocean", "token", "DIGITALOCEAN_TOKEN, DIGITALOCEAN_ACCESS_TOKEN")],
        ),
        (f"DESCRIBE {T}", ["name", "type"], TYPES),
        (f"DESC {T}", ["name", "type"], TYPES),
        ("EXPLAIN images", ["name", "type"], TYPES),
        (
            "DESCRIBE METHOD images.delete",
            ["name", "type", "param_type", "shape"],
            [("image_id", "integer", "input_required", '{"type":"integer"}')],
        ),
    ],
)
def test_a_statement_about_the_catalog_has_these_rows(statement, columns, rows):
    """SHOW and DESCRIBE answer with StackQL's columns, and with every row there is."""
    assert ask(statement) == (columns, rows)


@pytest.mark.parametrize(
    ("statement", "more"),
    [
        ("SHOW EXTENDED SERVICES IN digitalocean", ["description", "preferred", "version"]),
        ("SHOW EXTENDED RESOURCES IN digitalocean.images", ["description"]),
        ("SHOW EXTENDED METHODS IN images", ["description"]),
        ("DESCRIBE EXTENDED images", ["description"]),
        ("DESCRIBE METHOD EXTENDED images.get", ["description"]),
    ],
)
def test_extended_adds_columns_and_changes_no_other(statement, more):
    """EXTENDED gives the same rows with columns more, none of them empty."""
    columns, rows = ask(statement.replace(" EXTENDED", ""))
    longer, wider = ask(statement)
    assert longer == columns + more
    assert [row[: len(columns)] for row in wider] == rows
    assert all(all(row[len(columns) :]) for row in wider)


def test_descriptions_are_those_of_the_schema():
    """DESCRIBE EXTENDED says of each column what the schema says."""
    assert [row[2] for row in ask(f"DESCRIBE EXTENDED {T}")[1]] == [column.description for column in IMAGES.columns]


@pytest.mark.parametrize("statement", ["SHOW VIEWS", "SHOW PROVIDERS LIKE 'aws'", "SHOW METHODS IN images"])
def test_texts_are_texts_also_without_rows(statement):
    """Every column is text, and the same for no rows."""
    assert set(answer(parse(statement)[0]).schema.types) == {pa.string()}


def test_views_are_those_that_were_given():
    """SHOW VIEWS lists the views of the session, and LIKE picks among them."""
    assert ask("SHOW VIEWS", ["old", "large"]) == (["name"], [("old",), ("large",)])
    assert ask("SHOW VIEWS LIKE 'l%'", ["old", "large"])[1] == [("large",)]


def test_the_seven_methods_of_the_seed_come_first():
    """The methods of StackQL's own page stand first, in its order, with its required parameters and verbs."""
    assert ask(f"SHOW METHODS IN {T}")[1] == SEVEN


def test_like_picks_by_the_first_column():
    """LIKE on methods is not ignored, as StackQL does, and WHERE is left to the engine of the residual."""
    assert [row[0] for row in ask(f"SHOW METHODS IN {T} LIKE 'DEL%'")[1]] == ["delete"]
    assert [row[0] for row in ask(f"SHOW METHODS IN {T} LIKE '_get'")[1]] == ["_get"]
    assert ask(f"SHOW METHODS IN {T} WHERE SQLVerb = 'EXEC'")[1] == SEVEN


@given(pattern=st.text("gt._%*", max_size=5), names=st.lists(st.text("Ggt._*\n", max_size=5)))
@example(pattern="g%", names=["G", "g\nt", "tg"])
@example(pattern="g_", names=["g", "g\n", "gtt"])
def test_like_is_that_of_sqlite(pattern, names):
    """LIKE keeps what SQLite's LIKE keeps."""
    with sqlite3.connect(":memory:") as engine:
        kept = [name for name in names if engine.execute("SELECT ? LIKE ?", (name, pattern)).fetchone()[0]]
    engine.close()
    statement = parse(f"SHOW VIEWS LIKE '{pattern}'")[0]
    assert answer(statement, names).column(0).to_pylist() == kept


def test_like_without_a_text_is_refused():
    """LIKE takes a text only."""
    with pytest.raises(StatementError, match="LIKE takes a text in single quotes"):
        ask("SHOW PROVIDERS LIKE NULL")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("what", ["", " /*+ REQUIRED */"])
def test_the_insert_that_is_shown_can_be_parsed(path, what):
    """SHOW INSERT gives a statement that parses and binds: a value for each field, or for each required one."""
    columns, ((text,),) = ask(f"SHOW INSERT{what} INTO {path}")
    statement = parse(text)[0]
    (method,) = (method for method in find_resource(name_of(path), path).methods if method.verb == "INSERT")
    wanted = [parameter for parameter in method.parameters if parameter.required or not what]
    assert columns == ["insert_statement"]
    assert str(statement) == text
    assert [node.name for node in statement.tree.this.expressions] == [one.stackql_name for one in wanted]
    assert [node.name for node in statement.tree.find_all(exp.Placeholder)] == [one.name for one in wanted]
    assert not list(bind(statement.tree, lambda name: f"a {name}", text).find_all(exp.Placeholder))


def test_the_insert_of_images_has_these_fields():
    """The template for images has StackQL's names of the fields."""
    assert ask("SHOW INSERT /*+ REQUIRED */ INTO images")[1] == [
        ("INSERT INTO images (data__name, data__region, data__url) VALUES (:name, :region, :url)",)
    ]


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("get", ["image_id"], IMAGES.column_names),
        ("list", ["type?", "private?", "tag_name?", "per_page?", "page?"], IMAGES.column_names),
        (
            "create_custom",
            ["data__name", "data__region", "data__url", "data__distribution?", "data__description?", "data__tags?"],
            IMAGES.column_names,
        ),
        ("_get", ["image_id"], ("image",)),
        ("_list", ["type?", "private?", "tag_name?", "per_page?", "page?"], ("images", "links", "meta")),
        (
            "update",
            ["image_id", "data__name?", "data__distribution?", "data__description?"],
            IMAGES.column_names,
        ),
        ("transfer", ["image_id", "data__region"], ACTIONS.column_names),
    ],
)
def test_a_method_tells_what_it_takes_and_what_it_gives(name, inputs, outputs):
    """DESCRIBE METHOD lists the parameters, then the fields of the reply, each with its type as a JSON schema."""
    rows = ask(f"DESCRIBE METHOD images.{name}")[1]
    marks = {"input_required": "", "input_optional": "?", "output": "!"}
    assert [field + marks[use] for field, _, use, _ in rows] == [*inputs, *(f"{output}!" for output in outputs)]
    assert all(json.loads(shape)["type"] == word for _, word, _, shape in rows)


@pytest.mark.parametrize(
    ("path", "field", "shape"),
    [
        ("images.get", "tags", '{"type":"array","items":{"type":"string"}}'),
        ("images.get", "created_at", '{"type":"string","format":"date-time"}'),
        ("images.convert", "region", '{"type":"object"}'),
    ],
)
def test_shapes_are_compact_json_schema(path, field, shape):
    """Lists, times and objects have their shape told, without a blank."""
    assert {row[0]: row[3] for row in ask(f"DESCRIBE METHOD {path}")[1]}[field] == shape


def test_a_whole_reply_has_the_shape_of_its_records():
    """What _get and _list give back is the body: one image, or an array of them."""
    one = {row[0]: json.loads(row[3]) for row in ask("DESCRIBE METHOD images._get")[1]}["image"]
    many = {row[0]: json.loads(row[3]) for row in ask("DESCRIBE METHOD images._list")[1]}["images"]
    assert tuple(one["properties"]) == IMAGES.column_names
    assert many == {"type": "array", "items": one}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("REGISTRY LIST", "The one provider is digitalocean; doimages brings it with it."),
        ("REGISTRY PULL DigitalOcean v1", "Nothing to pull: doimages brings digitalocean with it."),
        ("REGISTRY PULL aws", "Nothing to pull: doimages brings digitalocean with it, no other."),
        ("USE digitalocean", "USE changes nothing: a table is named in full, or by its last part alone."),
        ("SLEEP 10", "SLEEP waits for nothing here."),
        ("PURGE", "Nothing to purge: no definitions are kept."),
    ],
)
def test_what_stackql_needs_is_answered_with_a_sentence(statement, message):
    """A script written for StackQL runs on: such a statement does nothing, and says so."""
    assert ask(statement) == (["message"], [(message,)])


@pytest.mark.parametrize("word", ["LOGIN", "REVOKE"])
def test_auth_names_the_variables_of_the_token(word):
    """AUTH says that there is no login, and where a token is looked for."""
    assert "DIGITALOCEAN_TOKEN, DIGITALOCEAN_ACCESS_TOKEN" in ask(f"AUTH {word} digitalocean")[1][0][0]
