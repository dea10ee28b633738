"""EXEC: what a method is given, by @name and @@json, checked whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from sqlglot import exp
from sqlglot.tokens import TokenType

from doimages.errors import did_you_mean
from doimages.resources import Method, Parameter, Resource
from doimages.schema import IMAGES, REQUEST_TYPES
from doimages.sql.dialect import StackQL
from doimages.sql.fields import check_value, find_field, read_members, to_literal
from doimages.sql.lookup import find_method
from doimages.sql.place import Place
from doimages.sql.statements import Exec

_STOPS = frozenset({TokenType.PARAMETER, TokenType.COMMA, TokenType.SEMICOLON})


@dataclass(frozen=True, slots=True)
class RawRead:
    """EXEC of a method that reads: the whole reply as it is. ``arguments`` are those that are not NULL."""

    method: Method
    arguments: Mapping[str, exp.Expr]
    shows_results: bool


@dataclass(frozen=True, slots=True)
class Called:
    """EXEC of a method that changes something; ``body`` is a `:name` whose fields are not known yet."""

    resource: Resource
    method: Method
    arguments: Mapping[str, exp.Expr]
    body: exp.Expr | None


def read_call(statement: Exec) -> RawRead | Called:
    """Check an EXEC whole; raises StatementError that points at what is wrong. Nothing is sent."""
    resource, method = find_method(statement.path, statement.text)
    given = _Given(method)
    places = _places(statement)
    for (name, value), (at_name, at_value) in zip(statement.arguments, places, strict=False):
        given.take(name, value, at_name, at_value)
    body = None if statement.body is None else given.take_body(statement.body, places[-1][1])
    given.check_fixed()
    whole = Place(statement.text, statement.path.start, statement.path.end)
    missing = [p.name for p in method.parameters if p.required and p.name not in given.values]
    missing = [name for name in missing if body is None or not _field(method, name).in_body]
    if missing:
        hint = f"Write {', '.join(f'@{name} = ...' for name in missing)}."
        raise whole.error(f"required param not supplied for exec: {', '.join(missing)}.", hint)
    if method.http == "GET":
        given.check_request_type(resource)
        arguments = {name: value for name, value in given.values.items() if not isinstance(value, exp.Null)}
        return RawRead(_whole(resource, method), arguments, statement.shows_results)
    fields = [p.name for p in method.parameters if p.in_body]
    if body is None and fields and given.values.keys().isdisjoint(fields):
        raise whole.error(f"{method.name} sets nothing.", f"Give one of {', '.join(f'@{name}' for name in fields)}.")
    return Called(resource, method, given.values, body)


class _Given:
    """What a method has been given so far."""

    def __init__(self, method: Method) -> None:
        self.values: dict[str, exp.Expr] = {}
        self._method = method
        self._places: dict[str, Place] = {}
        fixed = (Parameter(name, "string", "Fixed by the method.", in_body=True) for name, _ in method.fixed)
        self._known = (*method.parameters, *fixed)

    def take(self, name: str, value: exp.Expr, at_name: Place, at_value: Place) -> None:
        field = find_field(name, self._known, self._method.name, at_name, "parameter")
        if field.name in self.values:
            raise at_name.error(f"{field.name} is given twice.")
        self.values[field.name] = check_value(field, value, at_value, takes_slug=self._method.http == "GET")
        self._places[field.name] = at_value

    def take_body(self, body: exp.Expr, place: Place) -> exp.Expr | None:
        """Read the fields out of @@json; give the body back if it is a `:name`."""
        known = [one for one in self._known if one.in_body]
        if self._method.http in {"GET", "DELETE"}:
            raise place.error(f"{self._method.name} sends no body, so it takes no @@json.")
        if isinstance(body, exp.Placeholder):
            return body
        if not body.is_string:
            raise place.error("@@json takes a text in single quotes.", """Write @@json = '{"name": "..."}'.""")
        inside: set[str] = set()
        for key, raw, at_key in read_members(body.name, place):
            field = find_field(key, known, f"the body of {self._method.name}", at_key)
            value = to_literal(raw)
            if field.name != key:
                raise at_key.error(f"in @@json it is {field.name!r}, not {key!r}.")
            if value is None:
                raise at_key.error(f"{key} takes no JSON object, nor lists within a list.")
            if key in inside:
                raise at_key.error(f"{key} is given twice.")
            inside.add(key)
            value = check_value(field, value, at_key)
            if self.values.setdefault(key, value) != value:
                raise at_key.error(f"{key} is given twice: @@json contradicts @{key}.", "Leave one out.")
            self._places.setdefault(key, at_key)
        return None

    def check_fixed(self) -> None:
        """Refuse another value for what the method itself says, and leave it out."""
        for name, right in self._method.fixed:
            value = self.values.pop(name, None)
            if value is not None and not (value.is_string and value.name == right):
                raise self._places[name].error(f"{name} is {right!r} for {self._method.name}.", "Leave it out.")

    def check_request_type(self, resource: Resource) -> None:
        """Refuse a kind of image: the filter of the request and the column share a name and no more."""
        value = self.values.get("type")
        if resource.table is IMAGES and value is not None and value.is_string and value.name not in REQUEST_TYPES:
            hint = did_you_mean(get_close_matches(value.name, REQUEST_TYPES), REQUEST_TYPES).strip()
            raise self._places["type"].error("type takes distribution or application: it is no column here.", hint)


def _field(method: Method, name: str) -> Parameter:
    return next(one for one in method.parameters if one.name == name)


def _whole(resource: Resource, method: Method) -> Method:
    """Give the method whose reply is the whole body, if the resource has one for the same request."""
    same = [one for one in resource.methods if (one.http, one.path) == (method.http, method.path)]
    return next((one for one in same if one.is_whole), method)


def _places(statement: Exec) -> list[tuple[Place, Place]]:
    """Find the name and the value of each parameter, @@json among them, in the order they are written."""
    tokens = [token for token in StackQL().tokenize(statement.text) if token.start >= statement.path.end]
    kinds = [token.token_type for token in tokens]
    found: list[tuple[Place, Place]] = []
    first = 0
    for at, kind in enumerate(kinds):
        if kind == TokenType.SEMICOLON:
            break
        if kind == TokenType.PARAMETER:
            first = at + 1
        elif kind == TokenType.EQ:
            last = next((n for n in range(at + 2, len(kinds)) if kinds[n] in _STOPS), len(kinds)) - 1
            name = Place(statement.text, tokens[first].start, tokens[at - 1].end + 1)
            found.append((name, Place(statement.text, tokens[at + 1].start, tokens[last].end + 1)))
    return found
