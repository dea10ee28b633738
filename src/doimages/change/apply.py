"""A plan confirmed and carried out, or taken up again: the one way by which anything is changed."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any

from doimages import progress as bars
from doimages.api.portal import portal
from doimages.change import plans
from doimages.change.application import Application
from doimages.change.folder import journal_path
from doimages.change.journal import History, Journal, JournalError, find_history, read_history, unfinished
from doimages.change.outcome import NOT_STARTED, RUNNING, Result
from doimages.change.period import describe
from doimages.change.plan import Plan
from doimages.change.report import Report
from doimages.errors import NotConfirmedError, UsageError
from doimages.settings import options

if TYPE_CHECKING:
    from doimages.api.client import Client

logger = logging.getLogger("doimages")

# A plan that was begun may be brought to its end for a day on the words it was begun with.
CONFIRMED_FOR = timedelta(hours=24)


def apply_plan(
    plan: Plan,
    confirm: str | None,
    *,
    wait: bool | None = None,
    progress: str | None = None,
    client: "Client | None" = None,
    watch: Callable[[Application], None] | None = None,
) -> Report:
    """Carry a plan out; :meth:`Plan.apply` tells what is sent, given and raised.

    ``watch`` is called before anything is sent, then ten times a second: it may show how far it is, and stop it.
    """
    plan.check_whole()
    client = plans.client_for(plan, client)
    mode = options.resolve("progress", progress).value or "auto"
    begun = read_history(journal_path(plan.id))
    if begun is not None and not begun.is_finished:
        with closing(Journal(plan.id)) as journal:
            journal.open()  # refuses if another process is at it just now
    _refuse_begun(begun)
    _check_words(plan, confirm)
    if plan.is_stale():
        seconds = (datetime.now(UTC) - datetime.fromisoformat(plan.made_at)).total_seconds()
        age = f"was made {describe(seconds)} ago" if seconds > 0 else "is of the future: the clock was set back"
        how = "call what made it again" if plan.notes else "plan.refresh() reads anew"
        raise UsageError(f"plan {plan.id} {age}; {how}. Nothing was sent.")
    waits = _check_wait(plan, wait)
    journal = Journal(plan.id)
    try:
        journal.open()
        _refuse_begun(journal.read())
        return _carry_out(Application(plan, client, journal, waits=waits), journal, mode, watch)
    finally:
        journal.close()


def resume(
    plan_id: str,
    *,
    confirm: str | None = None,
    wait: bool | None = None,
    progress: str | None = None,
    client: "Client | None" = None,
) -> Report:
    """Bring a plan to its end that was interrupted, paused, or lost with its process.

    Sends what :meth:`Plan.apply` does: first it looks what became of each request whose reply was lost, then it sends
    what was not sent; nothing is sent twice that may have been carried out. With nothing left to do it sends nothing,
    and gives the report.

    Parameters
    ----------
    plan_id
        The id of the plan: eight hex digits.
    confirm
        The plan's words again, for one that was made more than a day ago.
    wait
        Wait until actions and imports have ended.
    progress
        ``"auto"``, ``"bar"``, ``"text"`` or ``"off"``; the default is auto.
    client
        A client of the same endpoint and account.

    Returns
    -------
    Report
        Of the whole plan, what was done before included.

    Raises
    ------
    UsageError
        If there is no journal of that plan, it was edited, another process has it, or it is of another account.
    NotConfirmedError
        If it is more than a day old, and its words are missing.

    Examples
    --------
    >>> import doimages
    >>> doimages.resume("3f9a12c4")
    Traceback (most recent call last):
    doimages.errors.UsageError: no plan '3f9a12c4' was applied here; unfinished are none. Nothing was sent.
    """
    return resume_plan(plan_id, confirm=confirm, wait=wait, progress=progress, client=client)


def resume_plan(
    plan_id: str,
    *,
    confirm: str | None = None,
    wait: bool | None = None,
    progress: str | None = None,
    client: "Client | None" = None,
    watch: Callable[[Application], None] | None = None,
) -> Report:
    """Do what :func:`resume` tells, and let ``watch`` see it as :func:`apply_plan` does."""
    history = find_history(plan_id)
    plan = history.plan
    waits = _check_wait(plan, wait)
    if history.is_finished and not (waits and any(one.outcome == RUNNING for one in history.results.values())):
        return _report(plan, history.results, None, is_finished=True)
    client = plans.client_for(plan, client)
    if abs(datetime.now(UTC) - datetime.fromisoformat(plan.made_at)) > CONFIRMED_FOR:
        _check_words(plan, confirm)
    mode = options.resolve("progress", progress).value or "auto"
    journal = Journal(plan_id)
    try:
        journal.open()
        again = journal.read() or history
        return _carry_out(Application(plan, client, journal, again, waits=waits), journal, mode, watch)
    finally:
        journal.close()


def _carry_out(
    application: Application,
    journal: Journal,
    mode: str,
    watch: Callable[[Application], None] | None = None,
) -> Report:
    plan = application.plan
    if watch is not None:
        watch(application)
    portal.wait(application.prepare())
    with _interruptible(application):
        try:
            if not application.is_resumed:
                journal.write("plan", plan=plan.to_record())
            journal.write("confirm", words=plan.confirmation, pid=os.getpid())
        except JournalError as error:
            raise UsageError(f"{error}: no journal, no changes. Nothing was changed.") from None
        with bars.show(mode, label=plan.operation) as tick:

            def show() -> None:
                try:
                    if tick is not None:
                        tick(application.rows_read, application.total, application.note)
                    if watch is not None:
                        watch(application)
                except Exception:
                    logger.exception("showing how far plan %s is", plan.id)  # it goes on all the same

            portal.wait(application.run(), show)
        is_finished = application.is_finished
        try:
            journal.write("end", stopped=application.stopped, is_finished=is_finished)
        except JournalError as error:
            application.stop(str(error))
            is_finished = False
    return _report(plan, application.results, application.stopped, is_finished=is_finished)


def _report(plan: Plan, results: dict[int, Result], stopped: str | None, *, is_finished: bool) -> Report:
    return Report(
        plan=plan,
        results=tuple(
            results.get(step.number) or Result(number=step.number, outcome=NOT_STARTED) for step in plan.steps
        ),
        stopped=stopped,
        journal=str(journal_path(plan.id)),
        is_finished=is_finished,
    )


def _check_wait(plan: Plan, wait: Any) -> bool:
    if wait is not None and not isinstance(wait, bool):
        raise UsageError(f"wait must be True or False, not {wait!r}. Nothing was sent.")
    return plan.waits if wait is None else wait


def _check_words(plan: Plan, confirm: str | None) -> None:
    if confirm != plan.confirmation:
        tried = "" if confirm is None else f"{confirm!r} does not confirm plan {plan.id}. "
        raise NotConfirmedError(
            f"{tried}To carry plan {plan.id} out, pass confirm={plan.confirmation!r}. Nothing was sent.", plan=plan
        )


def _refuse_begun(history: History | None) -> None:
    if history is None:
        return
    if history.is_finished:
        at = "" if history.ended_at is None else f" at {datetime.fromisoformat(history.ended_at):%Y-%m-%d %H:%M} UTC"
        raise UsageError(f"plan {history.plan.id} was applied already{at}: {history.summary()}. Nothing was sent.")
    raise UsageError(
        f"plan {history.plan.id} was begun: {history.summary()}. doimages.resume({history.plan.id!r}) goes on. "
        "Nothing was sent."
    )


@contextmanager
def _interruptible(application: Application) -> Iterator[None]:
    """Have Ctrl-C end the plan after what is under way, and a second one at once; only the main thread gets signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    presses = 0

    def on_press(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is Python's
        nonlocal presses
        presses += 1
        if presses == 1:
            application.stop()
        else:
            application.cut()

    before = signal.signal(signal.SIGINT, on_press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def tell_unfinished() -> list[str]:
    """Say, a line each, which plans were begun here and not brought to an end."""
    return [f"unfinished: {one.plan.id} {one.summary()}: doimages.resume({one.plan.id!r})" for one in unfinished()]
