"""The account as it was last looked at while a plan is carried out: whose it is, and how old the rows are."""

import asyncio
import time
from collections.abc import Callable, Sequence

from doimages.api.client import Client
from doimages.api.pacing import WINDOW_SECONDS
from doimages.change.carrying import StopError, reason_of
from doimages.change.guards import check_count
from doimages.change.plan import Plan
from doimages.change.scene import Scene, look
from doimages.change.step import Step
from doimages.errors import DOImagesError, UsageError
from doimages.settings import options

# How old the rows may be that a request was last checked against.
FRESH_SECONDS = 60.0
# How long they may be used all the same once they are there, where reading them took longer than that.
SLACK_SECONDS = 5.0


class Lookout:
    """Reads the images that a plan is about, and reads them again when they are old."""

    def __init__(self, plan: Plan, client: Client, clock: Callable[[], float]) -> None:
        self.scene = Scene({}, {})
        self._plan = plan
        self._client = client
        self._clock = clock
        self._looking = asyncio.Lock()
        self._looked_at = 0.0

    async def prepare(self, steps: Sequence[Step], *, is_resumed: bool) -> None:
        """Look for the first time, and refuse what was planned for another account, or goes too far now.

        Raises UsageError; nothing is changed.
        """
        plan = self._plan
        try:
            await self._look(steps, with_account=True)
        except DOImagesError as error:
            error.add("Nothing was changed.")
            raise
        self._check_account()
        lost = [image_id for image_id in plan.keeps if image_id not in self.scene.images]
        if lost:
            raise UsageError(f"image {lost[0]}, which was to be kept, is gone: plan anew. Nothing was changed.")
        if not is_resumed and plan.operation != "create":
            check_count(plan.rule, len(plan.steps), plan.count, len(self.scene.images), plan.guards)

    def _check_account(self) -> None:
        planned, found = self._plan.account, self.scene.account
        if planned is None and found is not None:
            raise UsageError(
                f"planned by a token without account:read; this one is of {found.name}, and whether that is the same "
                "account cannot be told: plan anew. Nothing was changed."
            )
        if planned is not None and (found is None or not found.is_same(planned)):
            whose = "its account cannot be told: no account:read" if found is None else f"it is of {found.name}"
            raise UsageError(f"planned for {planned.name}; this is another token: {whose}. Nothing was changed.")

    async def refresh(self, steps: Sequence[Step]) -> None:
        """Look again, if nobody else has meanwhile; raises StopError if that fails."""
        async with self._looking:
            if self.is_old():
                try:
                    await self._look(steps)
                except DOImagesError as error:
                    raise StopError(f"the images could not be read again: {reason_of(error)}") from None

    def is_old(self) -> bool:
        """Tell whether the rows are too old for a request to be checked against."""
        if self._plan.operation == "create":
            return False
        now, scene = self._clock(), self.scene
        # Reading may take longer than rows are fresh, or all that a minute allows: else nothing would ever be sent.
        is_large = 2 * scene.requests > int(options.requests_per_minute)
        slack = SLACK_SECONDS + (WINDOW_SECONDS if is_large else 0)
        # A machine that slept does not count it on a monotonic clock.
        has_slept = time.time() - self._looked_at > FRESH_SECONDS + slack
        return has_slept or (now - scene.began_at > FRESH_SECONDS and now - scene.ended_at > slack)

    async def _look(self, steps: Sequence[Step], *, with_account: bool = False) -> None:
        ids = [step.image.id for step in steps if step.image]
        with_uses = self._plan.rule.takes_away and self._plan.guards.in_use == "refuse"
        scene = await look(self._client, ids, with_account=with_account, with_uses=with_uses, clock=self._clock)
        if with_uses and scene.uses is None:
            raise UsageError("planned with in_use='refuse', and this token lacks the scope droplet:read.")
        self.scene, self._looked_at = scene, time.time()
