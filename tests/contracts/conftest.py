"""DigitalOcean's own OpenAPI description, mended where it is known to be wrong, as a judge of requests and replies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

DESCRIPTION = Path(__file__).parents[3] / "shared" / "spec" / "do-images.openapi.yaml"
HOST = "https://api.digitalocean.com"


@pytest.fixture(scope="session")
def description() -> OpenAPI:
    """The mended description; without the file these tests are skipped, and say so."""
    if not DESCRIPTION.is_file():
        pytest.skip(f"OpenAPI description not found at {DESCRIPTION}: requests and replies NOT checked against it")
    return OpenAPI.from_dict(_mended(yaml.safe_load(DESCRIPTION.read_text("utf-8"))))


@pytest.fixture
def check_request(description: OpenAPI) -> Callable[[httpx.Request], None]:
    """Give a function that raises where a request is not as the description says."""
    return lambda request: description.validate_request(_request(request))


@pytest.fixture
def check_reply(description: OpenAPI) -> Callable[[httpx.Response], None]:
    """Give a function that raises where the reply to its request is not as the description says."""
    return lambda reply: description.validate_response(_request(reply.request), _reply(reply))


def _request(request: httpx.Request) -> MockRequest:
    return MockRequest(
        HOST,
        request.method.lower(),
        request.url.path.rstrip("/"),
        args=dict(request.url.params),
        headers=dict(request.headers),
        data=request.content or None,
    )


def _reply(reply: httpx.Response) -> MockResponse:
    kind = reply.headers.get("content-type", "application/json").partition(";")[0]
    return MockResponse(reply.content, reply.status_code, dict(reply.headers), kind)


def _mended(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    image = schemas["image"]["properties"]
    # The API serves more than these enums list: type "application" (packer-plugin issue 172), status "new"
    # (openapi issue 517), AlmaLinux and "Unknown OS" (doctl issue 671), regions such as atl1.
    for schema in (image["type"], image["status"], schemas["distribution"], schemas["region_slug"]):
        del schema["enum"]
    # Nulls seen in replies, and sent by python-digitalocean.
    for schema in (schemas["distribution"], schemas["image_description"]):
        schema["nullable"] = True
    # The region of an action is null where the action has none (image_destroy in the API's own examples).
    region = {"$ref": "#/components/schemas/region"}
    schemas["action"]["properties"]["region"] = {
        "anyOf": [region, {"type": "object", "nullable": True, "enum": [None]}]
    }
    # The schemas of these two replies lack the envelope that their own examples have.
    for name in ("post_image_action_response", "get_image_action_response"):
        content = document["components"]["responses"][name]["content"]["application/json"]
        content["schema"] = {"type": "object", "required": ["action"], "properties": {"action": content["schema"]}}
    return document
