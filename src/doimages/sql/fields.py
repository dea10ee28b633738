"""What a request takes, as a statement gives it: names and values, checked, with errors that point at them."""

import json
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, NoReturn

from sqlglot import exp

from doimages.errors import did_you_mean
from doimages.resources import Parameter
from doimages.schema import PAGE_SIZE
from doimages.sql.place import Place
from doimages.sql.predicates import is_literal, literal

PREFIX = "data__"
_MOST = {"per_page": PAGE_SIZE}
_MOST_INTEGER = 2**63 - 1
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_KEY = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?')


def find_field(name: str, known: Iterable[Parameter], whose: str, place: Place, what: str = "field") -> Parameter:
    """Give what a name means, with or without the prefix of the body's fields; raises StatementError."""
    known, lower = tuple(known), name.lower()
    for one in known:
        if lower in {one.name, one.stackql_name}:
            return one
    has_prefix = lower.startswith(PREFIX)
    names = [one.stackql_name if has_prefix else one.name for one in known]
    hint = did_you_mean(get_close_matches(lower, names, n=2), names).strip() if names else "It takes none."
    raise place.error(f"no {what} {name!r} in {whose}.", hint)


def check_value(field: Parameter, value: exp.Expr, place: Place, *, takes_slug: bool = False) -> exp.Expr:
    """Check a value that is written out, and make one of SQL's lists of a JSON list; any other is checked once known.

    A message never shows the value itself: it may be an address with a password in it.
    """
    bare = value.unnest()
    if field.type == "strings":
        return _check_list(field, bare, place)
    if isinstance(bare, exp.Null):
        if field.required or field.name == "name":
            raise place.error(f"{field.name} is required, and NULL is no value.")
    elif is_literal(bare):
        wanted = _misfit(field, literal(bare), is_text=bool(bare.args.get("is_string")), takes_slug=takes_slug)
        if wanted:
            raise place.error(f"{field.name} takes {wanted}.")
    return value


def _misfit(field: Parameter, value: Any, *, is_text: bool, takes_slug: bool) -> str:
    """Say what a field takes, if it is not this."""
    if field.type == "integer":
        number = int(value) if type(value) is int or (is_text and value.isascii() and value.isdigit()) else 0
        most = _MOST.get(field.name, _MOST_INTEGER)
        takes_slug = takes_slug and field.name == "image_id"
        is_slug = takes_slug and is_text and not value.isdigit() and _SLUG.fullmatch(value)
        limit = f" from 1 to {most}" if most < _MOST_INTEGER else " above zero"
        is_right = is_slug or 0 < number <= most
        return "" if is_right else f"a whole number{limit}{' or a slug' if takes_slug else ''}"
    if field.type == "boolean":
        return "" if value is True or (is_text and value.lower() == "true") else "true, or is left out"
    return "" if is_text else "a text in single quotes"


def _check_list(field: Parameter, value: exp.Expr, place: Place) -> exp.Expr:
    if isinstance(value, exp.Array):
        if all(one.is_string or not is_literal(one) for one in value.expressions):
            return value
    elif not is_literal(value) or isinstance(value, exp.Null):
        return value
    elif value.is_string:
        texts = read_json(value.name, place, field.name)
        if isinstance(texts, list) and all(isinstance(one, str) for one in texts):
            return exp.Array(expressions=[exp.Literal.string(one) for one in texts])
    raise place.error(f"{field.name} takes a list of texts.", """Write ['a', 'b'] or '["a", "b"]'.""")


def read_json(value: str, place: Place, whose: str) -> Any:
    """Read a JSON text; raises StatementError that points at where it stops to be JSON."""
    try:
        made = json.loads(value, parse_constant=_refuse)
        json.dumps(made, ensure_ascii=False).encode()  # half a surrogate pair is no letter, and cannot be sent
    except json.JSONDecodeError as error:
        message = (
            f"invalid JSON in {whose}: {error.msg[:1].lower()}{error.msg[1:]}, at character {error.pos + 1} of it."
        )
        raise place.within(value, error.pos, error.pos + 1).error(message) from None
    except (ValueError, RecursionError):
        raise place.error(f"invalid JSON in {whose}: a number, a letter or a depth that JSON has not.") from None
    return made


def read_members(value: str, place: Place) -> Iterator[tuple[str, Any, Place]]:
    """Give the keys of a JSON object with their values and places, a key twice if it stands there twice."""
    made = read_json(value, place, "@@json")
    if not isinstance(made, dict):
        raise place.error("@@json takes a JSON object.", """Write @@json = '{"name": "..."}'.""")
    for match in _KEY.finditer(value):
        if match[2]:  # those of an object within come after its own key, which is an error
            key = json.loads(match[1])
            yield key, made[key], place.within(value, *match.span(1))


def to_literal(value: Any) -> exp.Expr | None:
    """Give a value of JSON as SQL's; None for an object and what holds one, which no field takes."""
    if any(isinstance(one, (list, dict)) for one in (value if isinstance(value, list) else ())):
        return None
    return None if isinstance(value, dict) else exp.convert(value)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
