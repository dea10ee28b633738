"""A token is in no output, traceback, history entry or variable, whatever fails."""

import socket

import pytest
from scripted import CANARY

from doimages.api import retry
from doimages.errors import AuthenticationError, CredentialsError, TransportError


@pytest.fixture
def refused():
    """An address of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def canary(monkeypatch):
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    monkeypatch.setattr(retry, "BACKOFF_FIRST_SECONDS", 0.001)


def assert_clean(notebook):
    shell = notebook.shell
    history = [entry for *_, entry in shell.history_manager.get_range(raw=True, output=False)]
    stored = [repr(shell.history_manager.exceptions), repr(shell.history_manager.outputs), repr(history)]
    namespace = [repr(value) for value in shell.user_ns.values()]
    assert CANARY not in "".join([notebook.out, notebook.err, *stored, *namespace])
    assert history


def test_no_failing_line_shows_the_token_of_the_environment(notebook, canary, monkeypatch, refused, server):
    """Refused connections, a token the API refuses, an address it may not go to; short, in full and with %tb."""
    monkeypatch.setenv("DIGITALOCEAN_API_URL", refused)
    assert isinstance(notebook.fail("%doimages"), TransportError)
    assert_clean(notebook)
    notebook.run("%tb")
    assert_clean(notebook)
    monkeypatch.setenv("DIGITALOCEAN_API_URL", server.url)
    for flags in ("", "--traceback", "--id 12", "box --as json"):
        assert isinstance(notebook.fail(f"%doimages {flags}"), AuthenticationError)
        assert_clean(notebook)
    assert isinstance(notebook.fail(f"%doimages --endpoint {refused}"), CredentialsError)
    assert_clean(notebook)
    notebook.run("%doimages status")
    notebook.run("%doimages --dry-run")
    assert_clean(notebook)


@pytest.mark.parametrize(
    "line",
    [f"--token {CANARY}", f"--token={CANARY}", CANARY, f"--endpoint https://me:{CANARY}@x.com", "--token short"],
)
def test_a_token_on_the_line_is_refused_and_not_repeated(notebook, line):
    """It is in the notebook now, so it has to be revoked; neither the message nor %tb shows it again."""
    notebook.fail(f"%doimages {line}")
    assert "Revoke it" in notebook.out
    assert CANARY not in notebook.out
    notebook.run("%tb")
    assert "Traceback" in notebook.out
    assert CANARY not in notebook.out
