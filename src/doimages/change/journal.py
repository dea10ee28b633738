"""The journal of a plan: JSON lines on disk, each there for good before what it tells of is sent.

One file a plan, under the user's state folder, for its owner's eyes only. An ``intent`` without an ``outcome`` after it
is a request that may have been carried out: it is read back before anything else is sent.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from doimages.change.folder import folder, journal_path
from doimages.change.outcome import IN_DOUBT, Result, summarize
from doimages.change.plan import Plan
from doimages.errors import UsageError

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


@dataclass(slots=True)
class History:
    """What a journal tells: the plan, what became of its steps, and which were sent without word of an outcome.

    ``intents`` has the number of a step, when it was sent the last time, and how often.
    """

    plan: Plan
    results: dict[int, Result] = field(default_factory=dict)
    intents: dict[int, tuple[str, int]] = field(default_factory=dict)
    ended_at: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to be done, or to be found out."""
        results = self.results
        return not self.intents and all(
            step.number in results and results[step.number].is_final for step in self.plan.steps
        )

    def summary(self) -> str:
        """Say how far it is."""
        outcomes = [*(one.outcome for one in self.results.values()), *(IN_DOUBT for _ in self.intents)]
        return f"{self.plan.operation}, {summarize(outcomes, len(self.plan.steps))}"


class JournalError(Exception):
    """A line could not be put on disk."""


class Journal:
    """The open journal of one plan; only one process, and one apply in it, can have it open."""

    def __init__(self, plan_id: str) -> None:
        self.path = journal_path(plan_id)
        self._plan_id = plan_id
        self._descriptor: int | None = None
        self._number = 0
        self._seal = ""
        self._is_broken = False
        self._lock = FileLock(f"{self.path}.lock", timeout=0, mode=0o600)

    def open(self) -> None:
        """Open it, and keep others out; raises UsageError if another has it, or it cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.parent.chmod(0o700)
            self._lock.acquire()
            _cut(self.path)
            lines = _lines(self.path)
            self._number, self._seal = len(lines), _check_seals(lines)
            self._descriptor = os.open(self.path, _FLAGS, 0o600)
            _sync_folder(self.path.parent)
        except Timeout:
            raise UsageError(f"{_who_has(self.path)} is applying plan {self._plan_id}. Nothing was sent.") from None
        except ValueError as error:
            self.close()
            raise _edited(self.path, error) from None
        except OSError as error:
            self.close()
            raise UsageError(
                f"The journal cannot be written ({error.strerror}): no journal, no changes. Nothing was sent."
            ) from None

    def close(self) -> None:
        """Close it, and let others in."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
            if not self._number:
                self.path.unlink(missing_ok=True)  # nothing was begun
        self._lock.release()

    def write(self, kind: str, **values: Any) -> None:
        """Put a line on disk, and come back when it is there; raises JournalError if it cannot be."""
        if self._descriptor is None or self._is_broken:
            raise JournalError("the journal takes no more lines")
        self._number += 1
        line = {"n": self._number, "at": now(), "plan_id": self._plan_id, "kind": kind, **values}
        self._seal = line["seal"] = _seal(self._seal, line)
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        # A line that was torn must stay the last one.
        self._is_broken = True
        try:
            is_whole = os.write(self._descriptor, text) == len(text)
            os.fsync(self._descriptor)
        except OSError as error:
            raise JournalError(f"the journal cannot be written ({error.strerror})") from error
        if not is_whole:
            raise JournalError("the journal cannot be written (the disk is full)")
        self._is_broken = False

    def read(self) -> History | None:
        """Read what it tells; None if it is empty."""
        return read_history(self.path)


def read_history(path: Path) -> History | None:
    """Read the journal at a path; None if it is not there or empty. Raises UsageError for what is none."""
    try:
        texts = _lines(path)
        _check_seals(texts)
        lines = [json.loads(line) for line in texts]
        if not lines:
            return None
        history = History(Plan.from_record(lines[0]["plan"]))
        if history.plan.id != path.stem:
            raise ValueError(f"it tells of plan {history.plan.id}")  # noqa: TRY301 - as what json.loads raises
        for line in lines[1:]:
            _take(history, line)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, UsageError):
            error.add(f"It is in the journal {path.stem}.")
            raise
        raise _edited(path, error) from None
    return history


def _edited(path: Path, error: Exception) -> UsageError:
    return UsageError(f"The journal of plan {path.stem} was edited or damaged: {error}. Nothing was sent.")


def find_history(plan_id: str) -> History:
    """Read the journal of a plan; raises UsageError if there is none."""
    history = read_history(journal_path(plan_id)) if plan_id.isalnum() else None
    if history is None:
        known = ", ".join(one.plan.id for one in unfinished()) or "none"
        raise UsageError(f"no plan {plan_id!r} was applied here; unfinished are {known}. Nothing was sent.")
    return history


def unfinished() -> Iterator[History]:
    """Give the journals of plans that were begun and not brought to an end, the oldest first."""
    try:
        paths = sorted(folder().glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    except OSError:
        return
    for path in paths:
        try:
            history = None if _is_ended(path) else read_history(path)
        except (UsageError, OSError):
            continue
        if history is not None and not history.is_finished:
            yield history


def now() -> str:
    """Give the time as a journal has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _take(history: History, line: Mapping[str, Any]) -> None:
    kind = line["kind"]
    if kind == "intent":
        for number in line["steps"]:
            history.intents[number] = line["at"], history.intents.get(number, ("", 0))[1] + 1
            history.results.pop(number, None)
    elif kind == "outcome":
        result = Result.from_record(line["result"])
        history.results[result.number] = result
        history.intents.pop(result.number, None)
    elif kind == "end":
        history.ended_at = line["at"]


def _lines(path: Path) -> list[str]:
    """Give the whole lines; a last one that is torn is none: what it tells of is read back."""
    if not path.is_file():
        return []
    text = path.read_bytes()
    return text[: text.rfind(b"\n") + 1].decode().split("\n")[:-1]  # a name may hold what splitlines() splits at


def _cut(path: Path) -> None:
    """Cut a torn last line off."""
    text = path.read_bytes() if path.exists() else b""
    whole = text.rfind(b"\n") + 1
    if whole < len(text):
        os.truncate(path, whole)


def _seal(before: str, line: Mapping[str, Any]) -> str:
    """Give the digest of a line and of all before it."""
    text = json.dumps({**line, "seal": before}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_seals(texts: Sequence[str]) -> str:
    """Give the last seal; ValueError if a line was changed, taken out, or put in."""
    seal = ""
    for number, text in enumerate(texts, 1):
        line = json.loads(text)
        seal = _seal(seal, line)
        if line.get("seal") != seal:
            raise ValueError(f"line {number} is not as it was written")
    return seal


def _is_ended(path: Path) -> bool:
    """Tell by the last line alone: there may be many journals."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 400))
        last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    return b'"kind":"end"' in last and b'"is_finished":true' in last


def _sync_folder(path: Path) -> None:
    """Have the file's name on disk, too; not every system can."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _who_has(path: Path) -> str:
    """Name the process that wrote the last line of who applies."""
    for line in reversed(_lines(path)):
        found = json.loads(line)
        if found.get("kind") == "confirm":
            return f"process {found.get('pid')}"
    return "another process"
