"""What the notebook holds that completion may name: variables, plans, texts of the last listing. Nothing is sent."""

import weakref
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MOST_ROWS = 5_000  # a listing may have many more; completion must not be felt
# As doimages.sql.bind takes them.
_VALUES = (str, int, float, Decimal, date, np.generic, np.ndarray, pd.Series, pd.Index)
_LISTS = (list, tuple, set, frozenset, range)


class Texts:
    """The distinct texts in the columns of a frame; each column is read once, until another frame comes."""

    def __init__(self) -> None:
        self._frame: Callable[[], Any] = lambda: None
        self._texts: dict[str, tuple[str, ...]] = {}

    def read(self, frame: Any, column: str) -> tuple[str, ...]:
        """Give the texts of a column in order; none if it is no frame, or has no such column."""
        if type(frame) is not pd.DataFrame or [*frame.columns].count(column) != 1:
            return ()
        if self._frame() is not frame:
            self._frame, self._texts = weakref.ref(frame), {}
        if column not in self._texts:
            self._texts[column] = _distinct(frame[column].iloc[:MOST_ROWS])
        return self._texts[column]


def _distinct(column: Any) -> tuple[str, ...]:
    try:
        found = pa.array(column, from_pandas=True)
        if pa.types.is_list(found.type) or pa.types.is_large_list(found.type):
            found = pc.list_flatten(found)
        values = pc.unique(found).to_pylist()
    except (pa.ArrowException, TypeError):  # a column of anything
        return ()
    return tuple(sorted(value for value in values if isinstance(value, str) and value and value.isprintable()))


def _is(value: Any, *kinds: type) -> bool:
    """Tell the kind of a variable without asking it: a lazy proxy would go and fetch what it stands for."""
    return issubclass(type(value), kinds)


class Holdings:
    """The variables a person made, by what they can be in a statement or on the line; the names of saved queries.

    ``plans`` has the words that confirm each plan, by its id, the last one made last.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        last: Any = None,
        *,
        views: Iterable[str] = (),
        plans: Mapping[str, str] | None = None,
        texts: Texts | None = None,
    ) -> None:
        self._names = {name: value for name, value in names.items() if name[:1] != "_"}
        self._last = last
        self.views = tuple(views)
        self.plans = dict(plans or {})
        self._texts = texts or Texts()

    @property
    def frames(self) -> Mapping[str, pd.DataFrame]:
        """What can stand after FROM."""
        return {name: value for name, value in self._names.items() if _is(value, pd.DataFrame)}

    @property
    def values(self) -> tuple[str, ...]:
        """What can be bound as :name."""
        return tuple(name for name, value in self._names.items() if _is(value, *_VALUES, *_LISTS))

    @property
    def dicts(self) -> tuple[str, ...]:
        """What can follow --params."""
        return tuple(name for name, value in self._names.items() if _is(value, dict))

    def texts(self, column: str) -> tuple[str, ...]:
        """Give the texts in a column of the last listing."""
        return self._texts.read(self._last, column)
