"""The docs name everything there is, are as the code says, link to what exists, and their code runs."""

import argparse
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

import doimages
from doimages import cli
from doimages.accessor import ImagesAccessor
from doimages.change.operations import OPERATIONS as CHANGES
from doimages.change.outcome import OUTCOMES
from doimages.change.report import _DTYPES
from doimages.changes import GuardArguments, ImageChanges
from doimages.errors import DOImagesError
from doimages.notebook.flags import FLAGS, SUBCOMMANDS
from doimages.pick.actions import ACTIONS as PICKED_ACTIONS
from doimages.pick.code import SORTS
from doimages.pick.filters import FILTERS
from doimages.pick.pattern import _FIELDS
from doimages.resources import RESOURCES
from doimages.sandbox_api.app import OPERATIONS
from doimages.schema import ACCOUNT, ACTIONS, IMAGES, REGIONS, SNAPSHOTS, TAGS
from doimages.settings import SETTINGS, options
from doimages.sql import words
from doimages.sql.allowed import TABLE_FUNCTIONS
from doimages.sql.functions import OURS
from doimages.sql.parse import STATEMENT_WORDS
from doimages.sql.vocabulary import KNOWN

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip(f"no docs at {DOCS}, as in an sdist: pages and their outputs NOT checked", allow_module_level=True)
sys.path.append(str(DOCS))  # its scripts import each other

PAGES = [ROOT / "README.md", *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)]
REFERENCE = DOCS / "reference"
FENCE = re.compile(r"^(```+|:::+).*?^\1$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# What belongs to one machine, or to nobody's account: paths, indexes and mirrors, anything that looks like a token.
PRIVATE = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|work|Users|opt|usr|var|mnt)/\w"
    r"|[A-Z]:\\\\"
    r"|https?://[^\s)]*(?:pypi|/simple\b|artifactory|nexus|mirror)"
    r"|--(?:extra-)?index-url"
    r"|do[opr]_v1_[0-9a-f]{8}",
)


generate, run_pages, sql_page = (import_module(name) for name in ("generate", "run_pages", "sql_page"))


def read(page):
    return page.read_text(encoding="utf-8")


def name_of(page):
    return str(page.relative_to(ROOT))


def options_of_commands():
    commands = next(a for a in cli._parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    for name, command in commands.items():
        yield f"doimages {name}"
        yield from (spelling for action in command._actions for spelling in action.option_strings if len(spelling) > 2)


def all_errors(kind=DOImagesError):
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


def test_the_generated_pages_are_fresh():
    """Schema, flags, settings and errors are told as they are; `python docs/generate.py` writes them."""
    assert [name_of(page) for page in generate.list_differing()] == []


NAMED = [
    *(("python.md", name) for name in doimages.__all__ if not name.endswith("Error")),
    *(("errors.md", f"doimages.{kind.__name__}") for kind in all_errors() if kind.__name__ in doimages.__all__),
    *(("columns.md", f"`{c.name}`") for t in (IMAGES, ACTIONS, SNAPSHOTS, REGIONS, TAGS, ACCOUNT) for c in t.columns),
    *(("magic.md", spelling) for flag in FLAGS for spelling in flag.spellings),
    *(("magic.md", f"`{subcommand.word}") for subcommand in SUBCOMMANDS),
    *(("options.md", f"`{name}`") for name in SETTINGS),
    *(("options.md", f"`{setting.variable}`") for setting in SETTINGS.values()),
    *(("plans.md", f"`{name}`") for name in (*(CHANGES.keys() - {"create"}), *OUTCOMES, *_DTYPES)),
    *(("plans.md", f"`{change.verb}`") for change in CHANGES.values()),
    *(("plans.md", f"``{name}``") for name in GuardArguments.__annotations__),
    *(("picker.md", f"`{name}`") for name in (*FILTERS, *SORTS)),
    *(("python.md", f"py:attribute:: {name}") for name in doimages.ImagePicker.class_own_traits()),
    *(("picker.md", f"| {label} |") for label in PICKED_ACTIONS),
    *(("picker.md", f"`{{{name}}}`") for name in _FIELDS),
    *(("python.md", f"doimages.{kind.__name__}") for kind in (doimages.ImagePicker, doimages.Plan, doimages.Report)),
    *(("cli.md", name) for name in options_of_commands() if name != "--help"),
    *(("sandbox.md", f"`{method} {path}`") for method, path, _, _ in OPERATIONS),
    *(("sql.md", function.signature) for function in KNOWN),
    *(("sql.md", name.lower()) for name in (*OURS, *TABLE_FUNCTIONS)),
    *(("sql.md", f"`{path}`") for resource in RESOURCES for path in resource.paths),
    *(("sql.md", f"`{column.name}`") for resource in RESOURCES for column in resource.table.columns),
    *(
        ("sql.md", f"`{name}`")
        for resource in RESOURCES
        for method in resource.methods
        for name in (
            *method.names,
            *(name for parameter in method.parameters for name in (parameter.name, parameter.stackql_name)),
        )
    ),
]


@pytest.mark.parametrize(("page", "name"), sorted(set(NAMED)))
def test_the_reference_names(page, name):
    """Every public name, error, column, flag, setting, command, operation and word of SQL is in its reference page."""
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", read(REFERENCE / page))


def test_the_grammar_has_every_word_of_sql():
    """Statements, clauses, what SHOW shows and hints stand in the section of statements, not just somewhere."""
    section = read(REFERENCE / "sql.md").partition("## Statements")[2].partition("\n## ")[0]
    known = (*STATEMENT_WORDS, *words.KEYWORDS, *words.HINTS)
    assert [word for word in known if not re.search(rf"\b{word}\b", section)] == []


@pytest.fixture(scope="module")
def box():
    """A sandbox that statements are asked of as fast as they come."""
    with doimages.sandbox(rate_limit=10_000) as box:
        options.requests_per_minute = 10_000
        yield box
    options.reset()


@pytest.mark.parametrize("told", list(sql_page.differences()), ids=lambda told: told["write"] or told["what"])
def test_a_difference_from_stackql_is_as_told(box, told):
    """What the page says is done here is what a statement gives, sends or is refused with; or another test holds it."""
    given = told.keys() & {"first", "rows", "sent", "refused", "explained", "test"}
    assert given
    if "test" in given:
        path, name = told["test"].split("::")
        assert f"def {name}(" in read(ROOT / path)
        return
    log = box._server.state.log
    log.clear()
    statement = f"EXPLAIN {told['write']}" if "explained" in told else told["write"]
    if "refused" in told:
        with pytest.raises(doimages.UsageError, match=re.escape(told["refused"])):
            doimages.read_do_images(statement, client=box.client)
        assert not log
        return
    frame = doimages.read_do_images(statement, client=box.client)
    if "explained" in told:
        assert frame.detail.iloc[-1].startswith(told["explained"])
    found = {"rows": len(frame), "sent": len(log), "first": frame.iat[0, 0] if len(frame) else None}
    assert {name: found[name] for name in given & found.keys()} == {name: told[name] for name in given & found.keys()}


@pytest.mark.parametrize("kind", [ImagesAccessor, ImageChanges])
def test_the_reference_shows_every_member_of_the_accessor(kind):
    """Autodoc shows those with a docstring; a member without one would be missing."""
    members = [name for name in vars(kind) if not name.startswith("_")]
    assert members
    assert [name for name in members if not getattr(kind, name).__doc__] == []
    name = re.escape(f"{kind.__module__}.{kind.__name__}")
    assert re.search(rf"autoclass:: {name}\n +:members:\n", read(REFERENCE / "python.md"))


@pytest.mark.parametrize("kind", [doimages.ImagePicker, doimages.Plan, doimages.Report])
def test_the_members_that_the_reference_names_are_there(kind):
    """What is listed of a picker, a plan and a report exists, and says in a docstring what it is."""
    named = re.search(rf"autoclass:: doimages\.{kind.__name__}\n +:members: (.+)", read(REFERENCE / "python.md"))[1]
    assert [name for name in named.split(", ") if not getattr(kind, name).__doc__] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """Every relative link of a page is a file of the checkout, and every anchor a heading of it."""
    for link in LINK.findall(FENCE.sub("", read(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        headings = re.findall(r"^#+ (.+)$", FENCE.sub("", read(target)), re.MULTILINE) if anchor else []
        slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert not anchor or anchor in slugs, link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_private_is_on_a_page(page):
    """No path of a machine, no address of a package index, nothing that could be a token."""
    found = PRIVATE.search(read(page))
    assert found is None, found[0]


@pytest.mark.parametrize("bad", ["see /home/me/x", "https://pypi.example/simple/", "dop_v1_0123abcd4567"])
def test_what_is_private_is_found(bad):
    """The search above does find such things."""
    assert PRIVATE.search(bad)


@pytest.mark.parametrize("page", run_pages.PAGES, ids=name_of)
def test_the_code_of_a_page_runs(page):
    """Every cell of README.md, the tutorials and the how-to pages runs on the sandbox and gives the output shown.

    `python docs/run_pages.py --write` stores the outputs of now.
    """
    text = read(page)
    assert run_pages.run_page(text) == text
