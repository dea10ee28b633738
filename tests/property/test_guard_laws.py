"""Laws of guards: whatever is asked for, nothing is planned or sent that must not be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from estate import HERE, Estate, confirmed, frame_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import doimages
from doimages.change.guards import Guards
from doimages.change.image import Image
from doimages.change.operations import OPERATIONS
from doimages.change.planning import Asked, Wish, build_plan
from doimages.change.scene import Account, Scene, owns
from doimages.errors import NotConfirmedError, UsageError

NOW = datetime.now(UTC)
FIELDS = {
    "delete": [{}],
    "update": [{"name": "other"}, {"description": "text"}],
    "convert": [{}],
    "transfer": [{"region": "ams3"}, {"region": "nyc3"}],
    "tag": [{"tag": "old"}],
    "untag": [{"tag": "old"}],
    "transfer_account": [{"email": "other@example.com"}],
}
TAKING = ("delete", "update", "transfer_account")
WAYS = [(operation, fields) for operation, several in FIELDS.items() for fields in several]
OURS = {"delete": {"snapshot", "custom"}, "convert": {"backup"}, "transfer_account": {"snapshot"}}

OLD, YOUNG = ((NOW - timedelta(**period)).isoformat() for period in ({"days": 90}, {"minutes": 30}))
COMING, HOURS = ((NOW + timedelta(**period)).isoformat() for period in ({"minutes": 30}, {"minutes": -90}))
USUAL = {
    "name": "web",
    "type": "snapshot",
    "public": False,
    "created_at": OLD,
    "status": "available",
    "tags": [],
    "regions": ["nyc3"],
    "description": "",
}
UNUSUAL = {
    "name": [None, "", "prod-db", "other"],
    "type": ["custom", "custom", "backup", "backup", "base", "application", "admin", "volume", None],
    "public": [True, None],
    "created_at": [None, "", "long ago", YOUNG, COMING, HOURS],
    "status": ["NEW", "new", "pending", "deleted", "retired", None],
    "tags": [None, ["old"], ["keep"], ["Keep"], ["old", "protect-me"], ["keeper"]],
    "regions": [[], ["nyc3", "ams3"]],
    "description": [None, "text"],
}
# An image is unusual in one or two ways: in more, and one guard would hide what another does.
ODDITIES = [(name, value) for name, values in UNUSUAL.items() for value in values]
EACH_ODDITY = [[], *([one] for one in ODDITIES)]
MOST = len(EACH_ODDITY) + 2


def account_of(oddities):
    """Give an account with an image for each list of oddities."""
    return {number: Image.of({"id": number, **USUAL, **dict(one)}) for number, one in enumerate(oddities, 1)}


ACCOUNTS = st.just(account_of(EACH_ODDITY)) | st.lists(
    st.lists(st.sampled_from(ODDITIES), max_size=2), min_size=8, max_size=MOST - 2
).map(account_of)
GUARDS = st.builds(
    Guards,
    max_count=st.sampled_from([1000, 1000, 1, 3]),
    max_percent=st.sampled_from([100.0, 100.0, 10.0, 50.0]),
    min_age_seconds=st.sampled_from([0.0, 3600.0, 7200.0]),
    pending=st.booleans(),
    in_use=st.sampled_from(["warn", "refuse"]),
    protected_names=st.sampled_from([None, "prod"]),
)
ASKED = st.just([*range(1, MOST)]) | st.lists(st.integers(1, MOST), max_size=12)
CLIENT = type("Client", (), {"base_url": HERE})()
USED = st.just(frozenset(range(1, MOST, 2))) | st.frozensets(st.integers(1, 8), max_size=4)
STRICT = Guards(
    max_count=1000, max_percent=100.0, min_age_seconds=3600.0, pending=False, in_use="refuse", protected_names="prod"
)
EVERYTHING = [*range(1, MOST)], account_of(EACH_ODDITY), frozenset(range(1, MOST, 2))
many = settings(max_examples=200, deadline=None)


def seen(account, used):
    """Give the look at an account: its own images, and what else there is."""
    own = {number: one for number, one in account.items() if owns(one) and not one.is_gone}
    others = {number: account.get(number) for number in range(1, MOST + 1) if number not in own}
    uses = dict.fromkeys(used, ("web",))
    return Scene(own, others, Account("uuid", None, "name"), uses)


def plan_of(way, guards, asked, account, used):
    """Give the plan of a request, or None if the whole goes too far."""
    operation, fields = way
    wish = Wish(operation=operation, guards=guards)
    try:
        return build_plan(wish, [Asked(image_id=one, fields=fields) for one in asked], seen(account, used), CLIENT)
    except UsageError as error:
        assert str(error).endswith("Nothing was changed.")  # noqa: PT017 - or there is none
        return None


@given(st.sampled_from(WAYS), GUARDS, ASKED, ACCOUNTS, USED)
@example(("delete", {}), STRICT, *EVERYTHING)
@example(("update", {"name": "other"}), STRICT, *EVERYTHING)
@example(("transfer", {"region": "ams3"}), STRICT, *EVERYTHING)
@example(("transfer_account", {"email": "other@example.com"}), STRICT, *EVERYTHING)
@many
def test_no_step_for_what_must_not_be_changed(way, guards, asked, account, used):
    """No step is for an image that is public, another's, gone, protected, too young or not for the operation."""
    plan = plan_of(way, guards, asked, account, used)

    for step in plan.steps if plan else ():
        image, operation = account[step.image_id], plan.operation
        assert image.public is False
        assert image.type in OURS.get(operation, {"snapshot", "custom"})
        assert image.status != "deleted"
        if operation in TAKING:
            assert not {"keep", "Keep", "protect-me"} & set(image.tags or ())
            assert not (guards.protected_names and "prod" in (image.name or ""))
        if operation == "delete" and guards.min_age_seconds:
            age = datetime.now(UTC) - datetime.fromisoformat(image.created_at)
            assert age.total_seconds() >= guards.min_age_seconds
        if operation in {"delete", "transfer", "transfer_account"} and not guards.pending:
            assert image.status not in {"NEW", "new", "pending"}
        if operation in {"delete", "transfer_account"} and guards.in_use == "refuse":
            assert image.id not in used
        if "description" in step.fields:
            assert image.type == "custom"
        assert step.image == image


@given(st.sampled_from(WAYS), GUARDS, ASKED, ACCOUNTS, USED)
@many
def test_steps_and_refusals_are_all_that_was_asked(way, guards, asked, account, used):
    """Each id that was asked for is in the steps or in the refusals, once; nothing else is in either."""
    plan = plan_of(way, guards, asked, account, used)

    if plan is not None:
        told = [step.image_id for step in plan.steps] + [one.image_id for one in plan.refusals]
        assert sorted(told) == sorted(set(asked))
        assert [step.number for step in plan.steps] == list(range(1, len(plan.steps) + 1))
        assert all(one.reason for one in plan.refusals)
        assert {one.outcome for one in plan.refusals} <= {"refused", "already gone", "no change"}
        gone = {one for one in asked if one not in account or account[one].is_gone}
        assert {one.image_id for one in plan.refusals if one.outcome == "already gone"} == gone


@given(st.sampled_from(WAYS), GUARDS, ASKED, ACCOUNTS, USED)
@many
def test_plan_is_within_its_limits(way, guards, asked, account, used):
    """A plan has no more steps than max_count, and no greater share of the account than max_percent; else is none."""
    plan = plan_of(way, guards, asked, account, used)
    loose = replace(guards, max_count=1000, max_percent=100.0)
    whole = plan_of(way, loose, asked, account, used)
    is_taking = way[0] in TAKING and whole.own >= 10

    fits = len(whole) <= guards.max_count
    fits &= not is_taking or 100 * len(whole) <= guards.max_percent * whole.own
    assert (plan is not None) is fits
    if plan is not None:
        assert plan.steps == whole.steps


@given(st.sampled_from(WAYS), GUARDS, ASKED, ACCOUNTS, USED)
@many
def test_order_and_repeats_do_not_count(way, guards, asked, account, used):
    """The images of a plan are the same whatever their order in the frame, and however often one is named."""
    one = plan_of(way, guards, asked, account, used)
    other = plan_of(way, guards, [*reversed(asked), *asked], account, used)

    assert (one is None) is (other is None)
    if one is not None and other is not None:
        assert {step.image_id for step in one.steps} == {step.image_id for step in other.steps}
        assert {(each.image_id, each.reason) for each in one.refusals} == {
            (each.image_id, each.reason) for each in other.refusals
        }


@given(GUARDS, ASKED, ACCOUNTS, USED)
@many
def test_stricter_guards_take_away_only(guards, asked, account, used):
    """With stricter guards a plan has fewer steps or as many, and none that it had not."""
    strict = Guards(
        max_count=1000,
        max_percent=100.0,
        min_age_seconds=guards.min_age_seconds + 3600,
        pending=False,
        in_use="refuse",
        protected_names="prod|web",
    )
    loose = replace(guards, max_count=1000, max_percent=100.0)
    for operation in TAKING:
        way = operation, FIELDS[operation][0]
        less, more = (plan_of(way, one, asked, account, used) for one in (strict, loose))
        assert {step.image_id for step in less.steps} <= {step.image_id for step in more.steps}


# Against the sandbox: what is really sent


@pytest.fixture(scope="module")
def account():
    made = Estate(size=60)
    yield made
    made.close()


SIZE = 60
CHOICE = st.lists(st.integers(0, SIZE + 3), min_size=1, max_size=12)
# What happens to images between the plan and its apply.
HAPPENINGS = st.dictionaries(
    st.integers(0, SIZE + 1),
    st.sampled_from(["gone", "public", "base", "renamed", "kept", "pending", "deleted", "used"]),
    max_size=6,
)
CALLS = {
    "delete": lambda frame, how: frame.do_images.delete(**how),
    "due": lambda frame, how: frame.do_images.delete(due=True, **how),
    "update": lambda frame, how: frame.do_images.update(name="other", **how),
    "convert": lambda frame, how: frame.do_images.convert(**how),
    "transfer": lambda frame, how: frame.do_images.ensure_regions(["ams3", "fra1"], **how),
    "tag": lambda frame, how: frame.do_images.tag("old", **how),
    "untag": lambda frame, how: frame.do_images.untag("prod", **how),
    "transfer_account": lambda frame, how: frame.do_images.transfer_account(email="other@example.com", **how),
    "retain": lambda frame, how: frame.do_images.retain(keep_last=1, per="name_prefix", **how),
    "quarantine": lambda frame, how: frame.do_images.quarantine(0, **how),
}
WIDE = {"max_count": 1000, "max_percent": 100}
at_the_sandbox = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def happen(state, happening, number):
    record = state.images.get(number)
    if record is None:
        return
    if happening == "gone":
        del state.images[number]
    elif happening == "used":
        state.droplets[number] = {"id": number, "name": "web", "tags": [], "image": {"id": number}}
    else:
        record |= {
            "public": {"public": True},
            "base": {"type": "base"},
            "renamed": {"name": "renamed"},
            "kept": {"tags": ["keep"]},
            "pending": {"status": "pending"},
            "deleted": {"status": "deleted"},
        }[happening]


def untouchable(state):
    """The ids that nothing but a GET may be sent for."""
    own = {"snapshot", "custom", "backup"}
    return {number for number, one in state.images.items() if one["public"] is not False or one["type"] not in own}


@given(st.sampled_from(sorted(CALLS)), CHOICE, HAPPENINGS, st.booleans(), st.sampled_from(["warn", "refuse"]))
@example("delete", [0, 1], {1: "public"}, False, "warn")
@example("tag", list(range(12)), {1: "base", 3: "public"}, False, "warn")
@at_the_sandbox
def test_public_image_gets_nothing_but_get(account, call, chosen, happenings, pending, in_use):
    """Whatever is planned of whatever frame, and happens meanwhile: a public image is sent nothing but a GET."""
    state = account.state
    state.reset()
    state.polls = 0
    ids = [*state.images, 1, 2, 3, 4]
    frame = frame_of(*(ids[place] for place in chosen))
    how = {**WIDE, "pending": pending, "in_use": in_use, "client": account.here}
    others = untouchable(state)

    plan = CALLS[call](frame, how)
    assert account.writes == []
    assert not {step.image_id for step in plan.steps} & others

    for place, happening in happenings.items():
        happen(state, happening, ids[place])
    others |= untouchable(state)
    kept = {number: dict(record) for number, record in state.images.items() if number in others}
    try:
        report = confirmed(plan, wait=True)
    except UsageError as error:
        # The account has shrunk, or an image is gone that was to be kept.
        assert any(text in str(error) for text in ("more than max_percent", "was to be kept"))  # noqa: PT017
        report = None

    assert not account.written & others
    assert account.written <= {step.image_id for step in plan.steps}
    assert {number: state.images[number] for number in kept} == kept
    if report is not None:
        assert len(report) == len(plan.steps) + len(plan.refusals)
        sent = {one.number for one in report.results if one.tries}
        assert account.written == {step.image_id for step in plan.steps if step.number in sent}
        assert sent >= {one.number for one in report.results if one.outcome == "done"}
        assert report.is_finished


SQL = [
    "DELETE FROM images WHERE image_id IN ({ids})",
    "UPDATE images SET name = 'x-' || name WHERE image_id IN ({ids})",
    "EXPLAIN DELETE FROM images WHERE image_id IN ({ids})",
    "EXPLAIN UPDATE images SET name = 'x' WHERE image_id IN ({ids})",
    "SELECT * FROM images WHERE image_id IN ({ids})",
]


@given(st.sampled_from([*sorted(CALLS), *SQL]), CHOICE)
@at_the_sandbox
def test_dry_run_sends_no_write(account, tmp_path, call, chosen):
    """Planning, EXPLAIN, the preview in text and HTML, saving, loading, refreshing and wrong words send no write."""
    state = account.state
    state.reset()
    ids = [*state.images, 1, 2, 3, 4]
    chosen_ids = [ids[place] for place in chosen]
    how = {**WIDE, "client": account.here}
    if call in CALLS:
        made = CALLS[call](frame_of(*chosen_ids), how)
    else:
        listed = [number for number in chosen_ids if state.images.get(number, {}).get("status", "deleted") != "deleted"]
        text = call.format(ids=", ".join(map(str, listed or ids[:1])))
        with doimages.options.option_context(max_count=1000, max_percent=100):
            made = doimages.read_do_images(text, client=account.here)
    if isinstance(made, doimages.Plan):
        made.save(tmp_path / "plan.json")
        assert doimages.load_plan(tmp_path / "plan.json") == made
        assert repr(made)
        assert made._repr_html_()
        assert len(made.to_frame()) == len(made.steps) + len(made.refusals)
        if not made.notes:
            again = made.refresh(account.here)
            assert [step.image_id for step in again.steps] == [step.image_id for step in made.steps]
        for words in (None, "", made.confirmation.upper(), f"{made.confirmation} "):
            with pytest.raises(NotConfirmedError):
                made.apply(confirm=words)

    assert account.writes == []
    assert bool(account.sent) is not call.startswith("EXPLAIN")


def test_all_operations_are_tried():
    """The laws are about every operation there is, but the create, which has no image."""
    assert {operation for operation, _ in WAYS} == set(OPERATIONS) - {"create"}
    assert set(CALLS) >= set(OPERATIONS) - {"create"}
