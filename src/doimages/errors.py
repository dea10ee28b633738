"""The one tree of errors; every message says what was tried, what came back, and what to do.

::

    DOImagesError                 .status .request_id .retry_after .retryable readable on every one
    ├─ UsageError (ValueError)    nothing was sent
    │  ├─ StatementError          .line .column .hint
    │  ├─ UnknownColumnError      .line .column .suggestions
    │  └─ UnsupportedError
    ├─ CredentialsError           where we looked
    ├─ NotConfirmedError          .plan: the words were missing, or others
    ├─ ApplyError                 .report: not all of a plan was done
    ├─ TransportError             .in_doubt: no whole reply came
    ├─ APIError                   .method .url .api_id
    │  ├─ InvalidRequestError     400, 405, 422 and other 4xx
    │  ├─ AuthenticationError     401
    │  ├─ ForbiddenError          403
    │  ├─ NotFoundError           404
    │  ├─ ConflictError           409, 423
    │  ├─ RateLimitError          429
    │  └─ ServerError             5xx
    ├─ DecodeError                .column .value
    └─ ListingError               the listing changed or did not end: never a partial frame
"""

import re
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Self

from doimages.redaction import redact

SHORT_LINES = 3
SHORT_WIDTH = 110
_WIDEST = 100  # characters of a statement's line
_MOST = 1000  # characters of a message shown short; an API may say more


class DOImagesError(Exception):
    """Any failure of doimages; in a notebook it shows as one to three lines, and still fails the cell.

    Tokens are masked in the message when it is made, so no handler, log or traceback can show one.
    """

    status: int | None = None
    request_id: str | None = None
    retry_after: float | None = None
    retryable: bool = False
    # An earlier try of the same request may have been carried out, whatever became of the last one.
    may_be_done: bool = False
    # A notebook shows the whole traceback at once: the magic's flag --traceback.
    in_full: bool = False

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))

    def add(self, sentence: str) -> None:
        """Say more: what the failure meant to the one who asked."""
        self.args = (f"{self} {redact(sentence)}",)

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.args, self.__dict__)

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: short, yet (unlike its UsageError) a real error to nbclient, nbval, papermill.
        # It asks while the error is being handled; later on only `%tb` asks, which is to show all.
        is_asked_again = sys.exc_info()[1] is not self and getattr(sys, "last_value", None) is self
        if self.in_full or is_asked_again:
            return redact("".join(traceback.format_exception(self))).splitlines()
        return _shorten(f"{type(self).__name__}: {self}")


class UsageError(DOImagesError, ValueError):
    """An argument, flag or statement is wrong; nothing was sent."""

    # Where in a statement, both counted from 1; None if it is about something else.
    line: int | None = None
    column: int | None = None

    def add(self, sentence: str) -> None:
        """Say more, before the line that it points at."""
        said, end, pointed = str(self).partition("\n")
        self.args = (f"{said} {redact(sentence)}{end}{pointed}",)

    def mark(self, statement: str, start: int, end: int) -> Self:
        """Point at characters ``start`` up to ``end`` of a statement: the line they are in, and carets below them."""
        before = statement[:start]
        self.line = before.count("\n") + 1
        self.column = start - (before.rfind("\n") + 1) + 1
        shown = statement.split("\n")[self.line - 1]
        width = max(1, min(end - start, len(shown) - self.column + 1, _WIDEST))
        cut = max(0, self.column - 1 + width - _WIDEST)
        text = _printable(shown[cut : cut + _WIDEST])
        carets = " " * (self.column - 1 - cut) + "^" * width
        self.args = (f"{self}\n  {redact(text)}\n  {carets}",)
        return self


class StatementError(UsageError):
    """A SQL statement is wrong; nothing was sent. ``hint`` says what to write instead."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1, hint: str | None = None) -> None:
        super().__init__(_printable(f"{message} {hint}" if hint else message))
        self.line = line
        self.column = column
        self.hint = hint


class UnknownColumnError(UsageError):
    """A column is not in the schema; nothing was sent."""

    def __init__(self, name: str, known: Sequence[str], table: str = "images") -> None:
        self.suggestions = get_close_matches(name.lower(), known, n=3, cutoff=0.6)
        super().__init__(f"no column {name!r} in {table}.{did_you_mean(self.suggestions, known)}")


class UnsupportedError(UsageError):
    """What was asked for is not built; nothing was sent."""


class CredentialsError(DOImagesError):
    """No token was found, or the one found may not be sent where the URL points."""


class NotConfirmedError(DOImagesError):
    """A plan was to be applied without its words, or with others; nothing was sent. ``plan`` is the plan."""

    def __init__(self, message: str, *, plan: Any) -> None:
        super().__init__(message)
        self.plan = plan


class ApplyError(DOImagesError):
    """Some of a plan failed, is in doubt, or was not started; ``report`` tells of each image."""

    def __init__(self, message: str, *, report: Any) -> None:
        super().__init__(message)
        self.report = report


class TransportError(DOImagesError):
    """No whole reply came: connection, TLS, timeout, a redirect, or a body that is no JSON.

    ``in_doubt`` is True when the request may have been carried out all the same.
    """

    # Others were lost with the same connection, and one of them has paid for the retries of all.
    is_paid: bool = False

    def __init__(
        self, message: str, *, in_doubt: bool = False, retryable: bool = False, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt
        self.retryable = retryable
        self.status = status


class APIError(DOImagesError):
    """DigitalOcean answered with an error status."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        method: str,
        url: str,
        api_id: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.method = method
        self.url = redact(url)
        self.api_id = api_id
        self.request_id = request_id
        self.retry_after = retry_after


class InvalidRequestError(APIError):
    """The API refused the request as it stands (400, 405, 415, 422 and any other 4xx)."""


class AuthenticationError(APIError):
    """The API refused the token (401)."""


class ForbiddenError(APIError):
    """The token lacks a scope (403)."""


class NotFoundError(APIError):
    """There is no such image, tag or action for this token (404)."""


class ConflictError(APIError):
    """Something else is changing the same thing (409, 423)."""

    retryable = True


class RateLimitError(APIError):
    """The rate limit is used up, and the wait is longer than is sensible (429); see ``retry_after``."""

    retryable = True


class ServerError(APIError):
    """DigitalOcean failed (5xx)."""

    retryable = True


class DecodeError(DOImagesError):
    """A value in a reply does not fit its column; the frame was not made."""

    def __init__(self, message: str, *, column: str | None = None, value: Any = None) -> None:
        super().__init__(message)
        self.column = column
        self.value = redact(value) if isinstance(value, str) else value


class ListingError(DOImagesError):
    """The listing changed while it was read, or does not end: a partial frame is never returned."""

    retryable = True


def _revive(kind: type[DOImagesError], args: tuple[Any, ...], state: dict[str, Any]) -> DOImagesError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def _printable(text: str) -> str:
    """Put spaces for letters that would move a terminal's cursor, or end the line; a message quotes the statement."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _shorten(text: str) -> list[str]:
    """Break a message between its sentences, into three lines at most; one that shows a line of SQL has three."""
    if "\n" in text:
        message, *shown = text.split("\n")
        if len(shown) == SHORT_LINES - 1:
            return [" ".join(message.split())[:_MOST], *shown]
    sentences = re.split(r"(?<=[.?]) ", " ".join(text.split())[:_MOST])
    lines = [sentences[0]]
    for sentence in sentences[1:]:
        if len(lines) < SHORT_LINES and len(lines[-1]) + len(sentence) >= SHORT_WIDTH:
            lines.append(sentence)
        else:
            lines[-1] += f" {sentence}"
    return lines


def did_you_mean(suggestions: Sequence[str], known: Sequence[str]) -> str:
    """Give the second sentence of a message on an unknown name."""
    if suggestions:
        return f" Did you mean {' or '.join(map(repr, suggestions))}?"
    return f" Known: {', '.join(known)}." if known else ""


def unknown_name(kind: str, name: object, known: Sequence[str]) -> UsageError:
    """Make the error for a name that is not among the known ones."""
    close = get_close_matches(str(name), known, n=3, cutoff=0.6)
    return UsageError(f"no {kind} {str(name)!r}.{did_you_mean(close, known)}")
