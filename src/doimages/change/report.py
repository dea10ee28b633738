"""The report: what became of each image of a plan, and what can be done next."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from doimages.change import outcome as words
from doimages.change import plans
from doimages.change.operations import OperationName
from doimages.change.outcome import Result
from doimages.change.plan import Plan
from doimages.change.planning import Asked, Wish, plan_changes, plan_steps, refuse_selected, wish_of
from doimages.change.step import Step
from doimages.errors import ApplyError, UsageError
from doimages.sheet import Sheet

if TYPE_CHECKING:
    from doimages.api.client import Client

_SHOWN = 5
_INVERSE: Mapping[str, OperationName] = {"tag": "untag", "untag": "tag"}
_NO_UNDO = {
    "delete": "a deleted image cannot be brought back; quarantine() first, next time",
    "transfer": "an image cannot be taken out of a region",
    "convert": "a snapshot cannot be made a backup again",
    "transfer_account": "a transfer is cancelled or declined by hand",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """What :meth:`Plan.apply` gives: one row a step of the plan, and one for each image it left alone.

    ``stopped`` says why it ended early, if it did; ``is_finished`` that :func:`doimages.resume` has nothing to send or
    to look for; ``journal`` is the file that holds the same.
    """

    plan: Plan
    results: tuple[Result, ...]
    stopped: str | None
    journal: str
    is_finished: bool

    def to_frame(self) -> pd.DataFrame:
        """Give one row a step, then one a refusal.

        ``id`` Int64 (of the new image, for a create), ``name``, ``action``, ``outcome`` (done, already gone, no change,
        running, changed since plan, refused, failed, in doubt, not started), ``status`` of the last reply, ``message``,
        ``request_id``, ``tries`` (requests sent), ``action_id``, ``before`` and ``after`` (dicts of what was changed),
        ``started_at`` and ``finished_at`` in UTC.
        """
        rows = [self._row(step, result) for step, result in zip(self.plan.steps, self.results, strict=True)]
        rows += [
            {"id": one.image_id, "name": one.name, "outcome": one.outcome, "message": one.reason}
            for one in self.plan.refusals
        ]
        frame = pd.DataFrame(rows, columns=list(_DTYPES), dtype=object)
        frame["action"] = self.plan.operation
        frame["tries"] = frame["tries"].fillna(0)
        frame = frame.astype(_DTYPES)
        for name in ("before", "after"):
            frame[name] = pd.Series([row.get(name) for row in rows], index=frame.index, dtype=object)
        frame.attrs["do_images_report"] = {"plan_id": self.plan.id, "journal": self.journal}
        return frame

    def _row(self, step: Step, result: Result) -> dict[str, Any]:
        image_id = step.image_id if result.image_id is None else result.image_id
        return result.to_record() | {"id": image_id, "name": step.name}

    @property
    def failed(self) -> pd.DataFrame:
        """The rows that failed."""
        return self._of(words.FAILED)

    @property
    def in_doubt(self) -> pd.DataFrame:
        """The rows of which it is not known whether they were done."""
        return self._of(words.IN_DOUBT)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have which outcome, the good ones first."""
        found = Counter([*(one.outcome for one in self.results), *(one.outcome for one in self.plan.refusals)])
        return {outcome: found[outcome] for outcome in words.OUTCOMES if found[outcome]}

    @property
    def returned(self) -> pd.DataFrame:
        """What RETURNING asked for, of each row the API has answered for; the whole records without it."""
        steps = [
            (step, result)
            for step, result in zip(self.plan.steps, self.results, strict=True)
            if result.outcome in {words.DONE, words.RUNNING}
        ]
        from doimages.change.returned import returned_frame  # with sqlglot and DuckDB, for those who write SQL

        return returned_frame(self.plan, steps)

    def raise_for_failures(self) -> None:
        """Raise ApplyError unless all is as planned: where a row failed, is in doubt, changed, or was not started."""
        bad = [one for one in self.results if not self._is_good(one)]
        if bad:
            text = bad[0].message or bad[0].outcome
            more = f" The first: {text}" if text else ""
            raise ApplyError(f"plan {self.plan.id}: {self.summary}.{more}", report=self)

    def _is_good(self, result: Result) -> bool:
        """Tell whether what was wanted is so; of an image that is gone, only where it was to go."""
        is_to_go = self.plan.rule.takes_away or self.plan.operation == "untag"
        return result.outcome in words.GOOD and (result.outcome != words.GONE or is_to_go)

    @property
    def summary(self) -> str:
        """How many of the steps have which outcome, in words."""
        return words.summarize((one.outcome for one in self.results), len(self.results))

    def retry_plan(self, client: "Client | None" = None) -> Plan:
        """Plan again what failed, from a fresh read.

        Raises UsageError for a plan that is not at its end, which :func:`doimages.resume` brings there first, and for
        one of ``retain`` or of what is due: its rule may select others now.
        """
        if not self.is_finished:
            raise UsageError(
                f"plan {self.plan.id} is not at its end: doimages.resume({self.plan.id!r}) goes on. Nothing was sent."
            )
        refuse_selected(self.plan)
        again = [
            step for step, result in zip(self.plan.steps, self.results, strict=True) if result.outcome == words.FAILED
        ]
        return plan_steps(self.plan, again, client)

    def undo_plan(self, client: "Client | None" = None) -> Plan:
        """Plan the way back: the values before an update, a tag off or on again, the delete of what was created.

        Raises UsageError for what has no way back.
        """
        operation = self.plan.operation
        if operation in _NO_UNDO:
            raise UsageError(f"{operation} has no undo: {_NO_UNDO[operation]}. Nothing was sent.")
        done = [
            (step, result)
            for step, result in zip(self.plan.steps, self.results, strict=True)
            if result.outcome in {words.DONE, words.RUNNING}
        ]
        client = plans.client_for(self.plan, client)
        if operation == "create":
            guards = replace(self.plan.guards, min_age_seconds=0.0, pending=True)
            asked = [Asked(image_id=result.image_id) for _, result in done if result.image_id is not None]
            return plan_changes(Wish(operation="delete", guards=guards), asked, client)
        if operation == "update":
            return plan_changes(wish_of(self.plan), [_way_back(step) for step, _ in done], client)
        asked = [Asked(image_id=step.image.id, fields=step.fields) for step, _ in done if step.image]
        return plan_changes(replace(wish_of(self.plan), operation=_INVERSE[operation]), asked, client)

    def _of(self, outcome: str) -> pd.DataFrame:
        frame = self.to_frame()
        return frame[frame["outcome"] == outcome]

    @property
    def sheet(self) -> Sheet:
        """What it shows: how many rows have which outcome, and the first of those that need a look."""
        rows = [(outcome, str(number)) for outcome, number in self.counts.items()]
        rows += [("stopped", self.stopped)] if self.stopped else []
        titles = {step.number: step.title for step in self.plan.steps}
        bad = [one for one in self.results if not self._is_good(one)]
        rows += [(one.outcome, f"{titles[one.number]}: {one.message}") for one in bad[:_SHOWN]]
        rows += [("and", f"{len(bad) - _SHOWN} more: report.to_frame()")] if len(bad) > _SHOWN else []
        if not self.is_finished:
            rows.append(("go on", f"doimages.resume({self.plan.id!r})"))
        elif self.counts.get(words.RUNNING):
            rows.append(("wait", f"doimages.resume({self.plan.id!r}, wait=True)"))
        return Sheet(f"Report of plan {self.plan.id}, {self.plan.operation}: {self.summary}", tuple(rows))

    def __len__(self) -> int:
        return len(self.results) + len(self.plan.refusals)

    def __repr__(self) -> str:
        return repr(self.sheet)

    def _repr_html_(self) -> str:
        return self.sheet._repr_html_()


def _way_back(step: Step) -> Asked:
    assert step.image is not None  # noqa: S101 - an update has one
    before = {name: step.image[name] for name in step.fields}
    missing = [name for name, value in before.items() if value is None]
    if missing:
        return Asked(
            image_id=step.image.id, fields={}, refusal=("refused", f"it had no {missing[0]}, which cannot be sent")
        )
    return Asked(image_id=step.image.id, fields=before)


_DTYPES: Mapping[str, Any] = {
    "id": "Int64",
    "name": "str",
    "action": "str",
    "outcome": "str",
    "status": "Int64",
    "message": "str",
    "request_id": "str",
    "tries": "int64",
    "action_id": "Int64",
    "before": object,
    "after": object,
    "started_at": "datetime64[us, UTC]",
    "finished_at": "datetime64[us, UTC]",
}
