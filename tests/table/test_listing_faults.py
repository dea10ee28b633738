"""What a reading makes of a faulty API: a whole frame, or an error that says what happened; never a part of one."""

import asyncio
from collections.abc import Callable, Iterator
from email.utils import formatdate

import httpx
import pytest
from scripted import CANARY, image, pages_of

from doimages import (
    AuthenticationError,
    DecodeError,
    ForbiddenError,
    ListingError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TransportError,
    read_do_images,
)

NEXT = "https://api.digitalocean.com/v2/images?page={}&per_page=200"


def page_of(request: httpx.Request) -> int:
    return int(request.url.params["page"])


def images(first: int, last: int) -> list[dict]:
    return [image(number) for number in range(first, last + 1)]


def reply(rows: list, total: object = None, **more) -> httpx.Response:
    meta = {} if total is None else {"meta": {"total": total}}
    return httpx.Response(200, json={"images": rows} | meta | more)


def error(status: int, id: str, message: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"id": id, "message": message}, headers=headers)


def in_turn(*replies: httpx.Response | Exception | Callable) -> Callable[[httpx.Request], httpx.Response]:
    """Answer each request with the next of the replies, and all further ones with the last."""
    left: Iterator = iter(replies)

    def handler(request):
        found = next(left, replies[-1])
        if isinstance(found, Exception):
            raise found
        return found(request) if callable(found) else found

    return handler


def whole(count: int) -> Callable[[httpx.Request], httpx.Response]:
    return pages_of(images(1, count))


# Refusals


def test_401_is_told_once_and_not_sent_again(make_client):
    """A token that is refused ends the read at once."""
    client = make_client(in_turn(error(401, "unauthorized", "Unable to authenticate you.")))
    with pytest.raises(AuthenticationError) as caught:
        read_do_images(client=client)
    assert str(caught.value) == (
        "GET /v2/images?page=1&per_page=200: DigitalOcean answered 401 unauthorized: Unable to authenticate you. "
        "Check the token: it may be revoked, cut short, or of another API. "
        "The listing failed at page 1; no frame was made."
    )
    assert len(client.sent) == 1


def test_403_names_the_scope(make_client):
    """A token without the scope is told which scope it lacks."""
    client = make_client(in_turn(error(403, "forbidden", "You do not have permission to perform this action.")))
    with pytest.raises(ForbiddenError, match=r"403 forbidden: .* The token lacks the scope image:read\. The listing"):
        read_do_images(client=client)
    assert len(client.sent) == 1


def test_400_is_final(make_client):
    """What the API refuses as it stands is not sent again, on whichever page."""
    client = make_client(
        lambda request: whole(450)(request) if page_of(request) < 3 else error(400, "bad_request", "no such page")
    )
    with pytest.raises(Exception, match=r"400 bad_request: no such page\. .*failed at page 3; no frame was made\.$"):
        read_do_images(client=client)
    assert len(client.sent) == 3


# Rate limit


def test_429_with_retry_after_is_waited_for(make_client, fake_time):
    """A burst that is refused waits as long as it is told, and loses no row."""
    limited = []

    def handler(request):
        if page_of(request) == 2 and not limited:
            limited.append(request)
            return error(429, "too_many_requests", "API rate limit exceeded.", **{"retry-after": "29"})
        return whole(450)(request)

    client = make_client(handler)
    frame = read_do_images(client=client)
    assert frame["id"].tolist() == list(range(1, 451))
    assert len(client.sent) == 4
    assert 29.0 in fake_time.slept


def test_used_up_hour_is_told_at_once(make_client, fake_time):
    """An hour that is used up for 40 minutes more is an error that says so, not a wait."""
    headers = {"ratelimit-remaining": "0", "ratelimit-reset": str(int(fake_time.now) + 2400)}
    client = make_client(in_turn(error(429, "too_many_requests", "API rate limit exceeded.", **headers)))
    with pytest.raises(RateLimitError, match=r"go on in 40 min\. The listing failed at page 1") as caught:
        read_do_images(client=client)
    assert caught.value.retry_after == 2400.0
    assert fake_time.slept == []
    assert len(client.sent) == 1


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({}, [21.0]),
        ({"retry-after": "0"}, [1.0]),
        ({"retry-after": "120"}, [120.0]),
        ({"retry-after": "-5"}, [21.0]),
        ({"retry-after": "soon"}, [21.0]),
        ({"retry-after": "1e9"}, [21.0]),
        ({"retry-after": "9" * 5000, "ratelimit-reset": "9" * 5000}, [21.0]),
        ({"retry-after": "Mon, 01 Jan 99999999999 00:00:00 GMT"}, [21.0]),
        ({"retry-after": "٣"}, [21.0]),
        ({"retry-after": formatdate(1_790_000_030, usegmt=True)}, [30.0]),
        ({"retry-after": formatdate(1_700_000_000, usegmt=True)}, [21.0]),
        ({"retry-after": "Mon, 99 Foo 2026 25:00:00 GMT"}, [21.0]),
        ({"retry-after": "soon", "ratelimit-reset": "1790000050"}, [50.0]),
        ({"retry-after": "7", "ratelimit-reset": "1790000050"}, [7.0]),
        ({"ratelimit-reset": "1444931833"}, [21.0]),
        ({"ratelimit-reset": "1790000000"}, [1.0]),
        ({"ratelimit-reset": "-1"}, [21.0]),
        ({"ratelimit-reset": "junk"}, [21.0]),
    ],
)
def test_wait_of_a_429_is_between_1_and_120_seconds(make_client, fake_time, headers, waits):
    """Whatever the headers of a 429 hold, the wait is sensible, and the read goes on."""
    encoded = {name: value.encode() for name, value in headers.items()}
    client = make_client(in_turn(httpx.Response(429, headers=encoded, json={}), whole(2)))
    assert len(read_do_images(client=client)) == 2
    assert fake_time.slept == waits
    assert len(client.sent) == 2


@pytest.mark.parametrize(
    "headers", [{"retry-after": "121"}, {"retry-after": "9" * 15}, {"ratelimit-reset": "4070908800"}]
)
def test_wait_over_120_seconds_is_an_error(make_client, fake_time, headers):
    """Nobody sits in front of a cell until 2099."""
    client = make_client(in_turn(httpx.Response(429, headers=headers, json={})))
    with pytest.raises(RateLimitError, match=r"The rate limit of this token is used up; go on in \S+ min\."):
        read_do_images(client=client)
    assert fake_time.slept == []
    assert len(client.sent) == 1


def test_429_for_ever_ends(make_client, fake_time):
    """An API that always says 429 is given up after five minutes of waiting."""
    client = make_client(in_turn(httpx.Response(429, json={})))
    with pytest.raises(RateLimitError):
        read_do_images(client=client)
    assert sum(fake_time.slept) == 294.0
    assert len(client.sent) == 15


# Failures of the server and the network


def test_503_at_page_3_names_page_3(make_client):
    """A page that stays unavailable is asked for five times, then the error names it."""
    client = make_client(
        lambda request: (
            error(503, "service_unavailable", "Service is currently unavailable.")
            if page_of(request) == 3
            else whole(450)(request)
        )
    )
    with pytest.raises(ServerError) as caught:
        read_do_images(client=client)
    assert str(caught.value) == (
        "GET /v2/images?page=3&per_page=200: DigitalOcean answered 503 service_unavailable: "
        "Service is currently unavailable. Try again in a minute. The listing failed at page 3; no frame was made."
    )
    assert [path for _, path, _ in client.sent].count("/v2/images?page=3&per_page=200") == 5
    assert len(client.sent) == 7


@pytest.mark.parametrize(("status", "sent"), [(500, 4), (502, 5), (503, 5), (504, 5), (408, 5), (425, 5), (501, 1)])
def test_failing_status_is_asked_again_as_often_as_the_table_says(make_client, status, sent):
    """A GET is sent again after a failure that may pass, and not after one that is final."""
    client = make_client(in_turn(httpx.Response(status, text="<html>Bad gateway</html>")))
    with pytest.raises(Exception, match=rf"answered {status}: no error record but '<html>Bad gateway</html>'\."):
        read_do_images(client=client)
    assert len(client.sent) == sent


def test_500_that_passes_loses_nothing(make_client):
    """A failure that passes leaves no trace in the frame."""
    client = make_client(in_turn(httpx.Response(500), httpx.Response(502), whole(3)))
    assert read_do_images(client=client)["id"].tolist() == [1, 2, 3]
    assert len(client.sent) == 3


def test_refused_connection_says_nothing_was_changed(make_client):
    """Where nobody answers, five tries are made, and the message names the host."""
    client = make_client(in_turn(httpx.ConnectError("[Errno 111] Connection refused")))
    with pytest.raises(TransportError) as caught:
        read_do_images(client=client)
    assert str(caught.value) == (
        "GET /v2/images?page=1&per_page=200: api.test cannot be reached ([Errno 111] Connection refused). "
        "Nothing was changed. The listing failed at page 1; no frame was made."
    )
    assert caught.value.in_doubt is False
    assert len(client.sent) == 5


def test_untrusted_certificate_is_not_tried_again(make_client):
    """A certificate that is not trusted is told at once; nothing is sent past it."""
    text = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1000)"
    client = make_client(in_turn(httpx.ConnectError(text)))
    with pytest.raises(TransportError, match=r"the certificate of api\.test is not trusted\. Nothing was sent\."):
        read_do_images(client=client)
    assert len(client.sent) == 1


@pytest.mark.parametrize(
    "lost",
    [
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.ReadTimeout(""),
        httpx.ReadError(""),
        httpx.Response(200, content=b'{"images": [{"id": 1, "na'),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"[]"),
    ],
)
def test_reply_that_was_cut_short_is_asked_for_again(make_client, lost):
    """A reply that did not come whole is asked for again, and the frame is whole."""
    client = make_client(in_turn(lost, whole(3)))
    assert read_do_images(client=client)["id"].tolist() == [1, 2, 3]
    assert len(client.sent) == 2


def test_reply_that_is_always_cut_short_is_an_error(make_client):
    """After five replies that were cut short the read ends, saying how much came."""
    client = make_client(in_turn(httpx.Response(200, content=b'{"images": [')))
    with pytest.raises(TransportError, match=r"page=1&per_page=200: the answer was cut short after 12 bytes\. The"):
        read_do_images(client=client)
    assert len(client.sent) == 5


def test_reply_cut_behind_a_record_is_no_frame(make_client):
    """A reply cut where a record ends looks whole from its end, but is no JSON: an error, not a row."""
    client = make_client(in_turn(httpx.Response(200, content=b'{"images": [{"id": 1}')))
    with pytest.raises(DecodeError, match="The answer is no whole JSON"):
        read_do_images(client=client)
    assert len(client.sent) == 1


# Replies that are no page of a listing


def test_html_with_status_200_is_refused(make_client):
    """The page of a proxy is no listing, whatever its status."""
    client = make_client(in_turn(httpx.Response(200, html="<html>Please log in</html>")))
    with pytest.raises(DecodeError) as caught:
        read_do_images(client=client)
    assert str(caught.value) == (
        "GET /v2/images?page=1&per_page=200: the answer is text/html, not JSON. Check the base URL and any proxy."
    )
    assert len(client.sent) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"meta": {"total": 3}}, "The answer has no list 'images', only ['meta']."),
        ({"images": None}, "The answer has no list 'images', only ['images']."),
        ({"images": {"id": 1}}, "The answer has no list 'images', only ['images']."),
        ({"image": {"id": 1}, "links": {}}, "The answer has no list 'images', only ['image', 'links']."),
        ({}, "The answer has no list 'images', only []."),
        ({"images": [None]}, "A record of images is a NoneType: None."),
        ({"images": ["ubuntu"]}, "A record of images is a str: 'ubuntu'."),
        ({"images": [{"name": "web"}]}, "id of {'name': 'web'} is None, which is no integer. No frame was made."),
    ],
)
def test_json_that_is_no_listing_is_refused(make_client, body, message):
    """JSON without a list of images names what is missing, and is never an empty frame."""
    client = make_client(in_turn(httpx.Response(200, json=body)))
    with pytest.raises(DecodeError) as caught:
        read_do_images(client=client)
    assert str(caught.value) == message
    assert len(client.sent) == 1


def test_error_body_without_id_or_message_is_shown(make_client):
    """An error without a record shows its status and the first 80 characters, tokens masked."""
    client = make_client(in_turn(httpx.Response(418, text=f"<b>teapot</b> {CANARY} " + "x" * 500)))
    with pytest.raises(Exception, match="answered 418") as caught:
        read_do_images(client=client)
    assert "no error record but '<b>teapot</b> ***" in str(caught.value)
    assert CANARY[:20] not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert len(client.sent) == 1


def test_answer_over_the_cap_is_refused(make_client):
    """An answer of 50 MiB is given up at 32, and not asked for again."""

    async def flood():
        for _ in range(50):
            yield b" " * 1024**2

    client = make_client(lambda request: httpx.Response(200, content=flood()))
    with pytest.raises(TransportError, match=r"no whole answer came from api\.test \(the answer is larger than 32 MiB"):
        read_do_images(client=client)
    assert len(client.sent) == 1


def test_redirect_is_not_followed(make_client):
    """A redirect would carry the token elsewhere: it is told, not followed."""
    hosts = []

    def handler(request):
        hosts.append(request.url.host)
        return httpx.Response(302, headers={"location": "https://evil.example/v2/images?token=x"})

    with pytest.raises(TransportError, match=r"redirected to evil\.example \(302\)\. The redirect was not followed;"):
        read_do_images(client=make_client(handler))
    assert hosts == ["api.test"]


# Links


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v2/images?page=2&per_page=1",
        "//evil.example/?page=2",
        "https://api.test/v2/images/?page=2",
        "?page=2",
        "https://api.test/v2/images?page=1&x=3&page=2",
    ],
)
def test_only_the_number_in_a_link_counts(make_client, link):
    """A next link gives a page number, and nothing else: no host, no path, no page size."""
    seen = []

    def handler(request):
        seen.append((request.url.host, request.url.raw_path.decode()))
        return reply(images(1, 2), links={"pages": {"next": link}}) if page_of(request) == 1 else reply(images(3, 4))

    assert read_do_images(client=make_client(handler))["id"].tolist() == [1, 2, 3, 4]
    assert (
        seen
        == [
            ("api.test", "/v2/images?page=1&per_page=200"),
            ("api.test", "/v2/images?page=2&per_page=200"),
        ]
        * 2
    )


def test_next_link_that_repeats_ends_the_reading(make_client):
    """A page that names itself as the next is not asked for again and again."""
    links = {"pages": {"next": NEXT.format(1)}}
    client = make_client(in_turn(reply(images(1, 2), links=links)))
    with pytest.raises(ListingError, match="the listing does not end: page 1 names page 1 as the next"):
        read_do_images(client=client)
    assert len(client.sent) == 3


def test_next_links_for_ever_end(make_client, monkeypatch):
    """Pages without a total that always name a next one are given up at a cap."""
    monkeypatch.setattr("doimages.api.survey.MOST_PAGES", 5)

    def handler(request):
        number = page_of(request)
        return reply([image(number)], links={"pages": {"next": NEXT.format(number + 1)}})

    client = make_client(handler)
    with pytest.raises(ListingError, match="the listing does not end: page 5 names page 6 as the next"):
        read_do_images(client=client)
    assert len(client.sent) == 15


def test_empty_page_that_names_a_next_one_does_not_end(make_client):
    """An empty page ends a listing, so it cannot name another."""
    client = make_client(in_turn(reply([], links={"pages": {"next": NEXT.format(2)}})))
    with pytest.raises(ListingError, match="the listing does not end: page 1 is empty, yet names a next one"):
        read_do_images(client=client)
    assert len(client.sent) == 3


def test_next_link_behind_the_total_is_an_error(make_client):
    """A last page that names one more contradicts the total."""
    client = make_client(in_turn(reply(images(1, 2), 2, links={"pages": {"next": NEXT.format(2)}})))
    with pytest.raises(ListingError) as caught:
        read_do_images(client=client)
    assert str(caught.value) == (
        "The listing of images changed while it was read, 3 times: "
        "2 images end on page 1, yet that page names page 2 as the next. "
        "No frame was made; read it again when nothing else is changing it."
    )
    assert len(client.sent) == 3


@pytest.mark.parametrize(
    "links",
    [
        None,
        {},
        {"pages": {}},
        {"pages": None},
        {"pages": {"next": None, "last": None}},
        {"pages": {"next": ""}},
        {"pages": {"next": "https://api.test/v2/images"}},
        {"pages": {"next": "https://[broken?page=2"}},
        {"pages": {"next": "?page=two"}},
        {"pages": {"next": "?page=" + "9" * 5000}},
        {"pages": {"last": "https://api.test/v2/images/?page=2"}},
        {"pages": []},
        {"pages": {"next": 2}},
        "none",
    ],
)
def test_links_that_say_nothing_do_not_matter(make_client, links):
    """With a total, a listing of 250 is two requests, whatever is in the place of the links."""
    client = make_client(
        lambda request: reply(images(1, 200) if page_of(request) == 1 else images(201, 250), 250, links=links)
    )
    frame = read_do_images(client=client)
    assert frame["id"].tolist() == list(range(1, 251))
    assert len(client.sent) == 2


def test_listing_without_links_is_read_by_its_total(make_client):
    """A listing whose pages have no links at all is read by its total."""
    client = make_client(whole(450))
    frame = read_do_images(client=client)
    assert frame["id"].tolist() == list(range(1, 451))
    assert frame.attrs["do_images"]["complete"] is True
    assert [path for _, path, _ in client.sent] == [f"/v2/images?page={n}&per_page=200" for n in (1, 2, 3)]


# Totals


@pytest.mark.parametrize("total", [None, "450", 450.0, True, [450], {"is": 450}])
def test_without_a_total_the_pages_are_walked(make_client, total):
    """A total that is missing, or no number, is not needed: pages are asked for until one is empty, and once more."""
    client = make_client(
        lambda request: reply(images(1, 450)[(page_of(request) - 1) * 200 : page_of(request) * 200], total)
    )
    frame = read_do_images(client=client)
    assert frame["id"].tolist() == list(range(1, 451))
    assert frame.attrs["do_images"]["total"] is None
    assert frame.attrs["do_images"]["complete"] is True
    assert len(client.sent) == 8


def test_without_a_total_one_page_is_read_once(make_client):
    """One page is one moment: only the empty page after it is asked for, and nothing is read again."""
    client = make_client(lambda request: reply(images(1, 3) if page_of(request) == 1 else []))
    assert len(read_do_images(client=client)) == 3
    assert len(client.sent) == 2


def test_without_a_total_a_delete_between_pages_is_seen(make_client):
    """Pages that hide an image, and tell no total, are read until two readings are the same."""
    listed = images(1, 450)
    hidden = [listed[200]]

    def handler(request):
        number = page_of(request)
        rows = reply(listed[(number - 1) * 200 : number * 200])
        if hidden and number == 1:
            listed.pop(0)
            hidden.clear()
        return rows

    client = make_client(handler)
    assert read_do_images(client=client)["id"].tolist() == list(range(2, 451))
    assert len(client.sent) == 12


def test_without_a_total_links_end_the_walk(make_client):
    """Where there are links, the page that names no next one is the last: no empty page is asked for."""

    def handler(request):
        number = page_of(request)
        links = {"pages": {"next": NEXT.format(number + 1)}} if number < 3 else {"pages": {"last": NEXT.format(3)}}
        return reply(images(2 * number - 1, 2 * number), links=links)

    client = make_client(handler)
    assert read_do_images(client=client)["id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert len(client.sent) == 6


@pytest.mark.parametrize(
    ("total", "sent", "fault"),
    [
        (5, 6, "page 2 should hold 2 of 5 images, and holds 0"),
        (2, 3, "page 1 should hold 2 of 2 images, and holds 3"),
        (0, 3, "page 1 should hold 0 of 0 images, and holds 3"),
        (-1, 3, "page 1 should hold 0 of -1 images, and holds 3"),
        (10**9, 3, "page 1 says there are 1000000000 images, more than 10000 pages"),
        (10**400, 3, "more than 10000 pages"),
    ],
)
def test_wrong_total_is_never_a_frame(make_client, total, sent, fault):
    """A total that does not fit the rows is told, after three readings; rows are not returned as all."""
    client = make_client(lambda request: reply(images(1, 3) if page_of(request) == 1 else [], total))
    with pytest.raises(ListingError, match="changed while it was read, 3 times") as caught:
        read_do_images(client=client)
    assert fault in str(caught.value)
    assert len(client.sent) == sent


def test_total_missing_on_one_page_is_an_error(make_client):
    """A page that says nothing of the total cannot be held against the others."""
    client = make_client(
        lambda request: reply(images(1, 200), 250) if page_of(request) == 1 else reply(images(201, 250))
    )
    with pytest.raises(ListingError, match="page 1 says there are 250 images, page 2 says nothing of it"):
        read_do_images(client=client)
    assert len(client.sent) == 6


def test_no_images_is_an_empty_typed_frame(make_client):
    """An empty listing is one request, and a frame with the same dtypes as any other."""
    client = make_client(whole(0))
    frame = read_do_images(client=client)
    assert frame.dtypes.equals(read_do_images(client=make_client(whole(3))).dtypes)
    assert len(frame) == 0
    assert len(client.sent) == 1


# A listing that changes while it is read


def test_insert_between_pages_is_read_again(make_client):
    """An image made between two pages shifts one onto both: the listing is read again, and is whole."""
    catalogue = images(1, 450)

    def handler(request):
        if page_of(request) == 2 and len(catalogue) == 450:
            catalogue.insert(0, image(1000))
        return pages_of(catalogue)(request)

    client = make_client(handler)
    frame = read_do_images(client=client)
    assert frame["id"].tolist() == [1000, *range(1, 451)]
    assert len(client.sent) == 6


def test_delete_between_pages_is_read_again(make_client):
    """An image deleted between two pages hides another: the listing is read again, and is whole."""
    catalogue = images(1, 450)

    def handler(request):
        if page_of(request) == 2 and len(catalogue) == 450:
            del catalogue[0]
        return pages_of(catalogue)(request)

    client = make_client(handler)
    frame = read_do_images(client=client)
    assert frame["id"].tolist() == list(range(2, 451))
    assert len(client.sent) == 6


def test_image_on_two_pages_is_told_after_three_readings(make_client):
    """An image that is always on two pages makes no frame, though totals and counts fit."""
    client = make_client(lambda request: reply(images(1, 200) if page_of(request) == 1 else images(200, 249), 250))
    with pytest.raises(ListingError) as caught:
        read_do_images(client=client)
    assert str(caught.value) == (
        "The listing of images changed while it was read, 3 times: id 200 is on two pages. "
        "No frame was made; read it again when nothing else is changing it."
    )
    assert caught.value.retryable is True
    assert len(client.sent) == 6


def test_fewer_images_than_the_total_is_told_after_three_readings(make_client):
    """A page that is short of what the total tells makes no frame."""
    client = make_client(lambda request: reply(images(1, 200) if page_of(request) == 1 else images(201, 249), 250))
    with pytest.raises(ListingError, match="page 2 should hold 50 of 250 images, and holds 49"):
        read_do_images(client=client)
    assert len(client.sent) == 6


def test_listing_that_grows_at_each_page_is_given_up(make_client):
    """A listing that never stands still is told after three readings."""
    catalogue = images(1, 450)

    def handler(request):
        catalogue.insert(0, image(1000 + len(catalogue)))
        return pages_of(catalogue)(request)

    client = make_client(handler)
    with pytest.raises(ListingError, match="3 times: page 1 says there are 457 images, page 2 says 458"):
        read_do_images(client=client)
    assert len(client.sent) == 9


def test_third_reading_may_be_the_whole_one(make_client):
    """Two readings that fail are followed by one that may be whole; rows of the failed ones are forgotten."""
    asked = []

    def handler(request):
        asked.append(page_of(request))
        return whole(250 if len(asked) in (1, 3) else 251)(request)

    client = make_client(handler)
    assert read_do_images(client=client)["id"].tolist() == list(range(1, 252))
    assert asked == [1, 2, 1, 2, 1, 2]


def test_id_twice_on_one_page_is_no_fault(make_client):
    """The API's own example has an id four times on one page: all rows are kept."""
    client = make_client(in_turn(reply([image(1), image(2), image(1)], 3)))
    assert read_do_images(client=client)["id"].tolist() == [1, 2, 1]
    assert len(client.sent) == 1


def test_page_repeated_for_ever_is_told(make_client):
    """A server that answers every page with the first, and tells no total, is no listing without an end."""
    client = make_client(in_turn(reply(images(1, 3))))
    with pytest.raises(ListingError, match="id 1 is on two pages"):
        read_do_images(client=client)
    assert len(client.sent) == 6


# Page sizes


def test_server_with_pages_of_20_is_read_whole(make_client):
    """A server that ignores per_page and gives 20 a page is read in pages of 20."""
    catalogue = images(1, 45)
    client = make_client(lambda request: reply(catalogue[(page_of(request) - 1) * 20 : page_of(request) * 20], 45))
    assert read_do_images(client=client)["id"].tolist() == list(range(1, 46))
    assert len(client.sent) == 3


def test_server_that_gives_all_at_once_is_read_whole(make_client):
    """A server that ignores page and per_page and always gives all is found out, and read by its first page alone."""
    client = make_client(in_turn(reply(images(1, 450), 450)))
    assert read_do_images(client=client)["id"].tolist() == list(range(1, 451))
    assert [path for _, path, _ in client.sent] == [f"/v2/images?page={n}&per_page=200" for n in (1, 2, 3, 1)]


def test_a_total_that_stands_elsewhere_is_found_all_the_same(make_client):
    """Where the total does not end the body, page 1 is decoded first; the requests are the same."""
    listed = images(1, 450)

    def handler(request):
        number = page_of(request)
        return httpx.Response(200, json={"meta": {"total": 450}, "images": listed[(number - 1) * 200 : number * 200]})

    client = make_client(handler)
    assert read_do_images(client=client)["id"].tolist() == list(range(1, 451))
    assert len(client.sent) == 3


# The hint: the total of the last time


def test_hint_sends_all_pages_at_once(make_client):
    """A second reading of the same listing does not wait for page 1: its requests go out in one go."""
    client = make_client(whole(450))
    read_do_images(client=client)
    waiting, most = [0], [0]

    async def answer(request, known):
        waiting[0] += 1
        most[0] = max(most[0], waiting[0])
        await asyncio.sleep(0)
        waiting[0] -= 1
        return known(request)

    client.sent.clear()
    client._transport._http._transport.handler = lambda request: answer(request, whole(450))
    assert read_do_images(client=client)["id"].tolist() == list(range(1, 451))
    assert most == [3]


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [(450, 450, 3), (450, 1000, 5), (450, 451, 3), (450, 150, 3), (450, 0, 3), (3, 450, 3), (0, 3, 1), (400, 401, 3)],
)
def test_wrong_hint_costs_a_request_and_never_a_row(make_client, before, after, sent):
    """A listing that grew or shrank since the last reading is still whole."""
    catalogue = images(1, before)
    client = make_client(pages_of(catalogue))
    read_do_images(client=client)
    client.sent.clear()
    catalogue[:] = images(1, after)
    frame = read_do_images(client=client)
    assert frame["id"].tolist() == list(range(1, after + 1))
    assert frame.attrs["do_images"]["total"] == after
    assert len(client.sent) == sent


def test_hint_of_one_listing_is_not_used_for_another(make_client):
    """Each filter has a total of its own."""
    client = make_client(whole(450))
    read_do_images(client=client)
    client.sent.clear()
    read_do_images(client=client, private=True, max_results=1)
    assert [path for _, path, _ in client.sent] == ["/v2/images?private=true&page=1&per_page=1"]


# max_results


@pytest.mark.parametrize(
    ("wanted", "paths", "is_complete"),
    [
        (0, [], False),
        (1, ["page=1&per_page=1"], False),
        (200, ["page=1&per_page=200"], False),
        (201, ["page=1&per_page=200", "page=2&per_page=200"], False),
        (450, ["page=1&per_page=200", "page=2&per_page=200", "page=3&per_page=200"], True),
        (999, ["page=1&per_page=200", "page=2&per_page=200", "page=3&per_page=200"], True),
    ],
)
def test_max_results_asks_for_no_more_pages_than_it_takes(make_client, wanted, paths, is_complete):
    """So many rows, from as few pages as hold them, and the frame says whether these are all."""
    client = make_client(whole(450))
    frame = read_do_images(client=client, max_results=wanted)
    assert frame["id"].tolist() == list(range(1, min(wanted, 450) + 1))
    assert frame.attrs["do_images"]["complete"] is is_complete
    assert [path for _, path, _ in client.sent] == [f"/v2/images?{path}" for path in paths]


def test_max_results_with_a_hint_asks_for_no_more_pages(make_client):
    """What the last reading told of the total does not make a short reading long."""
    client = make_client(whole(1000))
    read_do_images(client=client)
    client.sent.clear()
    assert len(read_do_images(client=client, max_results=300)) == 300
    assert len(client.sent) == 2


@pytest.mark.parametrize(("wanted", "is_complete"), [(2, False), (3, False), (4, True)])
def test_cut_listing_without_a_total_does_not_call_itself_complete(make_client, wanted, is_complete):
    """Where no total is told, only an end that was seen makes a frame complete."""
    catalogue = images(1, 3)
    client = make_client(lambda request: reply(catalogue[(page_of(request) - 1) * wanted : page_of(request) * wanted]))
    frame = read_do_images(client=client, max_results=wanted)
    assert len(frame) == min(wanted, 3)
    assert frame.attrs["do_images"]["complete"] is is_complete


# Values nobody has seen yet


def test_unknown_words_and_fields_are_kept(make_client):
    """A region, distribution, type, status or field that is new is data, not an error."""
    fields = {"regions": ["mars1"], "distribution": "TempleOS", "type": "hologram", "status": "dreaming", "moons": 2}
    frame = read_do_images(client=make_client(in_turn(reply([image(1, **fields), image(2)], 2))))
    assert frame.loc[0, ["regions", "distribution", "type", "status", "moons"]].tolist() == [
        ["mars1"],
        "TempleOS",
        "hologram",
        "dreaming",
        2,
    ]
    assert frame["moons"].isna().tolist() == [False, True]


@pytest.mark.parametrize("value", [[[1]], [{"size": 20}], [1, 2], [True], [0.5], {"gpu": {"count": 8}}, [], {}, [None]])
@pytest.mark.parametrize("backend", [None, "numpy_nullable", "pyarrow"])
def test_unknown_field_of_any_shape_is_kept(request, make_client, value, backend):
    """A new field may be a list or an object; it must not take the other columns with it."""
    client = make_client(in_turn(reply([image(1, disks=value)], 1)))
    frame = read_do_images(client=client, dtype_backend=backend)
    assert list(frame["disks"]) == [value]


def test_nulls_are_missing_values_of_the_columns_own_type(make_client):
    """Null and absent are one thing, and change no dtype."""
    names = ["slug", "size_gigabytes", "tags", "min_disk_size", "public", "created_at", "distribution", "regions"]
    full = read_do_images(client=make_client(whole(1)))
    frame = read_do_images(client=make_client(in_turn(reply([image(1, **dict.fromkeys(names)), {"id": 2}], 2))))
    assert frame.dtypes.equals(full.dtypes)
    assert frame[names].isna().all(axis=None)


def test_failed_import_is_shown_as_such(make_client):
    """A custom image whose import failed is a row with its status and the reason."""
    failed = {"id": 81502973, "type": "custom", "status": "deleted", "error_message": "We had a problem."}
    frame = read_do_images(client=make_client(in_turn(reply([failed], 1))))
    assert frame.loc[0, ["status", "error_message"]].tolist() == ["deleted", "We had a problem."]


def test_value_of_the_wrong_type_names_column_and_image(make_client):
    """What fits no column is told with its column, value and image, and makes no frame."""
    client = make_client(in_turn(reply([image(1), image(2, min_disk_size="large")], 2)))
    with pytest.raises(DecodeError) as caught:
        read_do_images(client=client)
    assert str(caught.value) == "min_disk_size of image 2 is 'large', which is no integer. No frame was made."
    assert (caught.value.column, caught.value.value) == ("min_disk_size", "large")
    assert len(client.sent) == 1


# Images by id or slug


def by_key(request: httpx.Request) -> httpx.Response:
    """Images 1 to 300 and one slug, by id and by listing."""
    key = request.url.path.removeprefix("/v2/images").strip("/")
    if not key:
        return whole(300)(request)
    if key == "ubuntu-24-04-x64":
        return httpx.Response(200, json={"image": image(300, slug=key, public=True)})
    if key.isdigit() and (int(key) <= 300 or int(key) in (5001, 5002)):
        return httpx.Response(200, json={"image": image(int(key))})
    return error(404, "not_found", "The resource you requested could not be found.")


def test_images_come_in_the_order_asked(make_client):
    """Ids and slugs are answered in the order asked, each with one request."""
    client = make_client(by_key)
    frame = read_do_images(client=client, image_id=[7, "ubuntu-24-04-x64", 3])
    assert frame["id"].tolist() == [7, 300, 3]
    assert [path for _, path, _ in client.sent] == ["/v2/images/7", "/v2/images/ubuntu-24-04-x64", "/v2/images/3"]


def test_id_that_is_asked_twice_is_sent_once(make_client):
    """An id that stands twice in the question stands once in the frame."""
    client = make_client(by_key)
    assert read_do_images(client=client, image_id=[7, 3, 7, "7", 7.0])["id"].tolist() == [7, 3]
    assert len(client.sent) == 2


def test_one_id_is_one_row(make_client):
    """A single id needs no list."""
    client = make_client(by_key)
    frame = read_do_images(client=client, image_id=7)
    assert frame["id"].tolist() == [7]
    assert frame.attrs["do_images"]["complete"] is True
    assert len(client.sent) == 1


def test_missing_images_are_all_named(make_client):
    """One error names every image that is not there, once all have been asked for."""
    client = make_client(by_key)
    with pytest.raises(NotFoundError) as caught:
        read_do_images(client=client, image_id=[1, 901, 2, "no-such-slug", 902])
    assert str(caught.value) == (
        "There is no image 901, no-such-slug, 902 for this token (404 not_found). No frame was made; ask without it."
    )
    assert len(client.sent) == 5


def test_a_hundred_ids_are_one_listing_and_a_request_for_each_missing(make_client):
    """Many ids are looked up in one listing; only what it does not have is asked for by id."""
    client = make_client(by_key)
    asked = [5002, *range(200, 101, -1), 5001]
    frame = read_do_images(client=client, image_id=asked)
    assert frame["id"].tolist() == asked
    assert [path for _, path, _ in client.sent] == [
        "/v2/images?page=1&per_page=200",
        "/v2/images?page=2&per_page=200",
        "/v2/images/5002",
        "/v2/images/5001",
    ]
    assert frame.attrs["do_images"]["requests"] == 4


def test_99_ids_are_99_requests(make_client):
    """Below a hundred, nothing but what was asked for is read."""
    client = make_client(by_key)
    assert len(read_do_images(client=client, image_id=range(1, 100))) == 99
    assert len(client.sent) == 99


def test_reply_with_another_id_is_refused(make_client):
    """An image that was not asked for is not passed off as the one that was."""
    client = make_client(in_turn(httpx.Response(200, json={"image": image(8)})))
    with pytest.raises(DecodeError, match=r"^GET /v2/images/7 was answered with image 8\.$"):
        read_do_images(client=client, image_id=7)
    assert len(client.sent) == 1


@pytest.mark.parametrize("record", [{"name": "web"}, {"id": None, "name": "web"}])
def test_reply_without_an_id_takes_the_one_asked_for(make_client, record):
    """A record whose id is missing is the one that was asked for."""
    client = make_client(in_turn(httpx.Response(200, json={"image": record})))
    assert read_do_images(client=client, image_id=7)[["id", "name"]].to_numpy().tolist() == [[7, "web"]]


def test_reply_to_a_slug_must_have_an_id(make_client):
    """A slug is no id, so a record without one cannot be a row."""
    client = make_client(in_turn(httpx.Response(200, json={"image": {"name": "web"}})))
    with pytest.raises(DecodeError, match=r"id of \{'name': 'web'\} is None, which is no integer"):
        read_do_images(client=client, image_id="ubuntu-24-04-x64")


def test_failure_of_one_id_is_the_failure_of_the_read(make_client):
    """Any error but a 404 ends the read; there is no frame of the others."""
    client = make_client(
        lambda request: error(403, "forbidden", "No.") if request.url.path.endswith("/2") else by_key(request)
    )
    with pytest.raises(ForbiddenError, match="GET /v2/images/2: DigitalOcean answered 403 forbidden: No"):
        read_do_images(client=client, image_id=[1, 2, 3])


def test_rows_the_filters_do_not_want_do_not_use_up_the_limit(make_client):
    """Where the API lists more than was asked for, a limit counts the rows that were asked for."""
    listed = [image(number, tags=["prod"] if number % 2 else []) for number in range(1, 41)]
    client = make_client(pages_of(listed))
    frame = read_do_images(tag_name="prod", max_results=10, client=client)
    assert frame["id"].tolist() == list(range(1, 20, 2))
    assert [path for _, path, _ in client.sent] == [
        "/v2/images?tag_name=prod&page=1&per_page=10",
        "/v2/images?tag_name=prod&page=1&per_page=200",
    ]
