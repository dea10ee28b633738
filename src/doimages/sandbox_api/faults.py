"""Faults on demand: replies that are late, broken, lost or untrue."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from doimages.sandbox_api.call import Call

WRITES = "[!GHO]*"  # POST, PUT, PATCH and DELETE; not GET, HEAD and OPTIONS
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

    With a `share` below 1 a fault hits about that share of what matches and leaves the rest alone. Whether it
    hits depends on `seed`, the method, the path and how often that was asked, not on what else is asked
    meanwhile: requests that go out side by side, or again after a crash, meet the same fate in every run.
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
    share: float = 1.0
    seed: int = 0
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter, init=False, repr=False)

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

    def hits(self, call: Call) -> bool:
        """Draw whether `call`, which matches, is among the share that is hit."""
        if self.share >= 1:
            return True
        self._asked[call.method, call.path] += 1
        draw = random.Random(f"{self.seed} {call.method} {call.path} {self._asked[call.method, call.path]}")  # noqa: S311 - fate, no secret
        return draw.random() < self.share


def lost_answers(share: float, *, seed: int = 0, path: str = "*") -> Fault:
    """Give a fault that carries out every write and loses `share` of the answers, until it is taken away."""
    return Fault("drop", method=WRITES, path=path, work_done=True, times=None, share=share, seed=seed)


def take_fault(faults: list[Fault], call: Call) -> Fault | None:
    """Give the first fault that is due for `call`, and use it up."""
    for fault in faults:
        if not fault.matches(call):
            continue
        if fault.after > 0:
            fault.after -= 1
            continue
        if not fault.hits(call):
            continue
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                faults.remove(fault)
        return fault
    return None
