"""How each operation is sent, and how one whose reply was lost is looked for: one way an operation.

A DELETE may be sent again once the image was seen to be there still, a PUT once it was seen not to be done; a POST that
makes something never is, for the API has no idempotency key (description.yml calls PUT and DELETE idempotent).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from doimages.api.client import Client
from doimages.change import outcome as words
from doimages.change.creation import Creation
from doimages.change.guards import is_in_place
from doimages.change.image import to_time
from doimages.change.operations import OPERATIONS
from doimages.change.outcome import Result
from doimages.change.plan import Plan
from doimages.change.scene import read_image
from doimages.change.step import Step
from doimages.change.tagging import Tagging
from doimages.change.way import SKEW, Single, Way, id_of
from doimages.errors import APIError, InvalidRequestError, NotFoundError

_ALREADY_DELETED = "already deleted"
# What comes back as it was sent; an unknown distribution is read as Unknown.
_KEPT_AS_SENT = ("name", "description")


class Deletion(Single):
    """DELETE /v2/images/{id}."""

    may_resend = True

    def sends(self, error: Exception) -> int:  # noqa: ARG002 - as the others
        """Give how often it is sent at most."""
        return 3

    async def send(self, client: Client, steps: Sequence[Step]) -> list[Result]:
        """Send it, and give a result for each step."""
        [step] = steps
        await client.delete_image(id_of(step))
        return [Result(number=step.number, outcome=words.DONE)]

    def refused(self, step: Step, error: APIError) -> Result:
        """Say what the API's answer means."""
        is_gone = isinstance(error, NotFoundError)
        # The text is all that tells it: terraform-provider, resource_custom_image.
        is_gone = is_gone or (isinstance(error, InvalidRequestError) and _ALREADY_DELETED in str(error))
        if is_gone:
            return Result(number=step.number, outcome=words.GONE, message="it was not there any more")
        return super().refused(step, error)

    async def find_one(self, client: Client, step: Step, since: str) -> Result | None:  # noqa: ARG002 - as the others
        """Look for one that may have been carried out."""
        if await read_image(client, id_of(step)) is None:
            return Result(
                number=step.number, outcome=words.DONE, message="the reply was lost; it was read back as gone"
            )
        return None


class Update(Single):
    """PUT /v2/images/{id}."""

    may_resend = True

    def sends(self, error: Exception) -> int:
        """Give how often it is sent at most."""
        return 2 if getattr(error, "status", None) == 500 else 1  # noqa: PLR2004 - the transport sends others again

    async def send(self, client: Client, steps: Sequence[Step]) -> list[Result]:
        """Send it, and give a result for each step."""
        [step] = steps
        record = await client.update_image(id_of(step), **step.fields)
        after = {name: record.get(name, value) for name, value in step.fields.items()}
        kept = [name for name in _KEPT_AS_SENT if name in after and after[name] != step.fields[name]]
        result = Result(number=step.number, outcome=words.DONE, after=after, reply=record)
        if kept:
            message = f"the API answered, and kept the {kept[0]} {after[kept[0]]!r}"
            result = replace(result, outcome=words.FAILED, message=message)
        return [result]

    async def find_one(self, client: Client, step: Step, since: str) -> Result | None:  # noqa: ARG002 - as the others
        """Look for one that may have been carried out."""
        image = await read_image(client, id_of(step))
        if image is None:
            return Result(number=step.number, outcome=words.FAILED, message="it is gone")
        if not is_in_place(OPERATIONS["update"], image, dict(step.fields)):
            return None
        message = "the reply was lost; the change was read back"
        return Result(
            number=step.number, outcome=words.DONE, message=message, after=dict(step.fields), reply=image.to_record()
        )


@dataclass(frozen=True, slots=True)
class Act(Single):
    """POST /v2/images/{id}/actions: convert or transfer."""

    kind: Literal["convert", "transfer"]

    async def send(self, client: Client, steps: Sequence[Step]) -> list[Result]:
        """Send it, and give a result for each step."""
        [step] = steps
        if self.kind == "convert":
            record = await client.convert_image(id_of(step))
        else:
            record = await client.transfer_image(id_of(step), step.fields["region"])
        return [of_action(step, record)]

    async def find_one(self, client: Client, step: Step, since: str) -> Result | None:
        """Look for one that may have been carried out."""
        try:
            rows = (await client.image_actions(id_of(step))).rows.to_pylist()
        except NotFoundError:
            return Result(number=step.number, outcome=words.FAILED, message="the image is gone")
        sent = datetime.fromisoformat(since).replace(microsecond=0)
        region = step.fields.get("region")
        for row in sorted(rows, key=lambda row: int(row["id"]), reverse=True):
            began = to_time(row["started_at"])
            is_alike = row["type"] == self.kind and (region is None or row["region_slug"] == region)
            # One that failed before this was sent is why it was planned, and no answer to it.
            is_older = began is not None and began < sent and row["status"] == "errored"
            if is_alike and not is_older and began is not None and began >= sent - SKEW:
                return of_action(step, row)
        image = await read_image(client, id_of(step))
        if image is not None and is_in_place(OPERATIONS[self.kind], image, dict(step.fields)):
            return Result(
                number=step.number, outcome=words.DONE, message="the reply was lost; the change was read back"
            )
        return None

    def absent(self, step: Step) -> Result:
        """Say what it means that it was not found."""
        message = (
            f"no {self.kind} of {step.title} is among its actions, and it may still begin: look before you plan anew."
        )
        return Result(number=step.number, outcome=words.IN_DOUBT, message=message)


class Move(Single):
    """POST /v2/images/{id}/account_transfer: an offer that the other side accepts."""

    async def send(self, client: Client, steps: Sequence[Step]) -> list[Result]:
        """Send it, and give a result for each step."""
        [step] = steps
        record = await client.create_account_transfer(id_of(step), **step.fields)
        transfer = record.get("transfer_id")
        # 0 is accepted already: account_transfer of the description.
        message = "accepted" if transfer == 0 else f"offered: the other side has to accept transfer {transfer}"
        return [Result(number=step.number, outcome=words.DONE, message=message, after=record, reply=record)]

    async def find_one(self, client: Client, step: Step, since: str) -> Result | None:  # noqa: ARG002 - as the others
        """Look for one that may have been carried out."""
        if await read_image(client, id_of(step)) is None:
            return Result(number=step.number, outcome=words.DONE, message="the reply was lost; the image has left")
        return None

    def absent(self, step: Step) -> Result:
        """Say what it means that it was not found."""
        message = f"{step.title} is still here; whether it was offered cannot be read back. Ask the other side."
        return Result(number=step.number, outcome=words.IN_DOUBT, message=message)


def way_of(plan: Plan) -> Way:
    """Give the way that a plan's steps are sent."""
    match plan.operation:
        case "delete":
            return Deletion()
        case "update":
            return Update()
        case "convert" | "transfer":
            return Act(plan.operation)
        case "transfer_account":
            return Move()
        case "create":
            return Creation(plan.id)
        case "tag" | "untag":
            return Tagging(plan.operation)


def of_action(step: Step, record: Mapping[str, Any]) -> Result:
    """Tell of a step by its action."""
    action_id, status = record.get("id"), record.get("status")
    after = None
    if status == "completed":
        outcome, message = words.DONE, ""
        after = dict(step.fields) or {"type": "snapshot"}
    elif status == "errored":
        outcome, message = words.FAILED, f"action {action_id} ended as errored. Nothing was changed."
    else:
        outcome, message = words.RUNNING, f"action {action_id} is {status}"
    return Result(
        number=step.number, outcome=outcome, message=message, action_id=action_id, after=after, reply=dict(record)
    )
