"""What can be done after a plan: the buttons under its report, the plans they make, and going on."""

import threading

import pytest
from estate import confirmed, frame_of, mixed
from screen import buttons, click, parts, press_enter, settle, shown

import doimages
from doimages.change import waiting
from doimages.change.outcome import FAILED, Result
from doimages.change.report import Report
from doimages.notebook import report as module
from doimages.notebook.confirm import Confirmation
from doimages.notebook.report import ReportView, has_next
from doimages.sandbox_api.faults import Fault

HOSTILE = "</table><img src=x onerror=alert(1)> $x$ \x07"
URL = "https://images.example.com/base.qcow2"
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def account():
    with mixed() as made:
        yield made


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 0.0)


class Screen:
    """A report as a person sees it, without a browser."""

    def __init__(self, report, account):
        self.kept = []
        self.plan_id = report.plan.id
        self.widget = ReportView(report, lambda plan: Confirmation(plan, self.kept.append), self.kept.append)
        account.state.log.clear()

    @property
    def offers(self):
        return [button.description for button in self.widget.next.children]

    @property
    def shown(self):
        return shown(self.widget.box)

    @property
    def plans(self):
        """The plans that ask for their words, the newest last."""
        return [one.description for one in parts(self.widget.box) if type(one).__name__ == "Text"]

    def press(self, description):
        """Press a button of this report, not of one beneath it."""
        click(buttons(self.widget.next)[description])
        settle(self.plan_id)

    def confirm(self):
        """Type the words of the newest plan, and press Enter."""
        (*_, text) = [one for one in parts(self.widget.box) if type(one).__name__ == "Text"]
        text.value = text.description.partition("<code>")[2].removesuffix("</code>")
        plan = doimages.change.plans.recall()
        press_enter(text)
        settle(plan.id)


def rows(*ids):
    return frame_of(*ids).do_images


def refuse(account, number, status=422, times=None):
    """Have the API refuse writes for one image."""
    path = f"/v2/images/{number}*"
    account.state.faults.append(Fault("status", method="[!G]*", path=path, status=status, times=times))


def stopped(account, plan):
    """Apply a plan that the API does not let go on after its first request."""
    account.state.faults.append(Fault("status", method="[!G]*", status=401, times=None))
    report = confirmed(plan)
    account.state.faults.clear()
    assert not report.is_finished
    return report


# What is offered


def test_all_done_offers_the_undo_of_what_has_one(account):
    """An update, a tag and a create can be taken back, a delete cannot: it offers nothing."""
    here = account.here
    for plan in (
        rows(1).update(name="a", client=here),
        rows(2).tag("old", client=here),
        rows(3).untag("new", client=here),
        doimages.create_custom(name="base", url=URL, region="nyc3", client=here),
    ):
        assert "Plan the undo" in Screen(confirmed(plan), account).offers
    report = confirmed(rows(4).delete(client=here))
    assert Screen(report, account).offers == []
    assert not has_next(report)


def test_nothing_done_offers_no_undo(account):
    """Where all was so already, there is nothing to take back."""
    plan = rows(1).tag("old", client=account.here)
    account.state.images[1]["tags"].append("old")
    report = confirmed(plan)
    assert report.counts == {"no change": 1}
    assert Screen(report, account).offers == []


@pytest.mark.parametrize(("failing", "said"), [([1], "1 image"), ([1, 3], "2 images")])
def test_failures_offer_their_retry(account, failing, said):
    """The button says for how many images."""
    for number in failing:
        refuse(account, number)
    report = confirmed(rows(1, 2, 3).delete(client=account.here))
    assert Screen(report, account).offers == [f"Plan the retry of {said}"]


def test_what_was_selected_by_a_rule_is_not_retried(account):
    """Its rule may select others now."""
    refuse(account, 1)
    plan = rows(1, 2, 3).retain(keep_last=1, client=account.here)
    report = confirmed(plan)
    result = Result(number=1, outcome=FAILED)
    failed = Report(plan=plan, results=(result,) * len(plan), stopped=None, journal="", is_finished=True)
    assert len(plan) > 0
    assert plan.notes
    for one in (report, failed):
        assert not any("retry" in offer for offer in Screen(one, account).offers)


def test_an_unfinished_report_offers_to_go_on_and_no_retry(account):
    """First it is brought to its end."""
    refuse(account, 1)
    report = stopped(account, rows(1, 2, 3).delete(client=account.here))
    assert Screen(report, account).offers == ["Go on"]


def test_running_actions_offer_to_wait(account):
    """A transfer that was only begun can be waited for, and has no undo."""
    account.state.polls = None
    report = confirmed(rows(1).transfer(region="ams3", client=account.here))
    assert report.counts == {"running": 1}
    assert Screen(report, account).offers == ["Wait"]


def test_what_is_running_waits_until_the_rest_is_sent(account):
    """A report that is not at its end offers to go on, and not to wait."""
    report = stopped(account, rows(1, 2).transfer(region="ams3", client=account.here))
    results = Result(number=1, outcome="running"), report.results[1]
    report = Report(plan=report.plan, results=results, stopped="x", journal="", is_finished=False)
    assert Screen(report, account).offers == ["Go on"]


# What a click does


def test_the_retry_is_planned_and_applied_by_its_own_words(account):
    """The click reads and changes nothing; the words under the new plan do, and its report is kept."""
    refuse(account, 2, times=1)
    screen = Screen(confirmed(rows(1, 2).delete(client=account.here)), account)
    screen.press("Plan the retry of 1 image")
    assert account.writes == []
    assert account.sent
    assert screen.plans == ["To confirm, type: <code>delete 1 image</code>"]
    assert screen.kept == []
    screen.confirm()
    assert account.writes == [("DELETE", "/v2/images/2")]
    assert [report.counts for report in screen.kept] == [{"done": 1}]
    assert screen.kept[0]._repr_html_() in screen.shown


def test_the_undo_brings_back_what_was(account):
    """By way of a plan of its own, whose report offers the way forth again."""
    before = dict(account.state.images[1])
    screen = Screen(confirmed(rows(1).update(name="other", client=account.here)), account)
    screen.press("Plan the undo")
    assert account.writes == []
    screen.confirm()
    assert account.state.images[1] == before
    assert len([one for one in parts(screen.widget.box) if getattr(one, "description", "") == "Plan the undo"]) == 2


def test_a_new_plan_withdraws_the_one_before(account):
    """One plan is shown at a time; the other's words apply nothing any more, clicked or not."""
    screen = Screen(confirmed(rows(1).update(name="other", client=account.here)), account)
    screen.press("Plan the undo")
    (first,) = screen.widget._plans
    screen.press("Plan the undo")
    (second,) = screen.widget._plans
    assert first is not second
    assert len(screen.plans) == 1
    account.state.log.clear()
    first.words.value = first._plan.confirmation
    press_enter(first.words)
    click(first.apply)
    settle(first._plan.id)
    assert account.sent == []
    screen.confirm()
    assert len(account.writes) == 1


def test_a_plan_that_was_begun_stays_with_its_report(account):
    """A further plan comes beneath it."""
    screen = Screen(confirmed(rows(1).update(name="other", client=account.here)), account)
    screen.press("Plan the undo")
    screen.confirm()
    (report,) = screen.kept
    account.state.images[1]["name"] = "other"
    assert screen.plans == []
    screen.press("Plan the undo")
    assert report._repr_html_() in screen.shown
    assert len(screen.plans) == 1


def test_going_on_brings_the_plan_to_its_end(account):
    """The new report takes the old one's place, with what can be done then, and is kept."""
    refuse(account, 3)
    report = stopped(account, rows(1, 2, 3).tag("old", client=account.here))
    screen = Screen(report, account)
    assert screen.offers == ["Go on"]
    screen.press("Go on")
    assert [one.counts for one in screen.kept] == [{"done": 3}]
    assert screen.kept[0]._repr_html_() in screen.shown
    assert report._repr_html_() not in screen.shown
    assert screen.offers == ["Plan the undo"]
    assert "This report is in _doimages." in screen.shown
    assert screen.widget.bundle["text/plain"] == repr(screen.kept[0])


def test_going_on_withdraws_the_plan_of_what_was_before(account):
    """It was made of a report that is none any more."""
    report = stopped(account, rows(1, 2).update(name="other", client=account.here))
    done = Result(number=1, outcome="done")
    report = Report(plan=report.plan, results=(done, report.results[1]), stopped="x", journal="", is_finished=False)
    screen = Screen(report, account)
    screen.press("Plan the undo")
    (undo,) = screen.widget._plans
    screen.press("Go on")
    assert screen.widget._plans == []
    undo.words.value = undo._plan.confirmation
    account.state.log.clear()
    press_enter(undo.words)
    settle(undo._plan.id)
    assert account.sent == []


def test_waiting_ends_with_the_actions(account):
    """What was running is done then."""
    account.state.polls = 1
    screen = Screen(confirmed(rows(1).transfer(region="ams3", client=account.here)), account)
    screen.press("Wait")
    assert [one.counts for one in screen.kept] == [{"done": 1}]
    assert account.writes == []
    assert screen.offers == []


def test_going_on_can_be_stopped(account):
    """Pressed while the images are looked at, it ends before the first request, and can be gone on with."""
    report = stopped(account, rows(1, 2, 3).tag("old", client=account.here))
    screen = Screen(report, account)
    stop = screen.widget.running.stop
    account.state.faults.append(Fault("drift", path="/v2/images", change=lambda: click(stop)))
    account.state.log.clear()
    screen.press("Go on")
    assert account.writes == []
    assert screen.offers == ["Go on"]
    assert "by the button" in screen.shown
    screen.press("Go on")
    assert screen.kept[-1].counts == {"done": 3}


@pytest.mark.parametrize("description", ["Go on", "Plan the undo"])
def test_two_clicks_are_one(account, monkeypatch, description):
    """While one is answered, another is not, of this button or of one beside it; nor one of a button that is gone."""
    report = stopped(account, rows(1, 2).tag("old", client=account.here))
    done = tuple(Result(number=one.number, outcome="done") for one in report.results)
    report = Report(plan=report.plan, results=done, stopped="x", journal="", is_finished=False)
    screen = Screen(report, account)
    held, calls = threading.Event(), []
    answers = {"Go on": module.resume_plan, "Plan the undo": Report.undo_plan}

    def hold(name):
        def held_up(*arguments, **options):
            calls.append(name)
            assert held.wait(60)
            return answers[name](*arguments, **options)

        return held_up

    monkeypatch.setattr(module, "resume_plan", hold("Go on"))
    monkeypatch.setattr(Report, "undo_plan", hold("Plan the undo"))
    offered = buttons(screen.widget.box)
    for name in (description, description, "Go on", "Plan the undo"):
        click(offered[name])
    held.set()
    settle(screen.plan_id)
    assert calls == [description]
    if description == "Go on":
        click(offered["Go on"])
        settle(screen.plan_id)
        assert calls == [description]
        assert len(screen.kept) == 1


def test_two_views_of_a_report_do_not_go_on_at_once(account):
    """The second is told that the plan is being applied, and sends nothing."""
    report = stopped(account, rows(1, 2).tag("old", client=account.here))
    screen, other = Screen(report, account), Screen(report, account)
    clicked = []

    def press():
        clicked.append(click(buttons(other.widget.box)["Go on"]))
        held.wait(60)

    held = threading.Event()
    other.widget.line.observe(lambda change: "alert" in change["new"] and held.set(), "value")
    account.state.faults.append(Fault("drift", method="POST", path="/v2/tags/*", change=press))
    screen.press("Go on")
    assert len(clicked) == 1
    assert held.is_set()
    assert f"is applying plan {report.plan.id}" in other.shown
    assert len(account.writes) == 1
    assert (len(screen.kept), len(other.kept)) == (1, 0)


def test_an_error_is_said_in_its_place(account):
    """As an alert, in words; the button is there, and works the next time."""
    screen = Screen(confirmed(rows(1).update(name="other", client=account.here)), account)
    account.state.faults.append(Fault("status", path="/v2/account*", status=401, times=1))
    account.state.faults.append(Fault("status", path="/v2/images*", status=401, times=1))
    screen.press("Plan the undo")
    assert 'role="alert"' in screen.widget.line.value
    assert "401" in screen.widget.line.value
    assert screen.plans == []
    account.state.faults.clear()
    screen.press("Plan the undo")
    assert 'role="status"' in screen.widget.line.value
    assert len(screen.plans) == 1


def test_a_plan_of_nothing_is_shown_with_its_reasons(account):
    """What cannot be taken back is refused, image by image, and asks for no words."""
    account.state.images[6]["description"] = None
    screen = Screen(confirmed(rows(6).update(description="other", client=account.here)), account)
    screen.press("Plan the undo")
    assert "it had no description, which cannot be sent" in screen.shown
    assert screen.plans == []


def test_nothing_in_a_report_is_markup(account, monkeypatch):
    """Names, replies and errors are text; what cannot be printed shows as such, and nothing is lost."""
    account.state.images[1]["name"] = HOSTILE
    fault = Fault("status", method="[!G]*", path="/v2/images/1", status=422, body={"id": HOSTILE, "message": HOSTILE})
    account.state.faults.append(fault)
    screen = Screen(confirmed(rows(1, 2).update(name="x", client=account.here)), account)
    screen.press("Plan the retry of 1 image")
    html = screen.shown
    monkeypatch.setattr(Report, "undo_plan", lambda _: (_ for _ in ()).throw(ValueError(HOSTILE)))
    screen.press("Plan the undo")
    html += screen.shown
    assert "<img" not in html
    assert "</table>&lt;" not in html
    assert "\x07" not in html
    assert html.count("&lt;/table&gt;&lt;img src=x onerror=alert(1)&gt; $x$ \ufffd") >= 3


def test_keys_are_guarded(account):
    """The box has the class and the guard in it, with a plan under the report as without."""
    screen = Screen(confirmed(rows(1).update(name="other", client=account.here)), account)
    for _ in range(2):
        assert "doimages-keys" in screen.widget.box._dom_classes
        assert type(screen.widget.box.children[0]).__name__ == "Keys"
        screen.press("Plan the undo")


# In a shell, and in a kernel


def test_a_report_shows_as_text_html_and_widget(account):
    """Places without widgets have the sheet."""
    report = confirmed(rows(1).update(name="other", client=account.here))
    bundle = Screen(report, account).widget.bundle
    assert bundle["text/plain"] == repr(report)
    assert bundle["text/html"] == report._repr_html_()
    assert VIEW in bundle


def test_a_shell_without_a_kernel_shows_text(notebook, account):
    """No widget is made where no front end can show it, and unloading takes away what would make one."""
    report = confirmed(rows(1).update(name="other", client=account.here))
    data, _ = notebook.shell.display_formatter.format(report)
    assert VIEW not in data
    assert data["text/plain"] == repr(report)
    bundles = notebook.shell.display_formatter.mimebundle_formatter
    assert Report in bundles
    notebook.run("%unload_ext doimages")
    assert Report not in bundles
    notebook.run("%load_ext doimages")
    assert Report in bundles


def test_in_a_kernel_only_a_report_with_something_to_do_is_a_widget(notebook, account, monkeypatch):
    """One with nothing left to do is its sheet: no widget that would be dead tomorrow."""
    monkeypatch.setattr(notebook.shell, "kernel", object(), raising=False)
    done = confirmed(rows(1).update(name="other", client=account.here))
    over = confirmed(rows(2).delete(client=account.here))
    data, _ = notebook.shell.display_formatter.format(done)
    assert {"text/plain", "text/html", VIEW} <= data.keys()
    data, _ = notebook.shell.display_formatter.format(over)
    assert data.keys() == {"text/plain", "text/html"}
