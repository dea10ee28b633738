"""The magic in a shell: where results go, what is shown, and how wrong lines fail."""

import json

import pandas as pd
import pyarrow as pa
import pytest

import doimages
from doimages import reads
from doimages.api.connect import embedded
from doimages.errors import DOImagesError, NotFoundError, StatementError, UnknownColumnError, UsageError
from doimages.notebook.magic import DoImagesMagic, fill_empty_body, load
from doimages.settings import SETTINGS, options

BOX = "--endpoint sandbox"


def test_a_line_without_a_variable_gives_the_frame_as_output(notebook):
    """The frame is returned, so that Out has it, and `_doimages` holds it too."""
    frame = notebook.run(f"%doimages {BOX} --type snapshot -n 3")
    assert list(frame["type"]) == ["snapshot"] * 3
    assert notebook["_doimages"] is frame
    assert notebook["Out"][2] is frame


@pytest.mark.parametrize("line", ["box", "box <<", "-o box", "--output=box"])
def test_a_variable_takes_the_frame_and_nothing_is_shown(notebook, line):
    """DEST, `DEST <<` and -o mean the same."""
    assert notebook.run(f"%doimages {line} {BOX} -n 2") is None
    assert notebook.out == ""
    assert len(notebook["box"]) == 2
    assert notebook["_doimages"] is notebook["box"]


def test_show_and_no_display_turn_it_round(notebook):
    """--show shows what goes into a variable, --no-display hides what does not."""
    assert notebook.run(f"%doimages box {BOX} -n 1 --show") is notebook["box"]
    assert notebook.run(f"%doimages {BOX} -n 2 --no-display") is None
    assert len(notebook["_doimages"]) == 2


@pytest.mark.parametrize("body", ["", "\n", "\n\n", "\n-- all of them\n", "\n# nbval\n/* two\nlines */\n"])
def test_a_cell_without_a_statement_is_a_plain_listing(notebook, body):
    """Also a cell of one line, which IPython by itself refuses; comments are no statement."""
    notebook.run(f"%%doimages box {BOX} --max_results 2{body}")
    assert len(notebook["box"]) == 2


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("%%doimages box\nSELECT * FROM images", doimages.CredentialsError),
        ("%doimages SELECT * FROM images", doimages.CredentialsError),
        ("%doimages show methods", StatementError),
    ],
)
def test_sql_is_not_taken_for_a_variable(notebook, cell, kind):
    """A statement in the body, or on the line, is read as one: it wants a token, or says what is wrong with it."""
    assert isinstance(notebook.fail(cell), kind)
    assert len(notebook.out.splitlines()) <= 3
    assert "box" not in notebook


def test_a_magic_in_a_function_puts_its_result_into_the_notebook(notebook):
    """A variable on the line is one of the notebook; the output can be used in the function."""
    notebook.run(
        f"def count():\n    %doimages inside {BOX} -n 2\n    out = %doimages {BOX} -n 3\n    return len(out)\ncount()"
    )
    assert notebook["_"] == 3
    assert len(notebook["inside"]) == 2


def test_flags_filter_as_the_arguments_of_the_reader_do(notebook):
    """Kinds, tag, ids, columns and backend reach the reader."""
    frame = notebook.run(f"%doimages {BOX} --type snapshot,custom --tag-name web --columns id,type,tags")
    assert list(frame.columns) == ["id", "type", "tags"]
    assert set(frame["type"]) <= {"snapshot", "custom"}
    assert all("web" in tags for tags in frame["tags"])
    frame = notebook.run(f"%doimages {BOX} --id debian-12-x64 ubuntu-24-04-x64 --dtype-backend pyarrow")
    assert list(frame["slug"]) == ["debian-12-x64", "ubuntu-24-04-x64"]
    assert isinstance(frame["slug"].dtype, pd.ArrowDtype)
    assert set(notebook.run(f"%doimages {BOX} --type application")["type"]) == {"application"}


def test_the_other_forms_are_an_arrow_table_and_json_records(notebook):
    """Types are kept, times are written as the API does, missing is null, and nothing has to be converted."""
    table = notebook.run(f"%doimages {BOX} -n 5 --as arrow")
    assert isinstance(table, pa.Table)
    assert table.schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert json.loads(table.schema.metadata[b"do_images"])["rows"] == 5
    assert table.to_pandas().shape == (5, 14)
    records = notebook.run(f"%doimages {BOX} -n 5 --as json")
    assert json.loads(json.dumps(records)) == records
    assert records[1]["created_at"].endswith("Z")
    assert records[1]["slug"] is None


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("--privat", UsageError, "Did you mean '--private'"),
        ("--max_result 3", UsageError, "'--max-results'"),
        ("--type snapshott", UsageError, "Did you mean 'snapshot'?"),
        ("--type distribution,custom", UsageError, "stands alone"),
        ("--columns nam", UnknownColumnError, "Did you mean 'name'?"),
        ("--as csv", UsageError, "frame, arrow, json"),
        ("--progress loud", UsageError, "auto, bar, text, off"),
        ("-n abc", UsageError, "whole number"),
        ("-n -1", UsageError, "zero or more"),
        ("-n", UsageError, "expected one argument"),
        ("--id", UsageError, "expected at least one argument"),
        ("--private=yes", UsageError, "ignored explicit argument"),
        ("--id 1 --private", UsageError, "Use one"),
        ("--tag-name 'a b'", UsageError, "is no tag"),
        ("--show --no-display", UsageError, "contradict"),
        ("--as json --dtype-backend pyarrow", UsageError, "for frames"),
        ("my-df", UsageError, "name of a variable"),
        ("class", UsageError, "name of a variable"),
        ("a b", UsageError, "one word too many"),
        ("a -o b", UsageError, "one word too many"),
        ("a 'b", UsageError, "quote"),
        ("--endpoint ftp://example.com", UsageError, "must look like"),
        ("--endpoint http://example.com", UsageError, "https"),
        ("schema statsu", UsageError, "'status'"),
        ("sandbox", UsageError, "start, stop, reset"),
        ("sandbox strat", UsageError, "'start'"),
        ("status now", UsageError, "-o status"),
        ("{1/0} $x", UsageError, "one word too many"),
    ],
)
def test_a_wrong_line_fails_in_three_lines_at_most(notebook, line, kind, said):
    """It says what is wrong and what might have been meant; the variable stays, and nothing is run or exits."""
    notebook.run("a = box = 1")
    error = notebook.fail(f"%doimages {line}")
    assert isinstance(error, kind)
    assert said in str(error)
    assert len(notebook.out.splitlines()) <= 3
    assert notebook.out.startswith(type(error).__name__)
    assert notebook["a"] == notebook["box"] == 1


def test_no_token_and_no_endpoint_names_the_ways_to_go_on(notebook):
    """Nothing falls back to the sandbox by itself."""
    error = notebook.fail("%doimages")
    assert isinstance(error, doimages.CredentialsError)
    assert len(notebook.out.splitlines()) == 3
    for way in ("$DIGITALOCEAN_TOKEN", "context", "--endpoint sandbox"):
        assert way in notebook.out


def test_a_failed_read_leaves_the_variable_and_the_last_result(notebook):
    """What was there is still there."""
    notebook.run(f"%doimages box {BOX} -n 1")
    before = notebook["box"]
    assert isinstance(notebook.fail(f"%doimages box {BOX} --id 1"), NotFoundError)
    assert notebook["box"] is notebook["_doimages"] is before


def test_the_whole_traceback_is_there_for_who_asks(notebook):
    """`%tb` gives it afterwards, --traceback at once."""
    notebook.fail(f"%doimages {BOX} --id 1")
    assert len(notebook.out.splitlines()) == 1
    notebook.run("%tb")
    assert "Traceback" in notebook.out
    assert "_not_found" in notebook.out
    notebook.fail(f"%doimages {BOX} --id 1 --traceback")
    assert "Traceback" in notebook.out
    notebook.fail("%doimages --privat --traceback")
    assert "Traceback" in notebook.out


def test_a_bug_is_shown_as_any_other_exception(notebook, monkeypatch):
    """Only our own errors are short."""
    monkeypatch.setattr("doimages.notebook.magic.prepare", lambda *_, **__: 1 / 0)
    assert isinstance(notebook.fail(f"%doimages {BOX}"), ZeroDivisionError)
    assert len(notebook.out.splitlines()) > 3


def test_hiding_a_name_of_python_is_warned_of(notebook):
    """It is done all the same."""
    with pytest.warns(UserWarning, match="hides Python's own print"):
        notebook.run(f"%doimages print {BOX} -n 1")
    assert len(notebook["print"]) == 1


def test_a_dry_run_sends_nothing_and_needs_no_token(notebook):
    """It shows the requests and to whom they would go, and starts no sandbox; results stay."""
    embedded.stop()
    made = notebook.run(f"%doimages box {BOX} --type snapshot --tag-name web --dry-run")
    text = repr(made)
    assert "GET /v2/images?private=true&tag_name=web&per_page=200&page=1" in text
    assert "type is snapshot" in text
    assert embedded.server is None
    assert "box" not in notebook
    assert "_doimages" not in notebook
    text = repr(notebook.run("%doimages --id 12 13 --dry-run"))
    assert "GET /v2/images/13" in text
    assert "https://api.digitalocean.com" in text
    assert "nowhere: No token" in text
    assert isinstance(notebook.fail("%doimages --dry-run --type x"), UsageError)


def test_the_sandbox_may_be_the_setting(notebook, monkeypatch):
    """options.base_url and $DIGITALOCEAN_API_URL take the word as --endpoint does."""
    monkeypatch.setenv("DIGITALOCEAN_API_URL", "sandbox")
    assert len(notebook.run("%doimages -n 2")) == 2
    monkeypatch.delenv("DIGITALOCEAN_API_URL")
    notebook.run('import doimages; doimages.options.base_url = "sandbox"')
    assert len(notebook.run("%doimages -n 2")) == 2


def test_help_shows_every_flag(notebook):
    """`%%doimages?` and --help give the same text."""
    assert notebook.run("%doimages --help") is None
    text = notebook.out
    assert DoImagesMagic.doimages.__doc__.strip() == text.strip()
    assert "--tag-name TAG" in text
    assert "schema [COLUMN]" in text


def test_loading_is_quiet_and_idempotent(notebook):
    """Loading again adds nothing twice."""
    before = len(notebook.shell.configurables), len(notebook.shell.input_transformers_cleanup)
    load(notebook.shell)
    assert (len(notebook.shell.configurables), len(notebook.shell.input_transformers_cleanup)) == before
    notebook.run("%reload_ext doimages")
    assert (notebook.out, notebook.err) == ("", "")
    assert len(notebook.run(f"%doimages {BOX} -n 2")) == 2
    assert hasattr(pd, "read_do_images")


def test_unloading_takes_everything_away(notebook):
    """Magics, settings of %config, the hooks and the names on pandas; loading brings them back."""
    notebook.run('%config DoImagesMagic.progress = "text"')
    notebook.run("%unload_ext doimages")
    shell = notebook.shell
    assert "doimages" not in {**shell.magics_manager.magics["line"], **shell.magics_manager.magics["cell"]}
    assert not [one for one in shell.configurables if type(one).__name__ == "DoImagesMagic"]
    assert fill_empty_body not in shell.input_transformers_cleanup
    assert reads.keep_partial is None
    assert options.progress is None
    assert not hasattr(pd, "read_do_images")
    assert not hasattr(pd.DataFrame, "do_images")
    notebook.run("%load_ext doimages")
    assert reads.keep_partial is not None
    assert hasattr(pd.DataFrame, "do_images")
    assert len(notebook.run(f"%doimages {BOX} -n 2").do_images.ids) == 2


def test_config_and_options_are_one(notebook):
    """Every setting is a trait of the magic, and the value is kept once."""
    traits = DoImagesMagic.class_traits(config=True)
    assert {name for name in traits if name in SETTINGS} == set(SETTINGS)
    notebook.run('%config DoImagesMagic.dtype_backend = "pyarrow"')
    assert options.dtype_backend == "pyarrow"
    options.dtype_backend = "numpy_nullable"
    assert notebook.run("%config DoImagesMagic.dtype_backend") == "numpy_nullable"
    notebook.run('%config DoImagesMagic.base_url = "sandbox"')
    assert len(notebook.run("%doimages -n 2")) == 2


def test_a_refused_value_breaks_nothing(notebook, caplog):
    """It is told and not stored; loading again leaves it out with a warning."""
    notebook.run('%config DoImagesMagic.progress = "loud"')
    assert "must be one of auto, bar, text, off" in caplog.text
    assert options.progress is None
    with pytest.warns(UserWarning, match="It is left out"):
        notebook.run("%reload_ext doimages")
    assert len(notebook.run(f"%doimages {BOX} -n 2")) == 2


def test_an_interrupt_in_a_read_keeps_what_came(notebook, monkeypatch):
    """The partial frame has its own name, the variable stays, and the interrupt goes on."""
    partial = pd.DataFrame({"id": [1]})

    class Stopped:
        def run(self):
            reads.keep_partial(partial)
            raise KeyboardInterrupt

    monkeypatch.setattr("doimages.notebook.magic.prepare", lambda *_, **__: Stopped())
    with pytest.raises(KeyboardInterrupt):
        notebook.run(f"%doimages box {BOX}")
    assert notebook["_doimages_partial"] is partial
    assert "box" not in notebook
    assert notebook.out == "KeyboardInterrupt: what was read so far is in _doimages_partial.\n"


def test_errors_of_every_kind_are_three_lines_at_most():
    """A long message is broken between its sentences, and line breaks in what an API says do not count."""
    sentence = "The API said something that is rather long and goes on for a while until it ends here."
    error = DOImagesError("\n".join([sentence] * 9))
    lines = error._render_traceback_()
    assert len(lines) == 3
    assert all("\n" not in line for line in lines)
    assert " ".join(lines) == "DOImagesError: " + " ".join([sentence] * 9)
