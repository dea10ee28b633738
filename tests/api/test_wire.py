"""Statuses and bodies to the errors they mean, and records to bytes."""

import json

import numpy as np
import pytest

from doimages.api.model import Kind, Reply, Request
from doimages.api.wire import (
    check_json,
    check_status,
    check_whole,
    decode_body,
    decode_record,
    encode_body,
    lost_reply,
)
from doimages.errors import (
    APIError,
    AuthenticationError,
    ConflictError,
    DecodeError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TransportError,
)

READ = Request("GET", "/v2/images", {"page": "1"})
WRITES = [
    Request("PUT", "/v2/images/7", kind=Kind.UPDATE, scope="image:update"),
    Request("DELETE", "/v2/images/7", kind=Kind.DELETE, scope="image:delete"),
    Request("POST", "/v2/images", kind=Kind.CREATE, scope="image:create"),
    Request("POST", "/v2/images/7/actions", kind=Kind.ACTION, scope="image:update"),
    Request("POST", "/v2/tags", kind=Kind.TAG, scope="tag:create"),
]


def reply(status: int, body: object = b"", **headers: str) -> Reply:
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def refused(request: Request, answer: Reply, **more) -> APIError:
    with pytest.raises(APIError) as caught:
        check_status(request, answer, **more)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
def test_2xx_passes(status):
    """Whatever is in the body, a good status is no error."""
    check_status(READ, reply(status))


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, InvalidRequestError, False),
        (401, AuthenticationError, False),
        (402, InvalidRequestError, False),
        (403, ForbiddenError, False),
        (404, NotFoundError, False),
        (405, InvalidRequestError, False),
        (408, InvalidRequestError, False),
        (409, ConflictError, True),
        (412, InvalidRequestError, False),
        (415, InvalidRequestError, False),
        (422, InvalidRequestError, False),
        (423, ConflictError, True),
        (429, RateLimitError, True),
        (500, ServerError, True),
        (501, ServerError, True),
        (502, ServerError, True),
        (503, ServerError, True),
        (504, ServerError, True),
        (599, ServerError, True),
    ],
)
def test_status_is_its_error(status, kind, retryable):
    """Each status is one class, with what the API said on it."""
    error = refused(READ, reply(status, {"id": "some_id", "message": "Some text."}, **{"x-request-id": "r1"}))
    assert type(error) is kind
    assert (error.status, error.method, error.url, error.api_id) == (status, "GET", "/v2/images", "some_id")
    assert (error.request_id, error.retryable) == ("r1", retryable)
    assert str(error).startswith(f"GET /v2/images?page=1: DigitalOcean answered {status} some_id: Some text.")


@pytest.mark.parametrize(
    ("body", "api_id", "request_id", "said"),
    [
        ({"id": "not_found", "message": "Gone."}, "not_found", "r1", " not_found: Gone."),
        ({"id": "bad", "message": "No.", "request_id": "r2"}, "bad", "r2", " bad: No."),
        ({"id": "", "message": "Without a dot"}, "", "r1", ": Without a dot."),
        ({"message": "tag not found"}, "", "r1", ": tag not found."),
        ({"status": 500, "message": "Looks wrong.", "request_id": "r2"}, "", "r2", ": Looks wrong."),
        ({"error": "E", "messages": None, "root_causes": ["rpc"]}, "", "r1", ": E."),
        ({"error": "E", "messages": ["one", "two"], "root_causes": []}, "", "r1", ": E; one; two."),
        ({"id": "x", "message": {"name": ["is too long"]}}, "x", "r1", ' x: {"name": ["is too long"]}.'),
        ({"id": "x", "message": None}, "x", "r1", " x: no message."),
        ({"id": 5, "message": "", "request_id": 6}, "", "r1", ": no message."),
        ({"messages": 5}, "", "r1", ": 5."),
        ({"messages": "abc"}, "", "r1", ": abc."),
        ({}, "", "r1", ": no message."),
        ([], "", "r1", ": no error record but '[]'."),
        (b"<html>\n  <h1>502</h1>", "", "r1", ": no error record but '<html> <h1>502</h1>'."),
        (b"x" * 500, "", "r1", f": no error record but '{'x' * 80}'."),
        (b"\xff\xfe\x00", "", "r1", ": no error record but '\ufffd\ufffd\\x00'."),
        (b"", "", "r1", ": an empty body."),
        (b"[" * 100_000, "", "r1", f": no error record but '{'[' * 80}'."),
    ],
)
def test_error_body_of_any_shape_is_told(body, api_id, request_id, said):
    """Both shapes of the API, their parts missing or of another type, HTML, junk or nothing: always a message."""
    error = refused(READ, reply(422, body, **{"x-request-id": "r1"}))
    assert str(error).rstrip() == f"GET /v2/images?page=1: DigitalOcean answered 422{said}"
    assert (error.api_id, error.request_id) == (api_id, request_id)


@pytest.mark.parametrize("request_", WRITES, ids=lambda request: request.kind.value)
@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, ""),
        (401, "Check the token: it may be revoked, cut short, or of another API. "),
        (403, "The token lacks the scope {}. "),
        (404, ""),
        (409, ""),
        (422, ""),
        (429, "The rate limit of this token is used up; go on later. "),
    ],
)
def test_refused_write_changed_nothing(request_, status, advice):
    """A write that was refused says what was tried, what the API said, what to do, and that nothing was changed."""
    error = refused(request_, reply(status, {"id": "no", "message": "No."}))
    assert str(error) == (
        f"{request_}: DigitalOcean answered {status} no: No. {advice.format(request_.scope)}Nothing was changed."
    )


@pytest.mark.parametrize("request_", WRITES, ids=lambda request: request.kind.value)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_failed_write_is_in_doubt(request_, status):
    """After a failure of the server nobody knows whether a write was done, and no message may say so."""
    message = str(refused(request_, reply(status, {"id": "server_error", "message": "Oops."})))
    assert message.endswith("Oops. It may have been carried out: read it back before sending it again.")
    assert "Nothing was changed" not in message


@pytest.mark.parametrize(
    ("seconds", "when"), [(None, "later"), (29.0, "in 29 s"), (99.4, "in 99 s"), (2400.0, "in 40 min")]
)
def test_rate_limit_says_when_to_go_on(seconds, when):
    """The wait is told in seconds or minutes, and as a number."""
    error = refused(READ, reply(429, {"id": "too_many_requests", "message": "Slow down."}), retry_after=seconds)
    assert str(error).endswith(f"Slow down. The rate limit of this token is used up; go on {when}.")
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ({"location": "https://evil.example/v2/images?token=x"}, "evil.example"),
        ({"location": "/v2/images/"}, "nowhere"),
        ({}, "nowhere"),
    ],
)
def test_redirect_is_told(headers, host):
    """A redirect names the host and no more of the address."""
    with pytest.raises(TransportError) as caught:
        check_status(READ, reply(301, **headers))
    assert str(caught.value) == (
        f"GET /v2/images?page=1: redirected to {host} (301). The redirect was not followed; check the base URL."
    )
    assert (caught.value.status, caught.value.retryable) == (301, False)


# Whole or not


@pytest.mark.parametrize("body", [b'{"images": [', b'{"images": []', b"", b"[1]", b"null"])
def test_body_that_does_not_end_as_an_object_was_cut_short(body):
    """JSON of status 200 that does not end with a brace is a lost reply, and a read may be sent again."""
    with pytest.raises(TransportError, match=f"the answer was cut short after {len(body)} bytes") as caught:
        check_whole(READ, reply(200, body))
    assert (caught.value.retryable, caught.value.in_doubt) == (True, True)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b'{"images": []}\r\n '),
        reply(204),
        reply(201),
        reply(503, b"<html>"),
        reply(200, b"<html>", **{"content-type": "text/html; charset=utf-8"}),
    ],
)
def test_what_need_not_end_with_a_brace_is_left_alone(answer):
    """Empty replies to writes, errors and other media types are judged elsewhere."""
    check_whole(READ, answer)


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8", "application/vnd.do+JSON"])
def test_json_by_any_name_is_json(media):
    """Parameters and vendor types do not matter; no type at all is taken for JSON."""
    check_json(READ, reply(200, {}, **{"content-type": media}))
    check_json(READ, reply(200, {}))


@pytest.mark.parametrize("media", ["text/html", "text/plain", "application/octet-stream"])
def test_other_media_types_are_refused(media):
    """The page of a proxy is no answer of the API."""
    with pytest.raises(DecodeError, match=f"the answer is {media}, not JSON. Check the base URL and any proxy."):
        check_json(READ, reply(200, {}, **{"content-type": f"{media}; charset=utf-8"}))


@pytest.mark.parametrize("request_", WRITES, ids=lambda request: request.kind.value)
def test_lost_reply_to_a_write_is_in_doubt(request_):
    """Where no reply came, a write may have been done; a read needs no such word."""
    advice = " It may have been carried out: read it back before sending it again."
    assert str(lost_reply(request_, "nothing came.", retryable=True)) == f"{request_}: nothing came.{advice}"
    assert str(lost_reply(READ, "nothing came.", retryable=True)) == "GET /v2/images?page=1: nothing came."


# Records


@pytest.mark.parametrize(
    ("body", "record"),
    [
        ({"image": {"id": 7}}, {"id": 7}),
        ({"image": {"id": 7}, "links": {}}, {"id": 7}),
        ({"image": {"image": {"id": 7}}}, {"id": 7}),
        ({"image": {"image": "x", "id": 7}}, {"image": "x", "id": 7}),
        ({"image": {}}, {}),
    ],
)
def test_record_is_under_its_key(body, record):
    """The envelope is taken off, twice where the description wraps twice."""
    assert decode_record(READ, reply(200, body), "image") == record


@pytest.mark.parametrize("body", [{}, {"image": None}, {"image": [1]}, {"images": [], "meta": {}}])
def test_missing_record_is_told(body):
    """A reply without the record names the keys it has."""
    with pytest.raises(DecodeError) as caught:
        decode_record(READ, reply(200, body), "image")
    assert str(caught.value) == f"GET /v2/images?page=1: the answer has no 'image', only {sorted(body)}."
    assert caught.value.column == "image"


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_record_that_is_no_json_is_a_lost_reply(body):
    """A write whose reply cannot be read may have been done."""
    with pytest.raises(TransportError, match=rf"no whole JSON \({len(body)} bytes\)\. It may have been") as caught:
        decode_body(WRITES[0], reply(200, body))
    assert caught.value.in_doubt is True


def test_list_in_place_of_a_record_is_refused():
    """JSON that is no object has no key to look under."""
    with pytest.raises(DecodeError, match="the answer is a JSON list, not an object"):
        decode_body(READ, reply(200, []))


def test_body_is_json_with_plain_numbers():
    """Numpy numbers become plain ones at this edge, and letters stay letters."""
    assert encode_body({"id": np.int64(7), "ok": np.bool_(True), "name": "ключ"}) == (
        '{"id": 7, "ok": true, "name": "ключ"}'.encode()
    )


def test_body_that_is_no_json_is_a_type_error():
    """What JSON cannot hold is refused before anything is sent."""
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        encode_body({"id": object()})
