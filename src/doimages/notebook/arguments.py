"""The magic's line to a frozen record, or to an error that names the word that is wrong."""

import argparse
import builtins
import re
import shlex
import warnings
from dataclasses import dataclass, fields
from functools import cache
from keyword import iskeyword
from typing import Any, Never

from doimages.errors import UsageError, unknown_name
from doimages.notebook.flags import FLAGS, SUBCOMMANDS, Flag, Subcommand
from doimages.notebook.values import read_file
from doimages.reader import DtypeBackend, ImageType, Progress, ReadArguments
from doimages.redaction import has_token, redact
from doimages.sql.words import STATEMENTS

# A word that begins a statement, and more; `%doimages select` alone is a variable of that name.
_STATEMENT = re.compile(rf"\s*({'|'.join(STATEMENTS)})\b\s*[^\s<=-]", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/|^\s*#.*?$|--.*?$", re.DOTALL | re.MULTILINE)
_HELP = "`%doimages --help` lists the flags. Nothing was sent."
# What may stand beside --apply; everything else is for reads and statements.
_OF_APPLY = frozenset({"apply", "confirm", "output", "show", "no_display", "progress", "traceback", "help"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A line that asks for images, or for a plan to be applied: one field a flag, and the statement in the body.

    ``apply`` is the id of the plan, and empty for the last one.
    """

    dest: str | None = None
    statement: str | None = None
    show: bool = False
    no_display: bool = False
    type: tuple[ImageType, ...] | None = None
    private: bool = False
    tag_name: str | None = None
    id: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    max_results: int | None = None
    file: str | None = None
    param: tuple[str, ...] = ()
    params: str | None = None
    save: str | None = None
    as_: str | None = None
    dtype_backend: DtypeBackend | None = None
    dry_run: bool = False
    apply: str | None = None
    confirm: str | None = None
    endpoint: str | None = None
    context: str | None = None
    progress: Progress | None = None
    help: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the result is the output of the cell."""
        return self.show or not (self.dest or self.no_display)

    @property
    def read_arguments(self) -> ReadArguments:
        """What the reader takes of it."""
        return {
            "type": self.type[0] if self.type is not None and len(self.type) == 1 else self.type,
            "private": self.private,
            "tag_name": self.tag_name,
            "image_id": self.id,
            "columns": self.columns,
            "max_results": self.max_results,
            "dtype_backend": "pyarrow" if self.as_ in {"arrow", "json"} else self.dtype_backend,
            "progress": self.progress,
        }


@dataclass(frozen=True, slots=True)
class Errand:
    """A line that asks for something else than images: a subcommand, and the word after it."""

    subcommand: Subcommand
    operand: str | None = None


def parse(line: str, cell: str | None = None) -> Listing | Errand:
    """Read the line and the body; raises UsageError, and nothing else, if they make no sense. Nothing is sent."""
    _refuse_token(line, cell or "")
    statement = None if cell is None or not _COMMENT.sub("", cell).strip() else cell
    if cell is None and _STATEMENT.match(line):
        return Listing(statement=line)
    words = _split(line)
    errand = _errand(words, statement)
    if errand is not None:
        return errand
    dest = None
    if words[1:2] == ["<<"]:
        dest, words = words[0], words[2:]
    return _listing(dest, words, statement)


def quoted(words: str) -> str:
    """Write words as one on the line."""
    return shlex.quote(words) if {*words} & {'"', "\\"} else f'"{words}"'


def is_traceback_wanted(line: str) -> bool:
    """Tell whether the line has ``--traceback``, even where the rest of it cannot be read."""
    return "--traceback" in line.split()


def _refuse_token(line: str, cell: str) -> None:
    if redact(line) != line or "--token" in line or has_token(cell):
        raise UsageError(
            "This cell has a token or password in it: it is now in this notebook and in IPython's history. "
            "Revoke it, delete it here, and set $DIGITALOCEAN_TOKEN instead. Nothing was sent."
        )


def _split(line: str) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError:
        raise UsageError("A quote on this line is not closed. Nothing was sent.") from None
    # --max_results is --max-results: a flag's name may have _ for -, its value not.
    return [
        name.replace("_", "-") + equals + value if name.startswith("--") else word
        for word in words
        for name, equals, value in [word.partition("=")]
    ]


def _errand(words: list[str], statement: str | None) -> Errand | None:
    known = {subcommand.word: subcommand for subcommand in SUBCOMMANDS}
    if not words or words[0] not in known or words[1:2] == ["<<"] or "--help" in words:
        return None
    subcommand, operands = known[words[0]], [word for word in words[1:] if word != "--traceback"]
    if statement is not None:
        raise UsageError(f"{words[0]} takes no cell body; for a variable of that name write -o {words[0]}.")
    if not subcommand.choices and operands:
        raise UsageError(f"{words[0]} stands alone; for a variable of that name write -o {words[0]}. Nothing was sent.")
    if len(operands) > 1 or (not operands and subcommand.operand and subcommand.operand[0] != "["):
        raise UsageError(f"{words[0]} is followed by one word: {', '.join(subcommand.choices)}. Nothing was sent.")
    for operand in operands:
        _check_choice(subcommand.operand.strip("[]").lower(), operand, subcommand.choices)
    return Errand(subcommand, next(iter(operands), None))


def _listing(dest: str | None, words: list[str], statement: str | None) -> Listing:
    read, others = _parser().parse_known_args(words)
    for word in others:
        name = word.partition("=")[0]
        if name.startswith("-"):
            raise unknown_name("flag", name, tuple(spelling for flag in FLAGS for spelling in flag.spellings))
    dests = [name for name in (dest, read.dest, read.output) if name is not None]
    if others or len(dests) > 1:
        extra = others[0] if others else dests[-1]
        raise UsageError(
            f"{extra!r} is one word too many: a line names one variable, and lists are written a,b. {_HELP}"
        )
    given = {flag.field: _value(flag, getattr(read, flag.field)) for flag in FLAGS}
    if given["show"] and given["no_display"]:
        raise UsageError("--show and --no-display contradict each other. Nothing was sent.")
    if given["dtype_backend"] and given["as_"] in {"arrow", "json"}:
        raise UsageError("--dtype-backend is for frames; leave it out, or --as. Nothing was sent.")
    if given["apply"] is not None or given["confirm"] is not None:
        _check_apply(given, statement)
    statement = _statement(statement, given)
    names = {field.name for field in fields(Listing)}
    kept = {name: value for name, value in given.items() if name in names and value is not None}
    return Listing(dest=_check_dest(dests[0]) if dests else None, statement=statement, **kept)


def _check_apply(given: dict[str, Any], statement: str | None) -> None:
    """Refuse what does not go with --apply, and --confirm without it."""
    if given["apply"] is None:
        raise UsageError("--confirm goes with --apply: `--apply ID --confirm TEXT`. Nothing was sent.")
    if statement is not None:
        raise UsageError("--apply takes a plan that was made before, and no statement below it. Nothing was sent.")
    is_given = [flag for flag in FLAGS if given[flag.field] is not None and given[flag.field] is not False]
    for flag in is_given:
        if flag.field not in _OF_APPLY:
            raise UsageError(f"{flag.long} does not go with --apply: the plan says it all. Nothing was sent.")


def _statement(body: str | None, given: dict[str, Any]) -> str | None:
    """Give the SQL, from the body or the file; flags that are for SQL want one."""
    if given["file"] is not None:
        if body is not None:
            raise UsageError("-f reads the SQL from a file, and this cell has a body. Nothing was sent.")
        return read_file(given["file"])
    for name in ("param", "params", "save"):
        if given[name] and body is None:
            raise UsageError(f"--{name} is for SQL, and there is none: write it below, or use -f. Nothing was sent.")
    return body


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Never:
        raise UsageError(f"{message.removeprefix('argument ')}. {_HELP}")


@cache
def _parser() -> _Parser:
    parser = _Parser(prog="%doimages", add_help=False, allow_abbrev=False)
    parser.add_argument("dest", nargs="?")
    for flag in FLAGS:
        if flag.takes == "nothing":
            parser.add_argument(*flag.spellings, dest=flag.field, action="store_true")
        elif flag.takes == "optional":
            parser.add_argument(*flag.spellings, dest=flag.field, nargs="?", const="")
        elif flag.takes == "each":
            parser.add_argument(*flag.spellings, dest=flag.field, action="append")
        elif flag.takes == "values":
            parser.add_argument(*flag.spellings, dest=flag.field, action="extend", nargs="+")
        else:
            parser.add_argument(*flag.spellings, dest=flag.field)
    return parser


def _value(flag: Flag, given: Any) -> Any:
    """Give a flag's value in its type; lists, ids and tags are checked by the reader."""
    if given is None or flag.takes == "nothing":
        return given
    if flag.takes == "number":
        try:
            return int(given)
        except ValueError:
            raise UsageError(f"{flag.long} takes a whole number, not {given!r}. Nothing was sent.") from None
    if flag.takes in {"values", "each"}:
        return tuple(given)
    if flag.takes == "list":
        return tuple(word.strip() for word in given.split(","))
    return _check_choice(flag.long, given, flag.choices)


def _check_choice(name: str, word: str, choices: tuple[str, ...]) -> str:
    if choices and word not in choices:
        raise unknown_name(name, word, choices)
    return word


def _check_dest(name: str) -> str:
    if not name.isidentifier() or iskeyword(name):
        raise UsageError(f"{name!r} cannot be the name of a variable. {_HELP}")
    if hasattr(builtins, name):
        text = f"the variable {name} now hides Python's own {name}; `del {name}` brings it back"
        warnings.warn_explicit(text, UserWarning, filename="%doimages", lineno=1)
    return name
