"""The picker: facets, grid, action panel and code in one widget, over a frame or over a listing of its own."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import traitlets
from IPython.core.getipython import get_ipython

from doimages.api.connect import shared_client
from doimages.api.rows import to_rows
from doimages.change import outcome as words
from doimages.change.report import Report
from doimages.changes import client_of
from doimages.errors import CredentialsError, UsageError
from doimages.notebook.box import Box
from doimages.notebook.line import words_of
from doimages.notebook.picker.panel import ActionPanel
from doimages.notebook.picker.snapshot import Snapshot
from doimages.notebook.picker.view import PickerView
from doimages.pick.code import LANGUAGES
from doimages.pick.patch import patched
from doimages.pick.picking import Picking
from doimages.pick.shown import offers
from doimages.reader import prepare, read_do_images
from doimages.schema import IMAGES
from doimages.table.frame import to_frame

if TYPE_CHECKING:
    from doimages.api.client import Client

LAST = "_doimages"
_OF_FILTERS, _OF_PLAN = "the filters", "the plan"


class FrameTrait(traitlets.TraitType[pd.DataFrame, pd.DataFrame]):
    """A frame, told whenever it is set: whether two frames are the same takes longer than to make one."""

    def set(self, obj: Any, value: pd.DataFrame) -> None:
        """Keep it, and tell."""
        name = str(self.name)
        before = obj._trait_values.get(name)  # noqa: SLF001 - as traitlets does
        obj._trait_values[name] = value  # noqa: SLF001
        obj._notify_trait(name, before, value)  # noqa: SLF001


class StateTrait(traitlets.Dict):
    """A state, taken when nobody else is telling one: traitlets would leave it unchecked."""

    def set(self, obj: Any, value: Any) -> None:
        """Check it, and keep it."""
        with obj._lock:  # noqa: SLF001 - of its own picker
            super().set(obj, value)


class ImagePicker(Box):
    """What :func:`doimages.picker` gives: a widget that shows itself, and what was picked in it.

    ``value`` are the rows that the filters leave, in the order shown; ``selection`` the rows that are selected, those
    that the filters hide among them; ``sql`` and ``python`` the code of the filters; ``state`` what makes the same
    picker again, ``doimages.picker(frame, **state)``, or has this one show it, ``picker.state = state``. Each can be
    observed: ``picker.observe(function, "value")``.
    """

    value = FrameTrait(read_only=True)
    selection = FrameTrait(read_only=True)
    sql = traitlets.Unicode(read_only=True)
    python = traitlets.Unicode(read_only=True)
    state = StateTrait()

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        client: "Client | None",
        is_own: bool,
        is_read_only: bool,
        note: str,
        state: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self._client = client
        # Held by who reads: the rows are those of the read that began last.
        self._reading = threading.Lock()
        # Read by the picker itself, and so can be read again.
        self._is_own = is_own
        self._note = note
        self._is_busy = False
        self._lock = threading.RLock()
        self._picking = Picking(frame, **state)
        self._view = PickerView(self._picking, self._hear)
        self._panel: ActionPanel | None = None
        if client is not None and not is_read_only:
            self._panel = ActionPanel(client, self._selected, self._hidden, self._reported, self._tell)
        self._picking.changed = self._changed
        self._changed(frozenset({"rows", "filters", "facets", "selection", "window"}))
        self.show(self._view, *([self._panel.box] if self._panel else []))

    @traitlets.validate("state")
    def _checked(self, proposal: Any) -> dict[str, Any]:
        """Show a state that is set from Python; UsageError for one that is none, and nothing is changed."""
        with self._lock:
            state: dict[str, Any] = proposal["value"]
            if state != self._picking.state:
                self._picking.set(**state)
                state = self._picking.state
            return state

    def snapshot(self, rows: int = 50) -> Snapshot:
        """Give what it shows now as plain HTML and text, which stay as they are; ``rows`` is how many at most."""
        with self._lock:
            return Snapshot.of(self._picking, max(rows, 0))

    def _selected(self) -> pd.DataFrame:
        """Give the selected rows, not while others are put in their place."""
        with self._lock:
            return self._picking.selected

    def _hidden(self) -> int:
        with self._lock:
            return self._picking.hidden

    def _hear(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            if message.get("kind") == "refresh" and self._is_own:
                self._picking.heard(message)
                self._refresh()
            else:
                self._picking.hear(message)

    def _changed(self, changed: frozenset[str]) -> None:
        picking = self._picking
        is_other = bool(changed & {"rows", "filters", "selection"})
        # First, for telling may fail.
        if self._panel is not None and is_other:
            self._panel.withdraw()
        # In one message: an acknowledgement without what it is of would put the screen back.
        self._tell(changed)
        if self._panel is not None and is_other:
            if "rows" in changed:
                self._panel.offer(offers(picking))
            self._panel.draw()
        # Told when all are set: an observer that fails, or looks at another, finds none that is older.
        with self.hold_trait_notifications():
            if changed & {"rows", "filters", "order"}:
                self.set_trait("value", picking.value)
                self.set_trait("sql", self._codes["SQL"])
                self.set_trait("python", self._codes["Python"])
            if changed & {"rows", "selection"}:
                self.set_trait("selection", picking.selected)
            self.set_trait("state", picking.state)

    @property
    def _codes(self) -> dict[str, str]:
        picking = self._picking
        return {one.name: picking.spec.to_code(one, picking.source, picking.sort) for one in LANGUAGES}

    def _tell(self, changed: frozenset[str] = frozenset()) -> None:
        with self._lock:
            codes = {_OF_FILTERS: self._codes}
            if self._panel is not None and self._panel.codes:
                codes[_OF_PLAN] = self._panel.codes
            rest = {"refreshable": self._is_own, "busy": self._is_busy, "note": self._note}
            self._view.tell(changed, rest, codes)

    def _refresh(self) -> None:
        """List the images again."""
        is_first, self._is_busy = not self._is_busy, True
        self._tell()
        if is_first:
            self._start(lambda: read_do_images(client=self._client), is_refresh=True)

    def _reported(self, report: Report) -> None:
        """Keep a report, on the thread that made it: what was done is selected no more, and its rows are read again."""
        shell = get_ipython()
        if shell is not None:
            shell.user_ns[LAST] = report
        told = report.to_frame()
        # What was refused is as it was; a public image is not among those that are read again.
        ids = told["id"][told["outcome"] != words.REFUSED].dropna().astype(int).tolist()
        with self._lock:
            done = told["id"][told["outcome"].isin(words.GOOD)].dropna().astype(int)
            self._picking.selection.select(done, on=False)

        def read() -> pd.DataFrame:
            fresh = read_do_images(private=True, client=self._client)
            return patched(self._picking.rows.frame, fresh, ids)

        self._start(read)
        with self._lock:
            self._changed(frozenset({"selection"}))

    def _start(self, read: Callable[[], pd.DataFrame], *, is_refresh: bool = False) -> None:
        work = threading.Thread(target=self._read, args=(read, is_refresh), name="doimages-picker", daemon=True)
        work.start()

    def _read(self, read: Callable[[], pd.DataFrame], is_refresh: bool) -> None:  # noqa: FBT001 - of a thread
        """Have the rows that a read gives; on a thread, for a kernel that reads in a callback hears no other."""
        with self._reading:
            frame, text = None, ""
            try:
                frame = read()
            except Exception as error:  # noqa: BLE001 - nobody else would show it
                text = f"The images could not be read again, the rows are as they were: {words_of(error)}"
            with self._lock:
                self._is_busy = self._is_busy and not is_refresh
                gone = 0 if frame is None else len(self._picking.replace(frame))
                lost = f"{gone:,} selected {'image is' if gone == 1 else 'images are'} gone." if gone else ""
                self._picking.error = text or lost
                self._tell()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        made = super()._repr_mimebundle_(**kwargs)
        return {**made, "text/plain": repr(self), "text/html": self.snapshot(20)._repr_html_()} if made else made

    def __repr__(self) -> str:
        with self._lock:
            status, spec = self._picking.status, self._picking.spec
        filters = ", ".join(f"{key}={value!r}" for key, value in spec.to_record().items())
        return f"ImagePicker({status}{'; ' if filters else ''}{filters})"


def picker(
    df: pd.DataFrame | None = None,
    *,
    client: "Client | None" = None,
    read_only: bool | None = None,
    **state: Any,
) -> ImagePicker:
    """Pick images on the screen: filters with live counts, a grid, a selection, and what to do with it, by plan.

    Sends what :func:`doimages.read_do_images` does where there is no ``df``, and nothing for a frame. An action reads
    the images anew and makes a :class:`doimages.Plan`; nothing is changed before its words are typed.

    Parameters
    ----------
    df
        A frame of images, one row an image, with an integer ``id``. Without it all images are listed, with a button
        that lists them again.
    client
        A client of :func:`doimages.connect`; the default is one made of the settings, and kept.
    read_only
        True for no actions at all. The default is False, and True for a frame where no token is found, or that was
        read from another endpoint.
    **state
        Filters, ``selected`` and ``sort``, as :attr:`ImagePicker.state` has them: ``name`` (a text, or ``/regex/``),
        ``type``, ``distribution``, ``regions``, ``status``, ``tags``, ``public`` (lists; None for a missing value),
        ``size_gigabytes`` and ``min_disk_size`` in GB and ``monthly_cost`` in US dollars (pairs of the least and the
        most), ``created_at`` (a pair of days in UTC), ``age`` (``">90d"``). Or ``code``, which a picker has shown.

    Returns
    -------
    ImagePicker
        A widget, with ``value``, ``selection``, ``sql``, ``python``, ``state`` and ``snapshot()``.

    Raises
    ------
    UsageError
        If the frame or the state is wrong. Nothing was sent.
    CredentialsError
        If there is no token, and a listing or actions were asked for.

    Examples
    --------
    >>> import doimages
    >>> client = doimages.connect(base_url="sandbox")
    >>> picker = doimages.picker(client=client, type=["snapshot"], age=">90d", sort="-size_gigabytes")
    >>> set(picker.value.type)
    {'snapshot'}
    """
    if not hasattr(pd.DataFrame, "do_images"):
        raise UsageError("a picker needs df.do_images, which is not there: doimages.register(). Nothing was sent.")
    if df is not None and not isinstance(df, pd.DataFrame):
        raise UsageError(f"df is a frame of images, not {type(df).__name__}. Nothing was sent.")
    if df is None:
        Picking(to_frame(to_rows([], IMAGES)), **state)  # refuses a state that is none, before anything is sent
        read = prepare(client=client, default_progress="auto")
        return ImagePicker(
            read.run(), client=read.client, is_own=True, is_read_only=bool(read_only), note="", state=state
        )
    if not hasattr(df, "do_images"):
        raise UsageError("df has no integer column (or index) 'id', so it is no frame of images. Nothing was sent.")
    note = ""
    if not read_only:
        is_asked = read_only is not None or client is not None
        try:
            client = client_of(df, client or shared_client())
        except (CredentialsError, UsageError) as error:
            if is_asked:
                raise
            note = f"No actions: {error}"
    return ImagePicker(df, client=client, is_own=False, is_read_only=bool(read_only), note=note, state=state)
