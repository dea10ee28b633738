"""Requests without a whole reply: what is known of them, and how an attempt failed. No I/O."""

from urllib.parse import SplitResult

from doimages.api import retry
from doimages.api.model import Request
from doimages.api.retry import Failure
from doimages.api.wire import lost_reply
from doimages.errors import APIError, TransportError


def failure_of(error: TransportError | APIError) -> Failure | None:
    """Tell how an attempt failed; None if that is final."""
    if isinstance(error, APIError):
        return retry.failure_of_status(error.status or 0)
    if not error.retryable:
        return None
    return Failure.LOST if error.in_doubt else Failure.UNSENT


def problem_of(
    request: Request,
    reason: str,
    base: SplitResult,
    *,
    is_unsent: bool,
    is_untrusted: bool = False,
    is_final: bool = False,
) -> TransportError:
    """Say what is known of a request without a whole reply."""
    if is_untrusted:
        return TransportError(f"{request}: the certificate of {base.hostname} is not trusted. Nothing was sent.")
    if is_unsent and "SSL" in reason and "EOF" not in reason:
        return TransportError(f"{request}: no TLS connection to {base.netloc} ({reason}). Nothing was sent.")
    if is_unsent:
        return TransportError(
            f"{request}: {base.netloc} cannot be reached ({reason}). Nothing was changed.", retryable=True
        )
    return lost_reply(request, f"no whole answer came from {base.netloc} ({reason}).", retryable=not is_final)
