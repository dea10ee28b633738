"""Settings: one table, one order of precedence, and where each value came from.

Argument, then magic flag, then :data:`options` (and ``%config``), then the environment, then ``[tool.doimages]``
in the nearest ``pyproject.toml``, then the user's ``config.toml``, then the default.
"""

import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
from platformdirs import user_config_path

from doimages.errors import UsageError, unknown_name
from doimages.redaction import redact
from doimages.schema import PRICE_PER_GIGABYTE_MONTH

API_URL = "https://api.digitalocean.com"
DTYPE_BACKENDS = ("numpy_nullable", "pyarrow")
PROGRESS = ("auto", "bar", "text", "off")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its default, the environment variable it is read from, and the words it may be."""

    default: Any
    variable: str
    description: str
    choices: tuple[str, ...] = ()
    kind: type = str

    def check(self, name: str, value: Any, source: str) -> Any:
        """Give the value in its type, or say what it should be."""
        if value is None:
            return None
        try:
            typed = self.kind(value)
            if isinstance(value, bool) or (isinstance(value, float) and typed != value):
                raise TypeError  # noqa: TRY301 - True is an int to Python, and so is 2.5, not to a person
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"{name} from {source} must be of type {self.kind.__name__}, not {value!r}.") from None
        if self.choices and typed not in self.choices:
            raise UsageError(f"{name} from {source} must be one of {', '.join(self.choices)}, not {value!r}.")
        if self.kind is not str and not 0 < typed < math.inf:  # NaN is neither
            must = "finite" if typed == math.inf else "above zero"
            raise UsageError(f"{name} from {source} must be {must}, not {value!r}.")
        return typed


SETTINGS: Mapping[str, Setting] = {
    "base_url": Setting(
        API_URL,
        "DIGITALOCEAN_API_URL",
        "Address of the API, or the word sandbox for the embedded one.",
    ),
    "context": Setting(
        None,
        "DIGITALOCEAN_CONTEXT",
        "Name of a token in doctl's configuration.",
    ),
    "dtype_backend": Setting(
        None,
        "DOIMAGES_DTYPE_BACKEND",
        "Which family of dtypes a frame has; the default mixes them as the columns need.",
        choices=DTYPE_BACKENDS,
    ),
    "progress": Setting(
        None,
        "DOIMAGES_PROGRESS",
        "How a long read shows itself; the default is auto in a magic and off in a function.",
        choices=PROGRESS,
    ),
    "requests_per_minute": Setting(
        250,
        "DOIMAGES_REQUESTS_PER_MINUTE",
        "Most requests sent in any minute with one token; DigitalOcean allows 250.",
        kind=int,
    ),
    "stale_minutes": Setting(
        15.0,
        "DOIMAGES_STALE_MINUTES",
        "Age at which is_stale() calls a frame stale.",
        kind=float,
    ),
    "max_count": Setting(
        50,
        "DOIMAGES_MAX_COUNT",
        "Most steps that one plan may have.",
        kind=int,
    ),
    "max_percent": Setting(
        50.0,
        "DOIMAGES_MAX_PERCENT",
        "Most of the account's own images, in percent, that one plan may delete, update or move away.",
        kind=float,
    ),
    "protected_names": Setting(
        None,
        "DOIMAGES_PROTECTED_NAMES",
        "Regular expression: an image with a name that it is found in is not deleted, updated or moved away.",
    ),
    "price_per_gigabyte_month": Setting(
        PRICE_PER_GIGABYTE_MONTH,
        "DOIMAGES_PRICE_PER_GIGABYTE_MONTH",
        "What snapshots and custom images cost, US dollars per GB and month.",
        kind=float,
    ),
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A value, and in words where it came from."""

    value: Any
    source: str


class Options:
    """The settings of this session; set an attribute to override environment and files.

    Nothing is sent. A value is checked when it is set, so a wrong one is never stored.

    Examples
    --------
    >>> import doimages
    >>> with doimages.options.option_context(dtype_backend="pyarrow"):
    ...     doimages.options.dtype_backend
    'pyarrow'
    """

    def __init__(self) -> None:
        object.__setattr__(self, "_set", {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.resolve(name).value

    def __setattr__(self, name: str, value: Any) -> None:
        checked = _setting(name).check(name, value, "options")
        if checked is None:
            self._set.pop(name, None)
        else:
            self._set[name] = checked

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *SETTINGS]

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None, "display.width", None):
            return str(self.to_pandas())

    def resolve(self, name: str, argument: Any = None, source: str = "argument") -> Resolved:
        """Give the value that counts for a setting, and its source; ``argument`` wins if it is not None."""
        setting = _setting(name)
        # Files are opened only where nothing above them counts.
        for value, where in chain(((argument, source), (self._set.get(name), "options")), _outside(name, setting)):
            if value is not None:
                return Resolved(setting.check(name, value, where), where)
        return Resolved(setting.default, "default")

    def reset(self) -> None:
        """Forget what was set in this session; environment and files count again."""
        self._set.clear()

    @contextmanager
    def option_context(self, **values: Any) -> Iterator[None]:
        """Set options for the length of a ``with`` block."""
        before = dict(self._set)
        try:
            for name, value in values.items():
                setattr(self, name, value)
            yield
        finally:
            self._set.clear()
            self._set.update(before)

    def to_pandas(self) -> pd.DataFrame:
        """Show every setting: one row a setting, its value, where that came from, and what it means."""
        rows = [
            {"setting": name, "value": _shown(found.value), "source": found.source, "meaning": setting.description}
            for name, setting in SETTINGS.items()
            for found in [self.resolve(name)]
        ]
        return pd.DataFrame(rows).set_index("setting")


def _shown(value: Any) -> Any:
    return redact(value) if isinstance(value, str) else value


def _setting(name: str) -> Setting:
    try:
        return SETTINGS[name]
    except KeyError:
        raise unknown_name("setting", name, tuple(SETTINGS)) from None


def _outside(name: str, setting: Setting) -> Iterator[tuple[Any, str]]:
    yield os.environ.get(setting.variable) or None, f"${setting.variable}"
    project = next(filter(Path.is_file, (folder / "pyproject.toml" for folder in _here_and_up())), None)
    if project is not None:
        yield _known(_table(_table(_read(project), "tool"), "doimages"), "pyproject.toml").get(name), "pyproject.toml"
    user = user_config_path("doimages") / "config.toml"
    if user.is_file():
        yield _known(_read(user), "config.toml").get(name), "the user's config.toml"


def _known(found: Mapping[str, Any], file: str) -> Mapping[str, Any]:
    """Refuse a key that is no setting: misspelt, it would be passed over in silence."""
    for name in found:
        if name not in SETTINGS:
            raise unknown_name(f"setting of doimages (in {file})", name, tuple(SETTINGS))
    return found


def _table(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name, {})
    if not isinstance(found, dict):
        raise UsageError(f"{name} in pyproject.toml must be a table, not {found!r}.")
    return found


def _here_and_up() -> tuple[Path, ...]:
    here = Path.cwd()
    return here, *here.parents


def _read(path: Path) -> Mapping[str, Any]:
    return _parse(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _parse(path: Path, _changed_at: int) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read as TOML: {error}.") from None


options = Options()
