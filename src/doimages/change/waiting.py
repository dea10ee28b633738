"""Waiting for what the API only began: actions and imports, until they end one way or the other, or time is up."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from doimages.api.client import Client
from doimages.change import outcome as words
from doimages.change.creation import of_import
from doimages.change.outcome import Result
from doimages.change.step import Step
from doimages.change.way import id_of
from doimages.change.ways import of_action
from doimages.errors import APIError, DecodeError, NotFoundError, ServerError, TransportError

# Large images take more than twenty minutes to transfer (packer-plugin issue 129); terraform waits an hour for imports.
LIMIT_SECONDS = 3600.0
# A new action or image may be a 404 for a while: terraform's util/action.go, "a hack around DO API strangeness".
EARLY_SECONDS = 60.0
FIRST_SECONDS, MOST_SECONDS, GROWTH, NAP_SECONDS = 1.0, 30.0, 1.5, 1.0


@dataclass(frozen=True, slots=True)
class Wait:
    """How to wait: who asks, and by which clock."""

    client: Client
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    is_stopped: Callable[[], bool] = lambda: False

    async def until_ended(self, step: Step, result: Result) -> Result:
        """Ask until a step that is running has ended; it is still running if an hour was not enough."""
        if step.image is not None and result.action_id is None:
            return replace(result, message=f"{result.message}; the API gave no id to ask for")
        began, pause = self.clock(), FIRST_SECONDS
        while not self.is_stopped():
            try:
                found = await self._look(step, result)
            except NotFoundError as error:
                if self.clock() - began > EARLY_SECONDS:
                    return replace(result, outcome=words.FAILED, message=f"it is gone: {error}", status=error.status)
            except (TransportError, ServerError, DecodeError) as error:
                result = replace(result, message=f"it could not be asked for: {error}")
            except APIError as error:
                return replace(result, message=f"it cannot be asked for: {error}", status=error.status)
            else:
                result = replace(
                    found,
                    tries=result.tries,
                    status=result.status,
                    request_id=result.request_id,
                    before=result.before,
                    started_at=result.started_at,
                )
                if result.outcome != words.RUNNING:
                    return result
            if self.clock() - began > LIMIT_SECONDS:
                return replace(result, message=f"{result.message}; it has not ended in an hour: resume waits on")
            await self._pause(pause)
            pause = min(MOST_SECONDS, pause * GROWTH)
        return result

    async def _pause(self, seconds: float) -> None:
        """Wait in naps, so that a stop is heard."""
        end = self.clock() + seconds
        while not self.is_stopped() and (left := end - self.clock()) > 0:
            await self.sleep(min(left, NAP_SECONDS))

    async def _look(self, step: Step, result: Result) -> Result:
        if step.image is None:
            return of_import(step, await self.client.image(result.image_id or 0))
        return of_action(step, await self.client.image_action(id_of(step), result.action_id or 0))
