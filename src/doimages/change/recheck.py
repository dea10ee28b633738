"""Whether a step may still be sent, by the last look at the images."""

from datetime import UTC, datetime

from doimages.change import outcome as words
from doimages.change.guards import check_image
from doimages.change.outcome import Result
from doimages.change.plan import Plan
from doimages.change.scene import Scene
from doimages.change.step import Step

# By these an image is the one that was planned for.
_SAME = ("name", "type", "created_at", "public")


def recheck(plan: Plan, step: Step, scene: Scene, *, is_sent: bool) -> Result | None:
    """Say why a step is not to be sent, or not again where it ``is_sent``; None if it may be."""
    if step.image is None:
        return None
    image = scene.find(step.image.id)
    uses = None if scene.uses is None else scene.uses.get(step.image.id, ())
    found = check_image(plan.rule, image, dict(step.fields), plan.guards, uses=uses, now=datetime.now(UTC))
    if found is not None:
        outcome, reason = found
        # What was sent already, and is so now: that was us.
        is_ours = is_sent and (outcome == words.NO_CHANGE or (outcome == words.GONE and plan.rule.takes_away))
        return Result(number=step.number, outcome=words.DONE if is_ours else outcome, message=reason)
    if image is None:
        return None
    fields = step.fields if plan.operation == "update" else ()
    other = [
        name
        for name in dict.fromkeys((*_SAME, *fields))
        if image[name] != step.image[name] and not (is_sent and name in fields and image[name] == step.fields[name])
    ]
    if plan.rule.takes_away and set(image.tags or ()) != set(step.image.tags or ()):
        other.append("tags")  # somebody may have saved it: one that is due, say
    if not other:
        return None
    changes = ", ".join(f"{name} was {step.image[name]!r} and is {image[name]!r}" for name in other)
    return Result(number=step.number, outcome=words.CHANGED, message=f"{changes}. Nothing was changed.")
