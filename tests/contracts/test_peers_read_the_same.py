"""What other clients read from the sandbox is what our frame holds."""

import warnings

import pandas as pd
import pytest

import doimages
from doimages.sandbox_api.server import Server

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def server():
    with Server(images=230, rate_limit=10_000) as running:
        yield running


@pytest.fixture
def frame(server):
    with doimages.connect(token=server.token, base_url=server.url) as client:
        return doimages.read_do_images(client=client)


def _rows(frame):
    """Give the rows as plain records, missing values as None and times as the API writes them."""
    plain = frame.assign(created_at=frame["created_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).astype(object)
    return [
        {name: None if not isinstance(value, list) and pd.isna(value) else value for name, value in row.items()}
        for row in plain.to_dict("records")
    ]


def test_pydo_reads_the_same(server, frame):
    """Pydo, page by page, reads every image with the values our frame has, in the same order."""
    import pydo

    theirs = []
    with pydo.Client(server.token, endpoint=server.url) as client:
        for page in (1, 2):
            theirs += client.images.list(page=page, per_page=200, enforce_https=False)["images"]

    ours = _rows(frame)
    assert len(ours) == len(theirs) == 230
    for our, their in zip(ours, theirs, strict=True):
        assert our == {name: their.get(name) for name in our}


def test_python_digitalocean_reads_the_same(server, frame, monkeypatch):
    """python-digitalocean reads every image with the values our frame has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import digitalocean

    monkeypatch.setenv("DIGITALOCEAN_END_POINT", f"{server.url}/v2/")
    manager = digitalocean.Manager(token=server.token)
    manager.end_point = f"{server.url}/v2/"
    theirs = {image.id: image for image in manager.get_all_images()}

    ours = _rows(frame)
    assert {our["id"] for our in ours} == set(theirs)
    for our in ours:
        their = theirs[our["id"]]
        for name in (
            "name",
            "distribution",
            "slug",
            "public",
            "regions",
            "created_at",
            "min_disk_size",
            "size_gigabytes",
        ):
            assert our[name] == getattr(their, name)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"private": True}, {"private": True}),
        ({"type": "distribution"}, {"type": "distribution"}),
        ({"type": "application"}, {"type": "application"}),
        ({"tag_name": "prod"}, {"tag_name": "prod"}),
        ({"tag_name": "prod", "private": True}, {"tag_name": "prod", "private": True}),
    ],
)
def test_filters_are_those_of_pydo(server, ours, theirs):
    """Each filter gives the images that pydo gets with it."""
    import pydo

    expected = []
    with pydo.Client(server.token, endpoint=server.url) as client:
        for page in (1, 2):
            expected += client.images.list(page=page, per_page=200, enforce_https=False, **theirs)["images"]
    with doimages.connect(token=server.token, base_url=server.url) as client:
        read = doimages.read_do_images(client=client, **ours)

    assert read["id"].tolist() == [image["id"] for image in expected]
