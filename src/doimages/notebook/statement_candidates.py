"""What completion offers in a statement: keywords, tables, columns, parameters, methods, functions and values."""

from collections.abc import Iterable, Iterator

from doimages.notebook.candidates import Candidates, in_case_of, matching
from doimages.notebook.holdings import Holdings
from doimages.notebook.scan import Scene, Token, look
from doimages.resources import RESOURCES, Method, Resource
from doimages.schema import DISTRIBUTIONS, IMAGES, KINDS, REQUEST_TYPES, STATUSES
from doimages.sql.vocabulary import KNOWN
from doimages.sql.words import HINTS, KEYWORDS, SHOWN, STATEMENTS

_RESOURCES = {path: resource for resource in RESOURCES for path in resource.paths}
_IMAGES = next(resource for resource in RESOURCES if resource.table is IMAGES)
_QUERIES = {"SELECT", "WITH", "FROM", "VALUES", "PIVOT", "UNPIVOT", "CREATE"}
# What the texts of a column may be: words of the API, or a column of the last listing.
_WORDS = {"type": (*REQUEST_TYPES, *KINDS), "status": STATUSES, "distribution": DISTRIBUTIONS}
_LISTED = {
    **{name: name for name in ("tags", "regions", "slug", "distribution")},
    "tag_name": "tags",
    "region": "regions",
    "image_id": "slug",
}
_NO_NAMES = frozenset(KEYWORDS) - {"AS"}
_BEFORE_TEXT = frozenset({"=", "<", ">", "!", "(", "[", ",", "&", "@", "IN", "NOT", "LIKE", "ILIKE", "REGEXP", "ANY"})


def in_statement(text: str, cursor: int, holdings: Holdings) -> Candidates:
    """Give what may stand at the cursor, by the statement around it, which need not be whole nor right."""
    scene = look(text, cursor)
    found = Candidates()
    if scene is None:
        return found
    kind, typed = scene.typed.kind, scene.typed.text
    if kind == "text":
        found = _texts(scene, typed[1:], holdings)
    elif kind == "hint":
        fragment = typed[3:].replace(",", " ").rpartition(" ")[2]
        found = matching(fragment, ("keyword", in_case_of(fragment, HINTS)))
    elif kind == "bind":
        found = matching(typed[1:], ("variable", holdings.values))
    elif kind == "at" or (not typed and _is_exec(scene) and _method(scene) and scene.left[-1].text != "="):
        found = matching(typed, ("parameter", _at_names(scene, typed)))
    elif kind == "word" or not typed:
        found = _words(scene, typed, holdings)
    return found


def _words(scene: Scene, typed: str, holdings: Holdings) -> Candidates:
    last = scene.left[-1].upper if scene.left else ""
    if _is_table_wanted(scene, last):
        return matching(typed, *_tables(scene, last, typed, holdings))
    if scene.path:
        return matching(typed, ("column", _fields(scene, scene.tables.get(".".join(scene.path).lower()), holdings)))
    if not scene.first or (last == "AS" and scene.first == "CREATE"):
        return matching(typed, ("keyword", in_case_of(typed, STATEMENTS)))
    if last in {"AS", "::"} or _is_exec(scene):
        return Candidates(typed)  # a new name, a type, or the value of a parameter
    if last == "SHOW":
        return matching(typed, ("keyword", in_case_of(typed, (*SHOWN, "EXTENDED", "INSERT"))))
    tables = scene.tables
    columns = [name for path in dict.fromkeys(tables.values()) for name in _fields(scene, path, holdings)]
    aliases = [name for name in tables if "." not in name and name != typed.lower()]
    return matching(
        typed,
        ("column", columns if tables else _fields(scene, _IMAGES.path, holdings)),
        ("table", aliases),
        ("function", [one.name.upper() if typed.isupper() else one.name for one in KNOWN] if typed else ()),
        ("keyword", in_case_of(typed, KEYWORDS)),
    )


def _is_exec(scene: Scene) -> bool:
    return scene.first in {"EXEC", "EXECUTE"}


def _is_table_wanted(scene: Scene, last: str) -> bool:
    """Tell whether the name that is typed stands where a table does."""
    if last in {"FROM", "JOIN", "INTO"}:
        return True
    is_second = [token.upper for token in scene.left[:-1]] in ([], ["EXPLAIN"])
    if last in {"UPDATE", "REPLACE", "DESCRIBE", "DESC", "EXEC", "EXECUTE"} and is_second:
        return True
    if scene.first in {"DESCRIBE", "DESC"}:
        return last in {"METHOD", "EXTENDED", "TABLE"}
    return (last == "IN" and scene.first == "SHOW") or (last == "," and _is_in_from(scene.left))


def _is_in_from(left: tuple[Token, ...]) -> bool:
    """Tell whether a comma parts tables: only names, and no keyword but AS, stand between it and FROM."""
    for token in reversed(left):
        if token.upper == "FROM":
            return True
        if token.text not in {",", "."} and (token.kind not in {"word", "name"} or token.upper in _NO_NAMES):
            return False
    return False


def _tables(scene: Scene, last: str, typed: str, holdings: Holdings) -> Iterator[tuple[str, Iterable[str]]]:
    """Give the next part of a table's dotted name; after a whole one its methods, where one is wanted."""
    path = tuple(part.lower() for part in scene.path)
    paths = [tuple(name.split(".")) for name in _RESOURCES]
    yield "table", [one[len(path)] for one in paths if one[: len(path)] == path and len(one) > len(path)]
    is_described = any(token.upper == "METHOD" for token in scene.left)
    resource = _RESOURCES.get(".".join(path))
    if resource is not None and (is_described or _is_exec(scene)):
        methods = [method for method in resource.methods if is_described or method.verb == "EXEC"]
        yield "method", _first_spellings(typed, [method.names for method in methods])
    if path:
        return
    if last in {"FROM", "JOIN", ","}:
        yield "variable", holdings.frames
        yield "table", (*_ctes(scene), *holdings.views)
    if last in {"DESCRIBE", "DESC"}:
        yield "keyword", in_case_of(typed, ("METHOD", "EXTENDED"))


def _ctes(scene: Scene) -> list[str]:
    """Give the names that WITH made in the statement."""
    names = zip(scene.before, scene.before[1:], scene.before[2:], strict=False)
    return [name.text for name, word, bracket in names if word.upper == "AS" and bracket.text == "("]


def _first_spellings(typed: str, spellings: Iterable[tuple[str, ...]]) -> list[str]:
    """Give the first spelling of each that fits what is typed: the others are for who types them."""
    fitting = ([name for name in names if name.lower().startswith(typed.lower())] for names in spellings)
    return [names[0] for names in fitting if names]


def _fields(scene: Scene, path: str | None, holdings: Holdings) -> list[str]:
    """Give the columns of a table, and the parameters that the statement may name beside them."""
    resource = _RESOURCES.get((path or "").lower())
    if resource is None:
        frame = holdings.frames.get(path or "")
        return [] if frame is None else [str(name) for name in frame.columns if str(name).isidentifier()]
    parameters = [
        (parameter.name, parameter.stackql_name)
        for method in resource.methods
        if _is_of(method, scene.first)
        for parameter in method.parameters
    ]
    typed = scene.typed.text
    return list(dict.fromkeys([*resource.table.column_names, *_first_spellings(typed, parameters)]))


def _is_of(method: Method, first: str) -> bool:
    """Tell whether a statement can become this request; what UPDATE writes is the API's PUT."""
    if first in {"UPDATE", "REPLACE"}:
        return method.http == "PUT"
    return method.verb == ("SELECT" if first in _QUERIES or not first else first)


def _method(scene: Scene) -> Method | None:
    """Find the method that EXEC names."""
    for path in scene.tables.values():
        table, _, name = path.rpartition(".")
        resource = _RESOURCES.get(table.lower())
        return next((one for one in resource.methods if name in one.names), None) if resource else None
    return None


def _at_names(scene: Scene, typed: str) -> list[str]:
    method = _method(scene)
    if method is None:
        return []
    given = {token.text for token in (*scene.before, *scene.after) if token.kind == "at"}
    names = [(f"@{one.name}", f"@{one.stackql_name}") for one in method.parameters]
    has_body = method.http in {"POST", "PUT"}
    return _first_spellings(
        typed, [*(pair for pair in names if not given & {*pair}), *([("@@json",)] if has_body else [])]
    )


def _texts(scene: Scene, typed: str, holdings: Holdings) -> Candidates:
    """Give what may stand in quotes: by the column it is held against, left of `=`, IN ( or a function's comma."""
    place = len(scene.before) - 1
    while place >= 0 and (scene.before[place].upper in _BEFORE_TEXT or scene.before[place].kind == "text"):
        place -= 1
    if place < 0:
        return Candidates(typed)
    name = scene.before[place].text.strip('@"').lower()
    owner = scene.before[place - 2].text.lower() if place > 1 and scene.before[place - 1].text == "." else None
    words = _WORDS.get(name, ()) if _is_image_column(scene, owner) else ()
    texts = holdings.texts(_LISTED[name]) if name in _LISTED else ()
    return matching(typed, ("value", [word.replace("'", "''") for word in (*words, *texts)]))


def _is_image_column(scene: Scene, owner: str | None) -> bool:
    """Tell whether a column is one of images, as far as the statement says."""
    tables = scene.tables
    paths = [tables[owner]] if owner in tables else list(tables.values())
    found: list[Resource | None] = [
        _RESOURCES.get(path.lower()) or _RESOURCES.get(path.lower().rpartition(".")[0]) for path in paths
    ]
    return not paths or _IMAGES in found
