"""What only a real kernel shows: messages, interrupts, and runners that must turn red."""

import subprocess
import sys
import time

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from doimages.sandbox_api.faults import Fault

pytestmark = pytest.mark.kernel

INTERRUPT_SECONDS = 1.5


def test_loading_and_listing(kernel):
    """Loading shows nothing; a cell of one line lists, and shows one frame in text and HTML."""
    assert kernel.text("%load_ext doimages") == ""
    messages = kernel.run("%%doimages --type snapshot -n 3")
    outputs = [content for kind, content in messages if kind not in {"execute_input", "status"}]
    assert len(outputs) == 1
    assert {"text/plain", "text/html"} <= outputs[0]["data"].keys()
    assert kernel.text("type(_doimages).__name__, len(_)") == "('DataFrame', 3)"
    assert kernel.text("%doimages box --private") == ""
    assert kernel.text("_doimages is box") == "True"
    assert kernel.text("%reload_ext doimages") == ""
    assert kernel.text("%doimages -n 1 --no-display") == ""
    kernel.run("%unload_ext doimages")
    assert "error" not in dict(kernel.run("import pandas as pd; assert not hasattr(pd, 'read_do_images')"))


def test_an_error_is_a_real_one_in_three_lines(kernel):
    """The kernel sends an `error`, as nbclient, nbval and papermill need it; `%tb` gives all of it."""
    kernel.run("%load_ext doimages")
    for line in ("--privat", "--id 12", "box --endpoint https://example.com"):
        error = dict(kernel.run(f"%doimages {line}"))["error"]
        assert error["ename"] in {"UsageError", "NotFoundError", "CredentialsError"}
        assert 1 <= len("\n".join(error["traceback"]).splitlines()) <= 3
    error = dict(kernel.run("%tb"))["error"]
    assert "Traceback" in error["traceback"][0]


def test_a_read_can_be_interrupted(kernel, server):
    """It ends soon, keeps what came, leaves the variable and no task behind, and the next read works."""
    kernel.run("%load_ext doimages")
    server.state.faults.append(Fault("slow", query={"page": "2"}, seconds=60))
    kernel.start("%doimages box")
    while not any(record.query.get("page") == "2" for record in server.state.log):
        kernel.peek()
    began = time.monotonic()
    kernel.manager.interrupt_kernel()
    error = dict(kernel.finish())["error"]
    assert time.monotonic() - began < INTERRUPT_SECONDS
    assert error["ename"] == "KeyboardInterrupt"
    assert error["traceback"] == ["KeyboardInterrupt: what was read so far is in _doimages_partial."]
    assert kernel.text("len(_doimages_partial), _doimages_partial.attrs['do_images']['complete']") == "(200, False)"
    assert kernel.text("'box' in globals()") == "False"
    assert kernel.text("import asyncio; from doimages.api.portal import portal; asyncio.all_tasks(portal.loop)") == (
        "set()"
    )
    assert kernel.text("%doimages box\nlen(box)") == "300"


def test_a_bar_leaves_nothing_behind(kernel, server):
    """It shows once a read takes longer than a second, and is hidden again when that ends."""
    kernel.run("%load_ext doimages")
    server.state.faults.append(Fault("slow", query={"page": "2"}, seconds=1.4))
    messages = kernel.run("%doimages box --progress bar")
    assert "display_data" in dict(messages)
    assert "'visibility': 'hidden'" in str(messages)
    assert "danger" not in str(messages)


def write(path, *sources):
    """Write a notebook whose cells claim to have run without output."""
    cells = [nbformat.v4.new_code_cell(source, execution_count=n) for n, source in enumerate(sources, 1)]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec})
    nbformat.write(notebook, path)
    return notebook


def test_nbclient_fails_on_a_failing_cell(tmp_path):
    """So does everything that is built on it."""
    notebook = write(tmp_path / "broken.ipynb", "%load_ext doimages", "%doimages --privat")
    with pytest.raises(CellExecutionError, match="Did you mean '--private'"):
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()


def nbval(folder, *arguments):
    """Run pytest with nbval in a process of its own, as `make notebooks` does."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-o",
        "addopts=",
        "-o",
        "filterwarnings=",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(  # noqa: S603 - our own command
        [*command, "--nbval-current-env", "--nbval-cell-timeout=60", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("mode", ["--nbval", "--nbval-lax"])
def test_nbval_turns_red_on_a_failing_cell(tmp_path, mode):
    """An error of IPython's own kind would pass the lax mode; a wrong flag and a failed read must not."""
    path = tmp_path / "broken.ipynb"
    write(path, "%load_ext doimages", "%doimages --privat", "%doimages --endpoint sandbox --id 1")
    ran = nbval(tmp_path, mode, str(path))
    assert ran.returncode == 1, ran.stdout
    assert "2 failed, 1 passed" in ran.stdout
