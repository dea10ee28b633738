"""Frozen records that pass between the client, the wire and the transport."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pyarrow as pa

Record = Mapping[str, Any]


class Kind(Enum):
    """What a request does, as far as sending it again is concerned."""

    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    CREATE = "create"
    ACTION = "action"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: path and query are below the base URL, the body is JSON, the scope is what the token needs."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Record | None = None
    kind: Kind = Kind.READ
    scope: str = "image:read"

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {self.path}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply; the names of the headers are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: typed rows, and what the API says of the whole.

    ``next_page`` is the number in the next link; host and other parameters of a link are never used.
    """

    rows: pa.Table
    total: int | None
    next_page: int | None
