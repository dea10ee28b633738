"""Subcommands: status, schema, sandbox, contexts; and how their sheets are shown."""

from html.parser import HTMLParser

import pytest
from scripted import CANARY

from doimages.api.connect import embedded
from doimages.schema import IMAGES
from doimages.settings import SETTINGS
from doimages.sheet import Sheet

HOSTILE = '<img src=x onerror="window.pwned=1">\x1b[31m</table><script>'


def test_status_tells_how_things_stand(notebook, monkeypatch):
    """Address, source of the token, every setting and its source, the last result; never the token."""
    embedded.stop()
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    monkeypatch.setenv("DOIMAGES_DTYPE_BACKEND", "pyarrow")
    rows = dict(notebook.run("%doimages status").rows)
    assert rows["address"] == "https://api.digitalocean.com"
    assert rows["token from"] == "$DIGITALOCEAN_TOKEN"
    assert rows["sandbox"] == "not started"
    assert rows["last result"] == "none yet"
    assert rows["dtype_backend"] == "pyarrow (from $DOIMAGES_DTYPE_BACKEND)"
    assert SETTINGS.keys() <= rows.keys()
    notebook.run("%doimages box --endpoint sandbox -n 3 --as json")
    rows = dict(notebook.run("%doimages status").rows)
    assert rows["last result"].startswith("3 of 300 images, read less than a minute ago from http://127.0.0.1:")
    assert embedded.server.url in rows["sandbox"]
    assert CANARY not in repr(rows)


def test_status_says_why_a_token_is_not_used(notebook, monkeypatch):
    """A password in an address is not repeated."""
    assert dict(notebook.run("%doimages status").rows)["token from"] == "nowhere: No token"
    monkeypatch.setenv("DIGITALOCEAN_API_URL", "https://me:secret-password@example.com")
    shown = notebook.run("%doimages status")
    assert "has a user name or password in it" in repr(shown)
    assert "secret-password" not in repr(shown) + shown._repr_html_()


def test_schema_is_a_frame_with_its_texts_in_full(notebook):
    """One row a column, or the one asked for."""
    frame = notebook.run("%doimages schema")
    assert tuple(frame.index) == IMAGES.column_names
    assert frame.loc["id", "dtype"] == "int64"
    longest = max((column.description for column in IMAGES.columns), key=len)
    assert longest in repr(frame)
    assert longest.replace("'", "&#39;") in frame._repr_html_() or longest in frame._repr_html_()
    assert type(frame[["dtype"]]).__name__ == "DataFrame"
    assert list(notebook.run("%doimages schema created_at").index) == ["created_at"]


def test_the_sandbox_is_started_reset_and_stopped(notebook):
    """Starting it turns no read to it."""
    embedded.stop()
    assert embedded.server is None
    text = repr(notebook.run("%doimages sandbox start"))
    assert embedded.server.url in text
    assert "--endpoint sandbox" in text
    assert 'doimages.options.base_url = "sandbox"' in text
    assert type(notebook.fail("%doimages")).__name__ == "CredentialsError"
    kept = len(notebook.run("%doimages --endpoint sandbox --private"))
    embedded.server.state.images.popitem()
    embedded.server.state.images.clear()
    assert len(notebook.run("%doimages --endpoint sandbox --private")) == 0
    notebook.run("%doimages sandbox reset")
    assert len(notebook.run("%doimages --endpoint sandbox --private")) == kept
    notebook.run("%doimages sandbox stop")
    assert embedded.server is None


def test_contexts_are_names_and_no_tokens(notebook, tmp_path):
    """They come from doctl's configuration."""
    assert "no contexts" in repr(notebook.run("%doimages contexts"))
    folder = tmp_path / "config" / "doctl"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"access-token: {CANARY}\nauth-contexts:\n  work: {CANARY}\n")
    shown = notebook.run("%doimages contexts")
    assert [name for name, _ in shown.rows] == ["default", "work"]
    assert CANARY not in repr(shown)


@pytest.mark.parametrize("cell", ["%%doimages status\nSELECT 1", "%doimages contexts all", "%doimages schema id name"])
def test_a_subcommand_takes_what_the_table_says(notebook, cell):
    """A body, a word too many, or one that is unknown is refused."""
    notebook.fail(cell)
    assert len(notebook.out.splitlines()) <= 3


def test_a_variable_may_have_the_name_of_a_subcommand(notebook):
    """With -o, or with << after it."""
    notebook.run("%doimages status << --endpoint sandbox -n 1")
    assert len(notebook["status"]) == 1


def test_a_sheet_escapes_what_it_shows():
    """Neither HTML nor a terminal obeys what a name says, and a token in it is masked."""
    sheet = Sheet(HOSTILE, ((HOSTILE, f"{HOSTILE} {CANARY}"),))
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)
    parser.feed(sheet._repr_html_())
    assert set(tags) == {"table", "caption", "tbody", "tr", "th", "td"}
    assert "\x1b" not in repr(sheet) + sheet._repr_html_()
    assert CANARY not in repr(sheet) + sheet._repr_html_()


def test_a_hostile_image_name_is_text_in_the_listing(notebook):
    """The sandbox has one; pandas escapes it."""
    frame = notebook.run("%doimages --endpoint sandbox --columns name")
    assert frame["name"].str.contains("<img").any()
    assert "<img" not in frame._repr_html_()
