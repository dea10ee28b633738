"""What a screen says to a picker: any selection and filter, and messages that are none, which change nothing."""

import copy

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from doimages.pick import shown
from doimages.pick.code import SORTS, Source
from doimages.pick.picking import MOST_ROWS, Picking
from doimages.pick.spec import FilterSpec

quick = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
KINDS = ("filter", "sort", "window", "toggle", "range", "all", "none", "focus", "search")
# The ids 1 and 0 are equal to True and False, and to 1.0 and 0.0.
SMALL = pd.DataFrame({
    "id": [1, 0, 7, 2**53 + 1, 12, 5, 30, 8],
    "name": ["web-1", "db-1", "web-2", "web-3", None, "mail", "db-2", "web-1"],
    "type": ["snapshot", "base", "snapshot", None, "custom", "custom", "backup", "snapshot"],
    "size_gigabytes": [1, 5, None, 2.5, 2.5, 0, 30, 1],
})  # fmt: skip
NO_ID = 999
STATES = (
    *({}, {"name": "web"}, {"name": "/^(web|db)-1$/"}, {"type": ["snapshot", None]}, {"size_gigabytes": [1, 5]}),
    *({"name": "no-such"}, {"type": ["custom"], "size_gigabytes": [None, 2]}),
)


def told(picking):
    """Give all that a message may change, but what it was told last."""
    parts = picking.places, picking.start, picking.count, picking.focused, picking.searches, list(picking.selection)
    return copy.deepcopy((picking.state, *parts, shown.facets(picking), shown.window(picking), shown.marks(picking)))


BAD = [
    {},
    {"kind": None},
    {"kind": ["all"]},
    {"kind": {"all": 1}},
    {"kind": 7},
    {"kind": "drop"},
    {"kind": "_select_none"},
    {"kind": "refresh"},
    {"kind": "toggle"},
    {"kind": "toggle", "ids": [7]},
    {"kind": "toggle", "ids": [7], "on": "false"},
    {"kind": "toggle", "ids": [7], "on": 1},
    {"kind": "toggle", "ids": 7, "on": True},
    {"kind": "toggle", "ids": "7", "on": True},
    {"kind": "toggle", "ids": [True], "on": True},
    {"kind": "toggle", "ids": [7, 1.0], "on": True},
    {"kind": "toggle", "ids": [7, "5"], "on": True},
    {"kind": "toggle", "ids": [7, None], "on": True},
    {"kind": "toggle", "ids": [[7]], "on": True},
    {"kind": "toggle", "ids": {"7": 7}, "on": True},
    {"kind": "range", "from": 7, "on": True},
    {"kind": "range", "from": 7, "to": 5.0, "on": True},
    {"kind": "range", "from": True, "to": 5, "on": True},
    {"kind": "range", "from": 7, "to": NO_ID, "on": True},
    {"kind": "range", "from": [7], "to": 5, "on": True},
    {"kind": "range", "from": 7, "to": 5, "on": None},
    {"kind": "window", "start": 0},
    {"kind": "window", "start": -1, "count": 10},
    {"kind": "window", "start": 0, "count": 0},
    {"kind": "window", "start": 0, "count": MOST_ROWS + 1},
    {"kind": "window", "start": 0, "count": 10**400},
    {"kind": "window", "start": "0", "count": "10"},
    {"kind": "window", "start": 0.5, "count": 10},
    {"kind": "window", "start": False, "count": True},
    {"kind": "window", "start": float("inf"), "count": float("nan")},
    {"kind": "sort"},
    {"kind": "sort", "sort": "tags"},
    {"kind": "sort", "sort": ["name"]},
    {"kind": "sort", "sort": {"name": 1}},
    {"kind": "focus"},
    {"kind": "focus", "id": True},
    {"kind": "focus", "id": "7"},
    {"kind": "focus", "id": [7]},
    {"kind": "search", "facet": "name", "text": "x"},
    {"kind": "search", "facet": ["type"], "text": "x"},
    {"kind": "search", "facet": "type", "text": None},
    {"kind": "search", "facet": "type", "text": "x" * 501},
    {"kind": "filter"},
    {"kind": "filter", "spec": None},
    {"kind": "filter", "spec": ["name"]},
    {"kind": "filter", "spec": {"cls": "x"}},
    {"kind": "filter", "spec": {"self": "x"}},
    {"kind": "filter", "spec": {"code": "SELECT * FROM images"}},
    {"kind": "filter", "spec": {"selected": [7]}},
    {"kind": "filter", "spec": {"name": {"x": 1}}},
    {"kind": "filter", "spec": {"name": "x" * 10**6}},
    {"kind": "filter", "spec": {"tags": ["prod"]}},
    {"kind": "filter", "spec": {5: "x"}},
]


@pytest.mark.parametrize("message", BAD, ids=range(len(BAD)))
def test_message_that_is_none(message):
    """A message that cannot be read is an error in words, is acknowledged, and changes nothing."""
    picking = Picking(SMALL, name="/^/", sort="-size_gigabytes", selected=[5, 1])
    picking.hear({"kind": "focus", "id": 7, "seq": 3})
    before = told(picking)
    heard = []
    picking.changed = heard.append

    picking.hear({**message, "seq": 4})

    assert picking.error
    assert told(picking) == before
    assert (picking.ack, heard) == (4, [frozenset()])


SPARE = (NO_ID, -1, 201, 2**63, 10**400, *SORTS, "-id", "web", "/(/", "type", "x" * 600)
LEAVES = st.sampled_from([*SMALL["id"].tolist(), *SPARE]) | st.none() | st.booleans() | st.integers() | st.floats()
KEYS = st.sampled_from(["name", "type", "cls", "x"])
ODD = st.recursive(
    LEAVES | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=5,
)
FIELDS = ("ids", "on", "from", "to", "start", "count", "sort", "id", "facet", "text", "spec", "seq", "__class__")
MESSAGES = st.builds(
    lambda kind, rest: {"kind": kind, **rest},
    st.sampled_from(KINDS) | ODD,
    st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=6),
)


@given(st.lists(MESSAGES, min_size=1, max_size=4))
@quick
def test_any_message(messages):
    """Whatever comes, nothing is raised; an error goes with no change, and only ids of rows are selected."""
    picking = Picking(SMALL, selected=[5, 1])
    for message in messages:
        before, picking.error, ack = told(picking), "", picking.ack
        picking.hear(message)
        assert not picking.error or told(picking) == before
        assert picking.ack >= ack
        assert type(picking.ack) is int
        assert {type(one) for one in picking.selection} <= {int}
        assert set(picking.selection) <= set(SMALL["id"])
        assert picking.focused is None or (type(picking.focused) is int and picking.focused in picking.rows.places)
        assert len(shown.window(picking)["rows"]) <= MOST_ROWS
        assert Picking(SMALL, **picking.state).state == picking.state


def test_acknowledged_in_order():
    """The last number that was heard is told, whatever comes late; what is no number is none."""
    picking = Picking(SMALL)
    for sequence in (3, 1, True, "9", None, 9.5, [9]):
        picking.hear({"kind": "none", "seq": sequence})
    assert picking.ack == 3


def test_window_is_part_of_the_rows(listing):
    """A window shows its part of the rows, at most 200 of them; one beyond the end shows the last of them."""
    picking, last = Picking(listing, sort="name"), len(listing) - 1
    for start, count in ((0, 1), (100, MOST_ROWS), (250, MOST_ROWS), (10**6, 45)):
        picking.hear({"kind": "window", "start": start, "count": count, "seq": 1})
        rows = shown.window(picking)["rows"]
        assert [row[0] for row in rows] == picking.value["id"].tolist()[min(start, last) :][:count]
        assert picking.error == ""


@pytest.mark.parametrize(
    "message", [{"kind": "all"}, {"kind": "range", "from": 200002364, "to": 200002364, "on": True}]
)
@pytest.mark.parametrize("change", [{"kind": "filter", "spec": {"name": "web"}}, {"kind": "sort", "sort": "-name"}])
def test_rows_that_were_not_seen_are_not_selected(listing, message, change):
    """What is selected by the rows on the screen is refused where the rows are others by now."""
    picking = Picking(listing)
    seen = picking.version
    picking.hear({**change, "seq": 1})
    picking.hear({**message, "version": seen, "seq": 2})
    assert len(picking.selection) == 0
    assert "nothing was selected" in picking.error
    assert picking.ack == 2
    picking.hear({**message, "version": picking.version, "seq": 3})
    assert len(picking.selection) > 0
    assert picking.error == ""


def test_filters_that_were_refused_stay_so_until_others_come(listing):
    """What else is done meanwhile works, and does not take the words away that say what is wrong with them."""
    picking = Picking(listing)
    picking.hear({"kind": "filter", "spec": {"name": "/(/"}, "seq": 1})
    refusal = picking.error
    picking.hear({"kind": "all", "version": picking.version, "seq": 2})
    assert (picking.is_refused, picking.error) == (True, refusal)
    assert len(picking.selection) == 300
    picking.hear({"kind": "filter", "spec": {}, "seq": 3})
    assert (picking.is_refused, picking.error) == (False, "")


def test_what_is_interrupted_is_answered(listing, monkeypatch):
    """The screen waits for an answer to each message: it has one, with the rows as they were."""
    picking = Picking(listing)

    def interrupted(*_):
        raise KeyboardInterrupt

    told = []
    picking.changed = told.append
    with monkeypatch.context() as patch:
        patch.setattr(picking.rows, "order", interrupted)
        with pytest.raises(KeyboardInterrupt):
            picking.hear({"kind": "filter", "spec": {"name": "web"}, "seq": 1})
    assert (picking.ack, picking.state, len(picking.places)) == (1, {}, 300)
    assert "interrupted" in picking.error
    assert told == [frozenset()]


def test_error_goes_with_the_next_filter():
    """An error about a filter stands until a filter is right."""
    picking = Picking(SMALL)
    picking.hear({"kind": "filter", "spec": {"name": "/(/"}, "seq": 1})
    assert "no regular expression" in shown.status(picking)["error"]
    assert len(picking.value) == len(SMALL)
    picking.hear({"kind": "filter", "spec": {"name": "/(w)eb/"}, "seq": 2})
    assert (shown.status(picking)["error"], len(picking.value)) == ("", 4)


class Selecting(RuleBasedStateMachine):
    """A picker beside a plain set of ids, and the rows that the Python it shows gives."""

    @initialize()
    def start(self):
        self.frame = SMALL
        self.picking = Picking(SMALL)
        self.model: set[int] = set()
        self.given, self.sort = {}, None

    def say(self, kind, **rest):
        self.picking.hear({"kind": kind, "seq": self.picking.ack + 1, **rest})

    @property
    def shown(self):
        names = {"df": self.frame, "pd": pd}
        exec(FilterSpec.of(**self.given).to_python(Source.FRAME, self.sort), names)  # noqa: S102 - an independent view
        return names["picked"]["id"].tolist()

    def mark(self, ids, *, on):
        self.model = self.model | set(ids) if on else self.model - set(ids)

    @rule(ids=st.lists(st.sampled_from([*SMALL["id"].tolist(), NO_ID]), max_size=4), on=st.booleans())
    def toggle(self, ids, on):
        self.say("toggle", ids=ids, on=on)
        self.mark(set(ids) & set(self.frame["id"]), on=on)

    @rule(
        start=st.none() | st.sampled_from(SMALL["id"].tolist()),
        end=st.sampled_from(SMALL["id"].tolist()),
        on=st.booleans(),
    )
    def range(self, start, end, on):
        self.say("range", **{"from": start, "to": end, "on": on})
        ids = self.shown
        if end in ids:
            places = sorted(ids.index(one) for one in (start if start in ids else end, end))
            self.mark(ids[places[0] : places[1] + 1], on=on)

    @rule()
    def all(self):
        self.say("all")
        self.mark(self.shown, on=True)

    @rule()
    def none(self):
        self.say("none")
        self.model = set()

    @rule(sort=st.none() | st.sampled_from(["id", "-id", "name", "-size_gigabytes", "monthly_cost"]))
    def order(self, sort):
        self.say("sort", sort=sort)
        self.sort = sort

    @rule(given=st.sampled_from(STATES))
    def filter(self, given):
        self.say("filter", spec=given)
        self.given = given

    @rule(message=st.sampled_from(BAD))
    def misuse(self, message):
        self.picking.hear(message)
        assert self.picking.error

    @rule(keep=st.sets(st.integers(0, len(SMALL) - 1)), turned=st.booleans())
    def replace(self, keep, turned):
        places = sorted(keep, reverse=turned)
        self.frame = SMALL.iloc[places]
        gone = self.picking.replace(self.frame)
        assert set(gone) == self.model - set(self.frame["id"])
        self.model &= set(self.frame["id"])

    @rule()
    def restore(self):
        selected = set(self.picking.selection)
        self.picking = Picking(self.frame, **self.picking.state)
        assert set(self.picking.selection) == selected

    @invariant()
    def agree(self):
        ids, picking = self.shown, self.picking
        assert picking.value["id"].tolist() == ids
        assert set(picking.selection) == self.model
        assert picking.selected["id"].tolist() == [one for one in self.frame["id"] if one in self.model]
        assert picking.hidden == len(self.model - set(ids))
        assert set(shown.marks(picking)) == self.model & set(ids)
        hidden = f" ({picking.hidden} hidden by filters)" if picking.hidden else ""
        assert picking.status == f"{len(ids)} of {len(self.frame)} images · {len(self.model)} selected{hidden}"


TestSelecting = Selecting.TestCase
TestSelecting.settings = settings(quick, max_examples=15, stateful_step_count=15)
