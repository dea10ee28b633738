"""Which images of a series fall outside what is kept, and the two steps of a delete by tag."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from numbers import Integral
from typing import Any

from doimages.api.client import Client
from doimages.api.portal import portal
from doimages.change.arguments import Per
from doimages.change.grouping import is_too_little_known, split
from doimages.change.guards import Guards, count
from doimages.change.image import DUE_PREFIX, Image
from doimages.change.operations import OPERATIONS
from doimages.change.period import describe, to_seconds
from doimages.change.plan import Plan
from doimages.change.planning import Asked, Wish, build_plan, read_scene
from doimages.errors import UsageError

_DUE = re.compile(re.escape(DUE_PREFIX) + r"(\d{4}-\d{2}-\d{2})", re.ASCII)
_MOST_DAYS = 3650


def plan_retention(
    image_ids: Sequence[int],
    guards: Guards,
    client: Client,
    *,
    keep_last: int | None,
    younger_than: Any,
    per: Per | None,
) -> Plan:
    """Plan the delete of what falls outside, as ``df.do_images.retain`` tells; names and tags are the server's."""
    seconds = None if younger_than is None else to_seconds(younger_than, "younger_than")
    split([], keep_last=keep_last, younger_than_seconds=seconds, per=per, now=datetime.now(UTC))

    async def plan() -> Plan:
        scene = await read_scene(client, "delete", image_ids)
        own = {image_id: scene.images[image_id] for image_id in image_ids if image_id in scene.images}
        deletable = [image for image in own.values() if image.type in OPERATIONS["delete"].kinds]
        # One that is not finished holds no place of a good one, and is kept.
        ready = [image for image in deletable if not image.is_unfinished]
        kept, _ = split(ready, keep_last=keep_last, younger_than_seconds=seconds, per=per, now=datetime.now(UTC))
        kept += [image for image in deletable if image.is_unfinished]
        kept_ids = {image.id for image in kept}
        asked = [Asked(image_id=image_id) for image_id in image_ids if image_id not in kept_ids]
        note = f"kept: {count(len(kept_ids))}: {_said(kept, keep_last, seconds, per)}"
        return build_plan(
            Wish(operation="delete", guards=guards, notes=(note,), keeps=tuple(sorted(kept_ids))), asked, scene, client
        )

    return portal.wait(plan())


def _said(kept: Sequence[Image], keep_last: int | None, seconds: float | None, per: Per | None) -> str:
    """Say which images are kept: by the rule, and beside it."""
    number = f"{keep_last} " if keep_last != 1 else ""
    of = f" of each {per}" if per else ""
    rules = [
        *([f"the {number}newest{of}"] if keep_last else []),
        *([f"those younger than {describe(seconds)}"] if seconds else []),
    ]
    unknown = [image for image in kept if not image.is_unfinished and is_too_little_known(image, keep_last, per)]
    untagged = [image for image in unknown if per == "tag" and image.tags is not None and image.made_at is not None]
    beside = [
        *(["unfinished"] if any(image.is_unfinished for image in kept) else []),
        *(["without a tag"] if untagged else []),
        *(["of which too little is known"] if len(unknown) > len(untagged) else []),
    ]
    if beside:
        rules.append(f"those {' or '.join(beside)}")
    *most, last = rules
    return f"{', '.join(most)}{',' if len(most) > 1 else ''} and {last}" if most else last


def due_tag(days: Any, today: date | None = None) -> str:
    """Give the tag of images that may be deleted in so many days; raises UsageError for what is no number of days."""
    if isinstance(days, bool) or not isinstance(days, Integral) or not 0 <= int(days) <= _MOST_DAYS:
        raise UsageError(f"days must be a whole number from 0 to {_MOST_DAYS}, not {days!r}. Nothing was sent.")
    day = (today or datetime.now(UTC).date()) + timedelta(days=int(days))
    return f"{DUE_PREFIX}{day.isoformat()}"


def due_on(tags: Sequence[str] | None) -> date | None:
    """Give the day from which an image may be deleted by its tags; the last, if there are several."""
    days = []
    for tag in tags or ():
        match = _DUE.fullmatch(tag)
        try:
            days += [date.fromisoformat(match[1])] if match else []
        except ValueError:
            continue
    return max(days, default=None)


def plan_due(image_ids: Sequence[int], guards: Guards, client: Client) -> Plan:
    """Plan the delete of those images whose tag says that they are due; the others are refused."""

    async def plan() -> Plan:
        scene = await read_scene(client, "delete", image_ids)
        asked = []
        for image_id in image_ids:
            image = scene.find(image_id)
            day = None if image is None else due_on(image.tags)
            refusal = None
            if image is not None and image.tags is None:
                refusal = "refused", "its tags are not known: the token lacks the scope tag:read"
            elif image is not None and day is None:
                refusal = "refused", f"it has no tag {DUE_PREFIX}...: quarantine() gives it one"
            elif day is not None and day > datetime.now(UTC).date():
                refusal = "refused", f"it is not due before {day.isoformat()}"
            asked.append(Asked(image_id=image_id, refusal=refusal))
        wish = Wish(operation="delete", guards=guards, notes=(f"due by the tag {DUE_PREFIX}...",))
        return build_plan(wish, asked, scene, client)

    return portal.wait(plan())


def plan_quarantine(image_ids: Sequence[int], guards: Guards, client: Client, days: Any) -> Plan:
    """Plan the tag that makes images due in so many days."""
    tag = due_tag(days)
    asked = [Asked(image_id=image_id, fields={"tag": tag}) for image_id in image_ids]

    async def plan() -> Plan:
        scene = await read_scene(client, "tag", image_ids)
        found = [(image, due_on(image.tags)) for image in map(scene.find, image_ids) if image is not None]
        later = tuple(
            f"{image.title} is not due before {day.isoformat()}, by a tag that it has: the last day counts"
            for image, day in found
            if day is not None and f"{DUE_PREFIX}{day.isoformat()}" > tag
        )
        return build_plan(Wish(operation="tag", guards=guards), asked, scene, client, later)

    return portal.wait(plan())
