"""The reference page of the picker: its state, each filter in code, its actions."""

from collections.abc import Iterator, Mapping
from typing import Any

from layout import NOTE, code, fill, table

from doimages.pick.actions import ACTIONS
from doimages.pick.code import PYTHON, SORTS, SQL, Language
from doimages.pick.filters import FILTERS, Filter
from doimages.pick.forms import COST_SQL, RATE
from doimages.pick.pattern import Pattern
from doimages.settings import SETTINGS

# What each kind of filter takes.
KINDS = {
    "text": "text, or `/regex/`",
    "choice": "list",
    "words": "list",
    "range": "pair of numbers",
    "days": "pair of days",
    "age": "text",
}
# What the table of code has examples of: all ways in which a filter is written.
EXAMPLES: Mapping[str, tuple[Any, ...]] = {
    "name": ("web", r"/^web-\d+/"),
    "age": (">90d", "<2w"),
    "created_at": (["2026-01-01", "2026-06-30"],),
    "size_gigabytes": ([10, None], [None, 2.5]),
    "monthly_cost": ([0.5, None],),
    "min_disk_size": ([20, 40],),
    "type": (["snapshot", "custom"], ["application"]),
    "status": (["available"],),
    "tags": (["prod"], [None], ["prod", None]),
    "regions": (["nyc3", "ams3"],),
    "distribution": (["Debian", None], [None]),
    "public": ([False],),
}
COST, COST_SHOWN = COST_SQL.replace(RATE, f"{SETTINGS['price_per_gigabyte_month'].default:g}"), "COST"
FIELDS = {
    "name": "name",
    "id": "id",
    "date": "day it was made, in UTC",
    "type": "kind, such as `snapshot`",
    "distribution": "distribution",
}


def predicate(one: Filter, value: Any, language: Language) -> str:
    """Give a filter as it stands in code."""
    written = []
    for part, literals in one.to_parts(one.check(value)):
        form = next(form for form in one.forms if form.part == part)
        written.append(language.write(form, literals))
    return f" {language.joint} ".join(written).replace(COST, COST_SHOWN)


def forms() -> Iterator[tuple[str, ...]]:
    for key, one in FILTERS.items():
        for number, value in enumerate(EXAMPLES[key]):
            written = code(predicate(one, value, PYTHON)), code(predicate(one, value, SQL))
            yield (f"`{key}`" if number == 0 else "", code(repr(value)), *written)


def actions() -> Iterator[tuple[str, ...]]:
    for label, action in ACTIONS.items():
        given = {"name": "old-{name}", "region": "ams3"}.get(action.argument or "", "new")
        python, sql = (action.codes([7, 8], given)[language.name] for language in (PYTHON, SQL))
        call = python.splitlines()[1].removeprefix("plan = ")
        yield label, action.asks or "nothing", code(call), "no SQL" if sql.startswith("--") else code(sql)


def fields() -> Iterator[tuple[str, ...]]:
    for name, meaning in FIELDS.items():
        pattern = Pattern.of(f"{{{name}}}")
        python = pattern.python.removeprefix("lambda image: ")
        yield f"`{{{name}}}`", meaning, code(python), code(pattern.sql)


def picker_page() -> str:
    states = ((f"`{key}`", one.label, KINDS[one.kind], code(repr(EXAMPLES[key][0]))) for key, one in FILTERS.items())
    made = {
        "note": NOTE,
        "filters": table(("key", "on the screen", "value", "example"), states),
        "sorts": ", ".join(f"`{name}`" for name in SORTS),
        "forms": table(("key", "value", "Python", "SQL"), forms()),
        "cost": f"`{COST_SHOWN}` stands for\n`{COST}`,\n",
        "actions": table(("action", "asks for", "Python", "SQL"), actions()),
        "fields": table(("field", "what of the image", "Python", "SQL"), fields()),
    }
    return fill("picker.md.in", made)
