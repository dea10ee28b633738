"""Every reply in the samples, from the API's own description, its clients' tests and issue threads, decodes.

Each file is in one of the tables below, with what is expected of it; a file in none of them fails its test.
"""

import json
from pathlib import Path

import httpx
import pytest

from doimages import read_do_images
from doimages.api.model import Reply, Request
from doimages.api.pages import decode_pages
from doimages.api.rows import to_rows
from doimages.api.wire import check_status, decode_body, decode_record
from doimages.errors import (
    AuthenticationError,
    ConflictError,
    DecodeError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from doimages.schema import ACCOUNT, ACTIONS, IMAGES, REGIONS, SNAPSHOTS, TAGS
from doimages.table.frame import to_frame

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
FILES = sorted(path.relative_to(SAMPLES).as_posix() for path in SAMPLES.glob("*/*.json"))

# Lists, and how many records they hold.
LISTS = {
    "doctl/image_list_application_test__imageListApplicationResponse.json": (IMAGES, 2),
    "doctl/image_list_test__x.json": (IMAGES, 0),
    "doctl/region_list_test__regionListResponse.json": (REGIONS, 2),
    "doctl/snapshot_list_test__snapshotListDropletResponse.json": (SNAPSHOTS, 2),
    "doctl/snapshot_list_test__snapshotListResponse.json": (SNAPSHOTS, 4),
    "doctl/snapshot_list_test__snapshotListVolumeResponse.json": (SNAPSHOTS, 2),
    "doctl/snapshot_list_test__x.json": (SNAPSHOTS, 2),
    "doctl/snapshot_list_test__x_2.json": (SNAPSHOTS, 2),
    "issues/api_v2_122_duplicate_regions.json": (IMAGES, 2),
    "issues/api_v2_42_single_region.json": (IMAGES, 1),
    "issues/api_v2_60_no_optional_fields.json": (IMAGES, 1),
    "issues/doctl_241_distribution_2017.json": (IMAGES, 2),
    "issues/java_53_mislabelled_public.json": (IMAGES, 3),
    "issues/packer_do_172_application_type.json": (IMAGES, 2),
    "openapi/all_regions.json": (REGIONS, 1),
    "openapi/get_image_actions_response.json": (ACTIONS, 1),
    "openapi/images_all.json": (IMAGES, 6),
    "openapi/images_application.json": (IMAGES, 1),
    "openapi/images_custom.json": (IMAGES, 1),
    "openapi/images_distribution.json": (IMAGES, 1),
    "openapi/images_inside_droplets.json": (IMAGES, 10),
    "openapi/images_snapshots.json": (IMAGES, 2),
    "openapi/images_tagged.json": (IMAGES, 1),
    "openapi/snapshots_all.json": (SNAPSHOTS, 2),
    "openapi/snapshots_droplets_only.json": (SNAPSHOTS, 1),
    "openapi/snapshots_volumes_only.json": (SNAPSHOTS, 1),
    "openapi/tags_all.json": (TAGS, 1),
    "pydo/test_image_actions_list__expected.json": (ACTIONS, 1),
    "pydo/test_images_list__expected.json": (IMAGES, 6),
    "pydo/test_list__expected.json": (ACTIONS, 1),
    "pydo/test_list_regions__expected.json": (REGIONS, 1),
    "pydo/test_list_tags__expected.json": (TAGS, 2),
    "pydo/test_list_tags_pagination__expected.json": (TAGS, 2),
    "pydo/test_snapshots_list__expected.json": (SNAPSHOTS, 2),
}
# Lists of a Droplet's replies: the records under a key, by a table. Its snapshots have ids that are numbers, as images
# have, though GET /v2/snapshots gives text.
OF_DROPLETS = {
    "openapi/all_droplet_backups.json": ("backups", IMAGES, 1),
    "openapi/all_droplet_snapshots.json": ("snapshots", IMAGES, 1),
    "openapi/associated_resources_list.json": ("snapshots", SNAPSHOTS, 1),
}
IMAGE = (
    "doctl/image_create_test__imageCreateResponse.json",
    "doctl/image_get_test__imageGetResponse.json",
    "issues/doctl_671_import_deleted.json",
    "issues/java_82_retired_in_droplet.json",
    "issues/libcloud_1507_base_image.json",
    "issues/packer_7848_import_error.json",
    "issues/terraform_613_import_error.json",
    "openapi/existing_image.json",
    "openapi/new_custom_image.json",
    "openapi/updated_image.json",
    "pydo/test_images_create__expected.json",
    "pydo/test_images_get__expected.json",
    "pydo/test_images_update__expected.json",
)
RECORDS = {
    "doctl/account_test__accountGetResponse.json": ACCOUNT,
    "doctl/account_test__userContextGetResponse.json": ACCOUNT,
    "doctl/compute_image_action_test__imageActionResponse.json": ACTIONS,
    "doctl/snapshot_get_test__snapshotGetDropletResponse.json": SNAPSHOTS,
    "doctl/snapshot_get_test__snapshotGetVolumeResponse.json": SNAPSHOTS,
    "openapi/account_from_model_examples.json": ACCOUNT,
    "openapi/get_image_action_response.json": ACTIONS,
    "openapi/post_image_action_response.json": ACTIONS,
    "openapi/tags_existing.json": TAGS,
    "openapi/tags_new.json": TAGS,
    "pydo/None__EXPECTED_ACCOUNT.json": ACCOUNT,
    "pydo/test_create_tag__expected.json": TAGS,
    "pydo/test_get_tag__expected.json": TAGS,
    "pydo/test_image_actions_get__expected.json": ACTIONS,
    "pydo/test_image_actions_post__expected.json": ACTIONS,
    "pydo/test_snapshots_get__expected.json": SNAPSHOTS,
}
# The status it came with, the error it is, and its id and message.
ERRORS = {
    "doctl/account_test__x_2.json": (429, RateLimitError, "too_many_requests: Too many requests."),
    "doctl/droplet_tag_test__x_2.json": (404, NotFoundError, "404: tag not found."),
    "issues/api_v2_126_backup_transfer_422.json": (
        422,
        InvalidRequestError,
        "unprocessable_entity: Backups can not be transfered to other regions.",
    ),
    "issues/do_wrapper_48_500.json": (
        500,
        ServerError,
        "internal_server_error: Server was unable to give you a response.",
    ),
    "issues/doctl_129_500_images.json": (500, ServerError, "500: Looks like something went wrong."),
    "issues/doctl_192_wrong_action_404.json": (
        404,
        NotFoundError,
        "404: The specified action type is not available.",
    ),
    "issues/gamocosm_96_503.json": (503, ServerError, "service_unavailable: Service is currently unavailable."),
    "issues/terraform_already_deleted_422.json": (
        422,
        InvalidRequestError,
        "422: Image Can not delete an already deleted image.",
    ),
    "openapi/error_bad_request.json": (400, InvalidRequestError, "bad_request: error parsing request body."),
    "openapi/error_conflict.json": (409, ConflictError, "conflict: The request could not be completed due to a"),
    "openapi/error_forbidden.json": (403, ForbiddenError, "forbidden: You do not have permission to perform this"),
    "openapi/error_not_found.json": (404, NotFoundError, "not_found: The resource you requested could not be found."),
    "openapi/error_server_error.json": (500, ServerError, "server_error: Unexpected server-side error."),
    "openapi/error_too_many_requests.json": (429, RateLimitError, "too_many_requests: API rate limit exceeded."),
    "openapi/error_unauthorized.json": (401, AuthenticationError, "unauthorized: Unable to authenticate you."),
    "openapi/error_unexpected_error.json": (500, ServerError, "example_error: some error message."),
    "openapi/error_unprocessable_entity.json": (
        422,
        InvalidRequestError,
        "unprocessable_entity: request payload validation failed.",
    ),
    "openapi/not_a_snapshot.json": (400, InvalidRequestError, "bad_request: the resource is not a snapshot."),
    "openapi/tags_bad_request_InvalidCharacters.json": (
        400,
        InvalidRequestError,
        "400: Error validating resource tag:",
    ),
}
# Replies that must not pass for what they look like: a record without its key, an object in place of a list.
REFUSED = {
    "doctl/account_test__x.json": ("account", ACCOUNT, "uuid of {} is None, which is no string. No frame was made."),
    "pydo/test_get__expected.json": ("action", ACTIONS, "has no 'action', only ['actions', 'links', 'meta']."),
}
NO_REPLIES = {
    "doctl/compute_image_action_test__x.json": "body of POST /v2/images/{id}/actions",
    "doctl/droplet_tag_test__x.json": "list of Droplets, with no image in them",
    "doctl/image_update_test__imageUpdateRequest.json": "body of PUT /v2/images/{id}",
    "doctl/tags_apply_test__x.json": "body of POST /v2/tags/{tag}/resources",
    "doctl/tags_apply_test__x_2.json": "body of POST /v2/tags/{tag}/resources",
    "doctl/tags_remove_test__x.json": "body of DELETE /v2/tags/{tag}/resources",
    "doctl/tags_remove_test__x_2.json": "body of DELETE /v2/tags/{tag}/resources",
    "issues/vagrant_136_links_slash.json": "excerpt: links without the images",
    "openapi/request_create_custom.json": "body of POST /v2/images",
    "pydo/test_assign_resources__req.json": "body of POST /v2/tags/{tag}/resources",
    "pydo/test_image_actions_post__create_req.json": "body of POST /v2/images/{id}/actions",
    "pydo/test_images_create__create_req.json": "body of POST /v2/images",
    "pydo/test_images_update__update.json": "body of PUT /v2/images/{id}",
    "pydo/test_list_tags_pagination__params.json": "query of GET /v2/tags",
    "pydo/test_unassign_resources__req.json": "body of DELETE /v2/tags/{tag}/resources",
}
TRANSFER = "openapi/images_post_account_transfer_created.json"
TABLES = (LISTS, OF_DROPLETS, IMAGE, RECORDS, ERRORS, REFUSED, NO_REPLIES, (TRANSFER,))

READ = Request("GET", "/v2/images")
needs_samples = pytest.mark.skipif(not FILES, reason=f"no samples at {SAMPLES}: replies NOT checked against them")


def body_of(file: str) -> bytes:
    return (SAMPLES / file).read_bytes()


def reply_of(file: str, status: int = 200) -> Reply:
    read = json.loads(body_of(file))
    if set(read) == {"status", "headers", "body"}:
        return Reply(read["status"], read["headers"], json.dumps(read["body"]).encode())
    return Reply(status, {"content-type": "application/json"}, body_of(file))


def same_dtypes(frame, table) -> bool:
    empty = to_frame(to_rows([], table), table)
    return frame.dtypes[list(table.column_names)].equals(empty.dtypes)


@needs_samples
def test_every_sample_is_in_one_table():
    """A sample that nobody has looked at, or that is gone, or is in two tables, is found out."""
    assert sorted(file for table in TABLES for file in table) == FILES


@needs_samples
@pytest.mark.parametrize("file", LISTS)
def test_list_is_a_frame(file):
    """A list of the API is as many typed rows, in its order, under the keys it has."""
    table, count = LISTS[file]
    records = json.loads(body_of(file))[table.plural]
    page = decode_pages([body_of(file)], table)[0]
    frame = to_frame(page.rows, table)
    assert len(frame) == count
    assert same_dtypes(frame, table)
    assert frame[table.key].tolist() == [record[table.key] for record in records]
    assert page.total == json.loads(body_of(file)).get("meta", {}).get("total")
    for name in set(table.column_names) & {"name", "tags", "regions", "features", "sizes"}:
        kept = to_frame(page.rows, table, dtype_backend="pyarrow")[name]
        assert [value if isinstance(value, (str, list)) else None for value in kept.tolist()] == [
            record.get(name) for record in records
        ]


@needs_samples
@pytest.mark.parametrize("file", OF_DROPLETS)
def test_images_in_replies_about_droplets_are_rows(file):
    """Backups, snapshots and costs of a Droplet are rows too; what the table does not know is kept."""
    key, table, count = OF_DROPLETS[file]
    records = json.loads(body_of(file))[key]
    frame = to_frame(to_rows(records, table), table)
    assert len(frame) == count
    assert same_dtypes(frame, table)
    assert frame[list(records[0])].iloc[0]["id"] == records[0]["id"]
    assert set(records[0]) <= set(frame.columns)


@needs_samples
@pytest.mark.parametrize("file", IMAGE)
def test_image_is_one_row(make_client, file):
    """A single image is one row; one that came without its id is the one that was asked for."""
    record = json.loads(body_of(file))["image"]
    client = make_client(lambda request: httpx.Response(200, content=body_of(file)))
    asked = record.get("id", 4711)
    frame = read_do_images(image_id=asked, client=client)
    assert frame["id"].tolist() == [asked]
    assert same_dtypes(frame, IMAGES)
    assert frame["status"].dropna().tolist() == ([record["status"]] if "status" in record else [])
    assert [path for _, path, _ in client.sent] == [f"/v2/images/{asked}"]


@needs_samples
@pytest.mark.parametrize("file", RECORDS)
def test_single_record_is_one_row(file):
    """Actions, snapshots, tags and accounts come out of their envelopes."""
    table = RECORDS[file]
    record = decode_record(READ, reply_of(file), table.singular)
    frame = to_frame(to_rows([record], table), table)
    assert frame[table.key].tolist() == [record[table.key]]
    assert same_dtypes(frame, table)


@needs_samples
@pytest.mark.parametrize("file", ERRORS)
def test_error_is_its_class_and_says_what_the_api_said(file):
    """An error body is the error of its status, with the API's id, words and request id."""
    status, kind, said = ERRORS[file]
    reply = reply_of(file, status)
    with pytest.raises(kind) as caught:
        check_status(READ, reply)
    assert said in str(caught.value)
    assert caught.value.status == status
    body = json.loads(reply.body)
    assert caught.value.api_id == body.get("id", "")
    assert caught.value.request_id == body.get("request_id", reply.headers.get("x-request-id"))


@needs_samples
@pytest.mark.parametrize("file", REFUSED)
def test_reply_of_the_wrong_shape_is_refused(file):
    """A reply without what it is about is an error, not a row of nothing."""
    key, table, message = REFUSED[file]
    with pytest.raises(DecodeError) as caught:
        to_rows([decode_record(READ, reply_of(file), key)], table)
    assert message in str(caught.value)


@needs_samples
def test_account_transfer_is_a_number():
    """The reply to an account transfer has no envelope."""
    assert decode_body(READ, reply_of(TRANSFER)) == {"transfer_id": 3164444}


@needs_samples
@pytest.mark.parametrize("file", NO_REPLIES)
def test_what_is_no_reply_is_no_listing(file):
    """The bodies of requests are here to show it: none of them passes for a listing of images."""
    with pytest.raises(DecodeError, match="The answer has no list 'images'"):
        decode_pages([body_of(file)], IMAGES)
