"""Writes in cells: a plan, its words, its report, and what is left undone."""

import json
import re

import nbformat
import pandas as pd
import pyarrow as pa
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import doimages
from doimages.change.folder import folder
from doimages.change.plan import Plan
from doimages.change.report import Report
from doimages.errors import NotConfirmedError, UsageError
from doimages.sandbox_api.faults import Fault

DELETE = "DELETE FROM images WHERE type = 'custom' AND status = 'available'"
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def plan(notebook, desk):
    """Plan a few deletes in a cell; what was sent for that is forgotten."""
    made = notebook.run(f"%%doimages\n{DELETE}")
    assert len(made) > 2
    desk.state.log.clear()
    return made


def writes(desk):
    """What was sent that changes anything."""
    return [line for line in desk.sent if not line.startswith("GET")]


def deletes(plan):
    return sorted(f"DELETE /v2/images/{step.image_id}" for step in plan.steps)


@pytest.mark.parametrize("flags", ["", "--as plan", "--progress off"])
def test_a_write_gives_a_plan_and_changes_nothing(notebook, desk, flags):
    """It is the output, or goes into the variable; `_doimages` holds it."""
    desk.state.log.clear()
    plan = notebook.run(f"%%doimages {flags}\n{DELETE}")
    assert isinstance(plan, Plan)
    assert notebook["_doimages"] is plan
    assert notebook.run(f"%%doimages gone {flags}\n{DELETE}") is None
    assert notebook["gone"].fingerprint == plan.fingerprint
    assert desk.sent
    assert writes(desk) == []


@pytest.mark.parametrize(
    "statement",
    [
        DELETE,
        "UPDATE images SET name = 'x-' || name WHERE type = 'custom'",
        "INSERT INTO images(data__name, data__region, data__url) SELECT 'a', 'nyc3', 'https://example.com/a.img'",
        "DELETE FROM images WHERE name = 'nosuch'",
    ],
)
def test_a_plan_has_the_other_forms(notebook, desk, statement):
    """--as frame, arrow and json are its rows: steps, then refusals."""
    plan = notebook.run(f"%%doimages\n{statement}")
    frame = notebook.run(f"%%doimages --as frame\n{statement}")
    pd.testing.assert_frame_equal(frame, plan.to_frame())
    table = notebook.run(f"%%doimages --as arrow\n{statement}")
    assert isinstance(table, pa.Table)
    assert table.column_names == [*frame.columns]
    records = notebook.run(f"%%doimages --as json\n{statement}")
    assert json.loads(json.dumps(records)) == records
    assert [record["id"] for record in records] == [step.image_id for step in [*plan.steps, *plan.refusals]]
    assert notebook["_doimages"] is records
    assert writes(desk) == []


@pytest.mark.parametrize("cell", ["%doimages --as plan", "%%doimages --as plan\nSELECT 1", "%%doimages --as plan\n"])
def test_a_read_is_no_plan(notebook, desk, cell):
    """It is refused before anything is sent."""
    desk.state.log.clear()
    error = notebook.fail(cell)
    assert isinstance(error, UsageError)
    assert "--as plan is for writes" in str(error)
    assert desk.sent == []


def test_a_dry_run_of_a_write_sends_nothing_and_makes_no_plan(notebook, desk):
    """It shows what would be read, and what would be sent for each row."""
    desk.state.log.clear()
    shown = repr(notebook.run(f"%%doimages box --dry-run\n{DELETE}"))
    assert "GET /v2/images?private=true" in shown
    assert "DELETE /v2/images/{image_id}" in shown
    assert desk.sent == []
    assert "box" not in notebook


@pytest.mark.parametrize("named", [True, False])
def test_apply_with_the_words_carries_the_plan_out(notebook, desk, plan, named):
    """By its id or as the last one; the report goes where results go, and the plan is not applied twice."""
    line = f'--apply {plan.id if named else ""} --confirm "{plan.confirmation}" --progress off'
    assert notebook.run(f"%%doimages report << {line}") is None
    assert isinstance(notebook["report"], Report)
    assert notebook["_doimages"] is notebook["report"]
    assert writes(desk) == deletes(plan)
    error = notebook.fail(f"%doimages {line}")
    assert "was applied already" in str(error)
    assert writes(desk) == deletes(plan)


def test_a_report_is_shown_like_any_result(notebook, plan):
    """Without a variable it is the output."""
    report = notebook.run(f'%doimages --apply {plan.id} --confirm="{plan.confirmation}"')
    assert report is notebook["_doimages"]
    assert f"{len(plan)} of {len(plan)} done" in notebook.out


@pytest.mark.parametrize("words", [None, "", "yes", "DELETE 3 IMAGES", "delete 0 images"])
def test_other_words_are_answered_with_the_flag_to_write(notebook, desk, plan, words):
    """In three lines, and what they say can be pasted; nothing is sent."""
    confirm = "" if words is None else f'--confirm "{words}"'
    error = notebook.fail(f"%doimages --apply {confirm}")
    assert isinstance(error, NotConfirmedError)
    assert error.plan is plan
    assert desk.sent == []
    assert len(notebook.out.splitlines()) <= 3
    flags = re.search(r"write (.*)\. Nothing was sent", str(error))[1]
    assert set(notebook.run(f"%doimages {flags}").counts) == {"done"}


@pytest.mark.parametrize("team", ["acme", 'the "A" team', "it's ours", "a\\b", "\"'\\", "$HOME {x} %y;"])
def test_a_team_of_any_name_can_be_confirmed(notebook, desk, team, monkeypatch):
    """The words of a plan for an account name the team, and the flag quotes them as the line needs it."""
    monkeypatch.setattr(Plan, "is_local", False)
    desk.state.account["team"]["name"] = team
    plan = notebook.run(f"%%doimages\n{DELETE}")
    assert plan.confirmation.endswith(team)
    flags = re.search(r"write (.*)\. Nothing was sent", str(notebook.fail("%doimages --apply")))[1]
    assert len(notebook.run(f"%doimages {flags}")) == len(plan)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%doimages --confirm 'delete 1 image'", "--confirm goes with --apply"),
        ("%doimages --apply 12345678", "no plan '12345678' in this session"),
        ("%%doimages --apply\nSELECT 1", "no statement"),
        ("%doimages --apply -n 0", "--max-results does not go with --apply"),
        ("%doimages --apply --type snapshot", "--type does not go"),
        ("%doimages --apply --private", "--private does not go"),
        ("%doimages --apply --dry-run", "--dry-run does not go"),
        ("%doimages --apply --as frame", "--as does not go"),
        ("%doimages --apply --endpoint sandbox", "--endpoint does not go"),
        ("%doimages --apply --id 5", "--id does not go"),
        ("%doimages --apply -p a=1", "--param does not go"),
    ],
)
def test_what_does_not_go_with_apply_is_refused(notebook, desk, plan, cell, said):
    """Nothing is sent, and the plan can still be applied."""
    error = notebook.fail(cell)
    assert isinstance(error, UsageError)
    assert said in str(error)
    assert desk.sent == []
    assert len(notebook.run(f'%doimages --apply --confirm "{plan.confirmation}"')) == len(plan)


def test_apply_without_any_plan_says_so(notebook, monkeypatch):
    """In a session that has made none."""
    monkeypatch.setattr("doimages.change.plans._plans", {})
    assert "no plan in this session" in str(notebook.fail("%doimages --apply"))


def leave_undone(desk, count):
    """Begin so many plans and bring none to its end; give their ids, the oldest first."""
    client = desk.box.client
    frame = doimages.read_do_images(type="custom", client=client)
    ids = []
    for number in range(count):
        plan = frame.do_images.tag(f"t{number}", client=client)
        desk.state.faults.append(Fault("status", method="POST", path="/v2/tags*", status=401))
        assert not plan.apply(confirm=plan.confirmation, progress="off").is_finished
        ids.append(plan.id)
    desk.state.faults.clear()
    return ids


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_loading_and_status_tell_of_unfinished_plans(notebook, desk, count):
    """A line each, three at most and then how many more; nothing where there are none."""
    ids = leave_undone(desk, count)
    notebook.run("%reload_ext doimages")
    lines = notebook.out.splitlines()
    assert len(lines) == min(count, 4)
    assert notebook.err == ""
    for line, plan_id in zip(lines[:3], ids, strict=False):
        assert line.startswith(f"unfinished: {plan_id} tag, 0 of ")
        assert line.endswith(f"doimages.resume('{plan_id}')")
    told = [text for name, text in notebook.run("%doimages status").rows if name == "unfinished"]
    assert [f"unfinished: {text}" for text in told] == lines
    assert not count or ("and 2 more" in lines[-1]) == (count == 5)


@pytest.mark.parametrize("harm", ["file", "folder", "nonsense", "bytes"])
def test_a_broken_state_folder_does_not_keep_anybody_from_loading(notebook, desk, harm):
    """What can be told is told."""
    ids = [] if harm == "file" else leave_undone(desk, 1)
    if harm == "file":
        folder().parent.mkdir(parents=True, exist_ok=True)
        folder().write_text("")
    elif harm == "folder":
        (folder() / "00000000.jsonl").mkdir()
    else:
        (folder() / "00000000.jsonl").write_bytes(b"{}\n" if harm == "nonsense" else b"\xff\n")
    notebook.run("%reload_ext doimages")
    assert [line.split()[1] for line in notebook.out.splitlines()] == ids
    assert notebook.err == ""
    assert notebook.run("%doimages status").rows


def test_whatever_goes_wrong_in_telling_loading_works(notebook, monkeypatch):
    """It is quiet then, and the magic is there."""
    monkeypatch.setattr("doimages.notebook.errands.has_journals", lambda: 1 / 0)
    notebook.run("%reload_ext doimages")
    assert (notebook.out, notebook.err) == ("", "")
    assert notebook.run("%doimages schema id").index[0] == "id"


def test_unloading_takes_the_widget_away_and_loading_brings_it_back(notebook):
    """The shell is as it was before."""
    bundles = notebook.shell.display_formatter.mimebundle_formatter
    assert Plan in bundles
    notebook.run("%unload_ext doimages")
    assert Plan not in bundles
    notebook.run("%load_ext doimages")
    assert Plan in bundles


def test_a_shell_without_a_kernel_shows_text(notebook, plan):
    """No widget is made where no front end can show it."""
    data, _ = notebook.shell.display_formatter.format(plan)
    assert VIEW not in data
    assert data["text/plain"] == repr(plan)


# In a real kernel


class Front:
    """The front end of a kernel: the widgets it was told of, and what a person does with them."""

    def __init__(self, kernel):
        self._kernel = kernel
        self.states = {}
        self.said = []

    def run(self, cell):
        """Run a cell, and give the data of its output."""
        messages = self._kernel.run(cell)
        for kind, content in messages:
            self._take(kind, content)
        assert [content for kind, content in messages if kind == "error"] == []
        shown = [content["data"] for kind, content in messages if kind == "execute_result"]
        return shown[0] if shown else {}

    def _take(self, kind, content):
        if kind == "comm_open":
            self.states[content["comm_id"]] = content["data"]["state"]
        elif kind == "comm_msg" and content["data"].get("method") == "update":
            self.states[content["comm_id"]] |= content["data"]["state"]

    def find(self, **state):
        """Give the id of the newest widget that has these values."""
        found = [key for key, one in self.states.items() if one.items() >= state.items()]
        return found[-1]

    def send(self, widget, data):
        session = self._kernel.client.session
        self._kernel.client.shell_channel.send(session.msg("comm_msg", {"comm_id": widget, "data": data}))

    def type(self, words):
        change = {"method": "update", "state": {"value": words}, "buffer_paths": []}
        self.send(self.find(_model_name="TextModel"), change)

    def press_enter(self):
        self.send(self.find(_model_name="TextModel"), {"method": "custom", "content": {"event": "submit"}})

    def click(self, button):
        self.send(button, {"method": "custom", "content": {"event": "click"}})

    def wait(self, has_come):
        """Take messages until something has come."""
        while not has_come():
            message = self._kernel.client.get_iopub_msg(timeout=60)
            self._take(message["msg_type"], message["content"])

    def shows(self, text):
        return any(text in str(one.get("value", "")) for one in self.states.values())


@pytest.fixture
def front(kernel):
    made = Front(kernel)
    made.run("%load_ext doimages")
    return made


def sent(server):
    return [(record.method, record.path) for record in server.state.log if record.method != "GET"]


@pytest.mark.kernel
def test_a_plan_is_applied_by_its_box_and_button(front, server):
    """The button is off until the words fit; a click deletes each image once, and the report follows."""
    data = front.run(f"%%doimages\n{DELETE}")
    assert {"text/plain", "text/html", VIEW} <= data.keys()
    assert data[VIEW]["model_id"] in front.states
    words = re.search(r"confirm='(.*)'\)", data["text/plain"])[1]
    button = front.find(_model_name="ButtonModel", button_style="danger")
    assert front.states[button]["disabled"]
    front.type(words.upper())
    front.click(button)
    front.press_enter()
    front.run("1")
    assert sent(server) == []
    front.type(words)
    front.wait(lambda: not front.states[button]["disabled"])
    front.click(button)
    front.click(button)
    front.press_enter()
    front.wait(lambda: front.shows("Report of plan"))
    assert len(set(sent(server))) == len(sent(server)) == int(words.split()[1])
    front.click(button)
    assert front.run("type(_doimages).__name__, _doimages.counts")["text/plain"] == (
        f"('Report', {{'done': {len(sent(server))}}})"
    )
    assert len(sent(server)) == int(words.split()[1])


@pytest.mark.kernel
def test_stop_is_heard_while_a_plan_is_carried_out(front, server):
    """Twice, it ends what is under way; cells run meanwhile, and resume finds out what became of it."""
    data = front.run(f"%%doimages\n{DELETE}")
    words = re.search(r"confirm='(.*)'\)", data["text/plain"])[1]
    server.state.faults.append(Fault("slow", method="DELETE", seconds=60, times=None))
    front.type(words)
    front.press_enter()
    front.wait(lambda: front.shows(" over."))
    stop = front.find(_model_name="ButtonModel", description="Stop")
    while not sent(server):
        assert front.run("1 + 1")["text/plain"] == "2"
    front.click(stop)
    front.wait(lambda: front.states[stop]["description"] == "Stop at once")
    assert not front.shows("Report of plan")
    front.click(stop)
    front.wait(lambda: front.shows("Report of plan"))
    assert front.run("_doimages.in_doubt.empty, _doimages.stopped")["text/plain"] == "(False, 'by the button')"


@pytest.mark.kernel
def test_a_notebook_that_runs_by_itself_is_not_asked_and_fails(server, monkeypatch, tmp_path):
    """The error gives the argument to pass; nothing is sent, and nothing waits for an answer."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("DIGITALOCEAN_API_URL", server.url)
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", server.token)
    sources = ["%load_ext doimages", f"%%doimages plan\n{DELETE}", "plan", "plan.apply()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.raises(CellExecutionError) as caught:
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    shown = notebook.cells[2].outputs[0].data
    words = re.search(r"confirm='(.*)'\)", shown["text/plain"])[1]
    assert f"pass confirm={words!r}" in str(caught.value)
    assert {"text/html", VIEW} <= shown.keys()
    assert sent(server) == []
