"""Write the pages that are made from the code: `python docs/generate.py`; `--check` only tells which differ."""

import argparse
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from layout import NOTE, table
from picker_page import picker_page
from plans_page import plans_page
from sql_page import sql_page

import doimages
from doimages.api.rows import to_rows
from doimages.errors import DOImagesError
from doimages.notebook.flags import EXAMPLES, FLAGS, SUBCOMMANDS
from doimages.schema import ACCOUNT, ACTIONS, IMAGES, REGIONS, SNAPSHOTS, TAGS, Table
from doimages.settings import SETTINGS
from doimages.table.frame import to_frame

ROOT = Path(__file__).parents[1]
MISSING = {
    "int64": "never",
    "str": "`nan`",
    "Int64": "`<NA>`",
    "Float64": "`<NA>`",
    "boolean": "`<NA>`",
    "datetime64[us, UTC]": "`NaT`",
    "object": "`None`",
}
# The attributes that errors add to those of the base, in words.
ATTRIBUTES = {
    "status": "HTTP status, or None",
    "request_id": "the API's id of the request, for its support, or None",
    "retry_after": "seconds to wait before the next try, or None",
    "retryable": "whether the same read may work later",
    "line": "line of the statement, from 1",
    "column": "column of the frame; of a StatementError, place in the line, from 1",
    "hint": "what to write instead, or None",
    "suggestions": "names that are close, best first",
    "in_doubt": "True if the request may have been carried out all the same",
    "method": "HTTP method",
    "url": "address of the request, no token in it",
    "api_id": "the API's word for the error, such as `not_found`, or empty",
    "value": "the value that does not fit",
    "plan": "the plan that was not confirmed",
    "report": "the report of what was done",
}
BASE_ATTRIBUTES = ("status", "request_id", "retry_after", "retryable")


def dtypes(described: Table, backend: str | None) -> dict[str, str]:
    """Give the dtypes a frame really has, by making one of no rows."""
    frame = to_frame(to_rows([], described), described, dtype_backend=backend)
    return frame.dtypes.astype(str).to_dict()


def columns_page() -> str:
    default, nullable, arrow = (dtypes(IMAGES, backend) for backend in (None, "numpy_nullable", "pyarrow"))

    def rows() -> Iterator[tuple[str, ...]]:
        for column in IMAGES.columns:
            name = column.name
            yield f"`{name}`", f"`{default[name]}`", MISSING[default[name]], column.description

    def backends() -> Iterator[tuple[str, ...]]:
        for name in IMAGES.column_names:
            yield f"`{name}`", f"`{default[name]}`", f"`{nullable[name]}`", f"`{arrow[name]}`"

    def others(described: Table) -> str:
        rows = ((f"`{column.name}`", column.type, column.description) for column in described.columns)
        return f"\n### {described.name.capitalize()}\n\n{table(('field', 'type', 'meaning'), rows)}"

    return f"""\
{NOTE}
# Columns

One row is one image. The columns come in this order, with these dtypes, also for no rows. Times are UTC, to the
microsecond; sizes are GB as the API counts them. A field that the API adds one day follows the 14 columns, and a
value nobody has seen yet stays a plain value. Source of the fields: `models/image.yml` of DigitalOcean's OpenAPI
description.

## Images

{table(("column", "dtype", "missing", "meaning"), rows())}
The column `type` is not the request filter `type`: see [Filter](../how-to/filter.md).

## Dtypes by backend

Chosen with `dtype_backend=` of `read_do_images`, `--dtype-backend` of the magic, or the [setting](options.md).

{table(("column", "default", "`numpy_nullable`", "`pyarrow`"), backends())}
## Other records of the API

The client knows these too. No public function gives them as frames yet.
{"".join(others(described) for described in (SNAPSHOTS, ACTIONS, REGIONS, TAGS, ACCOUNT))}"""


def magic_page() -> str:
    flags = ((f"`{flag.usage}`", flag.meaning, show_words(flag.choices)) for flag in FLAGS)
    subcommands = (
        (f"`{f'{sub.word} {sub.operand}'.rstrip()}`", sub.meaning, show_words(sub.choices)) for sub in SUBCOMMANDS
    )
    return f"""\
{NOTE}
# Magic

`%load_ext doimages` adds the line magic `%doimages` and the cell magic `%%doimages`; `%unload_ext doimages` takes all
of it away again. Loading sends nothing and needs no token.

```text
%doimages [DEST | DEST <<] [FLAG ...]      one line; in a cell of its own also %%doimages
%%doimages [DEST | DEST <<] [FLAG ...]     with SQL in the lines below
%doimages SELECT ...                       a statement of one line, without flags
%doimages SUBCOMMAND
```

Without `DEST` the result is the output of the cell. With it the result goes into that variable and is not shown.
`_doimages` always holds the last result. A read that is interrupted leaves what came so far in `_doimages_partial`,
with `complete` False in its provenance. Long flags may be written with `_` for `-`.

The body of a cell is [SQL](sql.md), of one statement or several; without a body the flags are a plain listing. In SQL a
`DataFrame` of the notebook is a table by its name, and `:name` is a value: of `-p`, then of `--params`, then the
notebook's own. A token on the line or in the body is refused, for it would stay in the notebook and in the history.

A statement that changes images gives a [plan](plans.md), and `--apply` gives its report; both are in `_doimages`. In a
notebook, once the extension is loaded, a plan has a text box and a button under it, wherever it was made, and a report
has buttons for what can be done next: plan the retry, plan the undo, go on, wait. Loading tells of plans that were
begun and not brought to an end.

## Flags

{table(("flag", "meaning", "words"), flags)}
Where a flag has a setting of the same meaning, the flag wins: see [Settings](options.md).

## Subcommands

The first word of a `%doimages` line. For a variable of that name, write `-o NAME`.

{table(("subcommand", "meaning", "words"), subcommands)}
## Examples

```text
{EXAMPLES}```
"""


def show_words(words: tuple[str, ...]) -> str:
    return "any [column](columns.md)" if words == IMAGES.column_names else ", ".join(f"`{word}`" for word in words)


def options_page() -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for name, setting in SETTINGS.items():
            words = show_words(setting.choices) or {str: "text", int: "whole number", float: "number"}[setting.kind]
            default = "not set" if setting.default is None else f"`{setting.default}`"
            yield f"`{name}`", default, f"`{setting.variable}`", words, setting.description

    return f"""\
{NOTE}
# Settings

The value that counts is the first that is given: argument, magic flag, `doimages.options` or `%config`, environment
variable, `[tool.doimages]` in the nearest `pyproject.toml`, the user's `config.toml`, default. How to set them:
[Configure](../how-to/configure.md).

{table(("setting", "default", "environment", "values", "meaning"), rows())}
The same names are attributes of `doimages.options`, traits of the magic (`%config DoImagesMagic.progress = 'text'`),
and keys of both TOML files.

Read from the environment, but no settings:

- `DIGITALOCEAN_TOKEN`, then `DIGITALOCEAN_ACCESS_TOKEN`: the token.
- `DOIMAGES_NO_PATCH`: if it is set, `import doimages` leaves pandas alone.
- `CI`, `PYTEST_CURRENT_TEST`, `PAPERMILL_OUTPUT_PATH`: if one is set, `progress` `auto` shows nothing.
"""


def errors_page() -> str:
    drawing = inspect.getdoc(sys.modules["doimages.errors"]) or ""
    tree = re.sub("^    ", "", drawing.partition("::\n\n")[2], flags=re.MULTILINE)

    def describe(kind: type[DOImagesError]) -> Iterator[str]:
        parents = " and ".join(f"`{parent.__name__}`" for parent in kind.__bases__)
        names = BASE_ATTRIBUTES if kind is DOImagesError else own_attributes(kind)
        told = "".join(f"- `{name}`: {ATTRIBUTES[name]}\n" for name in names)
        yield (
            f"\n```{{py:exception}} doimages.{kind.__name__}\n{inspect.getdoc(kind)}\n\nIt is a kind of {parents}.\n"
            f"{told and chr(10) + told}```\n"
        )
        for child in kind.__subclasses__():
            if child.__name__ in doimages.__all__:
                yield from describe(child)

    return f"""\
{NOTE}
# Errors

All errors are of one tree. A message says what was tried, what came back, and what to do; a token in it is masked when
it is made. In a notebook an error shows as one to three lines and still fails the cell; `--traceback`, or `%tb`
afterwards, shows all of it. A read that raises has made no frame: rows are never returned as if they were all. Where
something could have been changed, the message says what was. What becomes of single images of a
[plan](plans.md#outcomes) is no error, but a row of its report.

```text
{tree}
```

## What each means
{"".join(describe(DOImagesError))}"""


def own_attributes(kind: type[DOImagesError]) -> list[str]:
    """Give the attributes a class sets itself: what its own code assigns to self."""
    code = kind.__dict__.get("__init__")
    assigned = re.findall(r"self\.(\w+) = ", inspect.getsource(code)) if code else []
    return [name for name in assigned if name not in BASE_ATTRIBUTES]


def speed_table() -> str:
    """Give the excerpt of the benchmarks that README.md shows: medians in ms, from the last whole run."""
    path = ROOT / "benchmarks" / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    shown = {
        "doimages, listing": "doimages",
        "doimages, repeated": "doimages, the same listing again",
        "libcloud (8 of 14 fields)": "libcloud (8 of 14 fields)",
        "requests loop + json_normalize": "requests loop + `json_normalize` (untyped)",
        "pydo, per_page 200": "pydo, 200 images a page",
        "python-digitalocean": "python-digitalocean",
        "pydo, as its docs do (per_page 50)": "pydo, as its docs do (50 a page)",
    }
    columns = ["200 @50 ms", "2,000 @50 ms", "20,000 @50 ms"]

    def rows() -> Iterator[tuple[str, ...]]:
        for name, label in shown.items():
            cells = [results["columns"][column].get(name, {}) for column in columns]
            yield (label, *("-" if "seconds" not in cell else f"{1000 * cell['seconds']:,.0f}" for cell in cells))

    made = table(("ms", *(f"{column.partition(' ')[0]} images" for column in columns)), rows())
    made = made.replace("| --- | --- | --- | --- |", "|---|---:|---:|---:|")
    run, libraries = results["run"], results["run"]["libraries"]
    names = ("pandas", "httpx", "pydo", "python-digitalocean", "apache-libcloud", "requests")
    versions = ", ".join(f"{name} {libraries[name]}" for name in names)
    return f"{made}\nMeasured {run['date']} on {run['cores']} shared cores, Python {run['python']}, {versions}.\n"


def readme_page() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.sub(
        r"(<!-- speed: made by docs/generate.py -->\n).*?(<!-- end of speed -->)",
        lambda found: f"{found[1]}{speed_table()}{found[2]}",
        text,
        flags=re.DOTALL,
    )


MADE: dict[Path, Callable[[], str]] = {
    ROOT / "docs/reference/columns.md": columns_page,
    ROOT / "docs/reference/magic.md": magic_page,
    ROOT / "docs/reference/options.md": options_page,
    ROOT / "docs/reference/errors.md": errors_page,
    ROOT / "docs/reference/picker.md": picker_page,
    ROOT / "docs/reference/plans.md": plans_page,
    ROOT / "docs/reference/sql.md": sql_page,
    ROOT / "README.md": readme_page,
}


def list_differing() -> list[Path]:
    """Give the pages that are not as they would be made now."""
    return [path for path, make in MADE.items() if not path.is_file() or path.read_text(encoding="utf-8") != make()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page differs")
    is_check = parser.parse_args().check
    differing = [
        path for path, make in MADE.items() if not path.is_file() or path.read_text(encoding="utf-8") != make()
    ]
    for path in differing:
        sys.stderr.write(f"{path.relative_to(ROOT)}: {'differs' if is_check else 'written'}\n")
        if not is_check:
            path.write_text(MADE[path](), encoding="utf-8")
    return 1 if is_check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
