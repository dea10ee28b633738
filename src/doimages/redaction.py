"""Tokens, kept out of every text: exceptions, logs, reprs, attrs, pickles."""

import logging
import re
from collections.abc import Iterable
from hmac import compare_digest
from typing import NoReturn

MASK = "***"

# Prefixes of tokens: `bearer_auth` in DigitalOcean-public.v2.yaml. Signed query values: presigned image URLs.
_SHAPES = re.compile(
    r"(?P<token>do[opr]_v1_[0-9a-fA-F]{8,})"
    r"|(?P<bearer>\bBearer\s+)[^\s'\",)\]}]+"
    r"|(?P<userinfo>\b[a-z][a-z0-9+.-]*://)[^/?#\s'\"]+(?=@)"
    r"|(?P<signed>[?&](?:X-Amz-[A-Za-z-]+|Signature|sig|token|access_token)=)[^&\s'\"]+",
    re.IGNORECASE,
)
# hpack logs whole header tables at DEBUG; httpx and httpcore are here in case a release starts to.
_LOGGERS = (
    "doimages",
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "hpack.hpack",
    "hpack.table",
    "sqlglot",
)
# hpack's records of whole header blocks: the token is in them in a code that anybody can read back.
_HEADER_BLOCKS = ("Encoded header block", "Decoding")
_SHORTEST = 8  # a shorter word would blot out ordinary text
_live: set[str] = set()


class Secret:
    """A token that shows as ``***`` everywhere and cannot be pickled.

    The one way to the text is :meth:`reveal`, which only the transport's auth calls.

    Examples
    --------
    >>> Secret("dop_v1_" + "0" * 64)
    Secret(***)
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        if len(text) >= _SHORTEST:
            _live.add(text)

    def reveal(self) -> str:
        """Give the token itself."""
        return self._text

    def is_same(self, other: "Secret") -> bool:
        """Tell whether two secrets hold one token, in a time that does not depend on where they differ."""
        return compare_digest(_encode(self._text), _encode(other._text))  # noqa: SLF001 - of its own kind

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: make the connection anew where it is needed")


def redact(text: str) -> str:
    """Mask every live token, and whatever looks like one, in a text.

    Examples
    --------
    >>> redact("Authorization: Bearer abc, https://u:p@host/disk.img?Signature=abc&x=1")
    'Authorization: Bearer ***, https://***@host/disk.img?Signature=***&x=1'
    """
    for token in _longest_first():
        if token in text:
            text = text.replace(token, MASK)
    return _SHAPES.sub(_mask, text)


def has_token(text: str) -> bool:
    """Tell whether a text has a token of DigitalOcean's in it, live or by its looks."""
    return any(token in text for token in _live) or any(match["token"] for match in _SHAPES.finditer(text))


def redact_bytes(body: bytes) -> bytes:
    """Mask every live token in what came over the wire: a server may send back what it was sent."""
    for token in _longest_first():
        if _encode(token) in body:
            body = body.replace(_encode(token), MASK.encode())
    return body


def _encode(token: str) -> bytes:
    """Give a token's bytes; one of the environment may hold what is no text."""
    return token.encode(errors="surrogatepass")


def _longest_first() -> list[str]:
    """Give the live tokens so that one which begins another does not leave the rest of it standing."""
    return sorted(_live, key=len, reverse=True)


def _mask(match: re.Match[str]) -> str:
    kept = match["bearer"] or match["userinfo"] or match["signed"] or ""
    return kept + MASK


class _LogFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("hpack") and str(record.msg).startswith(_HEADER_BLOCKS):
            return False
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # the arguments do not fit: no reason to fail a request
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = redact(message), None
        if record.exc_info:
            # The text instead of the error itself, which a handler would format with the token in it.
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


def guard_logs(names: Iterable[str] = _LOGGERS) -> None:
    """Put the redaction filter on the loggers that a request passes through; twice is once."""
    for name in names:
        logger = logging.getLogger(name)
        if not any(isinstance(known, _LogFilter) for known in logger.filters):
            logger.addFilter(_LogFilter())
