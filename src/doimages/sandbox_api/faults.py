"""Faults on demand: replies that are late, broken, lost or untrue."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from doimages.sandbox_api.call import Call

Kind = Literal["status", "html", "edit", "drift", "slow", "truncate", "drop"]


@dataclass
class Fault:
    """What happens to the next requests that match, instead of or around the true reply.

    A request matches by `method` and `path` (globs; the path has no trailing slash) and every pair of `query`.
    The first `after` matching requests pass; then `times` of them are hit (None: all of them).

    status
        `status` with `headers` and `body` (any JSON value; text or bytes go out as they are), by default the
        error body of that status.
    html
        the same with a page of HTML as body, as a proxy answers (terraform-provider issue 794).
    edit
        the true reply, its JSON passed through `edit`: a wrong total, a foreign next link, a missing key.
    drift
        `change()` is called, then the true reply is made: the listing changes between two pages.
    slow
        the true reply, `seconds` late.
    truncate
        the true headers, half of the body, then the end of the connection. Over a `Server` only.
    drop
        no reply, the connection ends. Over a `Server` only; in process it is a ConnectionResetError.

    `work_done` makes status, html and drop do what was asked first, and lose or belie the answer only.
    """

    kind: Kind
    method: str = "*"
    path: str = "*"
    query: dict[str, str] = field(default_factory=dict)
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    edit: Callable[[Any], Any] | None = None
    change: Callable[[], object] | None = None
    seconds: float = 0.0
    work_done: bool = False
    times: int | None = 1
    after: int = 0

    @property
    def does_work(self) -> bool:
        """Whether the request is carried out before the fault shows."""
        return self.work_done or self.kind in {"edit", "drift", "slow", "truncate"}

    def matches(self, call: Call) -> bool:
        """Say whether this fault is meant for `call`."""
        return (
            fnmatchcase(call.method, self.method)
            and fnmatchcase(call.path, self.path)
            and self.query.items() <= call.query.items()
        )


def take_fault(faults: list[Fault], call: Call) -> Fault | None:
    """Give the first fault that is due for `call`, and use it up."""
    for fault in faults:
        if not fault.matches(call):
            continue
        if fault.after > 0:
            fault.after -= 1
            continue
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                faults.remove(fault)
        return fault
    return None
