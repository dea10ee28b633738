"""The steps of a statement that need no residual: an answer that is known, and one raw request."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from doimages.api.client import Client
from doimages.api.model import Request
from doimages.redaction import redact
from doimages.table.arrow import result_table
from doimages.table.fetch import Readings
from doimages.table.frame import to_frame


class Step(Protocol):
    """A statement that was checked."""

    @property
    def needs_client(self) -> bool:
        """Whether it sends requests."""

    @property
    def columns(self) -> pa.Schema | None:
        """The columns it gives, if that is known before."""

    @property
    def required(self) -> frozenset[str]:
        """The columns that are never missing."""

    @property
    def ids_of(self) -> str | None:
        """The table that its column ``id`` tells apart, if it does."""

    def explain(self, client: Client | None = None) -> list[tuple[str, str]]:
        """Say what it would send and do, a line each; a client knows how long its last listings were."""

    async def rows(self, client: Client | None, readings: Readings) -> pa.Table:
        """Do it, and give its rows."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that is known without asking anybody; ``then`` is done when its turn comes."""

    table: pa.Table
    then: Callable[[], object] = lambda: None
    needs_client: bool = False
    required: frozenset[str] = frozenset()
    ids_of: str | None = None

    @property
    def columns(self) -> pa.Schema:
        """The columns of the answer."""
        return self.table.schema

    def explain(self, client: Client | None = None) -> list[tuple[str, str]]:  # noqa: ARG002 - as the others
        """Say that nothing would be sent."""
        return [("requests", "none"), ("answer", f"{self.table.num_rows} rows")]

    async def rows(self, client: Client | None, readings: Readings) -> pa.Table:  # noqa: ARG002 - as the others
        """Give the answer."""
        self.then()
        return self.table


@dataclass(frozen=True, slots=True)
class Explained:
    """What a step would do, told and not done."""

    step: Step
    needs_client: bool = False
    required: frozenset[str] = frozenset()
    ids_of: str | None = None

    @property
    def columns(self) -> pa.Schema:
        """What is told, a line each."""
        return pa.schema([("step", pa.string()), ("detail", pa.string())])

    def explain(self, client: Client | None = None) -> list[tuple[str, str]]:
        """Say it."""
        return describe(self.step, client)

    async def rows(self, client: Client | None, readings: Readings) -> pa.Table:  # noqa: ARG002 - as the others
        """Give it as rows."""
        lines = self.explain(client)
        details = [redact(text) for _, text in lines]
        return pa.table({"step": [name for name, _ in lines], "detail": details}, self.columns)


@dataclass(frozen=True, slots=True)
class Raw:
    """One GET by EXEC: one row, a column for each key of the reply, objects and lists as JSON text."""

    path: str
    query: Mapping[str, str]
    shows_results: bool
    needs_client: bool = True
    columns: pa.Schema | None = None
    required: frozenset[str] = frozenset()
    ids_of: str | None = None

    def explain(self, client: Client | None = None) -> list[tuple[str, str]]:  # noqa: ARG002 - as the others
        """Say which request would be sent."""
        return [("request", str(Request("GET", self.path, self.query)))]

    async def rows(self, client: Client | None, readings: Readings) -> pa.Table:  # noqa: ARG002 - one request needs no bar
        """Send it."""
        assert client is not None  # noqa: S101 - needs_client
        body = await client.body(self.path, self.query)
        if not self.shows_results:
            return pa.table({"message": ["The operation was despatched successfully."]})
        return pa.table({key: [value if isinstance(value, str) else json.dumps(value)] for key, value in body.items()})


def message(text: str, then: Callable[[], object] = lambda: None) -> Told:
    """Make an answer of one sentence."""
    return Told(pa.table({"message": [text]}), then)


def describe(step: Step, client: Client | None = None) -> list[tuple[str, str]]:
    """Say what a step would send and do, and the columns it gives, with their dtypes."""
    lines = step.explain(client)
    if step.columns is not None:
        empty = to_frame(step.columns.empty_table(), result_table(step.columns, step.required))
        lines += [(f"column {name}", str(dtype)) for name, dtype in empty.dtypes.items()]
    return lines
