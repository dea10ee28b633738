"""A plan: frozen, saved and loaded, confirmed by its words, and refused where it would do other than was meant."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from estate import HERE, confirmed, estate, frame_of, images, outcomes

import doimages
from doimages.change.plan import Plan, _id_of
from doimages.errors import NotConfirmedError, UsageError
from doimages.sandbox_api.faults import Fault

ELSEWHERE = "https://api.test"


@pytest.fixture
def account():
    with estate(*images(5)) as made:
        yield made


@pytest.fixture
def plan(account):
    return frame_of(1, 2, 3).do_images.delete(client=account.here)


def remade(plan, **values):
    """Give the plan as if it had been made so, with the id that fits."""
    record = plan.to_record() | values
    return Plan.from_record(record | {"id": _id_of(record)})


def aged(plan, **period):
    """Give the plan as if it had been made so long ago."""
    times = {name: datetime.fromisoformat(getattr(plan, name)) for name in ("made_at", "expires_at")}
    return remade(plan, **{name: (at - timedelta(**period)).isoformat() for name, at in times.items()})


def refused(account, plan, message, **how):
    """Apply a plan with its words, which must be refused with a message, and change nothing."""
    with pytest.raises(UsageError, match=message) as caught:
        plan.apply(confirm=plan.confirmation, **how)
    assert account.writes == []
    return str(caught.value)


def test_plan_is_plain_data(account, plan):
    """A plan tells its operation, its images as the server has them, whose they are, and holds no token."""
    assert (plan.operation, plan.count, len(plan), plan.own) == ("delete", 3, 3, 5)
    assert [(step.number, step.image.name, dict(step.fields)) for step in plan.steps] == [
        (1, "web-1", {}),
        (2, "web-2", {}),
        (3, "web-3", {}),
    ]
    assert (plan.base_url, plan.account.name) == (HERE, "sandbox")
    assert "made-up-for-the-sandbox" not in str(plan.to_record())
    with pytest.raises(FrozenInstanceError):
        plan.own = 9


def test_plan_sends_reads_only(account, plan):
    """Planning lists the account's images, its Droplets and whose the token is, and nothing else."""
    assert sorted(account.sent) == [("GET", "/v2/account"), ("GET", "/v2/droplets"), ("GET", "/v2/images")]


# Refused


@pytest.mark.parametrize(("minutes", "age"), [(15, "15 min"), (16, "16 min"), (185, "3 h"), (1441, "1 day")])
def test_stale_plan(account, plan, minutes, age):
    """A plan from 15 minutes on is refused with its age, and says how to plan anew."""
    old = aged(plan, minutes=minutes)

    assert old.is_stale()
    refused(
        account, old, rf"plan {old.id} was made {age}.* ago; plan\.refresh\(\).*Nothing was sent", client=account.here
    )


def test_fresh_plan(account, plan):
    """A plan of 14 minutes is carried out."""
    assert confirmed(aged(plan, minutes=14), client=account.here).counts == {"done": 3}


def test_stale_plan_is_refreshed(account, plan):
    """A plan that was refreshed is a new one, and carried out."""
    again = aged(plan, hours=3).refresh(account.here)

    assert not again.is_stale()
    assert again.fingerprint == plan.fingerprint
    assert confirmed(again).counts == {"done": 3}


def edit_field(plan):
    plan.steps[0].fields["name"] = "other"


def edit_steps(plan):
    object.__setattr__(plan, "steps", plan.steps[:1])


def edit_image(plan):
    object.__setattr__(plan.steps[0], "image", replace(plan.steps[0].image, id=4))


def edit_guards(plan):
    object.__setattr__(plan, "guards", replace(plan.guards, max_percent=100.0))


def edit_times(plan):
    object.__setattr__(plan, "expires_at", "2999-01-01T00:00:00+00:00")


@pytest.mark.parametrize("edit", [edit_field, edit_steps, edit_image, edit_guards, edit_times])
def test_plan_edited_in_memory(account, plan, edit):
    """A plan that does not fit its id any more is refused before anything is sent."""
    account.state.log.clear()
    edit(plan)

    refused(account, plan, rf"plan {plan.id} was edited: .*Plan anew\. Nothing was sent\.$")
    assert account.sent == []


def test_replaced_plan(account, plan):
    """A copy with another value is an edited plan."""
    refused(account, replace(plan, operation="update"), "was edited")


def test_other_version(account, plan, tmp_path):
    """A plan of another version of doimages is refused, from a file and in memory."""
    plan.save(tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_text()
    (tmp_path / "plan.json").write_text(text.replace('"version": 1', '"version": 2'))

    with pytest.raises(UsageError, match=r"This plan is of version 2, not 1\. Nothing was sent\.$"):
        doimages.load_plan(tmp_path / "plan.json")
    object.__setattr__(plan, "version", 2)
    refused(account, plan, rf"plan {plan.id} is of version 2, not 1\. Nothing was sent\.$")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
        b"plan",
        b'{"version": 1, "steps": 5}',
        b"id,name\n1,web",
    ],
    ids=lambda content: repr(content[:12]),
)
def test_file_that_is_no_plan(tmp_path, content):
    """A file of something else is no plan."""
    (tmp_path / "plan.json").write_bytes(content)

    with pytest.raises(UsageError, match=r"is no plan of doimages\. Nothing was sent\.$"):
        doimages.load_plan(tmp_path / "plan.json")


def test_file_that_is_not_there(tmp_path):
    """A file that is not there is told so, without its path."""
    with pytest.raises(UsageError, match=r"^The plan cannot be read: No such file or directory\. Nothing was sent\.$"):
        doimages.load_plan(tmp_path / "none.json")


@pytest.mark.parametrize("how", ["steps", "base_url"])
def test_file_with_what_cannot_be_sent(plan, tmp_path, how):
    """A plan edited to what is no text of a request is refused in words, too."""
    wrong = {"steps": '"fields": "xy"', "base_url": '"base_url": "\\ud800"'}
    right = {"steps": '"fields": {}', "base_url": f'"base_url": "{HERE}"'}
    plan.save(tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_text()
    (tmp_path / "plan.json").write_text(text.replace(right[how], wrong[how], 1))

    with pytest.raises(UsageError, match=r"no plan of doimages\. Nothing was sent\.$"):
        doimages.load_plan(tmp_path / "plan.json")


def test_other_host(account, plan):
    """A plan is not applied by a client of another address: the ids mean other images there."""
    other = account.client(ELSEWHERE)
    account.state.log.clear()

    refused(account, plan, rf"is for {HERE}, the client speaks to {ELSEWHERE}: ids mean other images", client=other)
    with pytest.raises(UsageError, match="ids mean other images"):
        plan.refresh(other)
    assert account.sent == []


def test_frame_of_another_host(account):
    """A frame that was read elsewhere makes no plan here."""
    frame = doimages.read_do_images(client=account.client(ELSEWHERE))

    with pytest.raises(UsageError, match=rf"read from {ELSEWHERE}, the client speaks to {HERE}"):
        frame.do_images.delete(client=account.here)


@pytest.mark.parametrize(
    "change", [{"uuid": "another"}, {"team": {"uuid": "another", "name": "team B"}}, {"team": None}]
)
def test_other_account(account, plan, change):
    """A plan is not applied to another account or team; the error names both."""
    account.state.account |= change

    message = refused(account, plan, r"planned for sandbox; this is another token: it is of .*Nothing was changed\.$")

    if change.get("team"):
        assert "team B" in message


def test_renamed_account(account, plan):
    """A team that was renamed is the same team."""
    account.state.account["team"]["name"] = "renamed"

    assert confirmed(plan).counts == {"done": 3}


def test_account_unknown_when_applied(account, plan):
    """A token that may not say whose it is does not apply a plan of a known account."""
    other = account.client(without="account:read")

    refused(account, plan, r"this is another token: its account cannot be told: no account:read", client=other)


def test_account_never_known(account):
    """A token that may not say whose it is can plan and apply; the plan says what was not checked."""
    client = account.client(without="account:read")
    plan = frame_of(1).do_images.delete(client=client)

    assert plan.account is None
    assert "whose token it is was not checked: it lacks the scope account:read" in plan.warnings
    assert confirmed(plan).counts == {"done": 1}


# The words


@pytest.mark.parametrize(
    "words",
    [
        None,
        "",
        "yes",
        "delete",
        "Delete 3 images",
        "DELETE 3 IMAGES",
        "delete 3 images ",
        " delete 3 images",
        "delete  3 images",
        "delete 3 images\n",
        "delete 3 image",
        "delete 2 images",
        "delete 4 images",
        "delete 30 images",
        "delete 3 images.",
        "delete three images",
        "delete 3\u00a0images",
        "delete \uff13 images",
        "update 3 images",
        "delete 3 images from sandbox",
        True,
        3,
    ],
)
def test_wrong_words(account, plan, words):
    """Other words than the plan's, in whatever small way, change nothing; the error says what to pass."""
    account.state.log.clear()

    with pytest.raises(NotConfirmedError, match=r"pass confirm='delete 3 images'\. Nothing was sent\.$") as caught:
        plan.apply(confirm=words)

    assert caught.value.plan is plan
    assert account.sent == []


@pytest.mark.parametrize("words", ["delete 3 images", "delete 3 images from Sandbox", "delete 3 images from team B"])
def test_words_of_another_team(account, words):
    """Away from a sandbox the words name the team, exactly."""
    plan = frame_of(1, 2, 3).do_images.delete(client=account.client(ELSEWHERE))

    with pytest.raises(NotConfirmedError, match=r"pass confirm='delete 3 images from sandbox'\. Nothing was sent\.$"):
        plan.apply(confirm=words)
    assert account.writes == []
    assert plan.apply(confirm="delete 3 images from sandbox").counts == {"done": 3}


@pytest.mark.parametrize(
    ("operation", "arguments", "words"),
    [
        ("delete", {}, "delete 1 image from sandbox"),
        ("update", {"name": "x"}, "update 1 image in sandbox"),
        ("transfer", {"region": "ams3"}, "transfer 1 image in sandbox"),
        ("tag", {"tag": "x"}, "tag 1 image in sandbox"),
        ("transfer_account", {"email": "a@example.com"}, "move 1 image from sandbox"),
    ],
)
def test_words_of_operations(account, operation, arguments, words):
    """The words say what is done, to how many images, and whose: from them, where something is lost by it."""
    plans = [
        getattr(frame_of(1).do_images, operation)(**arguments, client=account.client(url)) for url in (ELSEWHERE, HERE)
    ]

    assert [plan.confirmation for plan in plans] == [words, words.rpartition(" image")[0] + " image"]


def test_words_without_a_team(account):
    """Where the token may not say whose it is, the words name the host."""
    plan = frame_of(1).do_images.delete(client=account.client(ELSEWHERE, without="account:read"))

    assert plan.confirmation == "delete 1 image from api.test"


def test_words_count_images(account):
    """Two transfers of one image are one image in the words."""
    plan = frame_of(1, 2).do_images.ensure_regions(["ams3", "fra1"], client=account.here)

    assert (plan.confirmation, len(plan)) == ("transfer 2 images", 4)


# Once


def test_applied_twice(account, plan):
    """A plan that was applied is not applied again; the error says when, and what was done."""
    confirmed(plan)
    account.state.log.clear()

    at = rf"{datetime.now(UTC):%Y-%m-%d} \d\d:\d\d UTC"
    refused(account, plan, rf"plan {plan.id} was applied already at {at}: .*3 of 3 done\. Nothing was sent\.$")
    assert account.sent == []


def test_loaded_plan_applied_twice(account, plan, tmp_path):
    """A plan that was loaded from a file is the one that was applied."""
    plan.save(tmp_path / "plan.json")
    confirmed(plan)
    account.state.log.clear()

    refused(account, doimages.load_plan(tmp_path / "plan.json"), "was applied already", client=account.here)


def test_begun_plan(account, plan):
    """A plan that was begun and not finished is not applied again: resume goes on with it, and does nothing twice."""
    account.state.faults.append(Fault("status", method="DELETE", status=401, after=1, times=None))
    report = confirmed(plan)
    assert sorted(report.counts) == ["done", "not started"]
    done = account.written
    account.state.faults.clear()
    account.state.log.clear()

    refused(
        account, plan, rf"plan {plan.id} was begun: .*doimages\.resume\('{plan.id}'\) goes on\. Nothing was sent\.$"
    )

    assert doimages.resume(plan.id, client=account.here).counts == {"done": 3}
    assert {1, 2, 3} - account.written <= done
    assert not {1, 2, 3} & account.state.images.keys()


def test_plan_that_was_refused_is_not_begun(account, plan):
    """A plan that was refused when it was to be applied may be applied afterwards."""
    account.state.account["uuid"], before = "another", account.state.account["uuid"]
    refused(account, plan, "planned for sandbox")
    account.state.account["uuid"] = before

    assert confirmed(plan).counts == {"done": 3}


# Saved, loaded, refreshed


def test_loaded_plan_is_applied(account, plan, tmp_path):
    """A plan that was saved, by name or path, is loaded and applied."""
    plan.save(str(tmp_path / "plan.json"))
    loaded = doimages.load_plan(str(tmp_path / "plan.json"))

    assert loaded == plan
    assert confirmed(loaded, client=account.here).counts == {"done": 3}


CALLS = {
    "delete": lambda rows, client: rows.delete(client=client),
    "due": lambda rows, client: rows.delete(due=True, client=client),
    "update": lambda rows, client: rows.update(name="web-2", client=client),
    "computed": lambda rows, client: rows.update(name=lambda one: f"x-{one.name}", client=client),
    "convert": lambda rows, client: rows.convert(client=client),
    "transfer": lambda rows, client: rows.ensure_regions(["ams3", "nyc3"], client=client),
    "tag": lambda rows, client: rows.tag("old", client=client),
    "untag": lambda rows, client: rows.untag("keep", client=client),
    "transfer_account": lambda rows, client: rows.transfer_account(team="other", client=client),
    "quarantine": lambda rows, client: rows.quarantine(client=client),
}


@pytest.mark.parametrize("name", [name for name in CALLS if name != "due"])
def test_refresh_of_the_same(account, name):
    """Where nothing has changed, a refreshed plan has the fingerprint of the first, and another id."""
    account.state.images[3]["tags"] = ["keep", "doimages-delete-after:2026-01-01"]
    account.state.images[4] |= {"type": "backup", "tags": ["doimages-delete-after:2026-01-01"]}
    account.state.images[5] |= {"public": True}
    account.state.images[1]["tags"] = ["doimages-delete-after:2026-01-01"]
    plan = CALLS[name](frame_of(1, 2, 3, 4, 5, 6).do_images, account.here)

    again = plan.refresh()

    assert again.steps == plan.steps
    assert again.refusals == plan.refusals
    assert again.fingerprint == plan.fingerprint
    assert again.id != plan.id


def test_refresh_of_a_create(account):
    """The plan of a create is refreshed, too."""
    url = "https://images.example.com/base.qcow2"
    plan = doimages.create_custom(name="base", url=url, region="nyc3", tags=["q"], client=account.here)

    assert plan.refresh().fingerprint == plan.fingerprint


def test_refresh_of_what_is_due(account):
    """What a rule selected is not planned again by its ids: the rule may select others now."""
    account.state.images[1]["tags"] = ["doimages-delete-after:2026-01-01"]
    plan = frame_of(1, 2, 3).do_images.delete(due=True, client=account.here)

    with pytest.raises(UsageError, match=r"made of a selection .*call what made it again\. Nothing was sent\."):
        plan.refresh()


def test_refresh_sees_changes(account, plan):
    """A refreshed plan is of the images as they are now."""
    account.state.images[1]["name"] = "renamed"
    account.state.images[2]["tags"] = ["keep"]
    del account.state.images[3]

    again = plan.refresh()

    assert [step.image.name for step in again.steps] == ["renamed"]
    assert [one.outcome for one in again.refusals] == ["refused", "already gone"]
    assert again.fingerprint != plan.fingerprint
    assert outcomes(confirmed(again))[0][:2] == (1, "done")


# Of what frames


def test_plan_of_no_rows(account):
    """A frame of no rows makes a plan of none, never of all; applied, it sends nothing that changes anything."""
    for call in CALLS.values():
        plan = call(frame_of().do_images, account.here)
        assert (len(plan), plan.refusals) == (0, ())
        report = plan.apply(confirm=f"{plan.rule.verb} 0 images")
        assert len(report) == 0
        report.raise_for_failures()
    assert account.writes == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_row_without_an_id(account, call):
    """A row without an id is refused with its place, and nothing is sent."""
    frame = pd.DataFrame({"id": pd.array([1, None], "Int64")})

    with pytest.raises(UsageError, match=r"^row 1 has no id\. Nothing was sent\.$"):
        call(frame.do_images, account.here)
    assert account.sent == []


@pytest.mark.parametrize("number", [0, -1, 10**19])
def test_no_number_of_an_image(account, number):
    """A number that no image has is refused, and nothing is sent."""
    with pytest.raises(UsageError, match=r"Nothing was sent|id"):
        pd.DataFrame({"id": pd.Series([number], dtype="uint64" if number > 0 else "int64")}).do_images.delete(
            client=account.here
        )
    assert account.sent == []


def test_repeated_rows(account):
    """An image in several rows is planned once, and the plan says so."""
    plan = frame_of(1, 2, 1, 1).do_images.delete(client=account.here)

    assert [step.image_id for step in plan.steps] == [1, 2]
    assert "2 given twice: one request each" in plan.warnings


@pytest.mark.parametrize("dtype", ["int32", "uint64", "Int64", "int64[pyarrow]"])
def test_any_integer_column(account, dtype):
    """Ids of any integer dtype, in a column or the index, are planned as plain ints."""
    frame = pd.DataFrame({"id": pd.Series([1, 2], dtype=dtype)})

    for one in (frame, frame.set_index("id")):
        plan = one.do_images.delete(client=account.here)
        assert [type(step.image_id) for step in plan.steps] == [int, int]
        assert doimages.Plan.from_record(plan.to_record()) == plan


def test_frame_of_a_plan(account):
    """The frame of a plan has a row a step and a row a refusal, with the same dtypes for any plan."""
    plan = frame_of(1, 9).do_images.update(name="x", client=account.here)
    frame = plan.to_frame()

    assert frame["id"].tolist() == [1, 9]
    assert frame["outcome"].tolist() == ["planned", "already gone"]
    assert frame["sends"].tolist() == [{"name": "x"}, {}]
    assert frame["action"].tolist() == ["update", "update"]
    assert frame["reason"].isna().tolist() == [True, False]
    empty = frame_of().do_images.update(name="x", client=account.here).to_frame()
    assert empty.dtypes.to_dict() == frame.dtypes.to_dict()
    assert {str(dtype) for dtype in frame.dtypes} == {"Int64", "str", "object"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "update changes nothing"),
        ({"name": ""}, "name of each image would be empty"),
        ({"name": "  "}, "name of each image would be empty"),
        ({"name": "x" * 256}, "would have 256 letters, more than 255"),
        ({"name": 7}, "name of each image is 7, which is no text"),
        ({"name": lambda one: None}, r"name of image 1 \('web-1'\) is None"),
        ({"name": lambda one: ""}, r"name of image 1 \('web-1'\) would be empty"),
        ({"name": lambda one: 7}, r"name of image 1 \('web-1'\) is 7"),
        ({"name": lambda one: one.nothing}, r"the function for name failed for image 1 \('web-1'\): AttributeError"),
    ],
)
def test_values_that_cannot_be_sent(account, values, message):
    """A value that no image can have makes no plan; a function that fails is told of with the image."""
    with pytest.raises(UsageError, match=message):
        frame_of(1).do_images.update(**values, client=account.here)
    assert account.writes == []
