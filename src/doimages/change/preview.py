"""What a plan shows before anything is changed: whose images, how many, what it costs, what is left alone and why."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from doimages.change.guards import count
from doimages.change.image import Image
from doimages.change.plan import Plan
from doimages.change.step import Refusal, Step
from doimages.change.tagging import BATCH
from doimages.schema import PAGE_SIZE, PRICE_DATE, PRICE_PER_GIGABYTE_MONTH, PRICED_KINDS
from doimages.settings import API_URL, options
from doimages.sheet import Sheet
from doimages.table.cost import monthly_cost

# How many lines of one kind, and names in one line, are shown.
SHOWN = 8
TITLES = 3


def sheet_of(plan: Plan) -> Sheet:
    """Give the preview of a plan."""
    images = list({step.image.id: step.image for step in plan.steps if step.image is not None}.values())
    whose = plan.account.name if plan.account else "not known: the token lacks the scope account:read"
    rows = [("host", f"{plan.base_url}{'' if plan.base_url == API_URL or plan.is_local else ' (NOT DigitalOcean)'}")]
    rows += [("account", whose), ("images", _size(plan, images))]
    rows += [("by type", _by_type(images))] if images else []
    rows += [(name, text) for name, text in _ends(images)]
    rows += [("frees", _saving(plan, images))] if plan.operation == "delete" and images else []
    rows += [("sends", text) for text in _sends(plan)]
    rows += [(outcome, text) for outcome, text in _left_alone(plan.refusals)]
    rows += [("note", text) for text in plan.notes]
    rows += [("warning", text) for text in _cut(plan.warnings)]
    rows += [("override", text) for text in plan.guards.overrides]
    rows += [("requests", _requests(plan)), ("good until", f"{plan.expires_at[:16].replace('T', ' ')} UTC")]
    rows += [("to confirm", f"plan.apply(confirm={plan.confirmation!r})")] if plan.steps else []
    return Sheet(f"Plan {plan.id}: {plan.confirmation}. Nothing has been changed.", tuple(rows))


def to_text(plan: Plan) -> str:
    """Give the preview as text."""
    return repr(sheet_of(plan))


def to_html(plan: Plan) -> str:
    """Give the preview as HTML; nothing in it is markup of the images' names."""
    return sheet_of(plan)._repr_html_()


def requests_of(plan: Plan) -> int:
    """Give how many requests it takes to carry it out, as far as that can be told: the reads are done each minute."""
    tags = Counter(str(step.fields.get("tag")) for step in plan.steps)
    is_tagging = plan.operation in {"tag", "untag"}
    writes = sum(math.ceil(number / BATCH) for number in tags.values()) if is_tagging else len(plan.steps)
    pages = max(1, math.ceil(plan.own / PAGE_SIZE)) + (plan.guards.in_use == "refuse" and plan.rule.takes_away)
    limit = int(options.requests_per_minute)
    return writes + 1 + pages * (1 + (writes - 1) // limit) if writes else 0


def minutes_of(requests: int) -> int:
    """Give how many minutes so many requests take: the limit holds for any minute, the first ones go at once."""
    return max(0, math.ceil(requests / int(options.requests_per_minute)) - 1)


def _size(plan: Plan, images: Sequence[Image]) -> str:
    sizes = [image.size_gigabytes for image in images]
    known = [size for size in sizes if size is not None]
    unknown = f", {len(sizes) - len(known)} of unknown size" if len(known) < len(sizes) else ""
    size = f", {sum(known):.2f} GB{unknown}" if images else ""
    of = f" of the account's {plan.own}" if plan.operation != "create" else ""
    return f"{count(plan.count)}{of}{size}"


def _by_type(images: Iterable[Image]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in Counter(str(image.type) for image in images).most_common())


def _ends(images: Iterable[Image]) -> list[tuple[str, str]]:
    dated = sorted((image.created_at, image.title) for image in images if image.created_at)
    if not dated:
        return []
    (first, oldest), (last, newest) = dated[0], dated[-1]
    return [("oldest", f"{first[:10]}, {oldest}"), ("newest", f"{last[:10]}, {newest}")]


def _saving(plan: Plan, images: Sequence[Image]) -> str:
    costs = [monthly_cost(image.type, image.size_gigabytes, plan.price) for image in images]
    unknown = sum(cost is None and image.type in PRICED_KINDS for cost, image in zip(costs, images, strict=True))
    without = f"; {unknown} of unknown size are not in it" if unknown else ""
    total = sum(cost for cost in costs if cost is not None)
    dated = f" (price of {PRICE_DATE})" if plan.price == PRICE_PER_GIGABYTE_MONTH else ""
    return f"${total:.2f} a month, at ${plan.price:g} per GB-month{dated}{without}"


def _sends(plan: Plan) -> list[str]:
    lines = [f"{step.title}: {_fields(plan, step)}" for step in plan.steps[:SHOWN]]
    more = len(plan.steps) - SHOWN
    return [*lines, *([f"and {more} more: plan.to_frame()"] if more > 0 else [])]


def _fields(plan: Plan, step: Step) -> str:
    given = {name: value for name, value in step.fields.items() if value is not None}
    if plan.operation == "update" and step.image is not None:
        return ", ".join(f"{name} {step.image[name]!r} -> {value!r}" for name, value in given.items())
    return ", ".join([plan.rule.verb, *(f"{name} {value!r}" for name, value in given.items())])


def _left_alone(refusals: Sequence[Refusal]) -> list[tuple[str, str]]:
    """Put those together that are left alone for one reason."""
    reasons: dict[tuple[str, str], list[Refusal]] = {}
    for one in refusals:
        reasons.setdefault((one.outcome, one.reason), []).append(one)
    lines = []
    for (outcome, reason), found in list(reasons.items())[:SHOWN]:
        titles = [one.image.title if one.image else f"image {one.image_id}" for one in found[:TITLES]]
        more = f" and {len(found) - TITLES} more" if len(found) > TITLES else ""
        lines.append((outcome, f"{count(len(found))}: {reason}: {', '.join(titles)}{more}"))
    rest = sum(len(found) for found in list(reasons.values())[SHOWN:])
    return [*lines, *([("and", f"{count(rest)} more are left alone: plan.to_frame()")] if rest else [])]


def _cut(texts: Sequence[str]) -> list[str]:
    more = len(texts) - SHOWN
    return [*texts[:SHOWN], *([f"and {more} more: plan.warnings"] if more > 0 else [])]


def _requests(plan: Plan) -> str:
    requests = requests_of(plan)
    minutes = minutes_of(requests)
    took = "less than a minute" if minutes < 1 else f"about {minutes} min"
    return f"{requests}, {took} at {options.requests_per_minute} a minute" if requests else "none"
