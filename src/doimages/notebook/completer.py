"""Tab completion in our cells and lines: a matcher of IPython, and where in a cell the cursor is. Nothing is sent."""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.interactiveshell import InteractiveShell

from doimages.notebook.candidates import Candidates, on_line
from doimages.notebook.holdings import Holdings, Texts
from doimages.notebook.statement_candidates import in_statement
from doimages.sql.words import STATEMENTS

IDENTIFIER = "doimages.matcher"
_FILES = "IPCompleter.file_matcher"
_CELL = re.compile(r"\s*%%doimages(?=\s|$)")
_LINE = re.compile(r"\s*(?:[A-Za-z_][^%='\"#()]*=\s*)?%doimages(?=\s|$)")


class _Nothing(list[SimpleCompletion]):
    """No candidates, counted as one: a matcher without any cannot keep the Python of others out of our cell."""

    def __len__(self) -> int:
        return 1


def complete(text: str, line: int, column: int, holdings: Holdings) -> Candidates | None:
    """Give what may stand at the cursor; None if that is not in a cell or line of ours."""
    lines = text.split("\n")
    first = next((place for place, one in enumerate(lines) if one.strip()), 0)
    cell = _CELL.match(lines[first])
    body = "\n".join(lines[first + 1 :]) if cell else None
    if body is not None and line > first:
        return in_statement(body, sum(len(one) + 1 for one in lines[first + 1 : line]) + column, holdings)
    magic = cell if cell and line == first else None if cell else _LINE.match(lines[line])
    if magic is None or column <= magic.end():
        return None
    rest, cursor = lines[line][magic.end() :], column - magic.end()
    if body is None and _is_statement(rest[:cursor]):
        return in_statement(rest, cursor, holdings)
    return on_line(rest[:cursor], holdings, body=body)


def _is_statement(text: str) -> bool:
    """Tell whether a line begins with a statement; `select --private` and `select <<` name a variable."""
    word, space, rest = text.lstrip().partition(" ")
    return bool(space) and word.upper() in STATEMENTS and rest.lstrip()[:1] not in {"-", "<"}


def register(shell: InteractiveShell, last: str) -> None:
    """Add the matcher to a shell; ``last`` is the variable that has the last result."""
    texts = Texts()

    @context_matcher(identifier=IDENTIFIER)  # type: ignore[untyped-decorator] # IPython's has no types
    def match(context: CompletionContext) -> SimpleMatcherResult:
        if "%doimages" not in context.full_text:
            return {"completions": []}
        try:
            names, result = _visible(shell), shell.user_ns.get(last)
            holdings = Holdings(names, result, views=_views(), plans=_plans(), texts=texts)
            found = complete(context.full_text, context.cursor_line, context.cursor_position, holdings)
        except Exception:  # noqa: BLE001 - a key that is pressed must never show a traceback
            return {"completions": []}
        if found is None:
            return {"completions": []}
        made = [SimpleCompletion(one.text, type=one.kind) for one in found.found]
        return {
            "completions": made or _Nothing(),
            "matched_fragment": found.fragment,
            "suppress": True,
            "do_not_suppress": {_FILES} if found.are_files else set(),
            "ordered": True,
        }

    shell.Completer.custom_matchers.append(match)


def unregister(shell: InteractiveShell) -> None:
    """Take the matcher away again."""
    kept = [one for one in shell.Completer.custom_matchers if getattr(one, "matcher_identifier", None) != IDENTIFIER]
    shell.Completer.custom_matchers[:] = kept


def _plans() -> Mapping[str, str]:
    """Give the words of this session's plans by their ids; none before one was made."""
    plans = sys.modules.get("doimages.change.plans")
    return {} if plans is None else plans.words_by_id()


def _views() -> Iterable[str]:
    """Give the names of saved queries: there are none before a statement has been run, which loads that module."""
    return [*getattr(sys.modules.get("doimages.execute"), "views", ())]


def _visible(shell: InteractiveShell) -> Mapping[str, Any]:
    """Give the variables that a person made, not those of the shell."""
    hidden = shell.user_ns_hidden
    return {name: value for name, value in [*shell.user_ns.items()] if name not in hidden or hidden[name] is not value}
