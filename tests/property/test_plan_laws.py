"""Laws of plans: what a fingerprint and an id tell, and that a saved plan is loaded as it was or not at all."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from estate import plain
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from doimages.change.guards import Guards
from doimages.change.image import Image
from doimages.change.operations import OPERATIONS
from doimages.change.plan import Plan, make_plan
from doimages.change.plans import load_plan
from doimages.change.scene import Account
from doimages.change.step import Refusal, Step
from doimages.errors import UsageError

TEXT = st.text(max_size=8)
MAYBE = st.none() | TEXT
IDS = st.integers(1, 10**12)
SIZES = st.floats(0, 1e6)
VALUES = st.dictionaries(
    st.sampled_from(["name", "description", "tag", "region", "tags"]), TEXT | st.lists(TEXT, max_size=2), max_size=2
)
IMAGES = st.builds(
    Image,
    id=IDS,
    name=MAYBE,
    type=st.sampled_from(["snapshot", "custom", None]),
    public=st.sampled_from([False, True, None]),
    created_at=MAYBE,
    size_gigabytes=st.none() | SIZES,
    regions=st.lists(TEXT, max_size=2).map(tuple),
    tags=st.none() | st.lists(TEXT, max_size=2).map(tuple),
    status=MAYBE,
    description=MAYBE,
    distribution=MAYBE,
    slug=MAYBE,
    min_disk_size=st.none() | st.integers(0, 1000),
    error_message=MAYBE,
)
STEPS = st.builds(Step, number=st.integers(1, 99), image=IMAGES, fields=VALUES)
REFUSALS = st.builds(Refusal, image_id=IDS, image=st.none() | IMAGES, fields=VALUES, outcome=TEXT, reason=TEXT)
GUARDS = st.builds(
    Guards,
    max_count=st.integers(1, 999),
    max_percent=SIZES,
    min_age_seconds=SIZES,
    pending=st.booleans(),
    in_use=st.sampled_from(["warn", "refuse"]),
    protected_names=MAYBE,
)
ACCOUNTS = st.none() | st.builds(Account, uuid=TEXT, team_uuid=MAYBE, name=TEXT)


def sensible(content):
    """Number the steps, and take their images from those of a create."""
    is_create = content["operation"] == "create"
    steps = (
        replace(step, number=number, image=None if is_create else step.image, fields={"name": "x", **step.fields})
        for number, step in enumerate(content["steps"], 1)
    )
    return {**content, "steps": tuple(steps)}


CONTENTS = st.fixed_dictionaries({
    "operation": st.sampled_from(sorted(OPERATIONS)),
    "steps": st.lists(STEPS, max_size=2).map(tuple),
    "refusals": st.lists(REFUSALS, max_size=2).map(tuple),
    "guards": GUARDS,
    "base_url": st.sampled_from(["http://127.0.0.1:8080", "https://api.test", "https://other.test"]),
    "account": ACCOUNTS,
    "own": st.integers(0, 99),
    "warnings": st.lists(TEXT, max_size=2).map(tuple),
    "notes": st.lists(TEXT, max_size=2).map(tuple),
    "waits": st.booleans(),
    "returning": MAYBE,
    "price": SIZES,
})  # fmt: skip
CONTENTS = CONTENTS.map(sensible)
PLANS = CONTENTS.map(lambda content: make_plan(**content))
TIMES = frozenset({"id", "made_at", "expires_at"})
TOLD = {"warnings", "notes", "own", "price"}
# What a hand, an editor or a bad disk may put in the place of a value.
OTHER_VALUES = st.sampled_from([
    *(None, True, False, 0, 1, -1, 2, 1.0, 0.0, 1e308, 10**30, "", "x", "\ud800", "delete", "update"),
    *([], {}, ["a"], [["a"]], {"a": 1}, [{}], [None], ["ab"], [1, 2]),
])  # fmt: skip
many = settings(max_examples=60, deadline=None)
over_one_folder = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@given(CONTENTS)
@many
def test_same_content_is_the_same_fingerprint(content):
    """Two plans that would do the same have one fingerprint, whenever they were made."""
    one, other = make_plan(**content), make_plan(**content)

    assert one.fingerprint == other.fingerprint
    assert (one.id == other.id) is (one.made_at == other.made_at)


def differing(one, other):
    """Give, for each field, the first plan with the second's value in it, and whether that is another value."""
    for place in fields(one):
        if place.name not in TIMES:
            changed = replace(one, **{place.name: getattr(other, place.name)})
            yield place.name, changed, text_of(changed) != text_of(one)


def text_of(plan):
    return plain({name: value for name, value in plan.to_record().items() if name not in TIMES})


@given(PLANS, PLANS)
@many
def test_other_field_is_another_fingerprint(one, other):
    """A plan with any one field changed has another fingerprint, unless it only tells, and does not fit its id."""
    for name, changed, is_other in differing(one, other):
        assert (changed.fingerprint != one.fingerprint) is (is_other and name not in TOLD)
        if is_other:
            with pytest.raises(UsageError, match=r"edited|of version"):
                changed.check_whole()
        else:
            changed.check_whole()


@given(PLANS, st.data())
@many
def test_other_detail_is_another_fingerprint(plan, data):
    """One detail changed of a step, a refusal, an image, the guards or the account is another fingerprint."""
    parts = [
        *(("steps", place, None) for place in range(len(plan.steps))),
        *(("steps", place, "image") for place, step in enumerate(plan.steps) if step.image is not None),
        *(("refusals", place, None) for place in range(len(plan.refusals))),
        ("guards", None, None),
        *([("account", None, None)] if plan.account else []),
    ]
    name, place, inner = data.draw(st.sampled_from(parts))
    whole = getattr(plan, name)
    part = whole if place is None else whole[place]
    target = part if inner is None else getattr(part, inner)
    donors = {Step: STEPS, Refusal: REFUSALS, Image: IMAGES, Guards: GUARDS, Account: ACCOUNTS.filter(bool)}
    donor = data.draw(donors[type(target)])
    detail = data.draw(st.sampled_from([one.name for one in fields(target)]))
    changed = replace(target, **{detail: getattr(donor, detail)})
    changed = changed if inner is None else replace(part, **{inner: changed})
    changed = changed if place is None else (*whole[:place], changed, *whole[place + 1 :])
    other = replace(plan, **{name: changed})
    assume(text_of(other) != text_of(plan))

    assert other.fingerprint != plan.fingerprint
    with pytest.raises(UsageError, match="was edited"):
        other.check_whole()


@given(PLANS, st.timedeltas(timedelta(0), timedelta(days=1)))
@many
def test_id_tells_when_it_was_made(plan, later):
    """The id changes with the time a plan was made, the fingerprint does not."""
    made_at = datetime.fromisoformat(plan.made_at) + later
    moved = replace(plan, made_at=made_at.isoformat())

    assert moved.fingerprint == plan.fingerprint
    if later:
        with pytest.raises(UsageError, match="was edited"):
            moved.check_whole()


@given(PLANS)
@many
def test_record_is_the_whole_plan(plan):
    """A plan is made again, equal in all, of its record, as it is and by way of JSON."""
    assert Plan.from_record(plan.to_record()) == plan
    assert Plan.from_record(json.loads(json.dumps(plan.to_record()))) == plan


@given(PLANS)
@over_one_folder
def test_saved_plan_is_loaded_as_it_was(tmp_path, plan):
    """A plan that was saved is loaded equal to it, with its id, its fingerprint and its words."""
    plan.save(tmp_path / "plan.json")
    loaded = load_plan(tmp_path / "plan.json")

    assert loaded == plan
    assert (loaded.id, loaded.fingerprint, loaded.confirmation) == (plan.id, plan.fingerprint, plan.confirmation)


def leaves(value, path=()):
    """Give the path of each value in a record, the whole ones and those within."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from leaves(one, (*path, key))


def edited(record, path, value):
    """Put a value in a place of a record; ... takes the place away."""
    made = json.loads(json.dumps(record))
    *outer, last = path
    target = made
    for key in outer:
        target = target[key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return made


def refused_or_equal(path, plan):
    """Load a file, which must be refused in words, or be the plan that it was."""
    try:
        loaded = load_plan(path)
    except UsageError as error:
        assert str(error).endswith("Nothing was sent.")  # noqa: PT017 - or there is none
    else:
        assert loaded == plan
        assert plain(loaded.to_record()) == plain(plan.to_record())


@given(PLANS, st.data())
@over_one_folder
def test_edited_value_is_refused(tmp_path, plan, data):
    """A saved plan with any value changed or taken out is refused, or it is the same plan all the same."""
    record = plan.to_record()
    path = data.draw(st.sampled_from(list(leaves(record))))
    other = edited(record, path, data.draw(OTHER_VALUES | st.just(...)))
    (tmp_path / "plan.json").write_text(json.dumps(other))

    refused_or_equal(tmp_path / "plan.json", plan)


@given(PLANS, st.data())
@over_one_folder
def test_edited_byte_is_refused(tmp_path, plan, data):
    """A saved plan with any byte changed, or cut off anywhere, is refused, or it is the same plan all the same."""
    plan.save(tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_bytes()
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255))

    (tmp_path / "other.json").write_bytes(text[:place] + bytes([byte]) + text[place + 1 :])
    refused_or_equal(tmp_path / "other.json", plan)
    (tmp_path / "other.json").write_bytes(text[:place])
    refused_or_equal(tmp_path / "other.json", plan)


@given(st.recursive(OTHER_VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)))
@example({"version": 1})
@example({"version": 2})
@example({"version": 1, "steps": [], "refusals": [], "guards": {}, "account": None, "warnings": []})
@over_one_folder
def test_other_json_is_no_plan(tmp_path, value):
    """Whatever JSON a file holds, it is refused in words if it is no plan."""
    (tmp_path / "plan.json").write_text(json.dumps(value))

    with pytest.raises(UsageError, match=r"no plan of doimages|of version"):
        load_plan(tmp_path / "plan.json")


@given(PLANS, st.timedeltas(timedelta(hours=-1), timedelta(hours=1)))
@many
def test_plan_is_fresh_for_a_quarter_of_an_hour(plan, later):
    """A plan is stale from 15 minutes after it was made, and where the clock was set back by more than two."""
    made_at = datetime.fromisoformat(plan.made_at)

    is_fresh = -timedelta(minutes=2) <= later < timedelta(minutes=15)
    assert plan.is_stale(made_at + later) is not is_fresh
    assert not plan.is_stale(made_at + timedelta(minutes=15) - timedelta(microseconds=1))
    assert plan.is_stale(made_at + timedelta(minutes=15))
    assert made_at.tzinfo == UTC


@given(PLANS, PLANS)
@many
def test_words_tell_what_is_done(one, other):
    """The words name the operation and the number of images; away from this machine they name whose these are."""
    for plan in (one, other):
        words = plan.confirmation
        images = len({step.image_id or f"new {step.number}" for step in plan.steps})
        assert words.startswith(f"{plan.rule.verb} {images} image")
        if plan.is_local:
            assert words.endswith(("image", "images"))
        else:
            name = plan.account.name if plan.account else ""
            can_be_typed = name.strip() and name.isprintable()
            assert words.endswith(f" {name}" if can_be_typed else f" {plan.host}")
