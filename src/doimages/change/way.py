"""What a way of sending steps is, and what those that send one request a step have in common."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from doimages.api.client import Client
from doimages.api.listing import Reading
from doimages.change import outcome as words
from doimages.change.image import Image
from doimages.change.outcome import Result
from doimages.change.step import Step
from doimages.errors import APIError, NotFoundError
from doimages.schema import IMAGES
from doimages.table.filters import Filters
from doimages.table.read import read_rows

# How far the server's clock may be behind ours.
SKEW = timedelta(minutes=2)


class Way(Protocol):
    """How the steps of a plan are sent; ``batch`` is how many go in one request."""

    batch: int
    # Whether one that was sent, and was seen not to be done, may be sent again.
    may_resend: bool

    def sends(self, error: Exception) -> int:
        """Give how often a step is sent at most, if it failed so and was seen not to be done."""

    async def send(self, client: Client, steps: Sequence[Step]) -> list[Result]:
        """Send one request for some steps."""

    def refused(self, step: Step, error: APIError) -> Result:
        """Say what the answer of the API means for a step."""

    async def find(self, client: Client, steps: Sequence[Step], since: str) -> list[Result | None]:
        """Look whether steps that may have been sent were carried out; None for one that was not, as far as is seen."""

    def absent(self, step: Step) -> Result:
        """Say what it means that a step was looked for and not found; what is in doubt, resume looks for again."""

    async def conclude(self, client: Client, step: Step, since: str) -> Result:
        """Say what it means that a step was looked for by resume, and not found."""


class Single:
    """A way that sends a request a step."""

    batch = 1
    may_resend = False

    def sends(self, error: Exception) -> int:  # noqa: ARG002 - as the others
        """Give how often it is sent at most."""
        return 1

    def refused(self, step: Step, error: APIError) -> Result:
        """Say what the API's answer means."""
        gone = " It is gone." if isinstance(error, NotFoundError) else ""
        return Result(number=step.number, outcome=words.FAILED, message=f"{error}{gone}")

    async def find(self, client: Client, steps: Sequence[Step], since: str) -> list[Result | None]:
        """Look for steps that may have been carried out."""
        return [await self.find_one(client, step, since) for step in steps]

    async def find_one(self, client: Client, step: Step, since: str) -> Result | None:
        """Look for one that may have been carried out."""
        raise NotImplementedError

    async def conclude(self, client: Client, step: Step, since: str) -> Result:  # noqa: ARG002 - as the others
        """Say what it means that resume has not found it."""
        return self.absent(step)

    def absent(self, step: Step) -> Result:
        """Say what it means that it was not found."""
        message = f"{step.title} still shows as it was: no reply came, and the change was not seen."
        return Result(number=step.number, outcome=words.FAILED, message=message)


def id_of(step: Step) -> int:
    """Give the id of a step's image; only a create has none."""
    assert step.image_id is not None  # noqa: S101 - a plan has images, or creates
    return step.image_id


async def read_images(client: Client, filters: Filters) -> list[Image]:
    """Read a listing."""
    listing = await read_rows(client, filters, Reading(IMAGES))
    return [Image.of(row) for row in listing.rows.to_pylist()]
