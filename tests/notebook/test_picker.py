"""A picker in the kernel: what it lists, what it tells those who observe it, and what goes to the screen and back."""

import json
import threading

import comm
import pandas as pd
import pytest
from comm.base_comm import BaseComm
from desk import listing
from hand import Hand, held, join
from ipywidgets import widgets
from pandas.testing import assert_frame_equal
from screen import parts

import doimages
from doimages.errors import CredentialsError, UsageError
from doimages.pick.actions import ACTIONS
from doimages.sandbox_api.faults import Fault

TRAITS = ("value", "selection", "sql", "python", "state")
BUTTONS = {"Button", "Dropdown", "Combobox", "Text", "HTML"}


pytestmark = pytest.mark.usefixtures("settled")


@pytest.fixture
def frame(desk):
    """All images; what was sent for them is forgotten."""
    images = desk.images.copy()
    desk.state.log.clear()
    return images


def own(frame, number=3):
    return frame[frame["type"].eq("snapshot")]["id"].head(number).tolist()


# What it lists


def test_a_picker_lists_by_the_connection(desk):
    """It sends what a read of all images does, once, and has its rows."""
    desk.state.log.clear()
    picker = doimages.picker()
    assert desk.sent == listing(1)
    assert_frame_equal(picker.value, desk.images)
    assert Hand(picker).view.status["refreshable"] is True


@pytest.mark.parametrize("way", ["function", "accessor"])
def test_a_picker_of_a_frame_sends_nothing(desk, frame, way):
    """Nor does it while it is filtered, and it cannot be asked to list again; it may act, for there is a token."""
    made = doimages.picker(frame) if way == "function" else frame.do_images.picker()
    hand = Hand(made)
    hand.filter(type=["snapshot"])
    hand.send("all")
    hand.send("refresh")
    assert "refresh" in hand.error
    assert hand.view.status["refreshable"] is False
    assert hand.action.options == tuple(ACTIONS)
    assert desk.sent == []
    join()
    assert desk.sent == []


def test_refresh_lists_again_and_keeps_what_was_set(desk):
    """Filters, order and selection stay; what is new is there, and what is gone is told."""
    picker = doimages.picker(type=["snapshot"], sort="-id")
    hand = Hand(picker)
    first, second, third = own(desk.images)
    hand.select(first, second)
    record = desk.state.images.pop(second)
    desk.state.images[1] = record | {"id": 1, "name": "new"}
    desk.state.log.clear()
    hand.refresh()
    assert desk.sent == listing(1)
    assert {"type": ["snapshot"], "sort": "-id", "selected": [first]} == picker.state
    ids = picker.value["id"].tolist()
    assert ids == sorted(ids, reverse=True)
    assert {1, first, third} <= set(ids)
    assert second not in ids
    assert hand.selected == [first]
    assert hand.error == "1 selected image is gone."


def test_refresh_is_one_at_a_time(desk):
    """The screen is told while it lasts; a second click sends nothing, a later one does."""
    hand = Hand(doimages.picker())
    desk.state.log.clear()
    with held(desk, "/v2/images") as wait:
        hand.send("refresh")
        wait()
        assert hand.view.status["busy"] is True
        hand.send("refresh")
        hand.filter(type=["custom"])
        assert set(hand.picker.value["type"]) == {"custom"}
    assert hand.view.status["busy"] is False
    assert desk.sent == listing(1)
    assert set(hand.picker.value["type"]) == {"custom"}
    hand.refresh()
    assert desk.sent == listing(1) * 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("status", status=403, times=None), "403"),
        (Fault("status", status=404, times=None), "404"),
        (Fault("edit", edit=lambda _: {"images": 7}, times=None), "images"),
    ],
)
def test_an_error_while_refreshing_leaves_the_rows(desk, fault, words):
    """And the selection; the alert says what is wrong, and the next refresh works."""
    hand = Hand(doimages.picker())
    hand.select(*own(desk.images))
    before, selected = hand.picker.value, hand.selected
    desk.state.faults.append(fault)
    hand.refresh()
    assert hand.error.startswith("The images could not be read again, the rows are as they were: ")
    assert words in hand.error
    assert_frame_equal(hand.picker.value, before)
    assert hand.selected == selected
    assert hand.view.status["busy"] is False
    desk.state.faults.clear()
    hand.refresh()
    assert hand.error == ""


# Who may do what


def test_without_a_token_a_frame_is_looked_at_only(desk, frame, monkeypatch):
    """A note says why; to ask for actions, or for a listing, is an error."""
    monkeypatch.delenv("DIGITALOCEAN_TOKEN")
    hand = Hand(doimages.picker(frame))
    assert hand.view.status["note"].startswith("No actions: ")
    assert "DIGITALOCEAN_TOKEN" in hand.view.status["note"]
    assert BUTTONS.isdisjoint(type(one).__name__ for one in parts(hand.picker))
    hand.filter(type=["custom"])
    assert set(hand.picker.value["type"]) == {"custom"}
    for make in (lambda: doimages.picker(frame, read_only=False), doimages.picker):
        with pytest.raises(CredentialsError):
            make()
    assert desk.sent == []


def test_a_frame_of_another_endpoint_is_looked_at_only(desk, frame, monkeypatch):
    """Its ids are those of another account: a note says so, and to ask for actions is an error."""
    monkeypatch.setenv("DIGITALOCEAN_API_URL", "http://127.0.0.1:9")
    hand = Hand(doimages.picker(frame))
    assert "127.0.0.1:9" in hand.view.status["note"]
    assert BUTTONS.isdisjoint(type(one).__name__ for one in parts(hand.picker))
    with pytest.raises(UsageError, match="Nothing was sent"):
        doimages.picker(frame, read_only=False)
    with pytest.raises(UsageError, match="Nothing was sent"):
        doimages.picker(frame, client=doimages.connect("a" * 30, base_url="http://127.0.0.1:9"))
    assert desk.sent == []


@pytest.mark.parametrize("is_listed", [True, False])
def test_read_only_builds_no_actions_and_refuses_their_messages(desk, frame, is_listed):
    """No widget of the panel is made at all, and nothing that a screen may send changes anything."""
    before = set(widgets.widget._instances)
    picker = doimages.picker(None if is_listed else frame, read_only=True)
    made = [one for name, one in widgets.widget._instances.items() if name not in before]
    assert BUTTONS.isdisjoint(type(one).__name__ for one in made)
    hand = Hand(picker)
    hand.select(*own(frame))
    desk.state.log.clear()
    for kind in (*ACTIONS, "plan", "preview", "apply", "confirm", "submit", "click", "action"):
        hand.send(kind, action="delete", ids=own(frame), value="x", words="delete 3 images")
        assert kind in hand.error
    hand.view._handle_custom_msg({"event": "click"}, [])
    hand.view._handle_custom_msg({"event": "submit"}, [])
    join()
    assert desk.sent == []
    assert hand.selected == own(frame)
    assert hand.view.status["note"] == ""


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"typo": [1]}, "typo"),
        ({"type": [1]}, "type"),
        ({"name": "/(/"}, "regular expression"),
        ({"sort": "tags"}, "sort"),
        ({"selected": "1"}, "selected"),
        ({"selected": [1.5]}, "selected"),
        ({"code": "import os", "type": ["custom"]}, "code"),
        ({"code": "import os"}, "picker"),
    ],
)
def test_a_wrong_state_is_refused_before_anything_is_sent(desk, frame, state, words):
    """With a frame and without one."""
    for arguments in ((), (frame,)):
        with pytest.raises(UsageError, match=words):
            doimages.picker(*arguments, **state)
    assert desk.sent == []


@pytest.mark.parametrize("wrong", [7, [1], {"id": [1]}, pd.DataFrame({"name": ["a"]}), pd.DataFrame({"id": ["a"]})])
def test_what_is_no_frame_of_images_is_refused(desk, wrong):
    """In words, and nothing is sent."""
    desk.state.log.clear()
    with pytest.raises(UsageError, match="Nothing was sent"):
        doimages.picker(wrong)
    assert desk.sent == []


def test_without_the_accessor_a_picker_is_refused(desk):
    """It says what to do."""
    desk.state.log.clear()
    doimages.unregister()
    try:
        with pytest.raises(UsageError, match=r"doimages\.register\(\)"):
            doimages.picker()
    finally:
        doimages.register()
    assert desk.sent == []


# What it tells


@pytest.mark.parametrize(
    ("kind", "rest", "told"),
    [
        ("filter", {"spec": {"type": ["snapshot"]}}, {"value", "sql", "python", "state"}),
        ("filter", {"spec": {"name": "/(/"}}, set()),
        ("filter", {"spec": {"size_gigabytes": "9"}}, set()),
        ("sort", {"sort": "-name"}, {"value", "sql", "python", "state"}),
        ("sort", {"sort": "tags"}, set()),
        ("toggle", {"ids": "own", "on": True}, {"selection", "state"}),
        ("range", {"from": "first", "to": "last", "on": True}, {"selection", "state"}),
        ("all", {}, {"selection", "state"}),
        ("window", {"start": 5, "count": 20}, set()),
        ("focus", {"id": "first"}, set()),
        ("search", {"facet": "tags", "text": "p"}, set()),
        ("nonsense", {}, set()),
    ],
)
def test_each_change_is_told_to_those_who_observe_it(frame, kind, rest, told):
    """And nothing else is: a selection is no other value, and a window is none at all."""
    picker = doimages.picker(frame)
    ids = own(frame)
    places = {"own": ids, "first": ids[0], "last": ids[-1]}
    rest = {name: places[value] if value in ("own", "first", "last") else value for name, value in rest.items()}
    changes = []
    picker.observe(changes.append, TRAITS)
    before = {name: getattr(picker, name) for name in TRAITS}
    Hand(picker).send(kind, **rest)
    assert sorted(change["name"] for change in changes) == sorted(told)
    for change in changes:
        assert change["old"] is before[change["name"]]
        assert change["new"] is getattr(picker, change["name"])


def test_a_function_that_is_told_sees_rows_and_code_of_one_state(frame):
    """The rows given are those that the code given finds."""
    picker = doimages.picker(frame)
    seen = []
    picker.observe(lambda change: seen.append(change["new"]), "value")
    Hand(picker).filter(type=["custom"], name="a")
    names = {"df": frame, "pd": pd}
    exec(picker.python, names)  # noqa: S102 - what the picker wrote
    (value,) = seen
    assert 0 < len(value) < len(frame)
    assert_frame_equal(value, names["picked"])


def test_a_state_makes_the_same_picker(frame):
    """Also after it went through JSON; what the filters hide is selected still."""
    hand = Hand(doimages.picker(frame))
    hand.select(*own(frame), *frame[frame["type"].eq("custom")]["id"].head(2))
    hand.send("sort", sort="-size_gigabytes")
    hand.filter(type=["custom", "backup"], name="a", age=">1d", size_gigabytes=[0.5, None], public=[False])
    assert 0 < len(hand.picker.value) < len(frame)
    assert "(3 hidden by filters)" in hand.view.status["text"]
    again = doimages.picker(frame, **json.loads(json.dumps(hand.picker.state)))
    for name in ("value", "selection"):
        assert_frame_equal(getattr(again, name), getattr(hand.picker, name))
    assert {name: getattr(again, name) for name in ("sql", "python", "state")} == {
        name: getattr(hand.picker, name) for name in ("sql", "python", "state")
    }
    assert repr(again) == repr(hand.picker)


def test_a_state_that_is_set_is_shown(frame):
    """As if a person had chosen it, and told once; one that is none changes nothing."""
    hand = Hand(doimages.picker(frame))
    changes = []
    hand.picker.observe(changes.append, TRAITS)
    state = {"type": ["custom"], "selected": own(frame)[:2], "sort": "-name"}
    hand.picker.state = state
    assert hand.picker.state == state
    assert set(hand.picker.value["type"]) == {"custom"}
    assert sorted(hand.picker.selection["id"]) == sorted(own(frame)[:2])
    assert hand.view.spec == {"type": ["custom"]}
    assert sorted(change["name"] for change in changes) == sorted(TRAITS)
    with pytest.raises(UsageError, match="colour"):
        hand.picker.state = {"colour": 1}
    assert hand.picker.state == state
    assert len(changes) == len(TRAITS)


@pytest.mark.parametrize("name", sorted(set(TRAITS) - {"state"}))
def test_nothing_else_is_set_from_outside(frame, name):
    """What was picked is read, and not assigned."""
    picker = doimages.picker(frame)
    before = getattr(picker, name)
    with pytest.raises(Exception, match="read-only"):
        setattr(picker, name, before)
    assert getattr(picker, name) is before


def test_a_frame_that_is_changed_afterwards_does_not_change_what_is_picked(frame):
    """Rows are put elsewhere, ids exchanged, a column taken out: an id that is selected stays the row of that id."""
    hand = Hand(doimages.picker(frame))
    ids = own(frame)
    expected = frame[frame["id"].isin(ids)].copy()
    frame["id"] = frame["id"].to_numpy()[::-1].copy()
    frame.loc[:, "type"] = "custom"
    del frame["name"]
    hand.select(*ids)
    assert_frame_equal(hand.picker.selection, expected)
    hand.filter(type=["snapshot"])
    assert set(ids) <= set(hand.picker.value["id"])


# What goes to the screen and back


def test_the_browser_sets_no_trait(desk, frame):
    """An update of the state of the view, or of the picker, is not taken: only messages are, which are checked."""
    hand = Hand(doimages.picker(frame))
    hand.select(own(frame)[0])
    before = {name: getattr(hand.picker, name) for name in TRAITS} | hand.view.get_state()
    state = {"spec": {"type": ["custom"]}, "marks": own(frame), "window": {}, "status": {}, "codes": {"a": {"SQL": ""}}}
    state |= {"facets": {}, "filters": [], "columns": [], "selection": [], "value": [], "sql": "", "state": {}}
    for widget in (hand.view, hand.picker):
        message = {"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []}
        widget._handle_msg(message)
    after = {name: getattr(hand.picker, name) for name in TRAITS} | hand.view.get_state()
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] is not after[name] and before[name] != after[name]] == []
    assert desk.sent == []


class Wire:
    """What was sent over the comms of all widgets: kinds, bytes of JSON, and what a view was told."""

    # Bytes of each message beside its content, for its headers: more than they are.
    HEADER = 700

    def __init__(self):
        self.sent = []

    def note(self, comm_id, data, buffers):
        size = self.HEADER + len(json.dumps(data).encode()) + sum(map(len, buffers or ()))
        self.sent.append((comm_id, data, size))

    @property
    def size(self):
        return sum(size for _, _, size in self.sent)

    def told(self, widget):
        """What one widget was told, part by part."""
        made = [data.get("state", {}) for comm_id, data, _ in self.sent if comm_id == widget.comm.comm_id]
        return [(name, value) for state in made for name, value in state.items()]


@pytest.fixture
def wire(monkeypatch):
    made = Wire()

    class Recorder(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            made.note(self.comm_id, data, buffers)

    monkeypatch.setattr(comm, "create_comm", Recorder)
    return made


@pytest.fixture
def many(frame):
    """20,000 images."""
    rows = pd.concat([frame] * -(-20_000 // len(frame)), ignore_index=True).head(20_000)
    return rows.assign(id=range(1, 20_001))


def test_opening_and_filtering_20_000_images_sends_little(wire, many):
    """Under 100 KB to open, at most 20 KB a filter or a window, which is of at most 200 rows."""
    hand = Hand(doimages.picker(many))
    assert wire.size < 100_000
    messages = [
        ("filter", {"spec": {"type": ["snapshot"]}}),
        ("filter", {"spec": {"name": "web"}}),
        ("filter", {"spec": {}}),
        ("sort", {"sort": "-created_at"}),
        ("window", {"start": 9_000, "count": 45}),
        ("search", {"facet": "tags", "text": "p"}),
        ("all", {}),
        ("none", {}),
    ]
    for kind, rest in messages:
        wire.sent.clear()
        hand.send(kind, **rest)
        assert 0 < wire.size <= 20_000, (kind, wire.size)
        assert len(hand.view.window["rows"]) == 45
    for count, rows in ((200, 200), (201, 200), (10**9, 200), (-1, 200), (0, 200), (10, 10)):
        hand.send("window", start=100, count=count)
        assert len(hand.view.window["rows"]) == rows
    assert hand.view.window["start"] == 100


def test_ninety_toggles_are_each_acknowledged(wire, many):
    """In their order, each with the marks that hold then in the same message; the selection is right at the end."""
    hand = Hand(doimages.picker(many))
    wanted = set()
    for number in range(90):
        one = number % 40 + 1
        wire.sent.clear()
        hand.select(one, on=one not in wanted)
        wanted ^= {one}
        (told,) = [data["state"] for comm_id, data, _ in wire.sent if comm_id == hand.view.comm.comm_id]
        assert told["status"]["ack"] == number + 1
        assert set(told["marks"]) == wanted
        assert f"{len(wanted)} selected" in told["status"]["text"]
        assert "window" not in told
        assert wire.size < 20_000
    assert set(hand.selected) == wanted == set(range(1, 11))


def test_a_message_waits_while_rows_are_put_in_place(desk):
    """What is told then is of the new rows throughout; the message is done after that, and of these rows."""
    hand = Hand(doimages.picker())
    gone, stays = own(desk.images, 2)
    came, go_on = threading.Event(), threading.Event()

    def hold(_):
        came.set()
        assert go_on.wait(60)

    hand.picker.observe(hold, "value")
    del desk.state.images[gone]
    hand.send("refresh")
    assert came.wait(60)
    message = {"kind": "toggle", "seq": 9, "ids": [gone, stays], "on": True}
    worker = threading.Thread(target=hand.view._handle_custom_msg, args=(message, []))
    worker.start()
    worker.join(0.3)
    assert worker.is_alive()
    assert hand.view.status["ack"] < 9
    go_on.set()
    worker.join(60)
    join()
    assert hand.selected == [stays]
    assert hand.view.status["ack"] == 9
    assert hand.view.marks == [stays]
    assert hand.view.status["text"] == "59 of 59 images · 1 selected"
