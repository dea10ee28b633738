"""The action panel of a picker: when it plans, what it plans, and that no plan is applied of what has changed."""

import threading
from itertools import cycle

import pytest
from hand import Hand, held, join
from pandas.testing import assert_frame_equal
from screen import buttons, click, press_enter, settle

import doimages
from doimages.change.plans import recall
from doimages.notebook.picker import widget
from doimages.pick.actions import ACTIONS
from doimages.sandbox_api.faults import Fault
from doimages.schema import DISTRIBUTIONS

OF_PLAN = "the plan"
VALUES = {
    "rename": "old-{name}",
    "set description": "a {text} of 'theirs'",
    "set distribution": "Debian",
    "transfer to a region": "fra1",
    "tag": "kept",
    "untag": "base-image",
}


pytestmark = pytest.mark.usefixtures("settled")


@pytest.fixture
def hand(desk):
    """A picker of all images; what was sent for it is forgotten."""
    made = Hand(doimages.picker())
    desk.state.log.clear()
    return made


@pytest.fixture
def customs(desk):
    """The ids of three images that can be changed in every way."""
    images = desk.images
    fits = images["type"].eq("custom") & images["status"].eq("available")
    return images[fits]["id"].head(3).tolist()


def writes(desk):
    return [line for line in desk.sent if not line.startswith("GET")]


def listed(desk):
    """The ids of the images that the sandbox still lists: a custom one that was deleted is kept, and says so."""
    return {number for number, record in desk.state.images.items() if record["status"] != "deleted"}


def alerts(hand):
    return [line for line in hand.shown.splitlines() if 'role="alert"' in line]


# When it plans, and what


@pytest.mark.parametrize("label", ACTIONS)
def test_nothing_is_planned_until_images_and_a_value_are_there(desk, hand, customs, label):
    """The button is off, and neither a click nor Enter plans; a value of spaces is none."""
    needs_value = ACTIONS[label].argument is not None

    def check(is_on):
        assert hand.preview.disabled is not is_on
        if not is_on:
            click(hand.preview)
            press_enter(hand.value)
            join()
            assert desk.sent == []
            assert hand.words == []

    check(is_on=False)
    hand.choose(label, VALUES.get(label, ""))
    check(is_on=False)
    hand.select(*customs)
    check(is_on=True)
    for value in ("", "  "):
        hand.value.value = value
        check(is_on=not needs_value)
    hand.value.value = VALUES.get(label, "")
    check(is_on=True)
    hand.send("none")
    check(is_on=False)


@pytest.mark.parametrize(("label", "way"), list(zip(ACTIONS, cycle(["click", "enter"]), strict=False)))
def test_an_action_makes_the_plan_that_the_accessor_makes(desk, hand, customs, label, way):
    """Of the rows that are selected, shown with its words and its code, by the button or by Enter."""
    backups = desk.images[desk.images["type"].eq("backup")]["id"].head(2).tolist()
    ids = [*customs, *backups]
    hand.select(*reversed(ids))
    hand.choose(label, VALUES.get(label, ""))
    if way == "click":
        click(hand.preview)
    else:
        press_enter(hand.value)
    join()
    plan = recall()
    action = ACTIONS[label]
    arguments = {} if action.argument is None else {action.argument: VALUES[label]}
    if label == "rename":
        arguments = {"name": lambda image: f"old-{image.name}"}
    frame = desk.images[desk.images["id"].isin(ids)]
    expected = getattr(frame.do_images, action.method)(**arguments, client=desk.box.client)
    assert plan is not expected
    assert plan.fingerprint == expected.fingerprint
    assert len(plan) > 0
    assert plan._repr_html_() in hand.shown
    assert f"Plan {plan.id} is below." in hand.shown
    assert [one.description for one in hand.words] == [f"To confirm, type: <code>{plan.confirmation}</code>"]
    assert hand.view.codes[OF_PLAN] == action.codes(frame["id"].tolist(), VALUES.get(label, ""))
    assert writes(desk) == []


def test_tags_and_regions_that_are_there_are_offered(desk, hand, customs):
    """And the distributions that the API knows; a tag that was made by a plan is, too."""
    tags = {word for words in desk.images["tags"].dropna() for word in words}
    regions = {word for words in desk.images["regions"].dropna() for word in words}
    assert "made" not in tags
    hand.select(*customs)
    hand.plan("tag", "made")
    hand.confirm()
    for label, words in (
        ("tag", tags | {"made"}),
        ("transfer to a region", regions),
        ("set distribution", set(DISTRIBUTIONS)),
        ("delete", set()),
    ):
        hand.choose(label)
        assert set(hand.value.options) == words


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_rename_shows_what_names_become(desk, hand, count):
    """Of the first three, as text and nothing else, and how many more there are."""
    rows = desk.images[desk.images["type"].eq("snapshot")].iloc[1:].head(count)
    assert "<img" in rows["name"].iloc[1] if count > 1 else True
    hand.select(*rows["id"])
    hand.choose("rename", "old-{name} & co")
    shown = hand.shown
    for name in rows["name"].head(3):
        text = name.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
        assert f"{text} → old-{text} &amp; co<" in shown
    assert shown.count(" → ") == min(count, 3)
    assert ("and 2 more" in shown) is (count == 5)
    assert "<img" not in shown
    hand.choose("rename", "")
    assert " → " not in hand.shown
    hand.choose("tag", "old-{name}")
    assert " → " not in hand.shown
    assert desk.sent == []


@pytest.mark.parametrize(("pattern", "words"), [("{nam}", "nam"), ("{name", "brace"), ("}", "brace"), ("{id:x}", "id")])
def test_a_wrong_pattern_is_told_and_plans_nothing(hand, customs, pattern, words):
    """While it is typed and when it is planned; a right one is taken after that."""
    hand.select(*customs)
    hand.choose("rename", pattern)
    (line,) = alerts(hand)
    assert words in line
    hand.plan("rename", pattern)
    assert hand.words == []
    assert alerts(hand)
    hand.plan("rename", "{name}-{id}")
    assert alerts(hand) == []
    assert len(hand.words) == 1


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (0, "is below.<"),
        (1, "is below. 1 of its 3 images is hidden by the filters.<"),
        (2, "is below. 2 of its 3 images are hidden by the filters.<"),
    ],
)
def test_a_plan_tells_how_many_of_its_images_are_hidden(desk, hand, hidden, words):
    """Where it is shown; they are in it all the same."""
    of = {kind: desk.images[desk.images["type"].eq(kind)]["id"].tolist() for kind in ("snapshot", "custom")}
    hand.select(*of["custom"][:hidden], *of["snapshot"][: 3 - hidden])
    hand.filter(type=["snapshot"])
    hand.plan("tag", "kept")
    assert words in hand.shown
    assert len(recall()) == 3


# Dropped

CHANGES = {
    "one more": lambda hand: hand.select(hand.picker.value["id"].iloc[-1]),
    "one less": lambda hand: hand.select(hand.selected[0], on=False),
    "all": lambda hand: hand.send("all"),
    "none": lambda hand: hand.send("none"),
    "range": lambda hand: hand.send(
        "range", **dict(zip(("from", "to"), hand.picker.value["id"].iloc[[0, 9]].tolist(), strict=True)), on=True
    ),
    "filter": lambda hand: hand.filter(public=[False]),
    "clear filters": lambda hand: hand.filter(),
    "action": lambda hand: setattr(hand.action, "value", "untag"),
    "value": lambda hand: setattr(hand.value, "value", "other"),
    "refresh": lambda hand: hand.send("refresh"),
}
NO_CHANGES = {
    "window": lambda hand: hand.send("window", start=10, count=20),
    "focus": lambda hand: hand.send("focus", id=hand.selected[0]),
    "search": lambda hand: hand.send("search", facet="tags", text="p"),
    "sort": lambda hand: hand.send("sort", sort="-name"),
    "wrong filter": lambda hand: hand.filter(name="/(/"),
    "wrong message": lambda hand: hand.send("apply"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_plan_is_dropped_when_anything_changes(desk, hand, customs, change):
    """It is not shown any more, nor its code, and no message of old applies it."""
    hand.select(*customs)
    hand.plan("tag", "kept")
    text, button = hand.type_words()
    words = text.value
    assert not button.disabled
    change(hand)
    join()
    assert hand.words == []
    assert OF_PLAN not in hand.view.codes
    assert recall().id not in hand.shown
    for _ in range(2):
        click(button)
        press_enter(text)
        text.value = ""
        text.value = words
    join()
    assert writes(desk) == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_plan_is_dropped_while_it_is_being_made(desk, hand, customs, change):
    """It is not shown when it is there, nor is the work that led to it told of any more; the next one is."""
    hand.select(*customs)
    hand.choose("tag", "kept")
    with held(desk, "/v2/account") as wait:
        click(hand.preview)
        wait()
        assert "planning" in hand.shown
        change(hand)
    assert hand.words == []
    assert OF_PLAN not in hand.view.codes
    assert "planning" not in hand.shown
    assert recall().id not in hand.shown
    hand.send("none")
    hand.select(*customs)
    hand.plan("tag", "kept")
    assert len(hand.words) == 1


@pytest.mark.parametrize("act", NO_CHANGES.values(), ids=NO_CHANGES)
def test_a_plan_stays_when_it_is_only_looked_at_elsewhere(desk, hand, customs, act):
    """Another window, another order, a search: what it was made of is as it was, and it can be applied."""
    hand.select(*customs)
    hand.plan("tag", "kept")
    act(hand)
    assert OF_PLAN in hand.view.codes
    hand.confirm()
    assert all("kept" in desk.state.images[one]["tags"] for one in customs)


def test_a_plan_takes_the_place_of_the_one_before(desk, hand, customs):
    """Which no message of old applies."""
    hand.select(*customs)
    hand.plan("tag", "kept")
    text, button = hand.type_words()
    click(hand.preview)
    join()
    assert len(hand.words) == 1
    assert hand.words[0] is not text
    click(button)
    press_enter(text)
    join()
    assert writes(desk) == []


# Confirmed


@pytest.mark.parametrize("words", ["", "{} ", " {}", "delete 2 images", "delete", "DELETE 3 IMAGES", "yes"])
def test_wrong_words_apply_nothing(desk, hand, customs, words):
    """Neither by a click nor by Enter; the right ones do."""
    hand.select(*customs)
    hand.plan("delete")
    text, button = hand.type_words()
    text.value = words.format("delete 3 images")
    assert button.disabled
    click(button)
    press_enter(text)
    join()
    assert writes(desk) == []
    assert hand.words == [text]
    hand.confirm()
    assert writes(desk) == sorted(f"DELETE /v2/images/{one}" for one in customs)


async def no_pause(_):
    """Try again at once."""


def refuse(desk, number, status=422):
    """Have the sandbox refuse writes for one image."""
    desk.state.faults.append(Fault("status", method="[!G]*", path=f"/v2/images/{number}*", status=status, times=None))


def test_what_was_done_is_gone_and_what_failed_stays_selected(desk, hand, customs, notebook, monkeypatch):
    """The rows are those of the account now, the report is in _doimages, and the failed one can be tried again."""
    monkeypatch.setattr(widget, "get_ipython", lambda: notebook.shell)
    first, failing, third = customs
    other = desk.images[desk.images["type"].eq("snapshot")]["id"].iloc[0]
    refuse(desk, failing)
    hand.select(*customs)
    hand.plan("delete")
    hand.confirm()
    report = notebook["_doimages"]
    assert report.counts == {"done": 2, "failed": 1}
    assert report._repr_html_() in hand.shown
    assert hand.selected == [failing]
    assert hand.error == ""
    gone = {first, third}
    assert gone.isdisjoint(listed(desk))
    expected = desk.images[~desk.images["id"].isin(gone)].reset_index(drop=True)
    assert_frame_equal(hand.picker.value.reset_index(drop=True), expected)
    assert hand.view.status["text"] == "58 of 58 images · 1 selected"
    desk.state.faults.clear()
    click(buttons(hand.picker)["Plan the retry of 1 image"])
    join()
    hand.confirm()
    assert notebook["_doimages"].counts == {"done": 1}
    assert hand.selected == []
    assert failing not in set(hand.picker.value["id"])
    hand.select(other)
    hand.plan("tag", "kept")
    assert len(hand.words) == 1


@pytest.mark.parametrize("is_index", [False, True])
def test_what_was_renamed_has_its_new_name(desk, customs, is_index):
    """In a frame with columns of its own, which stay as they are, as do its other rows, its order and its dtypes."""
    frame = desk.images.iloc[::-1].assign(mine=range(60))
    frame = frame.set_index("id") if is_index else frame
    hand = Hand(doimages.picker(frame, type=["custom"]))
    hand.send("all")
    hand.send("none")
    hand.select(*customs)
    hand.plan("rename", "{name}-old")
    hand.confirm()
    ids = frame.index if is_index else frame["id"]
    names = frame["name"].where(~ids.isin(customs), frame["name"] + "-old")
    hand.filter()
    assert_frame_equal(hand.picker.value, frame.assign(name=names))
    assert len(hand.picker.selection) == 0
    assert {desk.state.images[one]["name"] for one in customs} == set(names[ids.isin(customs)])


def test_what_was_refused_is_as_it_was(desk, hand, customs):
    """An image that is not the account's own is not gone because its plan left it alone: row and tick stay."""
    bases = desk.images[desk.images["public"].eq(True)]["id"].head(2).tolist()
    hand.select(*bases, *customs)
    hand.plan("delete")
    hand.confirm()
    assert hand.selected == bases
    assert set(bases) <= set(hand.picker.value["id"])
    assert set(customs).isdisjoint(hand.picker.value["id"])
    assert hand.error == ""


def test_an_image_that_is_gone_already_goes_from_the_rows(desk, hand, customs):
    """It was to go: it is neither there nor selected after the report."""
    del desk.state.images[customs[0]]
    hand.select(*customs)
    hand.plan("delete")
    hand.confirm()
    assert hand.selected == []
    assert set(customs).isdisjoint(hand.picker.value["id"])


def test_rows_that_cannot_be_read_again_stay_and_say_so(desk, hand, customs):
    """The report is shown, and what was done is not selected any more."""
    hand.select(*customs)
    hand.plan("delete")
    text, _ = hand.type_words()
    lost = Fault("status", path="/v2/images", status=403, times=None)
    desk.state.faults.append(Fault("drift", method="DELETE", change=lambda: desk.state.faults.append(lost)))
    press_enter(text)
    join()
    assert listed(desk).isdisjoint(customs)
    assert hand.selected == []
    assert set(customs) <= set(hand.picker.value["id"])
    assert hand.error.startswith("The images could not be read again, the rows are as they were: ")
    assert "3 of 3 done" in hand.shown
    desk.state.faults.clear()
    hand.refresh()
    assert set(customs).isdisjoint(hand.picker.value["id"])


# What goes wrong


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("status", path="/v2/images", status=403, times=None, body={"id": "no", "message": "<b>"}), "403"),
        (Fault("status", path="/v2/images", status=500, times=None), "500"),
        (Fault("drop", times=None), "127.0.0.1"),
    ],
)
def test_an_error_shows_in_words_and_leaves_all_usable(desk, hand, customs, fault, words, monkeypatch):
    """Whatever happened while it was planned: the selection stays, and the next plan is made."""
    monkeypatch.setattr(hand.picker._client._transport, "_sleep", no_pause)
    hand.select(*customs)
    desk.state.faults.append(fault)
    hand.plan("delete")
    (line,) = alerts(hand)
    assert words in line
    assert "<b>" not in line
    assert hand.words == []
    assert hand.selected == customs
    assert OF_PLAN not in hand.view.codes
    desk.state.faults.clear()
    hand.filter(type=["custom"])
    hand.plan("delete")
    assert alerts(hand) == []
    hand.confirm()
    assert listed(desk).isdisjoint(customs)


def test_a_plan_that_goes_too_far_is_refused_in_words(desk, hand):
    """The guards hold here as elsewhere."""
    hand.send("all")
    hand.plan("delete")
    (line,) = alerts(hand)
    assert "max_percent" in line or "max_count" in line
    assert hand.words == []
    assert writes(desk) == []
    assert len(hand.selected) == 60


def test_a_refusal_when_it_is_applied_asks_for_the_words_again(desk, hand, customs):
    """The plan is there still, as is the selection; it can be dropped, and confirmed when the reason is gone."""
    hand.select(*customs)
    hand.plan("delete")
    fault = Fault("status", path="/v2/account", status=403, times=1)
    desk.state.faults.append(fault)
    hand.confirm()
    assert "Nothing was changed." in alerts(hand)[0]
    assert writes(desk) == []
    assert hand.selected == customs
    assert hand.words[0].value == ""
    hand.confirm()
    assert len(writes(desk)) == 3


# At the same time


def test_messages_that_come_while_a_plan_is_applied_are_done(desk, hand, customs):
    """Filters and ticks hold after the report; another plan is refused till then; what was begun comes to its end."""
    other = desk.images[desk.images["type"].eq("snapshot")]["id"].iloc[0]
    hand.select(*customs)
    hand.plan("delete")
    text, _ = hand.type_words()
    with held(desk, "/v2/images/*", method="DELETE") as wait:
        press_enter(text)
        wait()
        hand.select(other)
        hand.filter(type=["snapshot"])
        hand.send("focus", id=customs[0])
        hand.choose("tag", "kept")
        click(hand.preview)
        press_enter(hand.value)
        assert "is being applied" in alerts(hand)[0]
    assert listed(desk).isdisjoint(customs)
    assert "3 of 3 done" in hand.shown
    assert hand.selected == [other]
    assert set(hand.picker.value["type"]) == {"snapshot"}
    assert hand.view.status["details"] == []
    assert hand.view.status["text"].endswith("· 1 selected")
    hand.plan("tag", "kept")
    assert "3 of 3 done" in hand.shown
    hand.confirm()
    assert "kept" in desk.state.images[other]["tags"]


def test_a_plan_that_follows_a_report_is_dropped_like_the_first(desk, hand, customs):
    """Also if a retry of that report ends while it is shown."""
    first, second, _ = customs
    refuse(desk, first)
    hand.select(first)
    hand.plan("rename", "new")
    hand.confirm()
    desk.state.faults.clear()
    click(buttons(hand.picker)["Plan the retry of 1 image"])
    join()
    retry, _ = hand.type_words()
    hand.select(first, on=False)
    hand.select(second)
    hand.plan("tag", "kept")
    text, button = hand.type_words()
    press_enter(retry)
    join()
    assert desk.state.images[first]["name"] == "new"
    hand.select(second, on=False)
    desk.state.log.clear()
    click(button)
    press_enter(text)
    join()
    assert writes(desk) == []


def test_a_read_that_began_before_a_plan_was_applied_does_not_bring_back_what_is_gone(desk, hand, customs, monkeypatch):
    """The rows are those of the read that began last, whichever ends first."""
    read, calls = widget.read_do_images, []
    came, go_on = threading.Event(), threading.Event()

    def slowly(**arguments):
        calls.append(threading.current_thread())
        frame = read(**arguments)
        if len(calls) == 1:
            came.set()
            assert go_on.wait(60)
        return frame

    hand.select(*customs)
    hand.plan("delete")
    text, _ = hand.type_words()
    monkeypatch.setattr(widget, "read_do_images", slowly)
    hand.send("refresh")
    assert came.wait(60)
    press_enter(text)
    settle(recall().id)
    # In vain where the later read waits for the first; where it does not, it is to be the one that ends first.
    for one in threading.enumerate():
        if one.name == "doimages-picker" and one is not calls[0]:
            one.join(0.3)
    go_on.set()
    join()
    assert len(calls) == 2
    assert listed(desk).isdisjoint(customs)
    assert set(customs).isdisjoint(hand.picker.value["id"])
    assert hand.selected == []
