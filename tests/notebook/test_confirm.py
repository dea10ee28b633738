"""A plan's text box and button: what is typed is compared here, and nothing is sent but by the words."""

import threading
from html.parser import HTMLParser

import pytest
from desk import Desk
from screen import click, press_enter, settle, shown

import doimages
from doimages.change import plans
from doimages.change.apply import apply_plan
from doimages.change.plan import Plan
from doimages.errors import UsageError
from doimages.notebook import confirm
from doimages.notebook.confirm import Confirmation
from doimages.sandbox_api.faults import Fault

HOSTILE = "</table><img src=x onerror=alert(1)>"


class Screen:
    """A confirmation as a person sees it, without a browser."""

    def __init__(self, plan):
        self.reports = []
        self.widget = Confirmation(plan, self.reports.append)

    def type(self, words):
        """Type into the box, all at once."""
        self.widget.words.value = words

    def press_enter(self):
        press_enter(self.widget.words)

    def click(self, button):
        click(button)

    def settle(self):
        settle(self.widget._plan.id)

    @property
    def shown(self):
        return shown(self.widget.box)

    @property
    def asks(self):
        """Whether there are a box and a button."""
        return self.widget.words in self.widget.box.children and self.widget.apply in self.widget.box.children


@pytest.fixture
def plan(desk):
    """A plan to delete a few images, made; what was sent for it is forgotten."""
    client = desk.box.client
    frame = doimages.read_do_images(type="custom", client=client)
    ids = [step.image_id for step in frame.do_images.delete(client=client).steps]
    made = frame[frame.id.isin(ids)].head(3).do_images.delete(client=client)
    assert (len(made), made.refusals) == (3, ())
    desk.state.log.clear()
    return made


def writes(desk: Desk):
    """What was sent that changes anything."""
    return [line for line in desk.sent if not line.startswith("GET")]


@pytest.mark.parametrize(
    "words", ["", " ", "{}.", " {}", "{} ", "{}\n", "DELETE", "delete 4 images", "delete 2 image", "yes"]
)
def test_the_button_is_off_until_the_words_are_exact(plan, desk, words):
    """Case, spaces and numbers count; neither a click nor Enter gets past words that are others."""
    screen = Screen(plan)
    assert screen.widget.apply.disabled
    screen.type(words.format(plan.confirmation))
    assert screen.widget.apply.disabled
    screen.click(screen.widget.apply)
    screen.press_enter()
    screen.settle()
    assert screen.asks
    assert screen.widget.line.value == ""
    assert desk.sent == []
    screen.type(plan.confirmation)
    assert not screen.widget.apply.disabled
    screen.type(plan.confirmation.upper())
    assert screen.widget.apply.disabled


@pytest.mark.parametrize("way", ["click", "enter"])
def test_the_words_and_a_click_or_enter_apply_the_plan(plan, desk, way):
    """The report takes the place of the plan, and goes to who keeps it."""
    screen = Screen(plan)
    screen.type(plan.confirmation)
    if way == "click":
        screen.click(screen.widget.apply)
    else:
        screen.press_enter()
    screen.settle()
    assert writes(desk) == sorted(f"DELETE /v2/images/{step.image_id}" for step in plan.steps)
    (report,) = screen.reports
    assert set(report.counts) == {"done"}
    assert report._repr_html_() in screen.shown
    assert not screen.asks


def test_a_second_click_sends_nothing_more(plan, desk):
    """Neither two clicks at once, nor one after it was applied; a second view of the plan says why not."""
    screen, other = Screen(plan), Screen(plan)
    for one in (screen, other):
        one.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.click(screen.widget.apply)
    screen.press_enter()
    screen.settle()
    screen.click(screen.widget.apply)
    screen.press_enter()
    screen.settle()
    assert not screen.asks
    sent = writes(desk)
    assert len(sent) == len(plan)
    assert len(screen.reports) == 1
    other.click(other.widget.apply)
    other.settle()
    assert writes(desk) == sent
    assert "was applied already" in other.shown
    assert other.reports == []


def test_a_click_while_the_plan_is_applied_does_not_try_it_again(plan, monkeypatch):
    """Neither another click nor Enter begins a second one, which would be refused in the place of the first."""
    held, calls = threading.Event(), []

    def hold(*arguments, **options):
        calls.append(arguments)
        assert held.wait(60)
        return apply_plan(*arguments, **options)

    monkeypatch.setattr(confirm, "apply_plan", hold)
    screen = Screen(plan)
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.click(screen.widget.apply)
    screen.press_enter()
    held.set()
    screen.settle()
    assert len(calls) == 1
    assert len(screen.reports) == 1


def test_an_error_shows_in_place_and_the_words_are_asked_for_again(plan, desk):
    """What was typed is gone, so the button is off; the next try works."""
    desk.state.faults.append(Fault("status", path="/v2/account", status=403, times=1))
    screen = Screen(plan)
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    assert writes(desk) == []
    assert "Nothing was changed." in screen.shown
    assert screen.asks
    assert screen.widget.words.value == ""
    assert screen.widget.apply.disabled
    screen.type(plan.confirmation)
    screen.press_enter()
    screen.settle()
    assert len(screen.reports) == 1


def test_a_stale_plan_says_so(plan, desk, monkeypatch):
    """Nothing is sent for it."""
    monkeypatch.setattr("doimages.change.plan.Plan.is_stale", lambda _: True)
    screen = Screen(plan)
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    assert desk.sent == []
    assert "refresh()" in screen.shown


def test_stop_begins_no_more_requests_and_gives_the_report(plan, desk):
    """Pressed while the images are looked at, it ends the plan before the first request; resume goes on."""
    screen = Screen(plan)
    desk.state.faults.append(Fault("drift", path="/v2/images", change=lambda: screen.click(screen.widget.running.stop)))
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    assert writes(desk) == []
    (report,) = screen.reports
    assert report.counts == {"not started": len(plan)}
    assert report.stopped == "by the button"
    assert f"doimages.resume(&#x27;{plan.id}&#x27;)" in screen.shown
    assert set(doimages.resume(plan.id, client=desk.box.client).counts) == {"done"}


def test_stop_pressed_before_anything_was_asked_is_heeded(plan, desk, monkeypatch):
    """It is remembered until there is something to be stopped."""
    screen = Screen(plan)
    monkeypatch.setattr("doimages.change.plan.Plan.is_stale", lambda _: screen.click(screen.widget.running.stop))
    screen.type(plan.confirmation)
    screen.press_enter()
    screen.settle()
    assert writes(desk) == []
    assert screen.reports[0].counts == {"not started": len(plan)}


def test_stop_pressed_twice_ends_it_at_once(plan, desk):
    """What is under way is in doubt, the report says how to find out, and nothing is sent again."""
    screen = Screen(plan)

    def press():
        screen.click(screen.widget.running.stop)
        screen.click(screen.widget.running.stop)

    desk.state.faults.append(Fault("drift", method="DELETE", change=press))
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    (report,) = screen.reports
    assert len(report.in_doubt) > 0
    assert f"doimages.resume(&#x27;{plan.id}&#x27;)" in screen.shown
    assert len(writes(desk)) == len(set(writes(desk)))


def test_a_line_that_cannot_be_shown_ends_nothing(plan, desk, monkeypatch):
    """The front end may be gone while the plan is applied: it goes on, and the report is kept."""
    screen = Screen(plan)
    has_failed = threading.Event()

    def fail(_):
        has_failed.set()
        raise RuntimeError("comm is closed")

    def go():
        monkeypatch.setattr(screen.widget.running, "_tell", fail)
        assert has_failed.wait(60)

    desk.state.faults.append(Fault("drift", method="DELETE", change=go))
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    assert has_failed.is_set()
    (report,) = screen.reports
    assert report.counts == {"done": len(plan)}
    assert report._repr_html_() in screen.shown


def test_after_an_error_in_the_middle_it_is_never_said_that_nothing_was_changed(plan, desk, monkeypatch):
    """Neither while it is applied, nor after an error nobody foresaw: resume is named, the words not asked for."""
    screen = Screen(plan)
    assert "Nothing has been changed" in screen.shown
    meanwhile = []

    def fail(*arguments, **options):
        apply_plan(*arguments, **options)
        meanwhile.append(screen.shown)
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(confirm, "apply_plan", fail)
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    assert len(writes(desk)) == len(plan)
    for html in (*meanwhile, screen.shown):
        assert "Nothing has been changed" not in html
    assert len(meanwhile) == 1
    assert "RuntimeError: unforeseen" in screen.shown
    assert f"doimages.resume(&#x27;{plan.id}&#x27;)" in screen.shown
    assert not screen.asks
    screen.press_enter()
    screen.settle()
    assert len(meanwhile) == 1


def test_a_plan_shows_as_text_html_and_widget(plan):
    """Places without widgets have the preview."""
    bundle = Screen(plan).widget.bundle
    assert bundle["text/plain"] == repr(plan)
    assert bundle["text/html"] == plan._repr_html_()
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_nothing_in_the_widget_is_markup_of_a_name(desk):
    """A hostile name is text in the plan, in an error and in the report."""
    client = desk.box.client
    frame = doimages.read_do_images(type="custom", max_results=1, client=client)
    plan = frame.do_images.update(name=HOSTILE, client=client)
    screen = Screen(plan)
    shown = screen.shown
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    shown += screen.shown
    screen.widget._refuse(ValueError(HOSTILE))
    shown += screen.shown
    assert HOSTILE not in shown
    assert "&lt;img" in shown


# Withdrawn


def test_a_withdrawn_plan_is_not_applied(plan, desk):
    """Neither by a click nor by Enter, with the right words typed before or after; it says that it was in time."""
    screen = Screen(plan)
    screen.type(plan.confirmation)
    assert screen.widget.withdraw()
    assert screen.widget.apply.disabled
    for _ in range(2):
        screen.click(screen.widget.apply)
        screen.press_enter()
        screen.type("")
        screen.type(plan.confirmation)
    screen.settle()
    assert desk.sent == []
    assert screen.reports == []
    assert screen.widget.apply.disabled
    assert not screen.asks
    assert "was withdrawn" in screen.shown
    assert screen.widget.withdraw()


def test_a_plan_that_was_begun_is_not_withdrawn(plan, desk):
    """It says so, while it is carried out and after that; the plan comes to its end, and the report is kept."""
    screen = Screen(plan)
    said = []
    desk.state.faults.append(Fault("drift", method="DELETE", change=lambda: said.append(screen.widget.withdraw())))
    screen.type(plan.confirmation)
    screen.press_enter()
    screen.settle()
    said.append(screen.widget.withdraw())
    assert said == [False, False]
    assert len(writes(desk)) == len(plan)
    (report,) = screen.reports
    assert report._repr_html_() in screen.shown
    assert "was withdrawn" not in screen.shown


def test_a_plan_that_is_refused_after_it_was_withdrawn_is_not_asked_for_again(plan, desk, monkeypatch):
    """The withdrawal came too late to keep it from being tried, and holds for what comes after."""
    screen = Screen(plan)
    said = []

    def refuse(*_, **__):
        said.append(screen.widget.withdraw())
        raise UsageError("The account cannot be read. Nothing was changed.")

    monkeypatch.setattr(confirm, "apply_plan", refuse)
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    assert said == [False]
    assert "Nothing was changed." in screen.shown
    assert "was withdrawn" in screen.shown
    assert not screen.asks
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.press_enter()
    screen.settle()
    assert said == [False]
    assert desk.sent == []
    assert screen.reports == []


# Keys, and those who hear


class Markup(HTMLParser):
    """The text of some HTML, and its elements with their roles."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.roles = "", [], {}
        self._role = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._role = dict(attrs).get("role")

    def handle_data(self, data):
        self.text += data
        if self._role:
            self.roles[self._role] = self.roles.get(self._role, "") + data

    def handle_endtag(self, tag):
        self._role = None


def check_guarded(screen):
    """The box has the class, and first in it the guard, the same one throughout."""
    assert "doimages-keys" in screen.widget.box._dom_classes
    guard = screen.widget.box.children[0]
    assert type(guard).__name__ == "Keys"
    return guard


def test_keys_are_guarded_from_the_plan_to_its_report(plan, desk):
    """The guard keeps its place while the plan is shown, refused, carried out, and reported."""
    screen = Screen(plan)
    guards = [check_guarded(screen)]
    desk.state.faults.append(Fault("status", path="/v2/account", status=403, times=1))
    desk.state.faults.append(Fault("drift", method="DELETE", change=lambda: guards.append(check_guarded(screen))))
    for _ in range(2):
        screen.type(plan.confirmation)
        screen.press_enter()
        screen.settle()
        guards.append(check_guarded(screen))
    assert len(screen.reports) == 1
    assert len(guards) == 4
    assert len(set(guards)) == 1


def test_a_screen_reader_is_told(plan, desk):
    """A refusal is an alert, how far it is and what came of it are a status."""
    desk.state.faults.append(Fault("status", path="/v2/account", status=403, times=1))
    screen = Screen(plan)
    lines = []
    screen.widget.line.observe(lambda change: lines.append(Markup(change["new"]).roles), "value")
    for _ in range(2):
        screen.type(plan.confirmation)
        screen.press_enter()
        screen.settle()
    alerts = [line["alert"] for line in lines if "alert" in line]
    told = [line["status"] for line in lines if "status" in line]
    assert len(alerts) + len(told) == len(lines)
    assert len(alerts) == 1
    assert alerts[0].endswith("Nothing was changed.")
    assert told[0] == f"Plan {plan.id}, {plan.confirmation}: looking at the images once more."
    assert told[-1] == "This report is in _doimages."


@pytest.mark.parametrize("team", ["<b>bold</b> & co", "$x$ and \\(y\\)", HOSTILE, "'\"`"])
def test_the_label_says_the_words_whatever_the_team_is_called(desk, team, monkeypatch):
    """They are code, in which neither markup nor mathematics is looked for."""
    monkeypatch.setattr(Plan, "is_local", False)
    desk.state.account["team"]["name"] = team
    client = desk.box.client
    plan = doimages.read_do_images(type="custom", max_results=1, client=client).do_images.tag("old", client=client)
    assert plan.confirmation == f"tag 1 image in {team}"
    screen = Screen(plan)
    label = Markup(screen.widget.words.description)
    assert (label.tags, label.text) == (["code"], f"To confirm, type: {plan.confirmation}")
    screen.type(plan.confirmation)
    assert not screen.widget.apply.disabled


def test_a_plan_of_nothing_asks_for_nothing(desk):
    """There are no words that would apply it."""
    client = desk.box.client
    frame = doimages.read_do_images(type="custom", max_results=1, client=client)
    plan = frame.do_images.update(name=frame.name.iloc[0], client=client)
    assert len(plan) == 0
    desk.state.log.clear()
    screen = Screen(plan)
    assert not screen.asks
    screen.type(plan.confirmation)
    screen.click(screen.widget.apply)
    screen.settle()
    assert desk.sent == []


@pytest.mark.parametrize("said", ["<b>\x07\ud800\x1b[31m", "one\n  two", "token dop_v1_" + "0" * 64])
def test_an_error_is_shown_whole_and_obeyed_in_nothing(plan, said):
    """What cannot be printed shows as such, lines are joined, a token is masked."""
    screen = Screen(plan)
    screen.widget._refuse(ValueError(said))
    text = Markup(screen.widget.line.value).text
    plain = {"<": "ValueError: <b>\ufffd\ufffd\ufffd[31m", "o": "ValueError: one two", "t": "ValueError: token ***"}
    assert text == plain[said[0]]


def test_a_withdrawn_plan_is_known_no_more(plan):
    """The magic's --apply finds it neither as the last one that was made nor by its id."""
    assert plans.recall() == plan
    assert Screen(plan).widget.withdraw()
    with pytest.raises(UsageError, match="no plan"):
        plans.recall(plan.id)


def test_a_report_that_cannot_be_kept_is_shown(plan, desk):
    """Whatever is wrong with who keeps it: what was done is seen, and so is the error."""

    def fail(_):
        raise RuntimeError("nobody keeps it")

    screen = Screen(plan)
    screen.widget._keep = fail
    screen.type(plan.confirmation)
    screen.press_enter()
    screen.settle()
    assert len(writes(desk)) == len(plan)
    assert "Report of plan" in screen.shown
    assert "nobody keeps it" in screen.shown
