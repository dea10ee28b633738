"""What of a query the API can do: its sources, and the residual that DuckDB runs over them.

Only `=` and IN under AND become request parameters. A predicate on a column stays in the residual and is applied to
every row again; one on a parameter is answered by the request, and leaves the residual. What a request cannot say
(a parameter under OR, NOT or `<>`) is an error.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from sqlglot import exp

from doimages.errors import UsageError
from doimages.schema import IMAGES, PAGE_SIZE, PRIVATE_KINDS, REQUEST_TYPES
from doimages.sql.feeds import UNFED, in_order, make_feed
from doimages.sql.limits import is_counted, row_limit
from doimages.sql.misuse import check_joins, check_use
from doimages.sql.names import Names
from doimages.sql.predicates import Fact, conjuncts, facts
from doimages.sql.scopes import optional
from doimages.sql.site import Site
from doimages.sql.sources import Source, Value

# Makes a value fit for a request, or raises UsageError; by parameter. The rules are the API's, a floor beside.
Checks = Mapping[str, Callable[[Any], Value]]


@dataclass(slots=True)
class _Asked:
    """What the predicates ask of one table."""

    given: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    ids: tuple[int, ...] | None = None
    kinds: frozenset[Value | None] | None = None
    feeds: list[exp.Expr] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    answered: dict[int, exp.Expr] = field(default_factory=dict)


def push_down(tree: exp.Expr, names: Names, checks: Checks) -> list[Source]:
    """Find the sources of a resolved query, and make its tree the residual over them. Nothing is sent."""
    asked = {id(site): _ask(site, names, checks) for site in names.sites}
    for site in names.sites:
        check_joins(site, names)
        check_use(site, asked[id(site)].used, names)
    for site in names.sites:
        answered = asked[id(site)].answered
        site.columns = [column for column in site.columns if id(column) not in answered]
        for node in answered.values():
            _drop(node, site)
    made: dict[int, Source] = {}
    for site in names.sites:
        made[id(site)] = _named(_source(site, asked[id(site)], names), list(made.values()), tree)
    merged = _merged(made.values())
    for query in (tree, *(one.feed for one in merged if one.feed is not None)):
        _rename(query, names, {key: one.name for key, one in made.items()})
    return in_order(merged)


def _ask(site: Site, names: Names, checks: Checks) -> _Asked:
    asked = _Asked()
    for fact in facts(site.scope, site.alias):
        for column, other in ((fact.column, fact.other), (fact.other, fact.column)):
            if isinstance(column, exp.Column) and column.meta.get("site") == id(site):
                _hear(replace(fact, column=column, other=fact.other and other), asked, site, names, checks)
                break
    return asked


def _hear(fact: Fact, asked: _Asked, site: Site, names: Names, checks: Checks) -> None:
    """Take one predicate for what it asks, if it asks anything of the API."""
    name = fact.column.name.lower()
    is_parameter = name in site.parameters or name in dict(site.resource.aliases)
    if fact.other is not None:
        if name == "image_id" and site.resource.table is not IMAGES:
            asked.feeds.append(fact.other)
            asked.used.add(id(fact.column))
        return
    if name == "type" and site.resource.table is IMAGES:
        in_request = [value in REQUEST_TYPES for value in fact.values]
        if all(in_request):
            is_parameter = True
        elif any(in_request):
            message = "distribution and application are filters of the request, the others kinds of image."
            raise names.error(message, fact.node, "Write two queries with UNION.")
        else:
            asked.kinds = frozenset(fact.values) & (asked.kinds or frozenset(fact.values))
    elif name == "id" and site.resource.table is IMAGES and all(type(value) is int for value in fact.values):
        asked.ids = _common(asked.ids, [value for value in fact.values if type(value) is int and 0 < value < 2**63])
    if is_parameter:
        pairs = zip(fact.values, fact.nodes, strict=True)
        # Actions are read by the image's number; a slug is for the image itself.
        rule = "action_id" if name == "image_id" and site.resource.table is not IMAGES else name
        check = checks.get(rule, _OWN.get(name, _text))
        values = tuple(dict.fromkeys(_checked(name, value, node, names, check) for value, node in pairs))
        if asked.given.setdefault(name, values) != values:
            raise names.error(f"{name} is given twice, and a request takes one.", fact.node)
        if name in {"page", "per_page"} and len(values) > 1:
            raise names.error(f"{name} takes one value.", fact.node)
        asked.used.add(id(fact.column))
        asked.answered[id(fact.column)] = fact.node


def _common(known: tuple[int, ...] | None, values: list[int]) -> tuple[int, ...]:
    return tuple(value for value in dict.fromkeys(values) if known is None or value in known)


def _checked(name: str, value: Value | None, node: exp.Expr, names: Names, check: Callable[[Any], Value]) -> Value:
    number = node.this if isinstance(node, exp.Neg) else node
    if isinstance(value, str) and isinstance(number, exp.Literal) and not number.is_string:
        raise names.error(f"{name}: {value} is no whole number.", node)
    try:
        return check(value)
    except UsageError as error:
        raise names.error(f"{name}: {error}", node) from None


def _private(value: Any) -> bool:
    if value in (True, "true", "TRUE"):
        return True
    raise UsageError("it takes true, or is left out. public = true gives the public images.")


def _number(most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = int(value) if type(value) is int or (isinstance(value, str) and value.isdecimal()) else 0
        if not 1 <= number <= most:
            raise UsageError(f"{value!r} is no number from 1 to {most}.")
        return number

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{value!r} is no text.")
    return value


_MOST_PAGE = 1_000_000  # of one row each, more than any account has
_OWN: Checks = {"private": _private, "page": _number(_MOST_PAGE), "per_page": _number(PAGE_SIZE)}


def _source(site: Site, asked: _Asked, names: Names) -> Source:
    given, is_strict = dict(asked.given), True
    if site.resource.table is not IMAGES:
        feed = None if "image_id" in given else make_feed(asked.feeds, site, names)
        if "image_id" in given or feed is not None:
            return Source(site.resource.table.name, site.resource, given, feed)
        raise names.error(f"{site.resource.path} is read by image, and no image_id is given.", site.node, UNFED)
    listing = [name for name in given if name != "image_id"]
    if "image_id" in given and listing:
        node = next(node for node in asked.answered.values() if _names_of(node) == {listing[0]})
        message = f"{listing[0]} belongs to list, not to get, and image_id asks for single images."
        raise names.error(message, node, "Leave one out.")
    if asked.ids is not None and not given:
        given, is_strict = {"image_id": asked.ids}, False
    if "image_id" in given:
        return Source("images", site.resource, given, is_strict=is_strict)
    if asked.kinds and PRIVATE_KINDS.issuperset(asked.kinds):
        given["private"] = (True,)
    is_page = not given.keys().isdisjoint({"page", "per_page"})
    # The counts of two listings do not add up where an image is in both.
    may_count = not is_page and all(len(values) == 1 for values in given.values())
    if any(isinstance(node, exp.Boolean) and not node.this for node in conjuncts(site.scope, site.alias)):
        return Source("images", site.resource, given, limit=0)  # no row counts, as of IN and an empty list
    return Source("images", site.resource, given, limit=row_limit(site), is_counted=is_counted(site) and may_count)


def _names_of(node: exp.Expr) -> set[str]:
    return {column.name.lower() for column in node.find_all(exp.Column)}


def _drop(node: exp.Expr, site: Site) -> None:
    """Take a predicate away that the request answers; a row that an outer join made up still fails it."""
    if optional(site.scope):
        key = exp.column(site.resource.table.key, site.alias)
        node.replace(exp.Not(this=exp.Is(this=key, expression=exp.null())))
        return
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    parent = node.parent
    if isinstance(parent, exp.And):
        parent.replace(parent.right if node is parent.left else parent.left)
    elif isinstance(parent, exp.Where):
        parent.pop()
    else:
        node.replace(exp.true())


def _named(source: Source, others: list[Source], tree: exp.Expr) -> Source:
    """Name a source: the same requests are one source, whoever asks; no other table of the query has its name."""
    for other in others:
        is_fed = source.feed is not None or other.feed is not None
        if not is_fed and _requests(other) == _requests(source):
            return replace(source, name=other.name)
    taken = {table.name.lower() for table in tree.find_all(exp.Table)}
    taken |= {cte.alias.lower() for cte in tree.find_all(exp.CTE)} | {other.name for other in others}
    return replace(source, name=next(name for n in count(1) if (name := f"{source.name}_{n}") not in taken))


def _requests(source: Source) -> tuple[object, ...]:
    return source.resource.path, source.given, source.is_strict


def _merged(sources: Iterable[Source]) -> list[Source]:
    """Make those of one name one: all rows if one wants all."""
    made: dict[str, Source] = {}
    for one in sources:
        other = made.get(one.name, one)
        limits = (one.limit, other.limit)
        most = None if None in limits or one.is_counted != other.is_counted else max(filter(None, limits), default=0)
        made[one.name] = replace(one, limit=most, is_counted=one.is_counted and other.is_counted)
    return list(made.values())


def _rename(tree: exp.Expr, names: Names, sources: Mapping[int, str]) -> None:
    """Call tables as their sources, and parameters that are read as a column as that column."""
    sites = {id(site): site for site in names.sites}
    for table in tree.find_all(exp.Table):
        site = sites.get(table.meta.get("site", 0))
        if site is not None:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(site.alias)))
            table.set("this", exp.to_identifier(sources[id(site)]))
            table.set("db", None)
            table.set("catalog", None)
    for column in tree.find_all(exp.Column):
        site = sites.get(column.meta.get("site", 0))
        if site is None:
            continue
        column.set("db", None)
        column.set("catalog", None)
        real = dict(site.resource.aliases).get(column.name.lower())
        if real is not None:
            shown = column.name
            column.set("this", exp.to_identifier(real))
            if isinstance(column.parent, exp.Select) and column.arg_key == "expressions":
                column.replace(exp.alias_(column.copy(), shown))
