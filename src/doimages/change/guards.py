"""What keeps a change from an image, or a whole plan from being made: checked on what the server says, never a frame.

Checked when a plan is made and once more before each request. There is no override for all; each has its own.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from doimages.change.arguments import InUse
from doimages.change.image import Image
from doimages.change.operations import CUSTOM_ONLY, Operation
from doimages.change.period import describe, to_seconds
from doimages.change.scene import owns
from doimages.errors import UsageError
from doimages.settings import SETTINGS, options

Outcome = Literal["refused", "already gone", "no change"]

# From so many images of its own on, an account has a share to lose.
SHARE_FROM = 10
PROTECTED_TAG = re.compile(r"keep|protect.*", re.IGNORECASE)
_MIN_AGE = "1h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """How far a plan may go.

    At most ``max_count`` steps and ``max_percent`` of the account's images; none younger than
    ``min_age_seconds`` is deleted, none NEW or pending without ``pending``; ``in_use`` warns of Droplets or refuses.
    """

    max_count: int
    max_percent: float
    min_age_seconds: float
    pending: bool
    in_use: InUse
    protected_names: str | None

    @property
    def overrides(self) -> tuple[str, ...]:
        """Say in words what is not as it is by default."""
        usual = (
            ("max_count", self.max_count, SETTINGS["max_count"].default),
            ("max_percent", self.max_percent, SETTINGS["max_percent"].default),
            ("pending", self.pending, False),
            ("in_use", self.in_use, "warn"),
        )
        said = [f"{name} = {value} (usually {default})" for name, value, default in usual if value != default]
        if self.min_age_seconds != to_seconds(_MIN_AGE, "min_age"):
            said.append(f"min_age = {describe(self.min_age_seconds)} (usually {_MIN_AGE})")
        return tuple(said)


def make_guards(
    *,
    max_count: Any = None,
    max_percent: Any = None,
    min_age: Any = None,
    pending: Any = False,
    in_use: Any = "warn",
) -> Guards:
    """Check the guards as a person gives them; what is None is as the settings say. Raises UsageError."""
    if in_use not in ("warn", "refuse"):  # no set: a list cannot be looked for in one
        raise UsageError(f"in_use must be 'warn' or 'refuse', not {in_use!r}. Nothing was sent.")
    if not isinstance(pending, bool):
        raise UsageError(f"pending must be True or False, not {pending!r}. Nothing was sent.")
    names = options.resolve("protected_names").value
    try:
        re.compile(names or "")
    except re.error as error:
        raise UsageError(f"protected_names is no regular expression: {error}. Nothing was sent.") from None
    return Guards(
        max_count=options.resolve("max_count", max_count).value,
        max_percent=options.resolve("max_percent", max_percent).value,
        min_age_seconds=to_seconds(_MIN_AGE if min_age is None else min_age, "min_age"),
        pending=pending,
        in_use=in_use,
        protected_names=names,
    )


def check_image(
    operation: Operation,
    image: Image | None,
    fields: dict[str, Any],
    guards: Guards,
    *,
    uses: tuple[str, ...] | None,
    now: datetime,
) -> tuple[Outcome, str] | None:
    """Say why an image is left alone, and with which outcome; None if nothing keeps the change from it."""
    if image is None or image.is_gone:
        return "already gone", "it is not there any more"
    reason = (
        _ownership(image)
        or _legality(operation, image, fields, guards)
        or _protection(operation, image, guards)
        or _age(operation, image, guards, now)
        or _use(operation, uses, guards)
    )
    if reason:
        return "refused", reason
    if is_in_place(operation, image, fields):
        return "no change", _IN_PLACE[operation.name].format(**fields)
    return None


def _ownership(image: Image) -> str | None:
    if image.public is not False:
        return "it is public, so not yours" if image.public else "the API does not say whether it is public"
    return None if owns(image) else f"it is of type {image.type or 'unknown'}, so not yours"


def _legality(operation: Operation, image: Image, fields: dict[str, Any], guards: Guards) -> str | None:
    kind = str(image.type)
    if kind not in operation.kinds:
        return f"a {kind}: {operation.reasons.get(kind, 'it is not for this')}"
    custom_only = [name for name in CUSTOM_ONLY if name in fields and operation.name == "update"]
    if custom_only and kind != "custom":
        return f"a {kind}: only a custom image has a {custom_only[0]} that can be changed"
    if operation.needs_finished and image.is_unfinished and not guards.pending:
        return f"its status is {image.status}: pending=True allows it"
    return None


def _use(operation: Operation, uses: tuple[str, ...] | None, guards: Guards) -> str | None:
    is_kept = operation.takes_away and uses and guards.in_use == "refuse"
    return f"it is used by {_list(uses or ())}" if is_kept else None


_IN_PLACE = {
    "update": "it has these values already",
    "transfer": "it is in {region} already",
    "tag": "it has the tag {tag} already",
    "untag": "it has no tag {tag}",
}


def is_in_place(operation: Operation, image: Image, fields: dict[str, Any]) -> bool:
    """Tell whether an image is as the change would make it."""
    if operation.name == "update":
        return all(image[name] == value for name, value in fields.items())
    if operation.name == "convert":
        return image.type == "snapshot"
    if operation.name == "transfer":
        return fields["region"] in image.regions
    if operation.name in {"tag", "untag"} and image.tags is not None:
        has_tag = fields["tag"].casefold() in {tag.casefold() for tag in image.tags}
        return has_tag is (operation.name == "tag")
    return False


def warnings_about(operation: Operation, image: Image, *, uses: tuple[str, ...] | None) -> tuple[str, ...]:
    """Say what does not keep the change from an image, and should be known."""
    return (f"{image.title} is used by {_list(uses)}",) if operation.takes_away and uses else ()


def check_count(operation: Operation, planned: int, images: int, own: int, guards: Guards) -> None:
    """Refuse a plan that goes too far as a whole; raises UsageError. ``planned`` is its requests for ``images``."""
    where = "as an argument, or in doimages.options. Nothing was changed."
    if planned > guards.max_count:
        steps = "" if planned == images else f" in {planned} steps"
        raise UsageError(
            f"This would {operation.verb} {count(images)}{steps}, more than max_count={guards.max_count}. "
            f"If all are meant, set max_count={planned}: {where}"
        )
    share = 100 * images / own if own else 0.0
    if (operation.takes_away or operation.alters) and own >= SHARE_FROM and share > guards.max_percent:
        raise UsageError(
            f"This would {operation.verb} {images} of the account's {count(own)}, more than "
            f"max_percent={guards.max_percent:g}. If all are meant, set max_percent={math.ceil(share)}: {where}"
        )


def count(images: int) -> str:
    """Write a number of images."""
    return f"{images:,} image{'' if images == 1 else 's'}".replace(",", " ")


def _protection(operation: Operation, image: Image, guards: Guards) -> str | None:
    if not (operation.takes_away or operation.alters):
        return None
    for tag in image.tags or ():
        if PROTECTED_TAG.fullmatch(tag):
            return f"its tag {tag!r} protects it: untag it first"
    if guards.protected_names and re.search(guards.protected_names, image.name or ""):
        return f"its name fits protected_names, {guards.protected_names!r}"
    return None


def _age(operation: Operation, image: Image, guards: Guards, now: datetime) -> str | None:
    if operation.name != "delete" or not guards.min_age_seconds:
        return None
    made = image.made_at
    if made is None:
        return "the API does not say when it was made: min_age='0h' allows it"
    age = (now - made).total_seconds()
    if age < guards.min_age_seconds:
        return f"it is younger than min_age, {describe(guards.min_age_seconds)}"
    return None


def _list(names: tuple[str, ...], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"Droplet{'s' if len(names) > 1 else ''} {', '.join(map(repr, names[:most]))}{more}"
