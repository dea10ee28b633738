"""What keeps a change from an image: told by the server and never by the frame, when planned and when applied."""

from datetime import UTC, datetime, timedelta

import pytest
from estate import HERE, confirmed, estate, frame_of, images, outcomes, reasons
from scripted import FakeTime, image

from doimages.change.application import Application
from doimages.change.guards import check_image, make_guards
from doimages.change.image import Image
from doimages.change.journal import Journal
from doimages.change.operations import OPERATIONS
from doimages.errors import UsageError
from doimages.sandbox_api.faults import Fault
from doimages.settings import options

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ARGUMENTS = {
    "delete": {},
    "update": {"name": "other"},
    "convert": {},
    "transfer": {"region": "ams3"},
    "tag": {"tag": "old"},
    "untag": {"tag": "new"},
    "transfer_account": {"email": "other@example.com"},
}
TAKING = ("delete", "update", "transfer_account")
OTHERS = ("transfer", "tag", "untag")


@pytest.fixture
def account():
    with estate(*images(3, tags=["new"])) as made:
        made.state.tags["old"] = None
        yield made


def ago(**period):
    return (datetime.now(UTC) - timedelta(**period)).strftime("%Y-%m-%dT%H:%M:%SZ")


def planned(account, operation, *ids, **guards):
    made = getattr(frame_of(*(ids or (1, 2, 3))).do_images, operation)
    return made(**ARGUMENTS[operation], **guards, client=account.here)


def steps(plan):
    return [step.image_id for step in plan.steps]


def rows(table):
    return [(operation, fields, reason) for operations, fields, reason in table for operation in operations]


NOT_YOURS = [
    ({"public": True}, "it is public, so not yours"),
    ({"public": None}, "the API does not say whether it is public"),
    ({"type": "base", "public": True}, "it is public, so not yours"),
    ({"type": "base"}, "it is of type base, so not yours"),
    ({"type": "application"}, "it is of type application, so not yours"),
    ({"type": "admin"}, "it is of type admin, so not yours"),
    ({"type": "volume"}, "it is of type volume, so not yours"),
    ({"type": None}, "it is of type unknown, so not yours"),
]
REFUSED = rows([
    *((ARGUMENTS, fields, reason) for fields, reason in NOT_YOURS),
    (["delete"], {"type": "backup"}, "a backup: the API answers 204 and keeps it"),
    (["transfer"], {"type": "backup"}, "a backup: the API refuses it"),
    (["update", "tag", "untag"], {"type": "backup"}, "a backup: what the API does with it is not documented"),
    (["transfer_account"], {"type": "backup"}, "a backup: only snapshots move"),
    (["transfer_account"], {"type": "custom"}, "a custom: only snapshots move"),
    (["convert"], {"type": "custom"}, "a custom: only a backup is converted"),
    (["convert"], {"type": "snapshot"}, "a snapshot: only a backup is converted"),
    *(
        (["delete", "transfer", "transfer_account"], {"status": status}, f"its status is {status}: pending=True")
        for status in ("pending", "NEW", "new")
    ),
    (TAKING, {"tags": ["new", "keep"]}, "its tag 'keep' protects it: untag it first"),
    (TAKING, {"tags": ["KEEP"]}, "its tag 'KEEP' protects it"),
    (TAKING, {"tags": ["protected:by-me"]}, "its tag 'protected:by-me' protects it"),
    (["delete"], {"created_at": None}, "the API does not say when it was made: min_age='0h' allows it"),
    (["delete"], {"created_at": "long ago"}, "the API does not say when it was made"),
    (["delete"], {"created_at": ago(minutes=20)}, "it is younger than min_age, 1 h"),
    (["delete"], {"created_at": ago(hours=-5)}, "it is younger than min_age, 1 h"),
])  # fmt: skip


@pytest.mark.parametrize(("operation", "fields", "reason"), REFUSED)
def test_image_is_refused(account, operation, fields, reason):
    """An image that the change is not for is left alone with its reason, and applying the plan sends it nothing."""
    account.state.images[2] |= fields

    plan = planned(account, operation, 2)

    assert steps(plan) == []
    outcome, said = reasons(plan)[2]
    assert (outcome, said[: len(reason)]) == ("refused", reason)
    assert outcomes(confirmed(plan)) == [(2, "refused", said)]
    assert account.writes == []


ALLOWED = rows([
    (["delete", "update", "transfer", "tag", "untag", "transfer_account"], {}, {}),
    (["delete", "update", "transfer", "tag", "untag"], {"type": "custom"}, {}),
    (["convert"], {"type": "backup"}, {}),
    (["update", "tag", "untag"], {"status": "pending"}, {}),
    (["delete", "transfer", "transfer_account"], {"status": "NEW"}, {"pending": True}),
    (OTHERS, {"tags": ["new", "keep"]}, {}),
    (TAKING, {"tags": ["keeper", "unprotect", "do-not-keep"]}, {}),
    (TAKING, {"tags": None}, {}),
    (TAKING, {"tags": []}, {}),
    (["delete"], {"created_at": None}, {"min_age": "0h"}),
    (["delete"], {"created_at": ago(minutes=2)}, {"min_age": "1 min"}),
    (["delete"], {"created_at": ago(minutes=62)}, {}),
    (["update", "transfer", "tag", "untag", "transfer_account"], {"created_at": ago(minutes=1)}, {}),
    (["update", "transfer", "tag", "untag", "transfer_account"], {"created_at": None}, {}),
    (["delete", "update", "tag", "transfer_account"], {"name": None, "size_gigabytes": None, "regions": []}, {}),
])  # fmt: skip


@pytest.mark.parametrize(("operation", "fields", "guards"), ALLOWED)
def test_image_is_planned(account, operation, fields, guards):
    """An image that no guard keeps the change from is planned, whatever else is missing of it."""
    account.state.images[2] |= fields

    plan = planned(account, operation, 2, **guards)

    assert (steps(plan), reasons(plan)) == ([2], {})
    assert account.writes == []


@pytest.mark.parametrize(
    ("seconds", "is_old_enough"), [(3600, True), (3601, True), (3599, False), (0, False), (-1, False)]
)
def test_min_age_to_the_second(seconds, is_old_enough):
    """An image as old as min_age to the second is deleted, one a second younger is not."""
    made = Image.of(image(1, created_at=(NOW - timedelta(seconds=seconds)).isoformat()))

    found = check_image(OPERATIONS["delete"], made, {}, make_guards(), uses=(), now=NOW)

    assert found == (None if is_old_enough else ("refused", "it is younger than min_age, 1 h"))


@pytest.mark.parametrize("field", ["description", "distribution"])
def test_description_is_for_custom_images(account, field):
    """A description or a distribution is changed of custom images alone."""
    account.state.images[2]["type"] = "custom"

    plan = frame_of(1, 2).do_images.update(**{field: "Debian"}, client=account.here)

    assert steps(plan) == [2]
    assert reasons(plan) == {1: ("refused", f"a snapshot: only a custom image has a {field} that can be changed")}


def test_protected_names(account):
    """A name that protected_names is found in keeps an image; one without a name is not kept by it."""
    account.state.images[1]["name"] = "prod-db"
    account.state.images[2]["name"] = None

    with options.option_context(protected_names="^prod"):
        plans = {operation: planned(account, operation) for operation in (*TAKING, *OTHERS)}

    for operation in TAKING:
        assert steps(plans[operation]) == [2, 3]
        assert reasons(plans[operation]) == {1: ("refused", "its name fits protected_names, '^prod'")}
    for operation in OTHERS:
        assert steps(plans[operation]) == [1, 2, 3]


def test_in_use_warns(account):
    """Droplets made of an image are told of, and do not keep it from being deleted."""
    for name in ("web", "db", "mail", "ci"):
        account.use(2, name)

    plan = planned(account, "delete")

    assert steps(plan) == [1, 2, 3]
    assert plan.warnings == ("image 2 ('web-2') is used by Droplets 'web', 'db', 'mail' and 1 more",)


def test_in_use_refuses(account):
    """With in_use="refuse" an image that a Droplet is made of is left alone by what takes images away."""
    account.use(2, "web")

    for operation in ("delete", "transfer_account"):
        plan = planned(account, operation, in_use="refuse")
        assert steps(plan) == [1, 3]
        assert reasons(plan) == {2: ("refused", "it is used by Droplet 'web'")}
    assert steps(planned(account, "update", in_use="refuse")) == [1, 2, 3]


def test_in_use_unknown(account):
    """A token that may not read Droplets is told so; in_use="refuse" makes no plan then."""
    client = account.client(without="droplet:read")

    plan = frame_of(1).do_images.delete(client=client)

    assert "use by Droplets was not checked: the token lacks the scope droplet:read" in plan.warnings
    with pytest.raises(UsageError, match=r"in_use='refuse' wants to know.*lacks the scope droplet:read.*Nothing was"):
        frame_of(1).do_images.delete(client=client, in_use="refuse")


def test_in_use_unknown_when_applied(account):
    """A plan with in_use="refuse" is not applied by a token that may not read Droplets, whatever it saw before."""
    plan = planned(account, "delete", in_use="refuse")
    account.use(2, "web")

    with pytest.raises(UsageError, match=r"in_use='refuse'.*lacks the scope droplet:read.*Nothing was changed\."):
        confirmed(plan, client=account.client(without="droplet:read"))

    assert account.writes == []


def test_tags_unknown(account):
    """A token that sees no tags is told that they protect nothing."""
    plan = frame_of(1).do_images.delete(client=account.client(without="tag:read"))

    assert plan.warnings == ("protection by tags was not checked: the token lacks the scope tag:read",)


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("update", {"name": "other"}),
        ("transfer", {"regions": ["nyc3", "ams3"]}),
        ("tag", {"tags": ["Old"]}),
        ("untag", {"tags": ["other"]}),
    ],
)
def test_no_change(account, operation, fields):
    """An image that is as it would be made is left alone: no change."""
    account.state.images[2] |= fields

    plan = planned(account, operation)

    assert steps(plan) == [1, 3]
    assert reasons(plan)[2][0] == "no change"


@pytest.mark.parametrize("operation", ARGUMENTS)
@pytest.mark.parametrize("number", [9, 2])
def test_already_gone(account, operation, number):
    """An image that is not there, or reads as deleted, is already gone: a good outcome."""
    account.state.images[2] |= {"status": "deleted", "type": "custom"}

    plan = planned(account, operation, number)

    assert (steps(plan), reasons(plan)) == ([], {number: ("already gone", "it is not there any more")})
    confirmed(plan).raise_for_failures()


# The plan as a whole


def test_max_count():
    """A plan has max_count steps at most; one more is refused with the number to say."""
    with estate(*images(200)) as account:
        assert len(planned(account, "delete", *range(1, 51))) == 50
        with pytest.raises(UsageError, match=r"delete 51 images, more than max_count=50.*max_count=51\b"):
            planned(account, "delete", *range(1, 52))
        assert len(planned(account, "delete", *range(1, 52), max_count=51)) == 51
        with pytest.raises(UsageError, match=r"delete 3 images, .*max_count=3\b.*Nothing was changed"):
            planned(account, "delete", max_count=2)
        assert account.writes == []


def test_max_count_is_of_steps(account):
    """Two regions are two steps an image, and count so."""
    wanted = {"regions": ["ams3", "fra1"], "client": account.here}

    assert len(frame_of(1, 2).do_images.ensure_regions(**wanted, max_count=4)) == 4
    with pytest.raises(UsageError, match=r"transfer 2 images in 4 steps, more than max_count=3"):
        frame_of(1, 2).do_images.ensure_regions(**wanted, max_count=3)


def test_refused_images_do_not_count(account):
    """What is left alone takes no place, nor does an image that is given twice."""
    account.state.images[1]["tags"] = ["keep"]

    assert steps(planned(account, "delete", 1, 2, 3, 2, 9, max_count=2)) == [2, 3]


@pytest.mark.parametrize(
    ("own", "asked", "percent", "needed"),
    [
        *((10, 5, None, None), (10, 6, None, 60), (11, 6, None, 55), (9, 9, None, None)),
        *((10, 1, 9, 10), (10, 1, 10, None), (10, 10, 99.5, 100), (10, 10, 100, None), (1, 1, 1, None)),
    ],
)
@pytest.mark.parametrize("operation", TAKING)
def test_max_percent(operation, own, asked, percent, needed):
    """From ten images on at most max_percent of an account's own are taken away or altered; the error says how many."""
    with estate(*images(own), image(100, type="base", public=True)) as account:
        ids = range(1, asked + 1)
        if needed is None:
            assert len(planned(account, operation, *ids, max_percent=percent)) == asked
        else:
            with pytest.raises(
                UsageError, match=rf"{asked} of the account's {own} images.*max_percent={needed}\b.*Nothing was changed"
            ):
                planned(account, operation, *ids, max_percent=percent)
            assert len(planned(account, operation, *ids, max_percent=needed)) == asked
        assert account.writes == []


def test_max_percent_is_not_for_copies():
    """Transfers and tags take nothing away: all images may be transferred or tagged."""
    with estate(*images(12, tags=["new"])) as account:
        for operation in OTHERS:
            assert len(planned(account, operation, *range(1, 13))) == 12


def test_max_percent_when_applied():
    """The share is counted again when the plan is applied: an account that has shrunk is spared."""
    with estate(*images(12)) as account:
        plan = planned(account, "delete", *range(1, 7))
        others = {number: account.state.images.pop(number) for number in (11, 12)}

        with pytest.raises(UsageError, match=r"delete 6 of the account's 10 images.*Nothing was changed"):
            confirmed(plan)

        assert account.writes == []
        account.state.images |= others
        assert confirmed(plan).counts == {"done": 6}


@pytest.mark.parametrize(
    ("guards", "message"),
    [
        ({"in_use": "ignore"}, "in_use must be 'warn' or 'refuse', not 'ignore'"),
        ({"in_use": None}, "in_use must be"),
        ({"pending": "yes"}, "pending must be True or False, not 'yes'"),
        ({"max_count": 0}, "max_count.*above zero"),
        ({"max_count": 2.5}, "max_count.*int"),
        ({"max_count": True}, "max_count"),
        ({"max_percent": -1}, "max_percent.*above zero"),
        ({"max_percent": float("nan")}, "max_percent"),
        ({"min_age": 5}, "min_age is a length of time"),
        ({"min_age": "-1 h"}, "min_age is a length of time"),
    ],
)
def test_wrong_guards(account, guards, message):
    """A guard that is no guard is refused before anything is sent."""
    with pytest.raises(UsageError, match=message):
        planned(account, "delete", **guards)

    assert account.sent == []


def test_there_is_no_force(account):
    """There is no argument that lifts all guards."""
    with pytest.raises(TypeError, match="force"):
        planned(account, "delete", force=True)


def test_wrong_protected_names(account):
    """A protected_names that is no regular expression protects nothing, so nothing is planned."""
    with options.option_context(protected_names="("), pytest.raises(UsageError, match="protected_names is no regular"):
        planned(account, "delete")

    assert account.sent == []


def test_overrides_are_told(account):
    """Each guard that is not as usual shows in the plan; those that are do not."""
    assert planned(account, "delete").guards.overrides == ()
    loose = planned(account, "delete", max_count=60, max_percent=90, min_age="0h", pending=True, in_use="refuse")

    assert loose.guards.overrides == (
        "max_count = 60 (usually 50)",
        "max_percent = 90.0 (usually 50.0)",
        "pending = True (usually False)",
        "in_use = refuse (usually warn)",
        "min_age = 0 min (usually 1h)",
    )


# The server's word against the frame's


def test_frame_that_hides_public_images(account):
    """A frame that calls a public image private changes nothing: the server's word counts."""
    account.state.images[2] |= {"public": True, "type": "base"}
    frame = frame_of(1, 2, public=[False, False], type=["snapshot", "snapshot"])

    for lying in (frame, frame[["id"]]):
        plan = lying.do_images.delete(client=account.here)
        assert reasons(plan)[2] == ("refused", "it is public, so not yours")
        confirmed(plan.refresh(account.here))
    assert account.written == {1}


def test_frame_that_says_otherwise(account):
    """What the frame says otherwise than the server is a warning; a missing value says nothing."""
    told = {"public": [True, False, None], "name": ["web-1", "old", None], "type": ["backup", None, "snapshot"]}
    frame = frame_of(1, 2, 3, **told)

    plan = frame.do_images.delete(client=account.here)

    assert steps(plan) == [1, 2, 3]
    assert plan.warnings == (
        "image 1 ('web-1'): the frame says type 'backup', the server 'snapshot'",
        "image 1 ('web-1'): the frame says public True, the server False",
        "image 2 ('web-2'): the frame says name 'old', the server 'web-2'",
    )


def test_plan_holds_what_the_server_says(account):
    """The steps hold the images as the server has them."""
    frame = frame_of(2, name=["old"], created_at=["1999-01-01T00:00:00Z"], size_gigabytes=[9000.0])

    [step] = frame.do_images.update(name=lambda one: f"x-{one.name}", client=account.here).steps

    assert (step.image.name, step.image.size_gigabytes) == ("web-2", 2.34)
    assert step.fields == {"name": "x-web-2"}


# What changes between the plan and its apply

LEFT_ALONE = "Nothing was changed."
NO_BACKUP = "only a backup is converted, and becomes a snapshot"
BETWEEN = {
    "renamed": (
        "delete",
        {"name": "precious"},
        ("changed since plan", f"name was 'web-2' and is 'precious'. {LEFT_ALONE}"),
    ),
    "made anew": (
        "delete",
        {"created_at": "2026-04-01T00:00:00Z"},
        (
            "changed since plan",
            f"created_at was '2026-03-01T02:35:00Z' and is '2026-04-01T00:00:00Z'. {LEFT_ALONE}",
        ),
    ),
    "another type": (
        "delete",
        {"type": "custom"},
        ("changed since plan", f"type was 'snapshot' and is 'custom'. {LEFT_ALONE}"),
    ),
    "public": ("delete", {"public": True}, ("refused", "it is public, so not yours")),
    "public, update": ("update", {"public": True}, ("refused", "it is public, so not yours")),
    "public, tag": ("tag", {"public": True}, ("refused", "it is public, so not yours")),
    "of DigitalOcean": ("transfer", {"type": "base"}, ("refused", "it is of type base, so not yours")),
    "kept": ("delete", {"tags": ["keep"]}, ("refused", "its tag 'keep' protects it: untag it first")),
    "kept, update": ("update", {"tags": ["keep"]}, ("refused", "its tag 'keep' protects it: untag it first")),
    "pending": ("delete", {"status": "pending"}, ("refused", "its status is pending: pending=True allows it")),
    "deleted": ("delete", {"status": "deleted"}, ("already gone", "it is not there any more")),
    "deleted, update": ("update", {"status": "deleted"}, ("already gone", "it is not there any more")),
    "updated": ("update", {"name": "other"}, ("no change", "it has these values already")),
    "tagged": ("tag", {"tags": ["old"]}, ("no change", "it has the tag old already")),
    "untagged": ("untag", {"tags": []}, ("no change", "it has no tag new")),
    "transferred": ("transfer", {"regions": ["nyc3", "ams3"]}, ("no change", "it is in ams3 already")),
    "converted": ("convert", {"type": "snapshot"}, ("refused", f"a snapshot: {NO_BACKUP}")),
}  # fmt: skip


@pytest.mark.parametrize(("operation", "change", "expected"), BETWEEN.values(), ids=BETWEEN)
def test_change_between_plan_and_apply(account, operation, change, expected):
    """An image that has changed since the plan is left alone, with a word for it; the others go on."""
    if operation == "convert":
        for record in account.state.images.values():
            record["type"] = "backup"
    plan = planned(account, operation)
    assert steps(plan) == [1, 2, 3]
    account.state.images[2] |= change

    report = confirmed(plan, wait=True)

    assert outcomes(report)[1] == (2, *expected)
    assert [outcome for _, outcome, _ in outcomes(report)] == ["done", expected[0], "done"]
    assert account.written == {1, 3}
    assert report.to_frame()["tries"].tolist() == [1, 0, 1]


def test_gone_between_plan_and_apply(account):
    """An image that somebody else has deleted meanwhile is already gone: nothing is sent for it, and nobody fails."""
    plan = planned(account, "delete")
    del account.state.images[2]

    report = confirmed(plan)

    assert outcomes(report)[1] == (2, "already gone", "it is not there any more")
    assert account.written == {1, 3}
    report.raise_for_failures()


def test_new_droplet_between_plan_and_apply(account):
    """A Droplet made since keeps its image, with in_use="refuse"."""
    plan = planned(account, "delete", in_use="refuse")
    account.use(2, "web")

    report = confirmed(plan)

    assert outcomes(report)[1] == (2, "refused", "it is used by Droplet 'web'")
    assert account.written == {1, 3}


def test_name_protected_by_the_plan(account):
    """The protected names are those of the plan, though the setting was changed since."""
    with options.option_context(protected_names="^prod"):
        plan = planned(account, "update")
    account.state.images[2]["name"] = "prod"

    assert outcomes(confirmed(plan))[1] == (2, "refused", "its name fits protected_names, '^prod'")


def slowly(account, plan, run, time):
    """Apply a plan by a clock that only sleeping moves."""
    journal = Journal(plan.id)
    journal.open()
    try:
        application = Application(plan, account.here, journal, clock=time.clock, sleep=time.sleep)
        run(application.prepare())
        run(application.run())
    finally:
        journal.close()
    return application.results


LANES = 16


@pytest.mark.parametrize(("seconds", "looks"), [(61, 2), (59, 1)])
def test_recheck_while_applying(run, seconds, looks):
    """Images that were read more than a minute ago are read again before the next request goes out."""
    with estate(*images(60)) as account:
        plan = planned(account, "delete", *range(1, LANES + 3))
        account.state.log.clear()
        time = FakeTime()

        def happen():
            time.now += seconds
            account.state.images[LANES + 2]["tags"] = ["keep"]

        account.state.faults.append(Fault("drift", method="DELETE", change=happen))

        results = slowly(account, plan, run, time)

        assert sum(one == ("GET", "/v2/images") for one in account.sent) == looks
        assert results[LANES + 1].outcome == "done"
        last = results[LANES + 2]
        if looks == 2:
            assert (last.outcome, last.message) == ("refused", "its tag 'keep' protects it: untag it first")
            assert account.written == set(range(1, LANES + 2))
        else:
            assert last.outcome == "done"


def test_recheck_that_fails_ends_the_plan(run):
    """Where the images cannot be read again, nothing more is sent: what was not started says so."""
    with estate(*images(60)) as account:
        plan = planned(account, "delete", *range(1, LANES + 3))
        time = FakeTime()

        def happen():
            time.now += 61
            account.state.faults.append(Fault("status", method="GET", status=401, times=None))

        account.state.faults.append(Fault("drift", method="DELETE", change=happen))

        results = slowly(account, plan, run, time)

        done = {number for number, one in results.items() if one.outcome == "done"}
        assert 1 <= len(done) < LANES + 2
        assert account.written == done
        assert {results[number].outcome for number in results.keys() - done} == {"not started"}
        assert "the images could not be read again" in results[LANES + 2].message


def test_recheck_of_use_by_droplets(run):
    """With in_use="refuse" the Droplets are read again as well."""
    with estate(*images(60)) as account:
        plan = planned(account, "delete", *range(1, LANES + 3), in_use="refuse")
        time = FakeTime()

        def happen():
            time.now += 61
            account.use(LANES + 1, "web")

        account.state.faults.append(Fault("drift", method="DELETE", change=happen))

        results = slowly(account, plan, run, time)

        assert (results[LANES + 1].outcome, results[LANES + 1].message) == ("refused", "it is used by Droplet 'web'")
        assert results[LANES + 2].outcome == "done"


def test_all_lanes_read_again_once(run):
    """Sixteen requests that find the images too old read them once, not sixteen times."""
    with estate(*images(100)) as account:
        plan = planned(account, "delete", *range(1, 2 * LANES + 1))
        account.state.log.clear()
        time = FakeTime()

        def happen():
            time.now += 61

        account.state.faults.append(Fault("drift", method="DELETE", change=happen))

        results = slowly(account, plan, run, time)

        assert {one.outcome for one in results.values()} == {"done"}
        assert sum(one == ("GET", "/v2/images") for one in account.sent) == 2


def test_host_is_local():
    """The tests' own address counts as a sandbox."""
    with estate(*images(1)) as account:
        assert account.here.base_url == HERE
        assert planned(account, "delete", 1).is_local
