"""Tokens kept out of texts: the Secret, the mask, and the filter on logs."""

import copy
import dataclasses
import json
import logging
import pickle
import threading

import pytest
from scripted import CANARY

from doimages import redaction
from doimages.api.credentials import Credentials
from doimages.redaction import Secret, guard_logs, redact, redact_bytes

# Of no known shape: only that it is alive tells that it is a token.
PLAIN = "sandbox-of-this-very-test"


@dataclasses.dataclass
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{!r}".format,
        "{!s}".format,
        lambda secret: f"{secret}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - as logging does
        lambda secret: repr({"token": secret, 1: [secret], 2: (secret, {secret})}),
        lambda secret: repr(Holder(secret)),
        lambda secret: repr(Credentials(secret, "a test", "https://api.test")),
        lambda secret: str(dir(secret)),
        lambda secret: json.dumps(secret, default=str),
        lambda secret: repr(TypeError(secret)),
    ],
    ids=map(str, range(13)),
)
def test_secret_shows_a_mask(show):
    """Whatever turns a Secret into text shows three stars."""
    assert PLAIN not in show(Secret(PLAIN))


def test_secret_reveals():
    """The token itself is given when it is asked for."""
    assert Secret(PLAIN).reveal() == PLAIN


@pytest.mark.parametrize(
    "take",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        vars,
        dataclasses.asdict,
        lambda secret: dataclasses.asdict(Holder(secret)),
        lambda secret: pickle.dumps(Holder(secret)),
        lambda secret: pickle.dumps(Credentials(secret, "a test", "https://api.test")),
        json.dumps,
        lambda secret: f"{secret:>80}",
        lambda secret: secret + "",
        list,
        len,
    ],
    ids=map(str, range(13)),
)
def test_secret_does_not_travel(take):
    """A Secret is not pickled, copied, listed or joined; the error does not show it."""
    with pytest.raises(TypeError) as got:
        take(Secret(PLAIN))

    assert PLAIN not in str(got.value)


def test_secret_has_no_equality():
    """Secrets are compared by is_same alone, so that no set or dict compares their texts."""
    one, same, other = Secret(PLAIN), Secret(PLAIN), Secret("another-token")

    assert one != same
    assert one.is_same(same)
    assert not one.is_same(other)


@pytest.mark.parametrize("text", ["", "tökén-of-a-test", "token-\udcff"])
def test_odd_secrets(text):
    """A Secret holds any text, even what the environment could not decode."""
    assert Secret(text).is_same(Secret(text))
    assert redact_bytes(b"x") == b"x"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (CANARY, "***"),
        (f"token {CANARY}.", "token ***."),
        (f"'{CANARY}', {CANARY}", "'***', ***"),
        ("dop_v1_01234567", "***"),
        ("doo_v1_0123456789abcdef", "***"),
        ("dor_v1_0123456789ABCDEF", "***"),
        ("DOP_V1_0123456789ABCDEF", "***"),
        ("dop_v1_short", "dop_v1_short"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("b'Bearer abc'", "b'Bearer ***'"),
        ("bearer   abc", "bearer   ***"),
        ('{"Authorization": "Bearer abc"}', '{"Authorization": "Bearer ***"}'),
        ("https://user:pass@host.test/x", "https://***@host.test/x"),
        ("https://user@host.test/x", "https://***@host.test/x"),
        ("https://user:@host.test/x", "https://***@host.test/x"),
        ("https://user:p@ss@host.test/x", "https://***@host.test/x"),
        ("https://host.test/a@b?c=d@e", "https://host.test/a@b?c=d@e"),
        ("https://host.test?c=d@e", "https://host.test?c=d@e"),
        ("mail a@b.test", "mail a@b.test"),
        ("https://h.test/a.img?Signature=abc&x=1", "https://h.test/a.img?Signature=***&x=1"),
        ("https://h.test/a.img?x=1&sig=abc%2F", "https://h.test/a.img?x=1&sig=***"),
        ("https://h.test/a?token=abc&access_token=def", "https://h.test/a?token=***&access_token=***"),
        (
            "https://h.test/a?X-Amz-Credential=AK/1&X-Amz-Signature=f00&X-Amz-Date=2",
            "https://h.test/a?X-Amz-Credential=***&X-Amz-Signature=***&X-Amz-Date=***",
        ),
        ("GET /v2/images?tag_name=prod&page=2", "GET /v2/images?tag_name=prod&page=2"),
        ("", ""),
    ],
)
def test_redact(text, masked):
    """Live tokens, and whatever looks like a token, are masked; the rest of the text stays."""
    assert redact(text) == masked


def test_redact_live():
    """A token of no known shape is masked as soon as a Secret holds it, anywhere in a text or a body."""
    token = "unlike-any-token-and-new"
    assert redact(f"a {token}") == f"a {token}"

    Secret(token)

    assert redact(f"a {token}, /{token}/{token}") == "a ***, /***/***"
    assert redact_bytes(f'{{"a": "{token}"}}'.encode()) == b'{"a": "***"}'


def test_redact_one_within_another():
    """Where one token begins another both are masked whole."""
    Secret("the-token-of-one")
    Secret("the-token-of-one-and-a-half")

    assert redact("the-token-of-one the-token-of-one-and-a-half") == "*** ***"


def test_short_tokens():
    """A token so short that it may be a word is not looked for."""
    Secret("images")

    assert redact("no images") == "no images"


def test_redact_twice():
    """What is masked stays as it is."""
    once = redact(f"Bearer {CANARY} https://u:p@host?sig=1")

    assert redact(once) == once


def test_redact_while_tokens_come():
    """Masking in one thread goes on while another makes Secrets."""
    errors = []

    def make():
        for number in range(2_000):
            Secret(f"token-number-{number}")

    def mask():
        try:
            for _ in range(50):
                redact("token-number-1")
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for work in (make, mask, mask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    redaction._live.difference_update({f"token-number-{number}" for number in range(2_000)})

    assert errors == []


@pytest.mark.parametrize(
    "name",
    ["doimages", "httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "hpack.hpack", "hpack.table"],
)
def test_log_filter(caplog, name):
    """A record of a logger on the way of a request holds no token: not in its message, nor its arguments."""
    guard_logs()
    logger = logging.getLogger(name)

    with caplog.at_level(logging.DEBUG, logger=name):
        logger.debug("sent %s to %r: %d", CANARY, {"token": CANARY}, 5)
        logger.debug("Bearer " + CANARY)  # noqa: G003 - as others do
        logger.info("100%")

    assert [record.getMessage() for record in caplog.records] == [
        "sent *** to {'token': '***'}: 5",
        "Bearer ***",
        "100%",
    ]
    assert CANARY not in repr([vars(record) for record in caplog.records])


def test_log_filter_on_exceptions(caplog):
    """A traceback in a record holds no token either."""
    guard_logs()

    with caplog.at_level(logging.DEBUG, logger="httpx"):
        try:
            raise ValueError(f"Illegal header value b'Bearer {CANARY}'")  # noqa: TRY301 - it is to be logged
        except ValueError:
            logging.getLogger("httpx").exception("failed")

    assert CANARY not in caplog.text
    assert "Illegal header value" in caplog.text


def test_log_filter_on_a_wrong_format(caplog):
    """A record whose arguments do not fit is left to logging, and breaks no request."""
    guard_logs()

    with caplog.at_level(logging.DEBUG, logger="httpx"):
        logging.getLogger("httpx").debug("%d", "no number")

    assert caplog.messages == ["%d ('no number',)"]


def test_guard_logs_twice():
    """The filter is on a logger once, however many clients there are."""
    guard_logs()
    guard_logs()

    assert len([known for known in logging.getLogger("httpx").filters if "doimages" in type(known).__module__]) == 1
