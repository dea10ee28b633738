"""The flags and subcommands of the magic: the one table for parser, help, completion and reference docs."""

from dataclasses import dataclass
from keyword import iskeyword
from typing import Literal

from doimages.schema import IMAGES, KINDS, REQUEST_TYPES
from doimages.settings import DTYPE_BACKENDS, PROGRESS

FORMS = ("frame", "arrow", "json", "plan")

Takes = Literal["nothing", "text", "optional", "number", "list", "values", "each"]


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: its spellings, what it takes, what that is called in the help, what it does, the words it may be.

    A ``list`` is one word with commas, ``values`` are several words; what takes ``each`` is given once for each, and
    an ``optional`` word may be left out.
    """

    spellings: tuple[str, ...]
    takes: Takes
    value: str
    meaning: str
    choices: tuple[str, ...] = ()

    @property
    def long(self) -> str:
        """The long spelling, which also works with ``_`` for ``-``."""
        return self.spellings[-1]

    @property
    def field(self) -> str:
        """The name of its value in the record of arguments."""
        name = self.long.removeprefix("--").replace("-", "_")
        return f"{name}_" if iskeyword(name) else name

    @property
    def usage(self) -> str:
        """The flag as it is typed, such as ``-o/--output VAR``."""
        return f"{'/'.join(self.spellings)} {self.value}".rstrip()


FLAGS = (
    Flag(("-o", "--output"), "text", "VAR", "Put the result into this variable, as DEST does, and do not show it."),
    Flag(("--show",), "nothing", "", "Show the result although it goes into a variable."),
    Flag(("--no-display",), "nothing", "", "Show nothing; the result is in _doimages."),
    Flag(
        ("--type",),
        "list",
        "T",
        "distribution or application (a filter of the API), or kinds of image with commas: snapshot,custom.",
        choices=(*REQUEST_TYPES, *KINDS),
    ),
    Flag(("--private",), "nothing", "", "Only the images of the account itself."),
    Flag(("--tag-name",), "text", "TAG", "Only images with this tag."),
    Flag(("--id",), "values", "ID ...", "These ids or slugs, in this order; a missing one is an error."),
    Flag(
        ("--columns",), "list", "a,b", "These columns, in this order, with commas between.", choices=IMAGES.column_names
    ),
    Flag(("-n", "--max-results"), "number", "N", "At most so many rows; no more pages are asked for than that takes."),
    Flag(("-f", "--file"), "text", "FILE", "Read the SQL from this file, in place of the body."),
    Flag(("-p", "--param"), "each", "NAME=VALUE", "A value for :name in the SQL, JSON or plain text; may be repeated."),
    Flag(("--params",), "text", "$DICT", "Values for the SQL: a dict of the notebook, or JSON."),
    Flag(("--save",), "text", "NAME", "Save the SELECT under this name: FROM NAME reads it anew, as with CREATE VIEW."),
    Flag(
        ("--as",),
        "text",
        "FORM",
        "frame (the default of a read), arrow (a pyarrow.Table), json (a list of records), or plan (of a write).",
        choices=FORMS,
    ),
    Flag(
        ("--dtype-backend",),
        "text",
        "B",
        "Which family of dtypes the frame has: numpy_nullable or pyarrow.",
        choices=DTYPE_BACKENDS,
    ),
    Flag(("--dry-run",), "nothing", "", "Send nothing; show the requests that would be sent."),
    Flag(
        ("--apply",),
        "optional",
        "[ID]",
        "Apply the plan of this session with this id, or the last one that was made; the result is its report.",
    ),
    Flag(("--confirm",), "text", "TEXT", "The words that confirm the plan of --apply, exactly as the plan gives them."),
    Flag(("--endpoint",), "text", "URL", "Address of the API, or the word sandbox for the embedded one."),
    Flag(("--context",), "text", "NAME", "Use this token of doctl's; %doimages contexts lists them."),
    Flag(
        ("--progress",),
        "text",
        "HOW",
        "auto (the default), bar, text or off; nothing shows in the first second.",
        choices=PROGRESS,
    ),
    Flag(("--traceback",), "nothing", "", "Show an error with its whole traceback."),
    Flag(("--help",), "nothing", "", "Print this."),
)


@dataclass(frozen=True, slots=True)
class Subcommand:
    """A first word that is no variable: what it is, what may follow it, and what it does."""

    word: str
    operand: str
    meaning: str
    choices: tuple[str, ...] = ()


SUBCOMMANDS = (
    Subcommand("status", "", "Tell the address, where the token comes from, the settings and the last result."),
    Subcommand(
        "schema",
        "[COLUMN]",
        "Give the columns, their types, dtypes and meaning as a frame.",
        choices=IMAGES.column_names,
    ),
    Subcommand(
        "sandbox",
        "VERB",
        "start, stop or reset the embedded sandbox; only what names it uses it.",
        choices=("start", "stop", "reset"),
    ),
    Subcommand("contexts", "", "Give the names of doctl's tokens."),
)

EXAMPLES = """\
%doimages SELECT type, count(*) AS n FROM images GROUP BY type
%%doimages old -p days=90                  a cell with SQL below; :days is 90, other names are the notebook's own
%%doimages --dry-run                       what the SQL below would send, without sending it
%doimages --type snapshot                  the snapshots, as a DataFrame
%doimages snaps --private -n 50            the same as snaps << --private -n 50: into a variable, nothing shown
%%doimages web --tag-name web --show       a cell that holds nothing else; an empty body is a plain listing
%doimages --id ubuntu-24-04-x64 123456     by slug and id, in this order
%doimages --endpoint sandbox --dry-run     what would be sent, without sending it
%doimages DELETE FROM images WHERE id = 5  a plan: it shows what would be deleted, and deletes nothing
%doimages --apply --confirm "delete 1 image"        applies the last plan, with the words that it asks for
"""


def help_text() -> str:
    """Give the help: what ``%doimages --help`` prints and ``%%doimages?`` shows."""
    flags = [(flag.usage, flag.meaning) for flag in FLAGS]
    words = [(f"{sub.word} {sub.operand}".rstrip(), sub.meaning) for sub in SUBCOMMANDS]
    return (
        "Read DigitalOcean images into a typed DataFrame, and change them by plan.\n\n"
        "    %doimages [DEST | DEST <<] [FLAG ...]      one line; in a cell of its own also %%doimages\n"
        "    %%doimages [DEST | DEST <<] [FLAG ...]     with SQL in the lines below\n"
        "    %doimages SELECT ...                       a statement of one line\n"
        "    %doimages SUBCOMMAND\n\n"
        "With DEST the result goes into that variable and is not shown; _doimages always holds the last one.\n"
        "A read that is interrupted leaves what came so far in _doimages_partial.\n"
        "SQL joins DataFrames of the notebook by their names, and :name in it is a value of the notebook's.\n"
        "INSERT, UPDATE, REPLACE, DELETE and EXEC give a plan; nothing is changed before --apply.\n"
        "Long flags may be written with _ for -.\n\n"
        f"Flags\n{_columns(flags)}\n\nSubcommands\n{_columns(words)}\n\n"
        f"Examples\n{''.join(f'    {line}' for line in EXAMPLES.splitlines(keepends=True))}"
    ).rstrip()


def _columns(rows: list[tuple[str, str]]) -> str:
    width = max(len(first) for first, _ in rows)
    return "\n".join(f"    {first:<{width}}  {second}" for first, second in rows)
