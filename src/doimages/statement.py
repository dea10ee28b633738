"""A read by SQL: its statements checked together, run in their order, the last one's rows made a frame."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from doimages.change.plan import Plan
from doimages.errors import UsageError
from doimages.execute import prepare_steps, save_view
from doimages.planned import Planned
from doimages.reads import Read, Work
from doimages.redaction import redact
from doimages.schema import IMAGES
from doimages.steps import Explained, Step, Told
from doimages.table.arrow import result_table
from doimages.table.fetch import Readings
from doimages.table.frame import to_frame
from doimages.table.read import Shape, make_frame, provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRead(Read):
    """A read by SQL, one step a statement."""

    text: str
    steps: tuple[Step, ...]
    limit: int | None

    @property
    def is_told(self) -> bool:
        """Whether the last statement tells of something, as SHOW and EXPLAIN do."""
        return isinstance(self.steps[-1], (Told, Explained))

    @property
    def is_plan(self) -> bool:
        """Whether it gives a plan: the last statement is one that changes images."""
        return isinstance(self.steps[-1], Planned)

    def start(self) -> Work:
        """Make its work."""
        readings = Readings()
        return Work(self._result(readings), readings, lambda: self._partial(readings))

    def save(self, name: str) -> None:
        """Keep its SELECT under a name that SQL can read from."""
        save_view(name, self.text)

    def explain(self) -> list[tuple[str, str]]:
        """Say what would be sent and done, and the columns with their dtypes."""
        lines: list[tuple[str, str]] = []
        for step in self.steps:
            lines += step.explain(self.client)
        last = self.steps[-1]
        if last.columns is not None:
            empty = self._make(last, last.columns.empty_table())
            lines += [(f"column {name}", str(dtype)) for name, dtype in empty.dtypes.items()]
        return lines

    async def _result(self, readings: Readings) -> pd.DataFrame | Plan:
        for step in self.steps:
            readings.is_complete = True  # of the last one
            if isinstance(step, Planned):
                assert self.client is not None  # noqa: S101 - needs_client
                return await step.plan(self.client, readings)
            rows = await step.rows(self.client, readings)
        is_cut = self.limit is not None and rows.num_rows >= self.limit
        frame = self._make(self.steps[-1], rows if self.limit is None else rows.slice(0, self.limit))
        if self.client is not None and self.needs_client:
            made = provenance(self.client, redact(" ".join(self.text.split())), readings.requests)
            frame.attrs["do_images"] = made | {
                "rows": len(frame),
                "total": len(frame),
                "complete": readings.is_complete and not is_cut,
                "ids_of": self.steps[-1].ids_of,
            }
        return frame

    def _make(self, step: Step, rows: pa.Table) -> pd.DataFrame:
        # Where DuckDB gives a missing id all the same, it shows as one.
        whole = {name.lower() for name in rows.column_names if rows[name].null_count == 0}
        table = result_table(rows.schema, step.required & whole)
        shape = self.shape
        shape.check(table)
        return to_frame(
            rows,
            table,
            columns=shape.columns,
            index_col=shape.index_col,
            dtype_backend=shape.dtype_backend,
            dtypes=shape.dtypes,
        )

    def _partial(self, readings: Readings) -> pd.DataFrame | None:
        """Give the images that a listing has brought so far, as they came: the residual wants all of them."""
        listed = [one for one in readings.all if one.table is IMAGES and one.rows_read]
        if not listed or self.client is None:
            return None
        rows = listed[0].rows()
        return make_frame(
            rows, self.client, "a part of a listing", Shape(), listed[0], total=listed[0].total, is_complete=False
        )


def prepare_statement(
    text: str, shape: Shape, *, params: Mapping[str, object], frames: Mapping[str, object], limit: int | None
) -> StatementRead:
    """Check the statements of a text whole; raises UsageError, and sends nothing."""
    steps = prepare_steps(text, params.__getitem__, frames.get, limit)
    read = StatementRead(
        shape=shape,
        text=text,
        steps=tuple(steps),
        limit=limit,
        needs_client=any(step.needs_client for step in steps),
    )
    last = steps[-1]
    if any(isinstance(step, Planned) for step in steps[:-1]):
        raise UsageError("A statement that changes images stands last: its plan is the result. Nothing was sent.")
    if isinstance(last, Planned):
        shape.refuse("a statement that changes images gives a plan")
    if last.columns is not None:
        shape.check(result_table(last.columns, last.required))
    return read
