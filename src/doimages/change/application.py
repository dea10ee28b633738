"""A plan being carried out: its steps side by side, each checked and on disk before it is sent."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from doimages.api.client import Client
from doimages.api.listing import do_all
from doimages.api.pacing import WINDOW_SECONDS
from doimages.change.carrying import LOOKS, Carrying, StopError, UnreadableError
from doimages.change.creation import Creation
from doimages.change.guards import check_count
from doimages.change.journal import History, Journal, JournalError
from doimages.change.ledger import Ledger
from doimages.change.outcome import Result
from doimages.change.pace import Pace
from doimages.change.plan import Plan
from doimages.change.recheck import recheck
from doimages.change.scene import Scene, look
from doimages.change.step import Step
from doimages.change.waiting import Wait
from doimages.change.ways import way_of
from doimages.errors import DOImagesError, UsageError
from doimages.settings import options

logger = logging.getLogger("doimages")

# Requests under way at once: the rate limit, not their number, is what holds a plan up.
LANES = 16
# How old the rows may be that a request was last checked against.
FRESH_SECONDS = 60.0
# How long they may be used all the same once they are there, where reading them took longer than that.
SLACK_SECONDS = 5.0
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
        self._scene = Scene({}, {})
        self._looking = asyncio.Lock()
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
        plan = self.plan
        try:
            self._scene = await self._look(with_account=True)
        except DOImagesError as error:
            error.add("Nothing was changed.")
            raise
        planned, found = plan.account, self._scene.account
        is_same = found is not None and planned is not None and found.is_same(planned)
        if planned is not None and not is_same:
            whose = "its account cannot be told: no account:read" if found is None else f"it is of {found.name}"
            raise UsageError(f"planned for {planned.name}; this is another token: {whose}. Nothing was changed.")
        lost = [image_id for image_id in plan.keeps if image_id not in self._scene.images]
        if lost:
            raise UsageError(f"image {lost[0]}, which was to be kept, is gone: plan anew. Nothing was changed.")
        if not self.is_resumed and plan.operation != "create":
            check_count(plan.rule, len(plan.steps), plan.count, len(self._scene.images), plan.guards)

    async def run(self) -> None:
        """Carry out what is open; raises nothing for what the API answers: the results tell."""
        self._work = asyncio.ensure_future(self._do())
        await asyncio.wait([self._work])
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

    async def _look(self, *, with_account: bool = False) -> Scene:
        ids = [step.image.id for step in self.ledger.unsettled if step.image]
        with_uses = self.plan.rule.takes_away and self.plan.guards.in_use == "refuse"
        scene = await look(self._client, ids, with_account=with_account, with_uses=with_uses, clock=self._clock)
        if with_uses and scene.uses is None:
            raise UsageError("planned with in_use='refuse', and this token lacks the scope droplet:read.")
        return scene

    # What was sent before, and is not known to have been done

    async def _settle(self) -> None:
        await self._side_by_side(self._groups(self.ledger.sent), self._settle_group)

    async def _settle_group(self, steps: list[Step]) -> None:
        # What may be sent again is looked for once: a second DELETE of what is gone does no harm.
        looks = 1 if self._way.may_resend else LOOKS
        try:
            absent = await self._carrying(steps).look(steps, self.ledger.since(steps), looks=looks)
        except UnreadableError as error:
            self.ledger.doubt(steps, str(error))
            return
        for step in absent:
            if self._way.may_resend:
                del self.ledger.intents[step.number]
            else:
                self.ledger.finish([step], [self._way.absent(step)])

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
            made = [self._way.made(step, self._scene.images.values()) for step in ledger.unsettled]
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
                await self._carrying(steps).carry_out(steps, partial(self.ledger.since, steps))
            except _LeftAloneError as left:
                self.ledger.finish(steps, left.results)
            except UnreadableError as error:
                self.ledger.doubt(steps, str(error))
            except StopError as stop:
                self.stop(str(stop))
            except JournalError as error:
                self.stop(str(error))
            steps = [step for step in steps if self.ledger.is_open(step)]

    def _carrying(self, steps: Sequence[Step]) -> Carrying:
        return Carrying(self._way, self._asking, self._client, self._sleep, partial(self.ledger.finish, steps))

    def _asking(self, steps: Sequence[Step]) -> Client:
        return self._client.asking(partial(self._before, steps), partial(self.ledger.take, steps))

    async def _before(self, steps: Sequence[Step]) -> None:
        """Wait for a place, check the rows once more, and put the intent on disk: then the request goes out at once."""
        while True:
            if self.stopped:
                raise _LeftAloneError([])
            pause = self._pace.seconds_to_place()
            self._holdup = f"rate limit: going on in {pause:.0f} s" if pause > NAP_SECONDS else ""
            if pause > 0:
                await self._sleep(min(pause, NAP_SECONDS))
            elif self._is_old():
                await self._refresh()
            else:
                break
        checked = (recheck(self.plan, step, self._scene, is_sent=step.number in self.ledger.intents) for step in steps)
        left = [result for result in checked if result is not None]
        if left:
            raise _LeftAloneError(left)
        self.ledger.intend(steps)
        self._pace.book()

    def _is_old(self) -> bool:
        if self.plan.operation == "create":
            return False
        now, scene = self._clock(), self._scene
        # Reading may take longer than rows are fresh, or all that a minute allows: else nothing would ever be sent.
        is_large = 2 * scene.requests > int(options.requests_per_minute)
        slack = SLACK_SECONDS + (WINDOW_SECONDS if is_large else 0)
        return now - scene.began_at > FRESH_SECONDS and now - scene.ended_at > slack

    async def _refresh(self) -> None:
        async with self._looking:
            if self._is_old():
                try:
                    self._scene = await self._look()
                except DOImagesError as error:
                    raise StopError(f"the images could not be read again: {error}") from None

    # What the API has only begun

    async def _wait_for_all(self) -> None:
        wait = Wait(self._client, self._clock, self._sleep, lambda: self.stopped is not None)

        async def follow(step: Step) -> None:
            ended = await wait.until_ended(step, self.ledger.results[step.number])
            self.ledger.finish([step], [ended])

        await do_all(follow(step) for step in self.ledger.running)
