"""What became of one step, in the words of a report."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

DONE = "done"
GONE = "already gone"
NO_CHANGE = "no change"
CHANGED = "changed since plan"
REFUSED = "refused"
FAILED = "failed"
IN_DOUBT = "in doubt"
NOT_STARTED = "not started"
RUNNING = "running"

# In the order of a summary.
OUTCOMES = (DONE, GONE, NO_CHANGE, RUNNING, CHANGED, REFUSED, FAILED, IN_DOUBT, NOT_STARTED)
# What was wanted is so.
GOOD = frozenset({DONE, GONE, NO_CHANGE, RUNNING})


def summarize(outcomes: Iterable[str], total: int) -> str:
    """Say how many of the steps have which outcome, the done ones first, always."""
    found = Counter(outcomes)
    done = f"{found.pop(DONE, 0)} of {total} done"
    return ", ".join([done, *(f"{found[one]} {one}" for one in OUTCOMES if found[one])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a step.

    ``status`` is that of the last reply, ``tries`` how often the request went out, ``image_id`` that of an image that
    was created, ``reply`` the record the API answered with. Times are ISO 8601 in UTC.
    """

    number: int
    outcome: str
    message: str = ""
    status: int | None = None
    request_id: str | None = None
    tries: int = 0
    image_id: int | None = None
    action_id: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reply: Mapping[str, Any] | None = None
    started_at: str | None = None
    finished_at: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to be sent for it."""
        return self.outcome != NOT_STARTED

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Make it of what :meth:`to_record` gave."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in record.items() if name in known})
