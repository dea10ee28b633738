"""A picker without its view: rows, filters, order, window and selection, and what a message from the screen does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from doimages.errors import UsageError
from doimages.pick.code import SORTS, Source, language_of
from doimages.pick.filters import LONGEST
from doimages.pick.rows import Mask, Rows, counts_of
from doimages.pick.selection import Selection
from doimages.pick.spec import FilterSpec

WINDOW_ROWS = 45
MOST_ROWS = 200
# What a listing of these requests is called in code; any other frame is called `df`.
_SOURCES = {"GET /v2/images": Source.ALL, "GET /v2/images?private=true": Source.OWN}

_BY_ITSELF = frozenset({"focus", "window", "search"})


class Picking:
    """What a person does with the rows; each change ends with a call of ``changed`` that names what changed.

    ``rows``, ``filters``, ``order`` and ``selection``, and of what is shown ``facets`` and ``window``.
    """

    def __init__(self, frame: pd.DataFrame, /, *, selected: Any = (), sort: str | None = None, **filters: Any) -> None:
        self.changed: Callable[[frozenset[str]], None] = lambda _: None
        self.rows = Rows(frame)
        self.selection = Selection(self.rows.places)
        self.error = ""
        # Whether the filters on the screen are others than those that count, for they were refused.
        self.is_refused = False
        # Of the rows as they stand: who selects by what is on the screen must have seen these.
        self.version = 0
        self.ack = 0
        self.focused: int | None = None
        self.start, self.count = 0, WINDOW_ROWS
        self.searches: dict[str, str] = {}
        spec, order = _read_state(filters, sort)
        self.sort = self._checked_sort(order)
        self._apply(spec)
        self.selection.select(self._checked_ids(selected))

    @property
    def source(self) -> Source:
        """What the code that is shown reads; a frame that is no whole listing any more is just a frame."""
        told = self.rows.frame.attrs.get("do_images", {})
        is_whole = told.get("complete") and told.get("rows") == len(self.rows)
        return _SOURCES.get(told.get("query", ""), Source.FRAME) if is_whole else Source.FRAME

    @property
    def value(self) -> pd.DataFrame:
        """The rows that the filters leave, in the order they are shown in."""
        return self.rows.frame.iloc[self._order]

    @property
    def selected(self) -> pd.DataFrame:
        """The rows that are selected, those that the filters hide among them, in the order of the frame."""
        return self.rows.frame.iloc[sorted(self.rows.places[one] for one in self.selection)]

    @property
    def state(self) -> dict[str, Any]:
        """What makes the same picker of the same frame, as JSON has it."""
        rest = {"selected": list(self.selection), "sort": self.sort}
        return self.spec.to_record() | {key: value for key, value in rest.items() if value}

    @property
    def hidden(self) -> int:
        """How many selected rows the filters hide."""
        return sum(not self._fits[self.rows.places[one]] for one in self.selection)

    @property
    def places(self) -> list[int]:
        """The rows that the filters leave, by their places in the frame, in the order they are shown in."""
        places: list[int] = self._order.tolist()
        return places

    @property
    def window(self) -> list[int]:
        """Those of them that are in the window."""
        return self.places[self.start : self.start + self.count]

    @property
    def counts(self) -> dict[str, list[int]]:
        """How many rows have each value of each facet, among those that fit all other filters."""
        return counts_of(self.rows, self._masks)

    @property
    def status(self) -> str:
        """How many rows there are, and how many are selected."""
        text = f"{len(self._order):,} of {len(self.rows):,} images · {len(self.selection):,} selected"
        return f"{text} ({self.hidden:,} hidden by filters)" if self.hidden else text

    def set(self, *, selected: Any = None, sort: str | None = None, **filters: Any) -> None:
        """Take a whole state; raises UsageError and changes nothing if it is none."""
        spec, order = _read_state(filters, sort)
        ids, order = self._checked_ids(selected), self._checked_sort(order)
        self.rows.check(spec)
        self.sort, self.error, self.is_refused = order, "", False
        self._apply(spec)
        self.selection.clear()
        self.selection.select(ids)
        self.changed(frozenset({"filters", "order", "facets", "selection", "window"}))

    def replace(self, frame: pd.DataFrame) -> list[int]:
        """Have other rows, with the same filters; gives the ids that were selected and are gone."""
        before, self.rows = self.rows, Rows(frame)
        try:
            self._apply(self.spec, start=self.start)
        except BaseException:
            self.rows = before
            raise
        gone = self.selection.keep(self.rows.places)
        self.changed(frozenset({"rows", "filters", "facets", "selection", "window"}))
        return gone

    def hear(self, message: Mapping[str, Any]) -> None:
        """Do what a message from the screen asks for; what is wrong in it becomes :attr:`error`, and no more."""
        kind = message.get("kind")
        changed, error = frozenset[str](), "This was interrupted: do it again."
        try:
            act = self._acts.get(kind) if isinstance(kind, str) else None
            if act is None:
                raise UsageError(f"the picker knows no message {kind!r}.")  # noqa: TRY301 - it shows like the others
            changed, error = act(message), ""
        except UsageError as refusal:
            changed, error = frozenset(), str(refusal)
        except (KeyError, TypeError, ValueError, OverflowError):
            changed, error = frozenset(), f"the picker cannot read this message {kind!r}."
        finally:  # also where it was interrupted: the screen sends nothing more before it has an answer
            if kind == "filter":
                self.is_refused = bool(error)
            # The screen sends some by itself: a person has not read yet what was wrong before them.
            if error or not (self.is_refused or kind in _BY_ITSELF):
                self.error = error
            self.heard(message)
            self.changed(changed)

    def heard(self, message: Mapping[str, Any]) -> None:
        """Note that a message was done."""
        sequence = message.get("seq")
        if isinstance(sequence, int) and not isinstance(sequence, bool):
            self.ack = max(self.ack, sequence)

    @property
    def _acts(self) -> Mapping[str, Callable[[Mapping[str, Any]], frozenset[str]]]:
        return {
            "filter": self._filter,
            "sort": self._sort,
            "window": self._window,
            "toggle": self._toggle,
            "range": self._range,
            "all": self._select_filtered,
            "none": self._select_none,
            "focus": self._focus,
            "search": self._search,
        }

    def _filter(self, message: Mapping[str, Any]) -> frozenset[str]:
        spec = FilterSpec.of(**message["spec"])
        self._apply(spec)
        return frozenset({"filters", "facets", "window"})

    def _sort(self, message: Mapping[str, Any]) -> frozenset[str]:
        self.sort = self._checked_sort(message["sort"])
        self._apply(self.spec)
        return frozenset({"order", "window"})

    def _window(self, message: Mapping[str, Any]) -> frozenset[str]:
        start, count = (_checked_number(message[name]) for name in ("start", "count"))
        if start < 0 or not 0 < count <= MOST_ROWS:
            raise UsageError(f"a window has at most {MOST_ROWS} rows.")
        # Rows may have gone since the screen asked.
        self.start, self.count = min(start, max(0, len(self._order) - 1)), count
        return frozenset({"window"})

    def _toggle(self, message: Mapping[str, Any]) -> frozenset[str]:
        self.selection.select([_checked_number(one) for one in message["ids"]], on=_checked_switch(message["on"]))
        return frozenset({"selection"})

    def _range(self, message: Mapping[str, Any]) -> frozenset[str]:
        """Select the rows from one to another, as they stand on the screen; of one that is hidden, the other alone."""
        self._check_seen(message)
        shown = [self.rows.ids[place] for place in self.places]
        end = _checked_number(message["to"])
        start = end if message["from"] is None else _checked_number(message["from"])
        places = sorted(shown.index(one) for one in (start if start in shown else end, end))
        self.selection.select(shown[places[0] : places[1] + 1], on=_checked_switch(message["on"]))
        return frozenset({"selection"})

    def _check_seen(self, message: Mapping[str, Any]) -> None:
        """Refuse to select rows that were on their way to the screen when it was clicked."""
        if message.get("version", self.version) != self.version:
            raise UsageError("The rows changed in that moment, so nothing was selected. Look, and select again.")

    def _select_filtered(self, message: Mapping[str, Any]) -> frozenset[str]:
        self._check_seen(message)
        self.selection.select(self.rows.ids[place] for place in self.places)
        return frozenset({"selection"})

    def _select_none(self, _: Mapping[str, Any]) -> frozenset[str]:
        self.selection.clear()
        return frozenset({"selection"})

    def _focus(self, message: Mapping[str, Any]) -> frozenset[str]:
        focused = None if message["id"] is None else _checked_number(message["id"])
        self.focused = focused if focused in self.rows.places else None
        return frozenset()

    def _search(self, message: Mapping[str, Any]) -> frozenset[str]:
        key, text = message["facet"], message["text"]
        if key not in self.rows.facets or not isinstance(text, str):
            raise UsageError("the picker has no such facet to search in.")
        if len(text) > LONGEST:
            raise UsageError(f"what is searched for has {LONGEST} letters at most.")
        self.searches[key] = text
        return frozenset({"facets"})

    def _apply(self, spec: FilterSpec, start: int = 0) -> None:
        self.rows.check(spec)
        masks: dict[str, Mask] = self.rows.masks(spec)
        fits = self.rows.all_fit(masks.values())
        order = self.rows.order(fits, self.sort)
        self.spec, self._masks, self._fits, self._order = spec, masks, fits, order
        self.version += 1
        self.start = min(start, max(0, len(self._order) - 1))

    def _checked_sort(self, sort: Any) -> str | None:
        column = sort.removeprefix("-") if isinstance(sort, str) else sort
        if column is not None and (column not in SORTS or column not in self.rows.columns):
            known = ", ".join(name for name in SORTS if name in self.rows.columns)
            raise UsageError(f"sort is one of {known}, with - before it for the other way, not {sort!r}.")
        return sort  # type: ignore[no-any-return] # a text, or None

    def _checked_ids(self, ids: Any) -> Sequence[int]:
        """Refuse what is no list of ids; one that is not among the rows is passed over, as it may be gone."""
        if ids is None:
            return []
        if isinstance(ids, (str, bytes)) or not pd.api.types.is_list_like(ids) or not all(map(_is_whole, ids)):
            raise UsageError(f"selected is a list of ids, not {ids!r}.")
        return list(map(int, ids))


def _is_whole(value: Any) -> bool:
    return pd.api.types.is_integer(value)  # and True is none


def _checked_number(value: Any) -> int:
    """Refuse what equals an id and is none, such as True and 1.0."""
    if not _is_whole(value):
        raise UsageError("the picker cannot read this message: an id, a start and a count are whole numbers.")
    return int(value)


def _checked_switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError("the picker cannot read this message: on is true or false.")
    return value


def _read_state(filters: dict[str, Any], sort: str | None) -> tuple[FilterSpec, str | None]:
    """Make the filters and the order of a state, or of code that a picker wrote."""
    code = filters.pop("code", None)
    if code is None:
        return FilterSpec.of(**filters), sort
    if filters or not isinstance(code, str):
        raise UsageError("code is a text that a picker wrote, and stands without other filters.")
    spec = FilterSpec.from_code(code)
    _, order = language_of(code).parts(code)
    return spec, sort or order
