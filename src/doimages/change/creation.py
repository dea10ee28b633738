"""How an import is sent, found again if its reply is lost, and told of."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from doimages.api.client import Client
from doimages.change import outcome as words
from doimages.change.image import MARK_PREFIX, Image
from doimages.change.outcome import Result
from doimages.change.step import Step
from doimages.change.way import SKEW, Single, read_images
from doimages.errors import ForbiddenError
from doimages.redaction import redact
from doimages.table.filters import Filters


@dataclass(frozen=True, slots=True)
class Creation(Single):
    """POST /v2/images, with a tag of its own, by which the image is found again if the reply is lost."""

    plan_id: str

    async def send(self, client: Client, steps: Sequence[Step]) -> list[Result]:
        """Send it, and give a result for each step."""
        [step] = steps
        tags = [*step.fields.get("tags", ()), self.marker(step)]
        try:
            record = await client.create_image(**{**step.fields, "tags": tags})
        except ForbiddenError:
            # Tags want the scope tag:create; a 403 has made nothing, so it is sent once more, without the tag.
            record = await client.create_image(**step.fields)
        return [of_import(step, record)]

    async def find_one(self, client: Client, step: Step, since: str) -> Result | None:  # noqa: ARG002 - as the others
        """Look for one that may have been carried out."""
        made = self.made(step, await read_images(client, Filters(private=True, tag=self.marker(step))))
        if made is not None:
            return made
        # The tag's own listing may lag behind.
        return self.made(step, await read_images(client, Filters(private=True)))

    def made(self, step: Step, images: Iterable[Image]) -> Result | None:
        """Give the result of a step whose image is among some; None if it is not."""
        for image in images:
            if self.marker(step) in (image.tags or ()):
                result = of_import(step, image.to_record())
                return replace(result, message=f"found by its tag. {result.message}".strip())
        return None

    def absent(self, step: Step) -> Result:
        """Say what it means that it was not found."""
        message = f"{step.title} was looked for three times and is not seen yet: resume looks again."
        return Result(number=step.number, outcome=words.IN_DOUBT, message=message)

    async def conclude(self, client: Client, step: Step, since: str) -> Result:
        """Say what it means that resume has not found it; one of its name may be it, where it could not be tagged."""
        earliest = datetime.fromisoformat(since) - SKEW
        for image in await read_images(client, Filters(private=True)):
            is_marked = any(tag.startswith(MARK_PREFIX) for tag in image.tags or ())
            made = image.made_at
            if image.name == step.name and not is_marked and made is not None and made >= earliest:
                message = f"image {image.id} of that name was made since; whether by this request cannot be told."
                return Result(number=step.number, outcome=words.IN_DOUBT, message=message)
        message = "not created: it was looked for again and is not there. report.retry_plan() plans it anew."
        return Result(number=step.number, outcome=words.FAILED, message=message)

    def marker(self, step: Step) -> str:
        """Give the tag that only this step's image has."""
        return MARK_PREFIX + hashlib.sha256(f"{self.plan_id}:{step.number}".encode()).hexdigest()[:12]


def of_import(step: Step, record: Mapping[str, Any]) -> Result:
    """Tell of a create by its image: an import that failed is deleted, with a reason."""
    image = Image.of(record)
    made = Result(
        number=step.number, outcome=words.DONE, image_id=image.id, after=image.to_record(), reply=dict(record)
    )
    if image.is_gone:
        said = redact((image.error_message or "").strip()) or "DigitalOcean gives no reason"
        return replace(made, outcome=words.FAILED, message=f"the import failed: {said}")
    if image.is_unfinished:
        return replace(made, outcome=words.RUNNING, message=f"importing: {image.status}")
    return made
