"""The command line: the demo, the sandbox in the foreground, the doctor."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from scripted import CANARY

from doimages import cli


def test_the_demo_lists_filters_and_counts(capsys):
    """It needs no token, and prints typed tables."""
    assert cli.main(["demo", "--no-notebook"]) == 0
    out = capsys.readouterr().out
    assert "300 rows" in out
    assert "datetime64[us, UTC]" in out
    assert "ubuntu-24-04-x64" in out


def test_the_demo_never_uses_the_account_of_the_environment(capsys, monkeypatch):
    """Whatever token and address are set, it speaks to the sandbox."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    monkeypatch.setenv("DIGITALOCEAN_API_URL", "https://api.invalid")
    assert cli.main(["demo", "--no-notebook"]) == 0
    assert CANARY not in capsys.readouterr().out


@pytest.mark.kernel
def test_the_demo_runs_the_tour(capsys):
    """The outputs of the notebook are printed."""
    assert cli.run_notebook(cli.QUICKSTART) == 0
    assert "dollars a month" in capsys.readouterr().out


def test_a_demo_without_the_checkout_says_so(capsys, tmp_path):
    """A wheel has no notebooks; that is no failure."""
    assert cli.run_notebook(tmp_path / "quickstart.ipynb") == 0
    assert "Skipped" in capsys.readouterr().out


def test_the_demo_fails_if_a_cell_does(capsys, tmp_path):
    """The exit code tells."""
    path = tmp_path / "broken.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "code", "id": "a", "metadata": {}, "source": "1/0", "outputs": [], '
        '"execution_count": null}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    assert cli.run_notebook(path) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_sandbox_serves_until_ctrl_c():
    """It prints the address and the token that go together, and ends well."""
    command = [str(Path(sys.executable).parent / "doimages"), "sandbox", "--images", "40"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:  # noqa: S603
        lines = [process.stdout.readline() for _ in range(4)]
        shown = dict(re.findall(r"export (\w+)=(\S+)", "".join(lines)))
        headers = {"Authorization": f"Bearer {shown['DIGITALOCEAN_TOKEN']}"}
        reply = httpx.get(f"{shown['DIGITALOCEAN_API_URL']}/v2/images", headers=headers)
        assert reply.json()["meta"]["total"] == 40
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_a_port_in_use_is_told(capsys):
    """With an exit code, not a traceback."""
    from doimages.sandbox_api.server import Server

    with Server() as server:
        assert cli.main(["sandbox", "--port", server.url.rpartition(":")[2]]) == 1
    assert "cannot be used" in capsys.readouterr().err


def test_the_doctor_finds_all_well_and_shows_no_token(capsys, monkeypatch):
    """It tells where the token is from, and sends nothing to the address it is for."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "$DIGITALOCEAN_TOKEN" in out
    assert "listed 300 images" in out
    assert CANARY not in out
    assert "BROKEN" not in out


def test_the_doctor_finds_what_is_broken(capsys, monkeypatch, tmp_path):
    """A settings file that cannot be read, and a library that is not there."""
    (tmp_path / "pyproject.toml").write_text("[tool.doimages\n")
    monkeypatch.setitem(sys.modules, "anywidget", None)
    assert cli.main(["doctor"]) == 1
    broken = [line for line in capsys.readouterr().out.splitlines() if line.startswith("BROKEN")]
    assert [line.split()[1] for line in broken][:2] == ["anywidget", "settings"]


def test_an_unknown_command_is_refused(capsys):
    """As argparse does."""
    with pytest.raises(SystemExit):
        cli.main(["explode"])
    assert "invalid choice" in capsys.readouterr().err
