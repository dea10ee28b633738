"""What RETURNING tells of the rows of a plan, from the records that the API answered with."""

import json
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from doimages.api.portal import portal
from doimages.api.rows import to_rows
from doimages.change.operations import OperationName
from doimages.change.outcome import Result
from doimages.change.plan import Plan
from doimages.change.step import Step
from doimages.errors import DOImagesError
from doimages.query import Query, make_query
from doimages.schema import ACTIONS, IMAGES, Table
from doimages.sql.parse import parse
from doimages.sql.statements import Select
from doimages.table.arrow import result_table, with_times
from doimages.table.fetch import Readings
from doimages.table.frame import to_frame

# The name the records go by; the qualifiers of the statement were taken off its columns.
SOURCE = "answers"


def returned_frame(plan: Plan, rows: Sequence[tuple[Step, Result]]) -> pd.DataFrame:
    """Give one row a record: an image, or an action for convert and transfer; for a delete, the image as it was."""
    table = _table(plan.operation)
    records = [dict(result.reply or (step.image.to_record() if step.image else {})) for step, result in rows]
    known = to_rows(records, table).select(list(table.column_names))
    whole = pa.array([json.dumps(record, ensure_ascii=False) for record in records], pa.string())
    answers = with_times(known, table).append_column(table.singular, whole)
    query = _query(plan.operation, plan.returning, answers)
    try:
        made = portal.wait(query.rows(None, Readings()))
    except DOImagesError as error:
        error.add("This is about RETURNING alone, what was done stays done: see the report.")
        raise
    return to_frame(made, result_table(made.schema, query.required))


def check_returning(operation: OperationName, returning: str | None) -> None:
    """Raise UsageError if RETURNING cannot be told of the records of an operation; nothing is sent."""
    table = _table(operation)
    empty = with_times(to_rows([], table), table).append_column(table.singular, pa.array([], pa.string()))
    _query(operation, returning, empty)


def _query(operation: OperationName, returning: str | None, answers: pa.Table) -> Query:
    wanted = returning or ", ".join(_table(operation).column_names)
    [statement] = parse(f"SELECT {wanted} FROM {SOURCE}")  # noqa: S608 - it is read by our own parser, over no database
    assert isinstance(statement, Select)  # noqa: S101 - it begins so
    values: dict[str, object] = {}
    return make_query(statement, values.__getitem__, {SOURCE: answers}.get)


def _table(operation: OperationName) -> Table:
    return ACTIONS if operation in {"convert", "transfer"} else IMAGES
