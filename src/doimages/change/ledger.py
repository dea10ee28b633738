"""What is known of each step of a plan that is carried out: in memory, and on disk before anything is sent."""

from collections.abc import Sequence
from dataclasses import replace

from doimages.api.model import Reply
from doimages.change import outcome as words
from doimages.change.journal import History, Journal, now
from doimages.change.outcome import Result
from doimages.change.plan import Plan
from doimages.change.step import Step
from doimages.redaction import redact

_UNTOLD = "it was sent, and no reply was read: resume looks what became of it"


class Ledger:
    """The results of a plan, and when those steps were sent that have none yet."""

    def __init__(self, plan: Plan, journal: Journal, history: History | None) -> None:
        self.plan = plan
        self.results: dict[int, Result] = dict(history.results) if history else {}
        # When a step was sent that has no outcome yet, and how often any was.
        self.intents = {number: at for number, (at, _) in history.intents.items()} if history else {}
        self._tries = {number: tries for number, (_, tries) in history.intents.items()} if history else {}
        self._journal = journal
        self._reasons: dict[int, str] = {}
        self._replies: dict[int, Reply] = {}

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to be sent, or to be looked for."""
        return not self.intents and all(one.is_final for one in self.results.values())

    @property
    def unsettled(self) -> list[Step]:
        """The steps that have no outcome that is final."""
        return [step for step in self.plan.steps if not self._is_over(step)]

    @property
    def running(self) -> list[Step]:
        """The steps that the API has begun, and that have not ended."""
        running = {number for number, result in self.results.items() if result.outcome == words.RUNNING}
        return [step for step in self.plan.steps if step.number in running]

    def is_open(self, step: Step) -> bool:
        """Tell whether a step is still to be sent: it has no final result, and no request without an outcome."""
        return not self._is_over(step) and step.number not in self.intents

    def _is_over(self, step: Step) -> bool:
        return step.number in self.results and self.results[step.number].is_final

    def since(self, steps: Sequence[Step]) -> str:
        """Tell when the first of some steps was sent."""
        return min((self.intents[step.number] for step in steps if step.number in self.intents), default=now())

    def intend(self, steps: Sequence[Step]) -> None:
        """Put on disk that steps are about to be sent; raises JournalError if it cannot be."""
        self._journal.write("intent", steps=[step.number for step in steps])
        self._tries |= {step.number: self._tries.get(step.number, 0) + 1 for step in steps}
        self.intents = {step.number: now() for step in steps} | self.intents

    def withdraw(self, steps: Sequence[Step]) -> None:
        """Put on disk that steps were not sent after all: they were refused for now, or never left."""
        for step in self.lost(steps):
            del self.intents[step.number]
            result = Result(number=step.number, outcome=words.NOT_STARTED)
            self._journal.write("outcome", result=result.to_record())

    def lost(self, steps: Sequence[Step]) -> list[Step]:
        """Give those of some steps that were sent and have no outcome yet."""
        return [step for step in steps if step.number in self.intents]

    def take(self, steps: Sequence[Step], reply: Reply) -> None:
        """Take the reply to a request for steps."""
        self._replies |= {step.number: reply for step in steps}

    def doubt(self, steps: Sequence[Step], reason: str) -> None:
        """Take the reason why it is not known what became of steps."""
        self._reasons |= {step.number: reason for step in steps}

    def finish(self, steps: Sequence[Step], results: Sequence[Result]) -> None:
        """Put the outcomes of steps on disk; raises JournalError if they cannot be, and has them all the same."""
        by_number = {step.number: step for step in steps}
        for result in results:
            whole = self._whole(by_number[result.number], result)
            self.results[result.number] = whole
            was_sent = self.intents.pop(result.number, None) is not None
            if was_sent or whole.is_final:
                self._journal.write("outcome", result=whole.to_record())

    def close(self, stopped: str | None) -> None:
        """Say what is known of the steps without a result; the journal tells the same by what it lacks."""
        for step in self.plan.steps:
            number = step.number
            if number in self.intents:
                message = self._reasons.get(number, _UNTOLD)
                self.results[number] = self._whole(step, Result(number=number, outcome=words.IN_DOUBT, message=message))
            elif not self._is_over(step):
                told = self.results.get(number) or Result(number=number, outcome=words.NOT_STARTED)
                self.results[number] = replace(told, message=told.message or stopped or "")

    def _whole(self, step: Step, result: Result) -> Result:
        """Add to a result what is known of its requests."""
        reply = self._replies.pop(step.number, None)
        return replace(
            result,
            message=redact(result.message),
            status=result.status or (reply.status if reply else None),
            request_id=result.request_id or (reply.headers.get("x-request-id") if reply else None),
            tries=result.tries or self._tries.get(step.number, 0),
            before=result.before or step.before,
            started_at=result.started_at or self.intents.get(step.number),
            finished_at=now(),
        )
