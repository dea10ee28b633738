"""What completion offers, and what it offers on the magic's line: flags, subcommands and their values."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from doimages.api.connect import SANDBOX
from doimages.notebook.arguments import quoted
from doimages.notebook.flags import FLAGS, SUBCOMMANDS, Flag
from doimages.notebook.holdings import Holdings
from doimages.notebook.scan import bound_names
from doimages.sql.words import STATEMENTS

MOST = 500  # words; IPython shows no more
_APPLIED = re.compile(r"--apply[\s=]+([^\s-]\S*)")
# What is typed of the words of --confirm, its quote first.
_CONFIRMED = re.compile(r"--confirm(?:\s+|=)([\"']?)([^\"']*)\Z")


class Candidate(NamedTuple):
    """One word that may be meant, and what it is: JupyterLab shows that beside it."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """The text before the cursor that is replaced, and the words that may replace it; or the names of files may."""

    fragment: str = ""
    found: tuple[Candidate, ...] = ()
    are_files: bool = False


def matching(fragment: str, *groups: tuple[str, Iterable[str]]) -> Candidates:
    """Keep the words that begin as the fragment does, whatever their case; a group is a kind and its words."""
    typed = fragment.casefold()
    kept: dict[str, str] = {}
    for kind, words in groups:
        for word in words:
            if word.casefold().startswith(typed):
                kept.setdefault(word, kind)
    return Candidates(fragment, tuple(Candidate(word, kind) for word, kind in islice(kept.items(), MOST)))


def in_case_of(fragment: str, words: Iterable[str]) -> tuple[str, ...]:
    """Write keywords in small letters if that is how the first of them are typed."""
    return tuple(word.lower() if fragment.islower() else word for word in words)


def on_line(before: str, holdings: Holdings, *, body: str | None) -> Candidates:
    """Give what may stand on the magic's line, up to the cursor; a line magic has no body."""
    confirmed = _CONFIRMED.search(before)
    if confirmed is not None and (confirmed[1] or not {" ", "-"} & {*confirmed[2]}):
        return _confirmation(before, *confirmed.groups(), plans=holdings.plans)
    words = before.split()
    fragment = words.pop() if before[-1:].strip() else ""
    flag, typed = _open_flag(words, fragment)
    if flag is not None:
        return _values(flag, typed.lstrip("'\""), holdings, body or "")
    if fragment.startswith("-"):
        return matching(fragment, ("flag", _spellings(fragment)))
    if not words:
        statements = in_case_of(fragment, STATEMENTS) if body is None else ()
        flags = () if fragment else _spellings(fragment)
        subcommands = [subcommand.word for subcommand in SUBCOMMANDS]
        return matching(fragment, ("subcommand", subcommands), ("keyword", statements), ("flag", flags))
    for subcommand in SUBCOMMANDS:
        if words == [subcommand.word] and subcommand.choices:
            return matching(fragment, ("value", subcommand.choices))
    return Candidates(fragment) if fragment else matching("", ("flag", _spellings("")))


def _spellings(fragment: str) -> list[str]:
    """Give the flags, with _ for - if that is how this one is written."""
    names = [name for flag in FLAGS for name in flag.spellings]
    if "_" not in fragment:
        return names
    return [f"--{name.removeprefix('--').replace('-', '_')}" for name in names if name.startswith("--")]


def _open_flag(words: list[str], fragment: str) -> tuple[Flag | None, str]:
    """Find the flag whose value is being typed, and what is typed of it."""
    known = {name: flag for flag in FLAGS if flag.takes != "nothing" for name in flag.spellings}
    if fragment.startswith("-"):
        name, equals, typed = fragment.partition("=")
        return (known.get(name.replace("_", "-")) if equals else None), typed
    last = next((place for place in reversed(range(len(words))) if words[place].startswith("-")), None)
    if last is None:
        return None, fragment
    flag = known.get(words[last].replace("_", "-"))
    is_open = flag is not None and (flag.takes == "values" or last == len(words) - 1)
    return (flag if is_open else None), fragment


def _confirmation(before: str, quote: str, typed: str, *, plans: dict[str, str]) -> Candidates:
    """Give the words of the plan that the line names, or of the last one, in quotes."""
    applied = _APPLIED.search(before)
    words = plans.get(applied[1]) if applied is not None else next(reversed(plans.values()), None)
    if words is None or (quote and quote in words) or not words.startswith(typed):
        return Candidates(typed)
    return Candidates(typed, (Candidate(f"{words}{quote}" if quote else quoted(words), "value"),))


def _values(flag: Flag, typed: str, holdings: Holdings, body: str) -> Candidates:
    """Give the values of a flag; what is no choice of the table's, by what its value is called there."""
    if flag.takes == "list":
        given, _, fragment = typed.rpartition(",")
        return matching(fragment, ("value", [word for word in flag.choices if word not in given.split(",")]))
    if flag.choices:
        return matching(typed, ("value", flag.choices))
    kind = flag.value.strip("$ .")
    if kind == "FILE":
        return Candidates(typed, are_files=True)
    if kind == "DICT":
        return matching(typed, ("variable", [f"${name}" for name in holdings.dicts]))
    if kind == "NAME=VALUE":
        return matching(typed, ("parameter", [f"{name}=" for name in bound_names(body) or holdings.values]))
    words: dict[str, Iterable[str]] = {
        "TAG": holdings.texts("tags"),
        "ID": holdings.texts("slug"),
        "[ID]": reversed(holdings.plans),
        "URL": (SANDBOX,),
    }
    return matching(typed, ("value", words.get(kind, ())))
