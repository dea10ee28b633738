"""A frame as a pyarrow table, or as records ready for JSON."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from doimages.change.plan import Plan


def to_form(made: "pd.DataFrame | Plan", form: str | None) -> Any:
    """Give a frame read with the pyarrow backend, or a plan, in another form; None leaves it as it is.

    A table keeps the provenance as JSON in its metadata, under ``do_images``; records have times as the API does.
    """
    if form is None or form == "plan":
        return made
    frame = made if isinstance(made, pd.DataFrame) else made.to_frame()
    if form == "frame":
        return frame
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    if form == "arrow":
        # pandas' own metadata names dtypes that its reader of lists does not know again.
        read = frame.attrs.get("do_images")
        return rows.replace_schema_metadata({"do_images": json.dumps(read)} if read else None)
    return [{name: _json(value) for name, value in record.items()} for record in rows.to_pylist()]


def _json(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
