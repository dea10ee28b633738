"""Bad arguments are told before anything is sent: one line an argument."""

from decimal import Decimal
from fractions import Fraction

import httpx
import numpy as np
import pandas as pd
import pytest
from scripted import CANARY, image, pages_of

from doimages import CredentialsError, DecodeError, ListingError, UsageError, connect, read_do_images
from doimages.api.connect import shared_client


def by_id(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"image": image(int(request.url.path.rpartition("/")[2]))})


# Ids


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "True"),
        (False, "False"),
        (np.bool_(True), "np.True_"),
        (0, "0"),
        (-1, "-1"),
        (-1.0, "-1.0"),
        (2**63, "9223372036854775808"),
        (1.5, "1.5"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1e300, "1e+300"),
        (np.float64("nan"), "np.float64(nan)"),
        (pd.NA, "<NA>"),
        (pd.NaT, "NaT"),
        (Decimal(7), "Decimal('7')"),
        (7j, "7j"),
        ("", "''"),
        ("७", "'७'"),
        ("７", "'７'"),  # noqa: RUF001 - int() takes it
        (" 7 ", "' 7 '"),
        ("7\n", "'7\\n'"),
        ("007", "'007'"),
        ("0", "'0'"),
        ("-7", "'-7'"),
        ("+7", "'+7'"),
        ("99999999999999999999", "'99999999999999999999'"),
        ("9223372036854775808", "'9223372036854775808'"),
        ("a/b", "'a/b'"),
        ("../account", "'../account'"),
        ("ubuntu?x=1", "'ubuntu?x=1'"),
        ("ubuntu%2F", "'ubuntu%2F'"),
        ("ubuntu 24", "'ubuntu 24'"),
        ("übuntu", "'übuntu'"),
        ("u" * 256, f"'{'u' * 256}'"),
        ("'; DROP TABLE images; --", '"\'; DROP TABLE images; --"'),
        ([7, None], "None"),
        ([7, True], "True"),
        ([7, [8]], "[8]"),
        ([7, np.nan], "nan"),
        ([7, "x y"], "'x y'"),
        ((object,), "<class 'object'>"),
    ],
    ids=lambda value: f"{type(value).__name__}-{value!r:.40}",
)
def test_what_is_no_id_is_refused(make_client, value, shown):
    """An id is a whole number above zero, or a slug; nothing is sent for anything else, nor for its neighbours."""
    client = make_client(by_id)
    with pytest.raises(UsageError) as caught:
        read_do_images(image_id=value, client=client)
    assert str(caught.value) == f"{shown} is no image id: an id is a whole number above zero. Nothing was sent."
    assert client.sent == []


@pytest.mark.parametrize(
    "value",
    [b"7", pd.DataFrame({"id": [7]}), {"id": 7}, np.array(7), 1e17],
    ids=["bytes", "frame", "mapping", "0-d", "rounded"],
)
def test_what_only_looks_like_ids_is_refused(make_client, value):
    """Bytes are no list of ids, a frame no list of slugs, and a float over 2**53 may be another image's id."""
    client = make_client(lambda request: httpx.Response(200, json={"image": image(7)}))
    with pytest.raises(UsageError):
        read_do_images(image_id=value, client=client)
    assert client.sent == []


@pytest.mark.parametrize(
    "value",
    [
        7,
        7.0,
        "7",
        np.int64(7),
        np.uint8(7),
        np.float64(7),
        np.float32(7),
        Fraction(7),
        [7.0],
        (7,),
        {7},
        range(7, 8),
        iter([7]),
        np.array([7]),
        pd.Series([7.0], index=["a"]),
        pd.Series([7], dtype="Int64"),
        pd.Series([7], dtype="int64[pyarrow]"),
        pd.Index([7]),
        pd.Series(["7"], dtype="str"),
        pd.Series([7], dtype="category"),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'dtype', value)}",
)
def test_whole_number_of_any_kind_is_an_id(make_client, value):
    """Joins and concatenations make floats of ids, numpy and pandas have integers of their own: the path has none."""
    client = make_client(by_id)
    assert read_do_images(image_id=value, client=client)["id"].tolist() == [7]
    assert client.sent == [("GET", "/v2/images/7", b"")]


@pytest.mark.parametrize("value", [[], (), pd.Series([], dtype="float64"), np.array([]), range(0)], ids=type)
def test_no_ids_are_no_images(make_client, value):
    """An empty list of ids is an empty frame, never all images, and nothing is sent."""
    client = make_client(by_id)
    full = read_do_images(image_id=7, client=make_client(by_id))
    frame = read_do_images(image_id=value, client=client)
    assert frame.dtypes.equals(full.dtypes)
    assert len(frame) == 0
    assert client.sent == []


def test_ids_of_a_reindexed_frame_are_floats_with_holes(make_client):
    """A row that reindexing made has no id: that is told, and no other row is read."""
    client = make_client(pages_of([image(1234567), image(1234568)]))
    frame = read_do_images(client=client)
    client.sent.clear()
    with pytest.raises(UsageError, match=r"^nan is no image id: an id is a whole number above zero\. Nothing was sent"):
        read_do_images(image_id=frame.reindex([0, 1, 7])["id"], client=client)
    assert client.sent == []


def test_ids_that_became_floats_are_read_as_integers(make_client):
    """1234567.0 is sent as 1234567."""
    client = make_client(by_id)
    ids = pd.concat([pd.DataFrame({"id": [1234567]}), pd.DataFrame({"name": ["x"]})])["id"].dropna()
    assert ids.tolist() == [1234567.0]
    assert read_do_images(image_id=ids, client=client)["id"].tolist() == [1234567]
    assert client.sent == [("GET", "/v2/images/1234567", b"")]


def test_repeated_ids_are_one_request(make_client):
    """However an id is written, it is asked for once."""
    client = make_client(by_id)
    assert read_do_images(image_id=[7, "7", 7.0, np.int64(7), 8], client=client)["id"].tolist() == [7, 8]
    assert [path for _, path, _ in client.sent] == ["/v2/images/7", "/v2/images/8"]


def test_frame_that_lost_where_it_was_read_is_read_where_the_client_speaks(make_client):
    """Merging loses attrs: refreshing then asks the client that is given, by id, and trusts nothing in the frame."""
    client = make_client(by_id)
    frame = pd.DataFrame({"id": [7, 8], "name": ["of account A", "of account B"]})
    assert frame.do_images.refresh(client=client)["name"].tolist() == ["web-7", "web-8"]
    assert len(client.sent) == 2


def test_frame_of_another_address_is_not_refreshed(make_client):
    """An id means another image at another address."""
    client = make_client(by_id)
    frame = pd.DataFrame({"id": [7]})
    frame.attrs["do_images"] = {"endpoint": "http://127.0.0.1:1"}
    with pytest.raises(UsageError, match=r"read from http://127\.0\.0\.1:1, the client speaks to https://api\.test"):
        frame.do_images.refresh(client=client)
    assert client.sent == []


# Other arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_results": -1}, "max_results must be a whole number, zero or more, not -1. Nothing was sent."),
        ({"max_results": True}, "max_results must be a whole number, zero or more, not True. Nothing was sent."),
        ({"max_results": 1.0}, "max_results must be a whole number, zero or more, not 1.0. Nothing was sent."),
        ({"max_results": "5"}, "max_results must be a whole number, zero or more, not '5'. Nothing was sent."),
        ({"type": "snapshots"}, "no type 'snapshots'. Did you mean 'snapshot'?"),
        ({"type": ["snapshot", "hologram"]}, "no type 'hologram'. Known: distribution, application, base, snapshot"),
        ({"type": ["distribution"]}, "type='distribution' is a filter of the API and stands alone, not in a list."),
        ({"type": [None]}, "no type 'None'."),
        ({"tag_name": ""}, "'' is no tag: letters, digits, '_', ':' and '-', 1 to 255 of them. Nothing was sent."),
        ({"tag_name": "a b"}, "'a b' is no tag:"),
        ({"tag_name": "здорово"}, "'здорово' is no tag:"),
        ({"tag_name": "t" * 256}, "is no tag:"),
        ({"tag_name": 5}, "5 is no tag:"),
        ({"image_id": 7, "private": True}, "image_id asks for single images; type, private and tag_name filter a list"),
        ({"image_id": 7, "type": "base"}, "image_id asks for single images;"),
        ({"image_id": 7, "tag_name": "web"}, "image_id asks for single images;"),
        ({"columns": "id"}, "columns is a list of names, not the text 'id'. Nothing was sent."),
        ({"columns": ["id", "nmae"]}, "no column 'nmae' in images. Did you mean 'name'?"),
        ({"index_col": "ident"}, "no column 'ident' in images."),
        ({"columns": ["name"], "index_col": "id"}, "no column 'id' in images. Known: name."),
        ({"dtype_backend": "polars"}, "dtype_backend"),
        ({"dtypes": {"nmae": "str"}}, "no column 'nmae' in images. Did you mean 'name'?"),
        ({"dtypes": {"name": "varchar"}}, "dtypes['name']: 'varchar' is no dtype that pandas knows. Nothing was sent."),
        ({"progress": "loud"}, "progress"),
        ({"params": {"a": 1}}, "params are for a SQL statement, and there is none. Nothing was sent."),
        ({"frames": {}}, "frames are for a SQL statement, and there is none. Nothing was sent."),
    ],
)
def test_wrong_argument_is_refused_before_anything_is_sent(make_client, arguments, message):
    """Each argument is checked first, so a typing error costs no request."""
    client = make_client(by_id)
    with pytest.raises(UsageError) as caught:
        read_do_images(client=client, **arguments)
    assert message in str(caught.value)
    assert client.sent == []


# Tokens


@pytest.mark.parametrize(
    "token",
    [
        f"{CANARY}\nX-Evil: 1",
        f"{CANARY} {CANARY}",
        f"{CANARY}\x00",
        f"{CANARY}\u200b",
        f"dop_v1_ключ{CANARY}",
        "",
        "   ",
        "''",
        "Bearer ",
    ],
)
def test_token_that_cannot_be_a_header_is_refused_and_not_shown(token):
    """A token with a line break, a space in it or a letter no token has is refused without being repeated."""
    with pytest.raises(CredentialsError) as caught:
        connect(token=token)
    assert str(caught.value) == (
        "The token from the token argument is empty, or has a space, line break or letter that no token has. "
        "It is not shown here. Copy it again. Nothing was sent."
    )


@pytest.mark.parametrize("token", [5, b"dop_v1_x", ["dop_v1_x"]])
def test_token_that_is_no_text_is_refused(token):
    """A token is text; what else it may be is named by its type only."""
    with pytest.raises(CredentialsError, match=r"^The token from the token argument is no text but a \w+\.$"):
        connect(token=token)


@pytest.mark.parametrize("wrapped", ["{}\n", "  {}  ", "'{}'", '"{}"', "Bearer {}", "'Bearer {}'\r\n"])
def test_what_copying_brings_along_is_trimmed(wrapped):
    """A line break, quotes and the word Bearer around a token are no part of it."""
    with connect(token=wrapped.format(CANARY)) as client:
        assert client._transport._http.auth._secret.reveal() == CANARY


def test_no_token_tells_where_it_was_looked_for():
    """Without a token the error lists the places, and the way that needs none."""
    with pytest.raises(CredentialsError) as caught:
        read_do_images()
    assert str(caught.value) == (
        "No token. Looked at the token argument, the context, $DIGITALOCEAN_TOKEN, $DIGITALOCEAN_ACCESS_TOKEN and the "
        "keyring.\nSet $DIGITALOCEAN_TOKEN, or name a context of doctl with context='...', or do without a token: "
        "base_url='sandbox' in Python, --endpoint sandbox in a magic, starts the embedded sandbox."
    )


def test_bad_token_of_the_environment_names_its_variable(monkeypatch):
    """The message says which variable holds the token, and not the token."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", f"{CANARY} x")
    with pytest.raises(
        CredentialsError, match=r"^The token from \$DIGITALOCEAN_TOKEN is empty, or has a space"
    ) as caught:
        shared_client()
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"type": []}, "type=[] is no kind of image"),
        ({"type": 5}, "type=5 is no kind of image"),
        ({"columns": ["id", "id"]}, "columns names 'id' twice"),
        ({"columns": [], "index_col": "id"}, "no column 'id'"),
    ],
)
def test_arguments_that_ask_for_nothing_sensible_are_refused(make_client, arguments, shown):
    """An empty list of kinds is not all kinds; a column is named once; an index is one of the columns."""
    client = make_client(pages_of([image(1)]))
    with pytest.raises(UsageError) as caught:
        read_do_images(client=client, **arguments)
    assert shown in str(caught.value)
    assert client.sent == []


def test_what_a_frame_gives_is_taken_as_arguments(make_client):
    """The columns and dtypes of one frame can be asked for in the next."""
    first = read_do_images(client=make_client(pages_of([image(1)])), columns=["id", "name"])
    client = make_client(pages_of([image(1)]))
    again = read_do_images(client=client, columns=first.columns, dtypes=first.dtypes)
    assert again.equals(first)


@pytest.mark.parametrize("dtypes", [{"id": "int16"}, {"regions": "int64[pyarrow]"}])
def test_a_dtype_that_does_not_hold_the_values_is_an_error(make_client, dtypes):
    """A number is never wrapped around to fit, and what pandas cannot convert is told as ours."""
    client = make_client(pages_of([image(200_002_364)]))
    with pytest.raises(DecodeError):
        read_do_images(client=client, dtypes=dtypes)


def test_a_null_among_tags_is_no_tag(make_client):
    """A null in a list of tags neither matches nor breaks the filter."""
    client = make_client(pages_of([image(1, tags=[None, "prod"]), image(2, tags=[None])]))
    assert read_do_images(client=client, tag_name="prod")["id"].tolist() == [1]


def test_a_total_out_of_all_measure_is_no_storm(make_client):
    """A total of millions is refused after page 1, three times, not asked for."""
    client = make_client(pages_of([image(1)], total=30_000_000))
    with pytest.raises(ListingError, match="more than 10000 pages"):
        read_do_images(client=client)
    assert len(client.sent) == 3
