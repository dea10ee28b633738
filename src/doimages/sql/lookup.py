"""Dotted names to resources and methods; an unknown one is an error that says which part, and what is known."""

from collections.abc import Iterable
from difflib import get_close_matches

from doimages.errors import StatementError, did_you_mean
from doimages.resources import RESOURCES, Method, Resource
from doimages.sql.statements import Path

_LEVELS = ("provider", "service", "resource")
_RESOURCES = {tuple(path.lower().split(".")): resource for resource in RESOURCES for path in resource.paths}
_FULL = tuple(key for key in _RESOURCES if len(key) == len(_LEVELS))
_SHORT = tuple(key[0] for key in _RESOURCES if len(key) == 1)


def find_resource(path: Path, text: str) -> Resource:
    """Give the resource that a table's name means, short or in full; raises StatementError that points at the name."""
    resource = _RESOURCES.get(_key(path))
    if resource is not None:
        return resource
    if len(path.parts) == 1:
        raise _error(f"no table {path.parts[0]!r}.", _hint(path.parts[0], _SHORT, _SHORT), path, text)
    if _key(path)[:-1] in _RESOURCES:
        table = Path(path.parts[:-1])
        raise _error(f"{table} is a table; {path.parts[-1]!r} is one part too many.", f"Write {table}.", path, text)
    raise _unknown(path, text, "resource")


def find_method(path: Path, text: str) -> tuple[Resource, Method]:
    """Give the resource and the method that a name such as images.update means; raises StatementError as above."""
    if _key(path) in _RESOURCES:
        raise _error(f"{path} is a table; its method is missing.", _known(_shown(_RESOURCES[_key(path)])), path, text)
    if len(path.parts) == 1:
        raise _error(f"{path} stands alone; a method is named after its table.", "Write images.update.", path, text)
    table, name = Path(path.parts[:-1], path.start, path.end), path.parts[-1]
    resource = find_resource(table, text)
    for method in resource.methods:
        if name.lower() in map(str.lower, method.names):
            return resource, method
    spellings = [spelling for method in resource.methods for spelling in method.names]
    raise _error(f"no method {name!r} in {table}.", _hint(name, spellings, _shown(resource)), path, text)


def list_names(path: Path, text: str, level: str) -> tuple[str, ...]:
    """Give the names right under a provider or a service; raises StatementError as above."""
    names = _names_under(_key(path))
    if len(path.parts) != _LEVELS.index(level) + 1 or not names:
        raise _unknown(path, text, level)
    return names


def _unknown(path: Path, text: str, wanted: str) -> StatementError:
    """Go down the name as far as it is known, and say where that ends."""
    key, depth = _key(path), _LEVELS.index(wanted) + 1
    for place, level in enumerate(_LEVELS[:depth]):
        known, above = _names_under(key[:place]), Path(path.parts[:place])
        if place == len(key):
            longer = [f"{above}.{name}" for name in known]
            return _error(f"{above} is a {_LEVELS[place - 1]}, not a {wanted}.", _known(longer), path, text)
        if key[place] not in known:
            within = f" in {above}" if place else ""
            endings = [".".join(full[:depth]) for full in _FULL if full[:depth][-len(key) :] == key]
            hint = _hint(path.parts[place], known, known, endings)
            return _error(f"no {level} {path.parts[place]!r}{within}.", hint, path, text)
    return _error(f"{path} has too many parts for a {wanted}.", f"Write {Path(path.parts[:depth])}.", path, text)


def _names_under(key: tuple[str, ...]) -> tuple[str, ...]:
    place = len(key)
    return tuple(dict.fromkeys(full[place] for full in _FULL if full[:place] == key and place < len(full)))


def _key(path: Path) -> tuple[str, ...]:
    return tuple(part.lower() for part in path.parts)


def _shown(resource: Resource) -> list[str]:
    return [method.name for method in resource.methods]


def _known(names: Iterable[str]) -> str:
    return did_you_mean((), tuple(names)).strip()


def _hint(name: str, spellings: Iterable[str], known: Iterable[str], others: Iterable[str] = ()) -> str:
    """Say what may have been meant, by the way it is spelt or else one of the others, and what there is."""
    spelt = {spelling.lower(): spelling for spelling in spellings}
    meant = [spelt[match] for match in get_close_matches(name.lower(), spelt, n=2)] or list(dict.fromkeys(others))
    return f"{did_you_mean(meant, ()).strip()} {_known(known)}" if meant else _known(known)


def _error(message: str, hint: str, path: Path, text: str) -> StatementError:
    return StatementError(message, hint=hint).mark(text, path.start, path.end)
