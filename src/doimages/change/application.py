"""A plan being carried out: its steps side by side, each checked and on disk before it is sent."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from doimages.api.client import Client
from doimages.api.listing import do_all
from doimages.change.carrying import LOOKS, Carrying, StopError, UnreadableError, reason_of
from doimages.change.creation import Creation
from doimages.change.journal import History, Journal, JournalError
from doimages.change.ledger import Ledger
from doimages.change.lookout import Lookout
from doimages.change.outcome import Result
from doimages.change.pace import Pace
from doimages.change.plan import Plan
from doimages.change.recheck import recheck
from doimages.change.step import Step
from doimages.change.waiting import Wait
from doimages.change.ways import way_of
from doimages.errors import DOImagesError
from doimages.settings import options

logger = logging.getLogger("doimages")

# Requests under way at once: the rate limit, not their number, is what holds a plan up.
LANES = 16
NAP_SECONDS = 1.0


class _LeftAloneError(Exception):
    """Some steps are not to be sent any more; their results say why."""

    def __init__(self, results: Sequence[Result]) -> None:
        super().__init__()
        self.results = list(results)


class Application:
    """One plan at work, on the client's loop; it can be asked to stop from any thread."""

    def __init__(
        self,
        plan: Plan,
        client: Client,
        journal: Journal,
        history: History | None = None,
        *,
        waits: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.plan = plan
        self.ledger = Ledger(plan, journal, history)
        self.stopped: str | None = None
        self._holdup = ""
        self.is_resumed = history is not None
        self._client = client
        self._waits = waits
        self._clock = clock
        self._sleep = sleep
        self._way = way_of(plan)
        self._pace = Pace(client, clock)
        self._lookout = Lookout(plan, client, clock)
        self._work: asyncio.Task[None] | None = None

    @property
    def results(self) -> dict[int, Result]:
        """What became of the steps, by their numbers."""
        return self.ledger.results

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to be sent, or to be looked for."""
        return self.ledger.is_finished

    @property
    def rows_read(self) -> int:
        """How many steps are over: what a bar shows."""
        return len(self.ledger.results)

    @property
    def total(self) -> int:
        """How many steps there are."""
        return len(self.plan.steps)

    @property
    def note(self) -> str:
        """What holds it up, and how long it takes by the rate limit: what a bar shows beside its own figures."""
        left, limit = self.total - self.rows_read, int(options.requests_per_minute)
        time_left = f"about {math.ceil(left / limit)} min left" if left > limit else ""
        return ", ".join(filter(None, (self._holdup, time_left)))

    def stop(self, reason: str = "interrupted") -> None:
        """Begin no more requests; those under way end. From any thread."""
        self.stopped = self.stopped or reason
        self._holdup = "ending after the requests under way; interrupt again to end at once"

    def cut(self) -> None:
        """End now: what is under way is in doubt. From any thread."""
        self.stop()
        if self._work is not None:
            self._work.get_loop().call_soon_threadsafe(self._work.cancel)

    async def prepare(self) -> None:
        """Look at the account, and refuse what was planned for another; nothing is changed. Raises UsageError."""
        await self._lookout.prepare(self.ledger.unsettled, is_resumed=self.is_resumed)

    async def run(self) -> None:
        """Carry out what is open; raises nothing for what the API answers: the results tell."""
        self._work = asyncio.ensure_future(self._do())
        try:
            await asyncio.wait([self._work])
        except asyncio.CancelledError:
            # Whoever waited is gone: no request may outlive its journal.
            self._work.cancel()
            await asyncio.wait([self._work])
            raise
        self.ledger.close(self.stopped)

    async def _do(self) -> None:
        try:
            await self._settle()
            await self._send_all()
            if self._waits:
                await self._wait_for_all()
        except JournalError as error:
            self.stop(str(error))
        except Exception as error:
            # Whatever it is, the report of what was done must not be lost with it.
            logger.exception("plan %s", self.plan.id)
            self.stop(f"{type(error).__name__}: {error}")

    # What was sent before, and is not known to have been done

    async def _settle(self) -> None:
        await self._side_by_side(self._groups(self.ledger.lost(self.plan.steps)), self._settle_group)

    async def _settle_group(self, steps: list[Step]) -> None:
        # What may be sent again is looked for once: a second DELETE of what is gone does no harm.
        looks = 1 if self._way.may_resend else LOOKS
        try:
            absent = await self._carrying(steps).look(steps, self.ledger.since(steps), looks=looks)
            if self._way.may_resend:
                self.ledger.withdraw(absent)
            else:
                for step in absent:
                    told = await self._way.conclude(self._client, step, self.ledger.since([step]))
                    self.ledger.finish([step], [told])
        except (UnreadableError, DOImagesError) as error:
            self.ledger.doubt(steps, reason_of(error))

    async def _side_by_side(
        self, groups: list[list[Step]], work: Callable[[list[Step]], Coroutine[Any, Any, None]]
    ) -> None:
        """Do the work for some groups at once, and begin no more of it once this is stopped."""
        waiting = iter(groups)

        async def lane() -> None:
            for group in waiting:
                if self.stopped:
                    return
                await work(group)

        await do_all(lane() for _ in range(LANES))

    # Sending

    async def _send_all(self) -> None:
        ledger = self.ledger
        if isinstance(self._way, Creation):
            # A plan that was saved may have been carried out on another machine.
            made = [self._way.made(step, self._lookout.scene.images.values()) for step in ledger.unsettled]
            ledger.finish(self.plan.steps, [result for result in made if result is not None])
        waiting = [step for step in ledger.unsettled if step.number not in ledger.intents]
        for step in waiting:
            ledger.results.pop(step.number, None)
        waiting.sort(key=lambda step: str(step.fields.get("tag")))
        await self._side_by_side(self._groups(waiting), self._send)

    def _groups(self, steps: Sequence[Step]) -> list[list[Step]]:
        groups: list[list[Step]] = []
        for step in steps:
            is_full = not groups or len(groups[-1]) >= self._way.batch
            if is_full or groups[-1][0].fields.get("tag") != step.fields.get("tag"):
                groups.append([step])
            else:
                groups[-1].append(step)
        return groups

    async def _send(self, steps: list[Step]) -> None:
        while steps and not self.stopped:
            try:
                await self._send_once(steps)
            except StopError as stop:
                self.stop(str(stop))
            except JournalError as error:
                self.stop(str(error))
            steps = [step for step in steps if self.ledger.is_open(step)]

    async def _send_once(self, steps: list[Step]) -> None:
        try:
            await self._carrying(steps).carry_out(steps, partial(self.ledger.since, steps))
        except _LeftAloneError as left:
            await self._look_back(self.ledger.lost(steps))
            still_open = {step.number for step in steps if self.ledger.is_open(step)}
            self.ledger.finish(steps, [result for result in left.results if result.number in still_open])
        except UnreadableError as error:
            self.ledger.doubt(steps, str(error))

    async def _look_back(self, steps: list[Step]) -> None:
        """Look once for steps that were sent and will not be sent again: what they say now is not the whole of it."""
        if steps:
            carrying = self._carrying(steps)
            try:
                absent = await carrying.look(steps, self.ledger.since(steps), looks=1)
                if self._way.may_resend:
                    self.ledger.withdraw(absent)
                else:
                    carrying.give_up(absent)
            except UnreadableError as error:
                self.ledger.doubt(steps, str(error))

    def _carrying(self, steps: Sequence[Step]) -> Carrying:
        return Carrying(self._way, self._asking, self._client, self._sleep, partial(self.ledger.finish, steps))

    def _asking(self, steps: Sequence[Step]) -> Client:
        return self._client.asking(partial(self._before, steps), partial(self.ledger.take, steps))

    async def _before(self, steps: Sequence[Step], earlier: bool | None) -> None:  # noqa: FBT001 - as BeforeSend has it
        """Wait for a place, check the rows once more, and put the intent on disk: then the request goes out at once.

        ``earlier`` tells whether an attempt before this one may have been carried out.
        """
        if earlier is False:
            self.ledger.withdraw(steps)
        while True:
            if self.stopped:
                raise _LeftAloneError([])
            pause = self._pace.seconds_to_place()
            self._holdup = f"rate limit: going on in {pause:.0f} s" if pause > NAP_SECONDS else ""
            if pause > 0:
                await self._sleep(min(pause, NAP_SECONDS))
            elif self._lookout.is_old():
                await self._lookout.refresh(self.ledger.unsettled)
            else:
                break
        scene, intents = self._lookout.scene, self.ledger.intents
        checked = (recheck(self.plan, step, scene, is_sent=step.number in intents) for step in steps)
        left = [result for result in checked if result is not None]
        if left:
            raise _LeftAloneError(left)
        self.ledger.intend(steps)
        self._pace.book()

    # What the API has only begun

    async def _wait_for_all(self) -> None:
        client = self._client.asking(self._unless_stopped, lambda _: None)
        wait = Wait(client, self._clock, self._sleep, lambda: self.stopped is not None)

        async def follow(step: Step) -> None:
            with contextlib.suppress(StopError):
                ended = await wait.until_ended(step, self.ledger.results[step.number])
                self.ledger.finish([step], [ended])

        await do_all(follow(step) for step in self.ledger.running)

    async def _unless_stopped(self, _: bool | None) -> None:  # noqa: FBT001 - as BeforeSend has it
        if self.stopped:
            raise StopError(self.stopped)
