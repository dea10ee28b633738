"""The docs name everything there is, are as the code says, link to what exists, and their code runs."""

import argparse
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import doimages
from doimages import cli
from doimages.accessor import ImagesAccessor
from doimages.errors import DOImagesError
from doimages.notebook.flags import FLAGS, SUBCOMMANDS
from doimages.sandbox_api.app import OPERATIONS
from doimages.schema import ACCOUNT, ACTIONS, IMAGES, REGIONS, SNAPSHOTS, TAGS
from doimages.settings import SETTINGS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip("the docs are in the checkout only", allow_module_level=True)

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


def load(name):
    """Import a script of the docs, which is no package."""
    spec = spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = load("generate")
run_pages = load("run_pages")


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
    *(("cli.md", name) for name in options_of_commands() if name != "--help"),
    *(("sandbox.md", f"`{method} {path}`") for method, path, _, _ in OPERATIONS),
]


@pytest.mark.parametrize(("page", "name"), sorted(set(NAMED)))
def test_the_reference_names(page, name):
    """Every public name, error, column, flag, subcommand, setting, command and operation is in its reference page."""
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", read(REFERENCE / page))


def test_the_reference_shows_every_member_of_the_accessor():
    """Autodoc shows those with a docstring; a member without one would be missing."""
    members = [name for name in vars(ImagesAccessor) if not name.startswith("_")]
    assert members
    assert [name for name in members if not getattr(ImagesAccessor, name).__doc__] == []
    assert re.search(r"autoclass:: doimages\.accessor\.ImagesAccessor\n +:members:", read(REFERENCE / "python.md"))


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
