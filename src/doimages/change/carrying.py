"""One request of a plan, start to finish: sent, and looked for if its reply was lost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from doimages.api.client import Client
from doimages.change import outcome as words
from doimages.change.outcome import Result
from doimages.change.step import Step
from doimages.change.way import Way
from doimages.errors import (
    APIError,
    AuthenticationError,
    DecodeError,
    DOImagesError,
    ForbiddenError,
    RateLimitError,
    ServerError,
    TransportError,
)

# How often what was sent is looked for, and the seconds between: what is new may not be seen at once.
LOOKS = 3
LOOK_SECONDS = 2.0
_UNSURE = frozenset({408, 425})


class StopError(Exception):
    """Nothing more may be sent, for a reason that holds for all steps."""


class UnreadableError(Exception):
    """Steps that may have been carried out could not be looked for."""


@dataclass(frozen=True, slots=True)
class Carrying:
    """How steps are carried out: their way, the client, and how to wait.

    ``asking`` gives, for some steps, a client that asks before each try whether they may be sent; ``tell`` takes what
    became of steps as soon as that is known.
    """

    way: Way
    asking: Callable[[Sequence[Step]], Client]
    client: Client
    sleep: Callable[[float], Awaitable[None]]
    tell: Callable[[Sequence[Result]], None]

    async def carry_out(self, steps: Sequence[Step], since: Callable[[], str]) -> None:
        """Send one request for some steps; ``since`` tells when the first try went out.

        Raises StopError for what ends the plan, UnreadableError if what was lost could not be looked for.
        """
        sent = 0
        while steps:
            sent += 1
            try:
                self.tell(await self.way.send(self.asking(steps), steps))
            except (APIError, TransportError, DecodeError) as error:
                if not _is_in_doubt(error):
                    await self._refused(steps, error, since, was_sent=sent > 1)
                    return
                may_resend = sent < self.way.sends(error)
                steps = await self.look(steps, since(), error, looks=1 if may_resend else LOOKS)
                if not may_resend:
                    self.give_up(steps, error)
                    return
            else:
                return

    async def look(
        self, steps: Sequence[Step], since: str, error: Exception | None = None, looks: int = LOOKS
    ) -> list[Step]:
        """Look for steps that may have been carried out, and give those that were not, as far as can be seen."""
        waiting = list(steps)
        for looked in range(1, looks + 1):
            try:
                found = await self.way.find(self.client, waiting, since)
            except DOImagesError as problem:
                raise UnreadableError(f"it was sent, and could not be read back: {reason_of(problem)}") from problem
            self.tell([_told(one, error) for one in found if one is not None])
            waiting = [step for step, one in zip(waiting, found, strict=True) if one is None]
            if not waiting or looked == looks:
                break
            await self.sleep(LOOK_SECONDS * looked)
        return waiting

    def give_up(self, steps: Sequence[Step], error: Exception | None = None) -> None:
        """Say of steps that were looked for and not found what that means, or leave them to be looked for once more."""
        results = [_told(self.way.absent(step), error) for step in steps]
        self.tell([one for one in results if one.outcome != words.IN_DOUBT])
        doubtful = [one for one in results if one.outcome == words.IN_DOUBT]
        if doubtful:
            raise UnreadableError(doubtful[0].message)

    async def _refused(
        self, steps: Sequence[Step], error: Exception, since: Callable[[], str], *, was_sent: bool
    ) -> None:
        if not isinstance(error, APIError) or isinstance(error, (AuthenticationError, RateLimitError)):
            # Never sent, or refused before anything was done: so will the others be.
            reason = pause_of(error.retry_after) if isinstance(error, RateLimitError) else reason_of(error)
            results = [Result(number=step.number, outcome=words.NOT_STARTED, message=reason) for step in steps]
            self.tell([_told(one, error) for one in results])
            raise StopError(reason)
        if len(steps) > 1:
            # One of many may be what it refuses; none was changed.
            self.tell([Result(number=step.number, outcome=words.NOT_STARTED) for step in steps])
            for step in steps:
                await self.carry_out([step], since)
            return
        result = _told(self.way.refused(steps[0], error), error)
        if was_sent and result.outcome == words.GONE:
            result = replace(result, outcome=words.DONE, message="an earlier try had done it")
        self.tell([result])
        if isinstance(error, ForbiddenError):
            raise StopError(reason_of(error))


def reason_of(error: Exception) -> str:
    """Give an error's message without what it says of its own request alone: others may have changed something."""
    text = str(error)
    for closing in (" Nothing was changed.", " Nothing was sent."):
        text = text.removesuffix(closing)
    return text


def pause_of(seconds: float | None) -> str:
    """Say when to go on after the rate limit."""
    at = datetime.now(UTC) + timedelta(seconds=3600 if seconds is None else min(seconds, 86_400))
    return f"the rate limit of this token is used up: resume after {at:%H:%M} UTC"


def _is_in_doubt(error: DOImagesError) -> bool:
    """Tell whether a request may have been carried out though it brought no good reply."""
    if error.may_be_done:
        return True
    if isinstance(error, TransportError):
        return error.in_doubt
    # A good status with a body that cannot be read: it was most likely done.
    is_unsure = isinstance(error, (ServerError, DecodeError)) or error.status in _UNSURE
    return is_unsure and error.status != 501  # noqa: PLR2004 - the API cannot do it, so it has not


def _told(result: Result, error: Exception | None) -> Result:
    """Add the status and request id of the answer that led to it."""
    status, request_id = getattr(error, "status", None), getattr(error, "request_id", None)
    return replace(result, status=status or result.status, request_id=request_id or result.request_id)
