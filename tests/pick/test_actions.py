"""Actions and patterns of names: the plan that is made is the one of the Python and of the SQL that are shown."""

import pandas as pd
import pytest
from estate import estate
from scripted import image

import doimages
from doimages import changes, reader
from doimages.change.image import Image
from doimages.errors import UsageError
from doimages.pick.actions import ACTIONS
from doimages.pick.code import MAGIC, PYTHON, SQL
from doimages.pick.pattern import Pattern

NAMES = (
    "it's",
    'say "hi"',
    "{x}",
    "back\\slash",
    "two\nlines",
    "скриншот 🚀",
    "trailing  ",
    "<b>%s</b>",
    "\x1b[31m",
    "' --",
)
OWN = range(1, 1 + len(NAMES))
NAMELESS, UNDISTRIBUTED, UNDATED, CUSTOM, BACKUP = 20, 21, 22, 23, 24
OLD = "2024-03-01T23:59:59Z"
PATTERNS = (
    *("old-{name}", "{name}", "{id}", "{type}", "{date}", "{distribution}", "{name}{id}{date}", "{name}-{name}"),
    *("plain", "{{{name}}}", "{{}}", "{{name}}{id}", 'it\'s "{name}" 50% \\ {id}', "\\{name}", "é{date}🚀"),
    *("\\N{{DASH}}{name}\\", "\n{name}", "\x1b{name}", "'; DROP TABLE images; -- {id}", ":x {name} ? $1 %s"),
    *("#{name}/*", " {name} ", "VALUE{id}"),
)


@pytest.fixture(scope="module")
def account():
    odd = {
        NAMELESS: {"name": None},
        UNDISTRIBUTED: {"distribution": None},
        UNDATED: {"created_at": None},
        CUSTOM: {"type": "custom"},
        BACKUP: {"type": "backup"},
    }
    records = [image(number, name=name, created_at=OLD) for number, name in zip(OWN, NAMES, strict=True)]
    records += [image(number, **{"created_at": OLD} | fields) for number, fields in odd.items()]
    records += [image(number, created_at=OLD) for number in range(100, 130)]
    with estate(*records) as made:
        yield made


@pytest.fixture
def plans(account, monkeypatch):
    """Give a function that makes the plan of an action by itself, by its Python, and by its SQL if it has any."""
    for module in (reader, changes):
        monkeypatch.setattr(module, "shared_client", lambda *_, **__: account.here)

    def by_python(code):
        names = {"pd": pd}
        exec(code, names)  # noqa: S102 - what is tested is that it runs
        return names["plan"]

    def make(label, value, *ids):
        frame = doimages.read_do_images(client=account.here)
        codes = ACTIONS[label].codes(ids, value)
        ways = [
            lambda: ACTIONS[label].plan(frame[frame["id"].isin(ids)], value, account.here),
            lambda: by_python(codes[PYTHON.name]),
        ]
        if not codes[SQL.name].startswith("--"):
            assert codes[MAGIC.name] == f"%%doimages plan --show\n{codes[SQL.name]}"
            ways.append(lambda: doimages.read_do_images(codes[SQL.name]))
        return ways

    return make


def same(ways):
    """Make the plans, which must be of one fingerprint, and give the first."""
    plan, *others = [make() for make in ways]
    assert {one.fingerprint for one in others} == {plan.fingerprint}
    return plan


def fields(plan):
    return [(step.image.id, *step.fields.values()) for step in plan.steps]


@pytest.mark.parametrize(
    ("label", "value", "ids", "expected"),
    [
        ("delete", "", [1, 2], [(1,), (2,)]),
        ("set description", "it's {x} :a \\", [CUSTOM], [(CUSTOM, "it's {x} :a \\")]),
        ("set distribution", "Debian", [CUSTOM], [(CUSTOM, "Debian")]),
        ("convert to snapshot", "", [BACKUP], [(BACKUP,)]),
        ("transfer to a region", "fra1", [1, 3], [(1, "fra1"), (3, "fra1")]),
        ("transfer to a region", "nyc3", [1], []),
        ("tag", "prod", [1], [(1, "prod")]),
        ("untag", "prod", [1], []),
    ],
)
def test_plan_is_that_of_its_code(plans, label, value, ids, expected):
    """An action's plan, the Python's and the SQL's have the same steps and the same fingerprint."""
    assert fields(same(plans(label, value, *ids))) == expected


def test_every_action_is_tested(plans):
    """All actions there are have a test of their code; tags are the ones without SQL."""
    assert set(ACTIONS) == {
        *("delete", "rename", "set description", "set distribution", "convert to snapshot", "transfer to a region"),
        *("tag", "untag"),
    }
    assert {label for label in ACTIONS if len(plans(label, "x", 1)) == 2} == {"tag", "untag"}


@pytest.mark.parametrize("text", PATTERNS, ids=range(len(PATTERNS)))
def test_names_are_those_of_the_code(account, plans, text):
    """A pattern names each image as `str.format` would, and so do its Python and its SQL."""
    plan = same(plans("rename", text, *OWN))
    formatted = {
        number: text.format(name=name, id=number, type="snapshot", date=OLD[:10], distribution="Ubuntu")
        for number, name in zip(OWN, NAMES, strict=True)
    }
    assert dict(fields(plan)) == {one: made for one, made in formatted.items() if made != NAMES[one - 1]}
    records = {one: Image.of(account.state.images[one]) for one in OWN}
    assert {one: Pattern.of(text)(record) for one, record in records.items()} == formatted


@pytest.mark.parametrize(
    ("text", "number", "missing"),
    [
        *((text, NAMELESS, "name") for text in ("{name}", "old-{name}", "{id}{name}")),
        *((text, UNDISTRIBUTED, "distribution") for text in ("{distribution}", "{id}{distribution}")),
        *((text, UNDATED, "created_at") for text in ("{date}", "{date}{id}")),
    ],
)
def test_field_that_is_missing(account, plans, text, number, missing):
    """An image that lacks a field of the pattern is no plan by any of the three: none calls it None."""
    with pytest.raises(UsageError, match=f"it has no {missing}"):
        Pattern.of(text)(Image.of(account.state.images[number]))
    for make in plans("rename", text, number):
        with pytest.raises(UsageError, match="Nothing was changed"):
            make()


@pytest.mark.parametrize("text", ["", "  "])
def test_name_that_is_empty(plans, text):
    """An empty name is refused by all three."""
    for make in plans("rename", text, 1):
        with pytest.raises(UsageError, match="would be empty"):
            make()


@pytest.mark.parametrize(
    ("label", "value"), [("transfer to a region", "x'y"), ("set description", "dop_v1_" + "a" * 64)]
)
def test_value_that_is_refused(plans, label, value):
    """A region that there is none of, and a token in a text, are refused by all three."""
    for make in plans(label, value, CUSTOM):
        with pytest.raises(UsageError):
            make()


@pytest.mark.parametrize("text", ["{", "}", "{name", "name}", "{{name}", "x{"])
def test_brace_that_is_alone(text):
    """A brace that is no field's is refused, with how to write it."""
    with pytest.raises(UsageError, match=r"a brace too many: write {{ for a brace itself"):
        Pattern.of(text)


@pytest.mark.parametrize(
    "text",
    [
        *("{}", "{0}", "{bogus}", "{NAME}", "{ name}", "{name!r}", "{name:>5}", "{name.x}", "{name[0]}", "{name:{id}}"),
        *("{name.__class__}", "{__class__}", "{tags}"),
    ],
)
def test_field_that_is_unknown(text):
    """A field that is none is refused with those that are known, and so are formats and attributes."""
    with pytest.raises(UsageError, match=r"has the field .*known are {name}, {id}, {date}, {type}, {distribution}"):
        Pattern.of(text)
