"""How images are tagged and untagged: one request for many."""

from collections.abc import Sequence
from typing import Any, Literal

from doimages.api.client import Client
from doimages.change import outcome as words
from doimages.change.guards import is_in_place
from doimages.change.operations import OPERATIONS
from doimages.change.outcome import Result
from doimages.change.step import Step
from doimages.change.way import id_of, read_images
from doimages.errors import APIError, NotFoundError
from doimages.table.filters import Filters

BATCH = 100


class Tagging:
    """POST or DELETE /v2/tags/{tag}/resources, for many images at once."""

    batch = BATCH
    may_resend = True

    def __init__(self, operation: Literal["tag", "untag"]) -> None:
        self._operation = operation

    def sends(self, error: Exception) -> int:  # noqa: ARG002 - as the others
        """Give how often it is sent at most."""
        return 1

    async def send(self, client: Client, steps: Sequence[Step]) -> list[Result]:
        """Send it, and give a result for each step."""
        tag, ids = steps[0].fields["tag"], [id_of(step) for step in steps]
        if self._operation == "tag":
            try:
                await client.tag_images(tag, ids)
            except NotFoundError:
                # There is no such tag yet (doctl issue 107), or an image is gone; making a tag twice is no error.
                await client.create_tag(tag)
                await client.tag_images(tag, ids)
        else:
            await client.untag_images(tag, ids)
        return [Result(number=step.number, outcome=words.DONE, after=self._after(step)) for step in steps]

    def _after(self, step: Step) -> dict[str, Any]:
        tag, before = step.fields["tag"], (step.image and step.image.tags) or ()
        kept = [one for one in before if one.casefold() != tag.casefold()]
        return {"tags": [*kept, tag] if self._operation == "tag" else kept}

    def refused(self, step: Step, error: APIError) -> Result:
        """Say what the API's answer means."""
        if isinstance(error, NotFoundError) and self._operation == "untag":
            return Result(number=step.number, outcome=words.GONE, message="there is no such tag, or no such image")
        return Result(number=step.number, outcome=words.FAILED, message=str(error))

    async def find(self, client: Client, steps: Sequence[Step], since: str) -> list[Result | None]:  # noqa: ARG002
        """Look for steps that may have been carried out."""
        images = {image.id: image for image in await read_images(client, Filters(private=True))}
        rule = OPERATIONS[self._operation]
        return [
            Result(
                number=step.number,
                outcome=words.DONE,
                message="the reply was lost; the change was read back",
                after=self._after(step),
            )
            if step.image_id in images and is_in_place(rule, images[step.image_id], dict(step.fields))
            else None
            for step in steps
        ]

    async def conclude(self, client: Client, step: Step, since: str) -> Result:  # noqa: ARG002 - as the others
        """Say what it means that resume has not found it."""
        return self.absent(step)

    def absent(self, step: Step) -> Result:
        """Say what it means that it was not found."""
        message = f"{step.title} still shows the tags it had: no reply came, and the change was not seen."
        return Result(number=step.number, outcome=words.FAILED, message=message)
