"""The line to a record: whatever is typed is understood, or refused with an error of ours."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doimages.errors import UsageError
from doimages.notebook.arguments import Errand, Listing, parse
from doimages.notebook.flags import FLAGS, SUBCOMMANDS, help_text

SPELLINGS = [spelling for flag in FLAGS for spelling in flag.spellings]
WORDS = [
    *SPELLINGS,
    *(sub.word for sub in SUBCOMMANDS),
    "<<",
    "box",
    "a,b",
    "-",
    "--",
    "=",
    "-n5",
    "'",
    "%",
    "{x}",
    "12",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map(" ".join)), st.none() | st.text())
@example("--help=1", None)
@example("-", "")
@example("-- --", None)
@example("--type=", None)
@example("<< <<", None)
def test_any_line_is_read_or_refused(line, cell):
    """No other exception, and no exit, whatever the line and the body are."""
    with suppress(UsageError):
        assert isinstance(parse(line, cell), (Listing, Errand))


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.field)
def test_every_flag_of_the_table_is_read_and_in_the_help(flag):
    """With - or with _, and it lands in its own field."""
    value = {"nothing": "", "number": "3", "list": "name", "values": "1 2"}.get(flag.takes, (*flag.choices, "x")[0])
    if flag.long == "--file":
        value = "x.sql"
        Path(value).write_text("SELECT 1", encoding="utf-8")
    assert flag.usage in help_text()
    body = "SELECT 1" if flag.long in {"--param", "--params", "--save"} else None
    beside = "--apply 3f9a12c4 " if flag.long == "--confirm" else ""
    read = parse(f"{beside}{flag.long.replace('-', '_').replace('__', '--', 1)} {value}", body)
    if flag.long == "--output":
        assert read.dest == "x"
    elif flag.long != "--traceback":
        found = getattr(read, flag.field)
        taken = {"nothing": True, "number": 3, "list": ("name",), "values": ("1", "2"), "each": (value,)}
        assert found == taken.get(flag.takes, value)


def test_a_record_is_what_the_line_says():
    """One field a flag, and the reader's arguments made of them."""
    read = parse("box << --type snapshot --id 1 2 -n5 --as=json", "SELECT 1 -- one")
    assert (read.dest, read.statement, read.max_results, read.as_) == ("box", "SELECT 1 -- one", 5, "json")
    assert read.read_arguments["type"] == "snapshot"
    assert read.read_arguments["image_id"] == ("1", "2")
    assert not read.is_shown
