"""A statement that is still being typed, cut into words: enough for completion, where no parser gets through."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from doimages.sql.words import KEYWORDS

LONGEST = 10_000  # characters; a longer cell is not completed, for that would be felt

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|\#[^\n]*)
    | (?P<hint>/\*.*?(?:(?P<ended>\*/)|\Z))
    | (?P<text>'[^']*(?:''[^']*)*(?P<closed>')?)
    | (?P<name>"[^"]*(?:""[^"]*)*(?P<shut>")?)
    | (?P<number>\d[\w.]*)
    | (?P<word>[^\W\d]\w*)
    | (?P<mark>::)
    | (?P<bind>:\w*)
    | (?P<at>@@?\w*)
    | (?P<other>[^\s\w])
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word, text, name, number, bind, at, comment, hint or mark; ``is_open`` if the cursor is still in it."""

    kind: str
    text: str
    is_open: bool = False

    @property
    def upper(self) -> str:
        """The word as keywords are compared; empty for a text in quotes."""
        return "" if self.kind in {"text", "name"} else self.text.upper()


NOTHING = Token("mark", "")


@dataclass(frozen=True, slots=True)
class Scene:
    """One statement with the cursor in it: what comes before, the token that is being typed, what comes after."""

    before: tuple[Token, ...]
    typed: Token
    after: tuple[Token, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """The parts of a dotted name that are there already; its last part is being typed."""
        parts, place = [], len(self.before)
        while place > 1 and self.before[place - 1].text == "." and self.before[place - 2].kind in {"word", "name"}:
            parts.append(self.before[place - 2].text.strip('"'))
            place -= 2
        return tuple(reversed(parts))

    @property
    def left(self) -> tuple[Token, ...]:
        """What comes before the dotted name."""
        return self.before[: len(self.before) - 2 * len(self.path)]

    @property
    def first(self) -> str:
        """The word the statement begins with, EXPLAIN left out."""
        words = [token.upper for token in self.before[:2]]
        return next((word for word in words if word != "EXPLAIN"), "")

    @property
    def tables(self) -> dict[str, str]:
        """The dotted names of the tables in it, by what they are called: alias, last part and whole name."""
        return dict(_tables([*self.before, self.typed, *self.after]))


def look(text: str, cursor: int) -> Scene | None:
    """Find the statement the cursor is in; None in a comment, and where the text is too long."""
    if len(text) > LONGEST:
        return None
    before, after = _scan(text[:cursor]), text[cursor:]
    typed = before.pop() if before and before[-1].is_open else NOTHING
    if typed.kind == "comment":
        return None
    if typed.kind in {"text", "name"}:
        quote = typed.text[0]
        line, _, rest = after.partition("\n")
        after = f"{line.partition(quote)[2]}\n{rest}"
    return Scene(_last_part(before), typed, _first_part(_scan(after)))


def bound_names(text: str) -> tuple[str, ...]:
    """Give the names of the values that a statement binds, each once."""
    names = (token.text[1:] for token in _scan(text[:LONGEST]) if token.kind == "bind")
    return tuple(dict.fromkeys(name for name in names if name))


def _scan(text: str) -> list[Token]:
    """Cut a text into tokens; comments are left out but for one that is open at the end, as a word there is."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        ends = match.end() == len(text)
        token, is_open = match[0], False
        if token[0] in "'\"":
            kind = "text" if token[0] == "'" else "name"
            is_open = ends and not (match["closed"] or match["shut"])
        elif token.startswith("/*"):
            is_open = ends and not match["ended"]
            kind = "hint" if token.startswith("/*+") else "comment"
        elif kind in {"comment", "number", "word", "bind", "at"}:
            is_open = ends
        else:
            kind = "mark"
        if is_open or kind not in {"comment", "hint"}:
            found.append(Token(kind, token, is_open))
    return found


def _last_part(tokens: list[Token]) -> tuple[Token, ...]:
    ends = [place for place, token in enumerate(tokens) if token.text == ";"]
    return tuple(tokens[ends[-1] + 1 :] if ends else tokens)


def _first_part(tokens: list[Token]) -> tuple[Token, ...]:
    ends = [place for place, token in enumerate(tokens) if token.text == ";"]
    return tuple(tokens[: ends[0]] if ends else tokens)


_INTRODUCE = {"FROM", "JOIN", "INTO"}
_INTRODUCE_FIRST = {"UPDATE", "REPLACE", "EXEC", "EXECUTE"}


def _tables(tokens: list[Token]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(tokens):
        word = tokens[place].upper
        place += 1
        if word in _INTRODUCE or (place == 1 and word in _INTRODUCE_FIRST):
            is_listed = True
            while is_listed:
                place, named = _table(tokens, place)
                found += named
                is_listed = place < len(tokens) and tokens[place].text == "," and bool(named)
                place += is_listed
    return found


def _table(tokens: list[Token], place: int) -> tuple[int, list[tuple[str, str]]]:
    """Read a dotted name and its alias; give the place after them, and what they may be called."""
    parts: list[str] = []
    while place < len(tokens) and (_is_name(tokens[place]) or (parts and tokens[place].kind == "word")):
        parts.append(tokens[place].text.strip('"'))
        place += 1
        if place == len(tokens) or tokens[place].text != ".":
            break
        place += 1
    if not parts:
        return place, []
    path = ".".join(parts)
    names = [path, parts[-1]]
    if place < len(tokens) and tokens[place].upper == "AS":
        place += 1
    if place < len(tokens) and _is_name(tokens[place]):
        names.append(tokens[place].text.strip('"'))
        place += 1
    return place, [(name.lower(), path) for name in names]


def _is_name(token: Token) -> bool:
    return token.kind == "name" or (token.kind == "word" and token.upper not in KEYWORDS)
