"""One bar for a long read: silent for a second, gone when it ends, off where nobody looks."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

SILENT_SECONDS = 1.0
# Set by CI, pytest and papermill: a bar there is noise in a log.
_UNWATCHED = ("CI", "PYTEST_CURRENT_TEST", "PAPERMILL_OUTPUT_PATH")


class Tick(Protocol):
    """Shows how far something is."""

    def __call__(self, rows: int, total: int | None, note: str = "") -> None:
        """Take rows so far, how many there will be, and what holds it up."""


@contextmanager
def show(mode: str, clock: Callable[[], float] = time.monotonic, label: str = "images") -> Iterator[Tick | None]:
    """Give a function to call with rows read and their total; None if nothing is to be shown.

    ``bar`` is a widget in a notebook and a line elsewhere, ``text`` a line, ``auto`` a bar where a person looks.
    """
    if mode == "off" or (mode == "auto" and not _is_watched()):
        yield None
        return
    started = clock()
    bars: list[Any] = []

    def tick(rows: int, total: int | None, note: str = "") -> None:
        if not bars and clock() - started >= SILENT_SECONDS:
            bars.append(_bar(mode, label))
        for bar in bars:
            bar.total = total
            bar.n = rows
            bar.set_postfix_str(note, refresh=False)
            bar.refresh()

    try:
        yield tick
    finally:
        # Where a bar was drawn there may be nothing any more; what it was about is not to be lost with it.
        with suppress(Exception):
            for bar in bars:
                bar.total = None  # tqdm's widget takes an end before the total for a failure, and stays there in red
                bar.close()


def _bar(mode: str, label: str) -> Any:
    if mode == "text":
        from tqdm.std import tqdm
    else:
        from tqdm.auto import tqdm
    return tqdm(desc=label, unit="", leave=False, file=sys.stderr)


def _is_watched() -> bool:
    return not any(os.environ.get(name) for name in _UNWATCHED) and ("ipykernel" in sys.modules or sys.stderr.isatty())
