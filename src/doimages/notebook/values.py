"""What SQL in a cell is given beside its text: a file, and values of the line and the notebook."""

import json
from collections import ChainMap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from doimages.errors import UsageError


def read_file(name: str) -> str:
    """Read the SQL of a file; raises UsageError if there is none."""
    try:
        text = Path(name).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(f"-f {name}: the file cannot be read, {reason}. Nothing was sent.") from None
    if not text.strip():
        raise UsageError(f"-f {name}: the file is empty. Nothing was sent.")
    return text


def values(given: Iterable[str], mapping: str | None, namespace: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the values for `:name`: of -p, then of --params, then the notebook's own."""
    return ChainMap(dict(map(_pair, given)), _mapping(mapping, namespace), namespace)  # type: ignore[arg-type] # read only


def _pair(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"-p {word}: write NAME=VALUE. A variable of the notebook needs no -p. Nothing was sent.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _mapping(word: str | None, namespace: Mapping[str, Any]) -> dict[str, Any]:
    if word is None:
        return {}
    try:
        found = namespace.get(word[1:]) if word.startswith("$") else json.loads(word)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise UsageError(f"--params {word} is no dict: write $NAME of one, or JSON. Nothing was sent.")
    return {str(name): value for name, value in found.items()}
