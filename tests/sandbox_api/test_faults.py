from __future__ import annotations

import httpx
import pytest

from doimages.sandbox_api.faults import Fault, lost_answers


def test_status(box):
    """A status fault answers once instead of the work, with headers and body of its own."""
    image_id = box.id_of("snapshot")
    box.state.faults.append(
        Fault("status", status=503, headers={"Retry-After": "3"}, body={"id": "service_unavailable", "message": "no"})
    )

    reply = box.send("DELETE", f"/v2/images/{image_id}")

    assert reply.status_code == 503
    assert reply.headers["retry-after"] == "3"
    assert reply.json() == {"id": "service_unavailable", "message": "no"}
    assert box.send("DELETE", f"/v2/images/{image_id}").status_code == 204


def test_default_body(box):
    """Without a body the error shape of the status goes out."""
    box.state.faults.append(Fault("status", status=500))

    assert box.send("GET", "/v2/account").json() == {
        "id": "server_error",
        "message": "made to fail by a fault",
        "request_id": "00000000-0000-0000-0000-000000000001",
    }


def test_work_done(box):
    """work_done does what was asked and belies the answer."""
    image_id = box.id_of("snapshot")
    box.state.faults.append(Fault("status", status=502, work_done=True))

    assert box.send("DELETE", f"/v2/images/{image_id}").status_code == 502
    assert image_id not in box.state.images


def test_raw_body(box):
    """Text and bytes go out as they are: an empty body, or no JSON at all."""
    box.state.faults += [Fault("status", status=500, body=""), Fault("status", status=200, body=b"\xff{")]

    assert box.send("GET", "/v2/account").content == b""
    assert box.send("GET", "/v2/account").content == b"\xff{"


def test_html(box):
    """An html fault answers as a proxy does."""
    box.state.faults.append(Fault("html", status=504))

    reply = box.send("GET", "/v2/images")

    assert reply.status_code == 504
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.text.startswith("<html>")


def test_matching(box):
    """Method, path and query say which requests are hit; the others keep the fault waiting."""
    box.state.faults.append(Fault("status", method="GET", path="/v2/images", query={"page": "3"}))

    assert box.send("GET", "/v2/images/").status_code == 200
    assert box.send("GET", "/v2/images", params={"page": 2}).status_code == 200
    assert box.send("GET", "/v2/tags", params={"page": 3}).status_code == 200
    assert box.send("GET", "/v2/images", params={"page": 3, "per_page": 5}).status_code == 500
    assert box.send("GET", "/v2/images", params={"page": 3}).status_code == 200


def test_times_and_after(box):
    """With after some requests pass first; times hits so many, and the next fault takes its turn."""
    box.state.faults += [Fault("status", path="/v2/acc*", status=500, after=1, times=2), Fault("status", status=501)]

    statuses = [box.send("GET", "/v2/account").status_code for _ in range(5)]

    assert statuses == [501, 500, 500, 200, 200]
    assert box.state.faults == []


def test_for_ever(box):
    """With times None every request is hit until the fault is taken away."""
    box.state.faults.append(Fault("status", times=None))

    assert {box.send("GET", "/v2/account").status_code for _ in range(5)} == {500}
    box.state.faults.clear()
    assert box.send("GET", "/v2/account").status_code == 200


def test_edit(box):
    """An edit fault changes the true reply, its length included."""
    box.state.faults.append(Fault("edit", edit=lambda reply: {**reply, "meta": {"total": 7}}))

    assert box.send("GET", "/v2/images").json()["meta"] == {"total": 7}


def test_drift(box):
    """A drift fault changes the account before the reply is made."""
    gone = box.id_of("snapshot")
    box.state.faults.append(Fault("drift", query={"page": "2"}, change=lambda: box.state.remove_image(gone)))

    totals = [box.send("GET", "/v2/images", params={"page": n}).json()["meta"]["total"] for n in (1, 2)]

    assert totals == [60, 59]


def test_drop_in_process(box):
    """In process a dropped connection is an error of the connection, and the log has no status."""
    box.state.faults.append(Fault("drop"))

    with pytest.raises(ConnectionResetError):
        box.send("GET", "/v2/account")
    assert box.state.log[-1].status is None


def lost(box, paths, method="PUT"):
    """Give which of the requests got no reply, in the order of their paths."""
    found = {}
    for path in paths:
        try:
            found[path] = box.send(method, path, json={"name": "renamed"}) is None
        except ConnectionResetError:
            found[path] = True
    return [found[path] for path in sorted(found)]


PATHS = [f"/v2/images/{n}" for n in range(100, 400)]


def test_lost_answers(box):
    """lost_answers loses about the share asked for of the answers to writes, by its seed, and none to reads."""
    box.state.limits.minute = 10_000
    box.state.faults.append(lost_answers(0.3, seed=1))
    first = lost(box, PATHS)
    assert 60 <= sum(first) <= 120
    assert not any(lost(box, PATHS[:50], "GET"))

    box.state.faults[:] = [lost_answers(0.3, seed=1)]
    assert lost(box, PATHS[::-1]) == first  # whatever the order in which they come
    assert lost(box, PATHS) != first  # a second try is another draw
    box.state.faults[:] = [lost_answers(0.3, seed=2)]
    assert lost(box, PATHS) != first


def test_lost_answers_do_the_work(box):
    """What got no answer was done all the same."""
    own = [i["id"] for i in box.state.images.values() if i["type"] == "snapshot" and not i["public"]]
    box.state.faults.append(lost_answers(0.5))

    missing = lost(box, [f"/v2/images/{image_id}" for image_id in own])

    assert 0 < sum(missing) < len(own)
    assert {box.state.images[image_id]["name"] for image_id in own} == {"renamed"}


@pytest.mark.parametrize(("share", "statuses"), [(0.0, {200}), (1.0, {500})])
def test_share(box, share, statuses):
    """A share of nothing hits no request and uses nothing up, a share of one hits all."""
    box.state.faults.append(Fault("status", share=share, times=4))

    assert {box.send("GET", "/v2/account").status_code for _ in range(4)} == statuses
    assert len(box.state.faults) == (1 if share == 0 else 0)


def test_refused_first(box):
    """A request without a token does not use a fault up."""
    box.state.faults.append(Fault("status"))
    token, box.token = box.token, None
    box.send("GET", "/v2/account")
    box.token = token

    assert box.send("GET", "/v2/account").status_code == 500


@pytest.fixture
def over_http(server):
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {server.token}"}) as client:
        yield client


@pytest.mark.parametrize("work_done", [True, False])
def test_drop(server, over_http, work_done):
    """A dropped connection ends without a reply, before or after the work; the next request is answered."""
    image_id = next(
        key for key, image in server.state.images.items() if image["type"] == "snapshot" and not image["public"]
    )
    server.state.faults.append(Fault("drop", method="DELETE", work_done=work_done))

    with pytest.raises(httpx.RemoteProtocolError):
        over_http.delete(f"/v2/images/{image_id}")

    assert over_http.get(f"/v2/images/{image_id}").status_code == (404 if work_done else 200)


def test_truncate(server, over_http):
    """A truncated reply promises more than it gives."""
    server.state.faults.append(Fault("truncate"))

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        over_http.get("/v2/images")


def test_slow(server, over_http):
    """A slow reply is late enough for a client's timeout."""
    server.state.faults.append(Fault("slow", seconds=60))

    with pytest.raises(httpx.ReadTimeout):
        over_http.get("/v2/images", timeout=0.05)

    assert over_http.get("/v2/images").status_code == 200
