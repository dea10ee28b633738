"""Python, SQL and the magic: how a picker's filters are written in them, and read back."""

import ast
import io
import re
import tokenize
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from doimages.errors import UsageError
from doimages.pick.filters import FILTERS, Filter
from doimages.pick.forms import COST_SQL, RATE, VALUE, VALUES, Form
from doimages.schema import IMAGES
from doimages.settings import options

_REFUSED = "This is not what a picker writes: it reads back its own filters only, one of each, joined by AND."
_ORDER = "monthly_cost"
_END = "\n"
_SQL_TOKEN = re.compile(r"'(?:[^']|'')*'|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\w+|[<>]=|\S", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


class Source(Enum):
    """What the rows of a picker are: all images, the account's own, or a frame that the code calls ``df``."""

    ALL = "all"
    OWN = "own"
    FRAME = "frame"


class Language(ABC):
    """How predicates are written in a language, and read."""

    # What a person calls it, and what joins predicates.
    name: str
    joint: str
    # Where a form has it.
    form_field: str

    def write(self, form: Form, literals: Sequence[Any]) -> str:
        """Write a predicate."""
        text = self._template(form)
        joined = ", ".join(map(self.literal, literals))
        before, _, after = text.partition(VALUES if VALUES in text else VALUE)
        return f"{before}{joined}{after}" if literals else text

    @abstractmethod
    def compose(self, predicates: Sequence[str], source: Source, sort: str | None) -> str:
        """Write the whole, of predicates that are all to hold."""

    @abstractmethod
    def literal(self, value: Any) -> str:
        """Write a value."""

    @abstractmethod
    def tokens(self, text: str) -> list[str]:
        """Part a text into words; raises UsageError for what is no code."""

    @abstractmethod
    def parts(self, text: str) -> tuple[list[str], str | None]:
        """Give the tokens of the predicates, and the order, of what :meth:`compose` puts around them."""

    @abstractmethod
    def _order(self, sort: str | None) -> str:
        """Write an order."""

    @abstractmethod
    def value(self, token: str) -> Any:
        """Read a literal; raises ValueError for what is none."""

    def read(self, text: str) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
        """Give the filters of what :meth:`compose` wrote: each predicate's filter, part and literals."""
        body, _ = self.parts(text)
        for tokens in _split(body, self.joint) if body else ():
            yield self._match(tokens)

    def templates(self, one: Filter, parts: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        """Give how parts of a filter's value are written, and the literals in each."""
        return {self._template(one.form(part)): literals for part, literals in parts.items()}

    def _template(self, form: Form) -> str:
        text: str = getattr(form, self.form_field)
        return text.replace(RATE, repr(options.price_per_gigabyte_month))

    def _match(self, tokens: list[str]) -> tuple[str, str, tuple[Any, ...]]:
        for key, one in FILTERS.items():
            for form in one.forms:
                literals = self._literals(self.tokens(self._template(form)), tokens)
                if literals is not None:
                    return key, form.part, literals
        raise UsageError(f"{_REFUSED} It does not know: {' '.join(tokens)}")

    def _literals(self, template: list[str], tokens: list[str]) -> tuple[Any, ...] | None:
        """Give what stands in place of the template's VALUE or VALUES; None if the rest is not the same."""
        place = next((at for at, word in enumerate(template) if word in {VALUE, VALUES}), None)
        if place is None:
            return () if template == tokens else None
        after = len(template) - place - 1
        middle = tokens[place : len(tokens) - after]
        if tokens[:place] != template[:place] or tokens[len(tokens) - after :] != template[place + 1 :] or not middle:
            return None
        given, commas = middle[::2], middle[1::2]
        if set(commas) - {","} or len(middle) % 2 == 0 or (template[place] == VALUE and len(given) > 1):
            return None
        try:
            return tuple(map(self.value, given))
        except ValueError:
            return None


class Python(Language):
    """pandas, with the accessor."""

    name = "Python"
    joint = "&"
    form_field = "python"

    def literal(self, value: Any) -> str:
        text = repr(value)
        return f'"{text[1:-1]}"' if isinstance(value, str) and text[0] == "'" and '"' not in text else text

    def compose(self, predicates: Sequence[str], source: Source, sort: str | None) -> str:
        read = {Source.ALL: "df = pd.read_do_images()\n", Source.OWN: "df = pd.read_do_images(private=True)\n"}
        if len(predicates) > 1:
            kept = "df[\n    {}\n]".format("\n    & ".join(predicates))
        else:
            kept = f"df[{predicates[0]}]" if predicates else "df"
        return f"{read.get(source, '')}picked = {kept}{self._order(sort)}"

    def _order(self, sort: str | None) -> str:
        if sort is None:
            return ""
        column, is_descending = column_of(sort), sort.startswith("-")
        by = f'.sort_values(["{column}", "id"], ascending=[{not is_descending}, True])'
        if column == _ORDER:
            costs = "picked.do_images.monthly_cost()"
            return f'\npicked = picked.assign({_ORDER}={costs}){by}.drop(columns="{_ORDER}")'
        return by if column != "id" else f'.sort_values("id", ascending={not is_descending})'

    def tokens(self, text: str) -> list[str]:
        # The end of a statement is one, too: what stands behind it is another statement.
        kept = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP, tokenize.NEWLINE)
        try:
            found = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type in kept]
            words = [_END if token.type == tokenize.NEWLINE else token.string for token in found]
            return words[:-1] if words[-1:] == [_END] else words
        except (tokenize.TokenError, SyntaxError):
            raise UsageError(f"{_REFUSED} This cannot be read as Python.") from None

    def parts(self, text: str) -> tuple[list[str], str | None]:
        # Predicates do not assign; what is sorted by stands behind the closing bracket.
        tokens = self.tokens(text)
        start = next((at for at, word in enumerate(tokens) if word == "picked"), -1)
        head = tokens[:start] if start >= 0 else []
        reads = [self.tokens(self.compose((), source, None))[:-3] for source in Source]
        if start < 0 or head not in reads or tokens[start + 1 : start + 3] != ["=", "df"]:
            raise UsageError(_REFUSED)
        rest = tokens[start + 3 :]
        end = _closing(rest) if rest[:1] == ["["] else 0
        order = rest[end + 1 :] if end else rest
        orders = {sort: self.tokens(f"df{self._order(sort)}")[1:] for sort in (None, *_ORDERS)}
        sort = next((sort for sort, told in orders.items() if told == order), "")
        if sort == "":
            raise UsageError(f"{_REFUSED} It does not know: {' '.join(order)}")
        return rest[1:end], sort

    def value(self, token: str) -> Any:
        try:
            return ast.literal_eval(token)
        except SyntaxError as error:
            raise ValueError(token) from error


class Sql(Language):
    """The dialect of the reader and the magic."""

    name = "SQL"
    joint = "AND"
    form_field = "sql"

    def literal(self, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return "'{}'".format(value.replace("'", "''")) if isinstance(value, str) else repr(value)

    def compose(self, predicates: Sequence[str], source: Source, sort: str | None) -> str:
        given = ["private = true"] if source is Source.OWN else []
        where = "\n  AND ".join([*given, *predicates])
        table = "df" if source is Source.FRAME else IMAGES.name
        return f"SELECT * FROM {table}" + (f"\nWHERE {where}" if where else "") + self._order(sort)

    def _order(self, sort: str | None) -> str:
        if sort is None:
            return ""
        column, descending = column_of(sort), " DESC" if sort.startswith("-") else ""
        cost = COST_SQL.replace(RATE, repr(options.price_per_gigabyte_month))
        by = f"\nORDER BY {cost if column == _ORDER else column}{descending} NULLS LAST"
        return by if column == "id" else f"{by}, id"

    def tokens(self, text: str) -> list[str]:
        words = {"and", "or", "in", "is", "null", "case", "when", "then", "end", "interval", "timestamptz", "from"}
        words |= {"select", "where", "order", "by", "desc", "nulls", "last"}
        found = _SQL_TOKEN.findall(text)
        return [word.upper() if word.lower() in words else word for word in found]

    def parts(self, text: str) -> tuple[list[str], str | None]:
        tokens = self.tokens(text)
        if tokens[:3] != ["SELECT", "*", "FROM"] or tokens[3:4] not in (["df"], [IMAGES.name]):
            raise UsageError(_REFUSED)
        rest = tokens[4:]
        orders = {sort: self.tokens(self._order(sort)) for sort in _ORDERS}
        sort = next((sort for sort, told in orders.items() if rest[len(rest) - len(told) :] == told), None)
        rest = rest[: len(rest) - len(orders.get(sort or "", ()))]
        own = self.tokens("private = true")
        if rest[:1] == ["WHERE"] and rest[1 : 1 + len(own)] == own:
            after = rest[1 + len(own) :]
            rest = ["WHERE", *after[1:]] if after[:1] == [self.joint] else after
        if rest and (rest[0] != "WHERE" or len(rest) == 1):
            raise UsageError(f"{_REFUSED} It does not know: {' '.join(rest)}")
        return rest[1:], sort

    def value(self, token: str) -> Any:
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.lower() in {"true", "false"}:
            return token.lower() == "true"
        if not _NUMBER.fullmatch(token):
            raise ValueError(token)
        return float(token)


class Magic(Sql):
    """A cell of the magic: SQL under its first line."""

    name = "%%doimages"

    def compose(self, predicates: Sequence[str], source: Source, sort: str | None) -> str:
        return f"{self.name} picked\n{super().compose(predicates, source, sort)}"

    def parts(self, text: str) -> tuple[list[str], str | None]:
        first, _, rest = text.lstrip().partition("\n")
        if first.split() != [self.name, "picked"]:
            raise UsageError(_REFUSED)
        return super().parts(rest)


LANGUAGES = PYTHON, SQL, MAGIC = Python(), Sql(), Magic()
# What rows may be sorted by, `-` before it for the other way.
SORTS = (*(column.name for column in IMAGES.columns if column.type != "strings"), _ORDER)
_ORDERS = tuple(f"{sign}{column}" for column in SORTS for sign in ("", "-"))


def language_of(text: str) -> Language:
    """Tell by its first word which language a text is in."""
    first = text.lstrip()
    return MAGIC if first.startswith("%") else SQL if first[:6].upper() == "SELECT" else PYTHON


def column_of(sort: str) -> str:
    """Give the column that rows are sorted by."""
    return sort.removeprefix("-")


def _split(tokens: list[str], joint: str) -> Iterator[list[str]]:
    """Part what stands between joints, outside of all brackets."""
    depth, part = 0, list[str]()
    for word in tokens:
        depth += (word in {"(", "[", "{"}) - (word in {")", "]", "}"})
        if word == joint and depth == 0:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _closing(tokens: list[str]) -> int:
    """Give the place of the bracket that closes the first one."""
    depth = 0
    for at, word in enumerate(tokens):
        depth += (word == "[") - (word == "]")
        if depth == 0:
            return at
    raise UsageError(_REFUSED)
