"""The reference page of plans: what is done to which images, what keeps them from it, and the words of a report.

Who a guard is for, and what it says, is found out by asking the guards.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from layout import NOTE, code, fill, table

from doimages.change import application, apply, carrying, ledger, lookout, pace, plan, report, retention, waiting
from doimages.change.arguments import Per
from doimages.change.guards import SHARE_FROM, check_count, check_image, make_guards
from doimages.change.image import Image
from doimages.change.operations import CUSTOM_ONLY, OPERATIONS, Operation
from doimages.change.outcome import GOOD, OUTCOMES
from doimages.change.period import describe
from doimages.change.tagging import BATCH
from doimages.changes import GuardArguments
from doimages.errors import UsageError
from doimages.schema import KINDS, PRIVATE_KINDS
from doimages.settings import SETTINGS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MONTH_OLD = (NOW - timedelta(days=30)).isoformat()
FIELDS: Mapping[str, dict[str, Any]] = {
    "update": {"name": "new"},
    "transfer": {"region": "fra1"},
    "tag": {"tag": "new"},
    "untag": {"tag": "old"},
}

# How a request whose reply was lost is looked for, and what follows. Words: change/ways.py, tagging.py, creation.py.
LOST = {
    "delete": "the image is read: gone is `done`; still there, the request is sent again, three times in all",
    "update": "sent again, three times in all, for the same PUT twice is once; after a 500 the image is read first",
    "convert": "never sent again: the image's actions are read for one begun since; none is `in doubt`",
    "transfer": "never sent again: the image's actions are read for one to that region begun since; none is `in doubt`",
    "tag": "sent again, three times in all, for a tag given twice is given once; then the images are read",
    "untag": "sent again, three times in all, for a tag taken twice is taken once; then the images are read",
    "transfer_account": "never sent again: the image is read; gone is `done`, still there is `in doubt`",
    "create": "never sent again: looked for by a tag of its own, three times; not seen is `in doubt`, "
    "and `failed` if `resume` does not see it either",
}

MEANINGS = {
    "done": "It was changed.",
    "already gone": "It was not there any more; nothing was sent, or the API said so.",
    "no change": "It was as it should be; nothing was sent.",
    "running": "The API has begun it: an action or an import that has not ended. `resume(plan_id, wait=True)` waits.",
    "changed since plan": "Its name, type, time of making, `public`, a value that an update sets, or, before a "
    "delete, a tag is another than planned; nothing was sent.",
    "refused": "A guard keeps it; nothing was sent.",
    "failed": "It was not changed, and the message says why: also an import or an action that has ended badly.",
    "in doubt": "It was sent, and whether it was done is not known. `resume` looks again, if it has not yet.",
    "not started": "It was not sent, since the plan ended before. `resume` goes on.",
}

COLUMNS = {
    "id": "of the image; of the new one, for a create",
    "name": "as it was when planned",
    "action": "the operation",
    "outcome": "see [Outcomes](#outcomes)",
    "status": "HTTP status of the last reply",
    "message": "why, where it is not simply done",
    "request_id": "the API's id of the last request, for its support",
    "tries": "requests sent for it",
    "action_id": "of the API's action, for convert and transfer",
    "before": "dict of what was changed, as it was",
    "after": "dict of what was changed, as it is",
    "started_at": "when the first request was sent",
    "finished_at": "when the outcome was known",
}

LINES = {
    "plan": "the whole plan",
    "confirm": "the words, and the process",
    "intent": "the numbers of the steps that are about to be sent: on disk before they are",
    "outcome": "what became of a step: all that the report tells of it",
    "end": "why it ended, and whether anything is left",
}

ALL = "all"


@dataclass(frozen=True)
class Case:
    """A way an image can be that keeps changes from it: what is told of it, and the image that shows it."""

    what: str
    override: str
    image: Mapping[str, Any] = field(default_factory=dict)
    guards: Mapping[str, Any] = field(default_factory=dict)
    uses: tuple[str, ...] = ()


CASES = (
    Case("public, so not the account's own", "none", {"public": True}),
    Case("of type `base`, `admin`, or one that nobody has seen yet", "none", {"type": "base"}),
    Case("not known whether it is public", "none", {"public": None}),
    Case("new or pending", "`pending=True`", {"status": "NEW"}),
    Case("tagged `keep`, or with a tag that begins with `protect`", "take the tag off", {"tags": ("old", "keep")}),
    Case("named as the setting `protected_names` says", "the setting", {"name": "gold"}, {"protected_names": "^gold"}),
    Case("younger than `min_age`", "`min_age`", {"created_at": NOW.isoformat()}),
    Case("not known when it was made", '`min_age="0h"`', {"created_at": None}),
    Case('used by a Droplet, with `in_use="refuse"`', '`in_use="warn"`', {}, {"in_use": "refuse"}, ("web-01",)),
)


def kind_for(operation: Operation) -> str:
    return next(kind for kind in ("snapshot", "custom", "backup") if kind in operation.kinds)


def image_for(operation: Operation, **values: Any) -> Image:
    usual = {
        "name": "web",
        "type": kind_for(operation),
        "public": False,
        "created_at": MONTH_OLD,
        "tags": ("old",),
        "regions": ("nyc3",),
        "status": "available",
    }
    return Image(**{"id": 1, **usual, **values})


def ask(operation: Operation, image: Image, uses: tuple[str, ...] = (), **given: Any) -> str | None:
    """Give the reason for which the guards refuse a change of an image, if they do."""
    fields, guards = FIELDS.get(operation.name, {}), replace(make_guards(), **given)
    found = check_image(operation, image, fields, guards, uses=uses, now=NOW)
    return found[1] if found is not None and found[0] == "refused" else None


def operations() -> list[Operation]:
    return [one for one in OPERATIONS.values() if one.name != "create"]


def private_kinds() -> list[str]:
    return [kind for kind in KINDS if kind in PRIVATE_KINDS]


def names(some: list[str]) -> str:
    if len(some) == len(operations()):
        return ALL
    return ", ".join(code(name) for name in some)


def operation_rows() -> Iterator[tuple[str, ...]]:
    for one in OPERATIONS.values():
        each = f", {BATCH} images a request" if one.name in {"tag", "untag"} else ""
        undo = report._NO_UNDO.get(one.name)  # noqa: SLF001 - the page is about what is inside
        way_back = f"none: {undo}" if undo else UNDO[one.name]
        yield (
            ", ".join(code(name) for name in MADE_BY[one.name]),
            code(one.verb),
            f"{code(one.request)}{each}",
            way_back,
        )


MADE_BY: Mapping[str, list[str]] = {
    "delete": ["delete", "retain"],
    "update": ["update"],
    "convert": ["convert"],
    "transfer": ["transfer", "ensure_regions"],
    "tag": ["tag", "quarantine"],
    "untag": ["untag"],
    "transfer_account": ["transfer_account"],
    "create": ["create_custom"],
}
UNDO = {
    "update": "the values before it",
    "tag": "takes the tag off",
    "untag": "gives the tag again",
    "create": "deletes what was created",
}


def kind_rows() -> Iterator[tuple[str, ...]]:
    for one in operations():
        found = [ask(one, image_for(one, type=kind)) for kind in private_kinds()]
        yield code(one.name), *("yes" if reason is None else f"no: {reason.partition(': ')[2]}" for reason in found)


def guard_rows() -> Iterator[tuple[str, ...]]:
    for case in CASES:
        asked = {one.name: ask(one, image_for(one, **case.image), case.uses, **case.guards) for one in operations()}
        refused = {name: reason for name, reason in asked.items() if reason is not None}
        if not refused:
            raise LookupError(f"no guard is against this any more: {case.what}")
        yield case.what, names([*refused]), case.override, next(iter(refused.values()))


def whole_rows() -> Iterator[tuple[str, ...]]:
    usual = make_guards()
    too_many = f"more than `max_count` ({usual.max_count}) requests"
    share = f"more than `max_percent` ({usual.max_percent:g}) of the account's own images, from {SHARE_FROM} images on"
    cases = (
        (too_many, "`max_count`", usual.max_count + 1, 100 * usual.max_count),
        (share, "`max_percent`", SHARE_FROM, SHARE_FROM),
    )
    for what, override, images, own in cases:
        refused = {}
        for one in operations():
            try:
                check_count(one, images, images, own, usual)
            except UsageError as error:
                refused[one.name] = str(error)
        yield what, names([*refused]), override, next(iter(refused.values()))


def outcome_rows() -> Iterator[tuple[str, ...]]:
    for word in OUTCOMES:
        yield code(word), "yes" if word in GOOD else "no", MEANINGS[word]


def column_rows() -> Iterator[tuple[str, ...]]:
    for name, dtype in report._DTYPES.items():  # noqa: SLF001 - the same
        shown = dtype if isinstance(dtype, str) else dtype.__name__
        yield code(name), code(shown), COLUMNS[name]


def line_rows() -> Iterator[tuple[str, ...]]:
    written = re.findall(r'\.write\(\s*"(\w+)"', inspect.getsource(apply) + inspect.getsource(ledger))
    for name in sorted(set(written), key=[*LINES].index):
        yield code(name), LINES[name]


def lost_rows() -> Iterator[tuple[str, ...]]:
    for name in OPERATIONS:
        yield code(name), LOST[name]


def plans_page() -> str:
    settings = ("max_count", "max_percent", "protected_names", "price_per_gigabyte_month")
    made = {
        "note": NOTE,
        "operations": table(("made by", "word of the confirmation", "sends", "`undo_plan()`"), operation_rows()),
        "kinds": table(("operation", *private_kinds()), kind_rows()),
        "custom_only": " and ".join(code(name) for name in CUSTOM_ONLY),
        "guards": table(("keeps an image out of the plan", "operations", "override", "says"), guard_rows()),
        "whole": table(("a plan of", "operations", "override", "says"), whole_rows()),
        "arguments": f"{inspect.getdoc(GuardArguments)}\n",
        "settings": "".join(f"- {code(name)}: {SETTINGS[name].description}\n" for name in settings),
        "min_age": describe(make_guards().min_age_seconds),
        "fresh": describe(plan.FRESH_FOR.total_seconds()),
        "outcomes": table(("outcome", "as wanted", "meaning"), outcome_rows()),
        "columns": table(("column", "dtype", "meaning"), column_rows()),
        "lost": table(("operation", "what is done"), lost_rows()),
        "looks": str(carrying.LOOKS),
        "look_seconds": f"{carrying.LOOK_SECONDS * sum(range(1, carrying.LOOKS)):g}",
        "wait_first": f"{waiting.FIRST_SECONDS:g}",
        "wait_most": f"{waiting.MOST_SECONDS:g}",
        "wait_minutes": f"{waiting.LIMIT_SECONDS / 60:g}",
        "early": f"{waiting.EARLY_SECONDS:g}",
        "lanes": str(application.LANES),
        "slow_share": f"{pace.SLOW_SHARE:.0%}",
        "slow_rate": str(pace.SLOW_PER_MINUTE),
        "stop_share": f"{pace.STOP_SHARE:.0%}",
        "fresh_seconds": f"{lookout.FRESH_SECONDS:g}",
        "lines": table(("kind", "what it holds"), line_rows()),
        "confirmed_for": describe(apply.CONFIRMED_FOR.total_seconds()),
        "per": ", ".join(code(f'"{word}"') for word in get_args(Per)),
        "due": retention.DUE_PREFIX,
    }
    return fill("plans.md.in", made)
