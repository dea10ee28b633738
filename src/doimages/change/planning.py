"""From ids and fields to a plan: a fresh read, the guards on each image, and on the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from doimages.api.client import Client
from doimages.api.portal import portal
from doimages.change import plans
from doimages.change.address import warnings_about as warnings_of_address
from doimages.change.fields import Computed, check_fields, check_regions
from doimages.change.folder import journal_path
from doimages.change.grouping import name_prefix
from doimages.change.guards import Guards, check_count, check_image, warnings_about
from doimages.change.image import Image
from doimages.change.journal import read_history
from doimages.change.operations import OPERATIONS, OperationName
from doimages.change.plan import Plan, make_plan
from doimages.change.scene import Scene, look, read_account
from doimages.change.step import Refusal, Step
from doimages.errors import DOImagesError, UsageError
from doimages.settings import options

# What is sent for an image: fields that are known, or a function of the image as it is now.
Fields = Mapping[str, Any] | Computed


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One image to be changed; with ``refusal``, one that was left out already: an outcome and a reason."""

    image_id: int
    fields: Fields = field(default_factory=dict)
    refusal: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a plan is to do beside the images: its operation, its guards, and what SQL adds.

    ``keeps`` are images that are kept in their stead, by whose loss the plan is void; ``told`` is what the frame says
    of each image; what the server says otherwise becomes a warning.
    """

    operation: OperationName
    guards: Guards
    waits: bool = False
    returning: str | None = None
    notes: tuple[str, ...] = ()
    keeps: tuple[int, ...] = ()
    told: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


def plan_changes(wish: Wish, asked: Sequence[Asked], client: Client) -> Plan:
    """Read the images anew and plan; sends GETs only. Raises UsageError if the whole goes too far."""
    return portal.wait(aplan_changes(wish, asked, client))


async def aplan_changes(wish: Wish, asked: Sequence[Asked], client: Client) -> Plan:
    """Do what :func:`plan_changes` does, on the loop of the client."""
    if wish.operation == "transfer":
        regions = [one.fields.get("region") for one in asked if isinstance(one.fields, Mapping)]
        notes = await check_regions(client, regions)
    else:
        notes = ()
    scene = await read_scene(client, wish.operation, [one.image_id for one in asked])
    return build_plan(wish, asked, scene, client, notes)


async def read_scene(client: Client, operation: OperationName, image_ids: Sequence[int]) -> Scene:
    """Read what a plan rests on; a failure says that there is none."""
    try:
        return await look(client, image_ids, with_uses=OPERATIONS[operation].takes_away)
    except DOImagesError as error:
        error.add("No plan was made. Nothing was changed.")
        raise


def build_plan(wish: Wish, asked: Sequence[Asked], scene: Scene, client: Client, notes: tuple[str, ...] = ()) -> Plan:
    """Put each image through the guards, then the whole; nothing is sent."""
    rule, now = OPERATIONS[wish.operation], datetime.now(UTC)
    steps: list[Step] = []
    refusals: list[Refusal] = []
    warnings: list[str] = [*notes, *_unchecked(scene, wish)]
    seen: set[tuple[int, str]] = set()
    repeated = 0
    for one in asked:
        image = scene.find(one.image_id)
        fields = dict(one.fields) if isinstance(one.fields, Mapping) else {}
        uses = None if scene.uses is None else scene.uses.get(one.image_id, ())
        refusal = one.refusal
        if isinstance(one.fields, Computed) and image is not None:
            # Functions see only those images that may be changed.
            names = dict.fromkeys(one.fields.names)
            kept = check_image(rule, image, names, wish.guards, uses=uses, now=now)
            refusal = kept if kept is not None and kept[0] == "refused" else refusal
            fields = {} if refusal else check_fields(one.fields(image), image.title)
        key = one.image_id, repr(sorted(fields.items()))
        if key in seen:
            repeated += 1
            continue
        seen.add(key)
        found = refusal or check_image(rule, image, fields, wish.guards, uses=uses, now=now)
        if found is not None:
            outcome, reason = found
            refusals.append(Refusal(image_id=one.image_id, image=image, fields=fields, outcome=outcome, reason=reason))
        elif image is not None:
            steps.append(Step(number=len(steps) + 1, image=image, fields=fields))
            warnings += warnings_about(rule, image, uses=uses)
            warnings += _differences(image, wish.told.get(image.id, {}))
    if repeated:
        warnings.append(f"{repeated} given twice: one request each")
    _check_once(wish, steps)
    planned = {step.image.id: step.image for step in steps if step.image}
    check_count(rule, len(steps), len(planned), len(scene.images), wish.guards)
    if wish.operation == "delete":
        warnings += _last_ones(planned, scene)
    plan = _make(wish, steps, refusals, warnings, client, scene)
    plans.remember(plan, client)
    return plan


def plan_create(wish: Wish, rows: Sequence[Mapping[str, Any]], client: Client) -> Plan:
    """Plan imports, of fields that were checked; sends GET /v2/account and /v2/regions."""
    return portal.wait(aplan_create(wish, rows, client))


async def aplan_create(wish: Wish, rows: Sequence[Mapping[str, Any]], client: Client) -> Plan:
    """Do what :func:`plan_create` does, on the loop of the client."""
    warnings = list(await check_regions(client, [row["region"] for row in rows]))
    warnings += [text for row in rows for text in warnings_of_address(row["url"])]
    steps = [Step(number=number, image=None, fields=dict(row)) for number, row in enumerate(rows, 1)]
    check_count(OPERATIONS["create"], len(steps), len(steps), 0, wish.guards)
    account = await read_account(client)
    scene = Scene({}, {}, account, {})
    warnings += _unchecked(scene, wish)
    plan = _make(wish, steps, [], warnings, client, scene)
    plans.remember(plan, client)
    return plan


def plan_again(plan: Plan, client: Client | None = None) -> Plan:
    """Plan the same images and fields again, from a fresh read."""
    refuse_selected(plan)
    if plan.operation == "create" and read_history(journal_path(plan.id)) is not None:
        raise UsageError(
            f"plan {plan.id} was applied or begun: planned again, it would create twice. doimages.resume({plan.id!r}) "
            "goes on, report.retry_plan() takes what failed. Nothing was sent."
        )
    # What was left alone stays so: who wants it after all asks anew.
    left = [Asked(image_id=one.image_id, fields=one.fields, refusal=(one.outcome, one.reason)) for one in plan.refusals]
    return plan_steps(plan, plan.steps, client, left)


def plan_steps(plan: Plan, steps: Sequence[Step], client: Client | None, left: Sequence[Asked] = ()) -> Plan:
    """Plan some steps of a plan once more, from a fresh read, beside what is ``left`` alone."""
    client = plans.client_for(plan, client)
    if plan.operation == "create":
        return plan_create(wish_of(plan), [step.fields for step in steps], client)
    asked = [Asked(image_id=step.image.id, fields=step.fields) for step in steps if step.image]
    return plan_changes(wish_of(plan), [*asked, *left], client)


def wish_of(plan: Plan) -> Wish:
    """Give what a plan was to do beside its images."""
    return Wish(operation=plan.operation, guards=plan.guards, waits=plan.waits, returning=plan.returning)


def refuse_selected(plan: Plan) -> None:
    """Refuse to plan images again that were selected by a rule: it may select others now. Raises UsageError."""
    if plan.notes:
        raise UsageError(
            f"plan {plan.id} was made of a selection ({plan.notes[0]}): call what made it again. Nothing was sent."
        )


def _make(
    wish: Wish, steps: list[Step], refusals: list[Refusal], warnings: list[str], client: Client, scene: Scene
) -> Plan:
    return make_plan(
        operation=wish.operation,
        steps=tuple(steps),
        refusals=tuple(refusals),
        guards=wish.guards,
        base_url=client.base_url,
        account=scene.account,
        own=len(scene.images),
        warnings=tuple(dict.fromkeys(warnings)),
        notes=wish.notes,
        keeps=wish.keeps,
        waits=wish.waits,
        returning=wish.returning,
        price=options.resolve("price_per_gigabyte_month").value,
    )


def _unchecked(scene: Scene, wish: Wish) -> list[str]:
    """Say what could not be checked."""
    notes = [] if scene.account else ["whose token it is was not checked: it lacks the scope account:read"]
    rule = OPERATIONS[wish.operation]
    if rule.takes_away and scene.uses is None:
        notes.append("use by Droplets was not checked: the token lacks the scope droplet:read")
        if wish.guards.in_use == "refuse":
            raise UsageError(
                "in_use='refuse' wants to know which Droplets use the images, and the token lacks the scope "
                "droplet:read. Nothing was changed."
            )
    has_tags = any(image.tags is not None for image in scene.images.values())
    if (rule.takes_away or rule.alters) and scene.images and not has_tags:
        notes.append("protection by tags was not checked: the token lacks the scope tag:read")
    return notes


def _check_once(wish: Wish, steps: list[Step]) -> None:
    """Refuse two different values for one image."""
    if wish.operation != "update":
        return
    seen: dict[int, Mapping[str, Any]] = {}
    for step in steps:
        if step.image is not None and seen.setdefault(step.image.id, step.fields) != step.fields:
            raise UsageError(f"{step.title} is given two different values. Nothing was changed.")


def _differences(image: Image, told: Mapping[str, Any]) -> list[str]:
    return [
        f"{image.title}: the frame says {name} {value!r}, the server {image[name]!r}"
        for name, value in told.items()
        if value is not None and image[name] is not None and value != image[name]
    ]


def _last_ones(planned: Mapping[int, Image], scene: Scene) -> list[str]:
    """Warn where nothing is left of a series: images whose names differ by a date only."""
    left = {name_prefix(image.name or "", image.made_at) for image in scene.images.values() if image.id not in planned}
    series: dict[str, int] = {}
    for image in planned.values():
        prefix = name_prefix(image.name or "", image.made_at)
        if prefix != image.name:
            series[prefix] = series.get(prefix, 0) + 1
    return [
        f"no image is left of the series {prefix!r} ({number})"
        for prefix, number in series.items()
        if prefix not in left
    ]
