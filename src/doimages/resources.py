"""What SQL calls the tables, and what can be asked of each: services, resources, methods and their parameters.

Source: StackQL's provider of DigitalOcean, the definitions of 2023 to 2026; paths and bodies: DigitalOcean's OpenAPI
description, images and image actions.
"""

from dataclasses import dataclass
from typing import Literal

from doimages.schema import ACTIONS, IMAGES, ColumnType, Table

Verb = Literal["SELECT", "INSERT", "UPDATE", "DELETE", "EXEC"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a method takes: part of its path or query, or with ``in_body`` a field of the body, also data__name."""

    name: str
    type: ColumnType
    description: str
    required: bool = False
    in_body: bool = False

    @property
    def stackql_name(self) -> str:
        """The name StackQL shows: a field of the body has a prefix."""
        return f"data__{self.name}" if self.in_body else self.name


@dataclass(frozen=True, slots=True)
class Method:
    """One operation on a resource: its names (the first is shown), the SQL verb it has, its request and its reply.

    ``reply`` is the kind of record that comes back, None if nothing does; with ``is_whole`` the body as it is. It is
    taken under every path, and shown under that of its ``service``, if it has one.
    """

    names: tuple[str, ...]
    verb: Verb
    http: str
    path: str
    parameters: tuple[Parameter, ...]
    description: str
    reply: Table | None
    fixed: tuple[tuple[str, str], ...] = ()
    is_whole: bool = False
    service: str | None = None

    @property
    def name(self) -> str:
        """The name it is shown under."""
        return self.names[0]

    @property
    def is_listing(self) -> bool:
        """Whether many records come back."""
        return self.http == "GET" and not self.path.endswith("}")


@dataclass(frozen=True, slots=True)
class Resource:
    """A table of SQL: the dotted names it goes by (the first is shown), its columns and methods.

    ``aliases`` are parameters that may also be read as a column, and which.
    """

    paths: tuple[str, ...]
    table: Table
    methods: tuple[Method, ...]
    description: str
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The dotted name it is shown under."""
        return self.paths[0]


@dataclass(frozen=True, slots=True)
class Service:
    """A part of the provider, under which resources are named."""

    name: str
    title: str
    description: str


_IMAGE_ID = Parameter(
    "image_id", "integer", "Id of the image; to read one, also the slug of a public image.", required=True
)
_LIST = (
    Parameter("type", "string", "distribution or application: a filter of the request, not the column type."),
    Parameter("private", "boolean", "true: only the images of the account itself."),
    Parameter("tag_name", "string", "Only images with this tag."),
    Parameter("per_page", "integer", "Rows of a page, 1 to 200; exactly one page is read."),
    Parameter("page", "integer", "Number of the page, from 1; exactly this page is read."),
)
_UPDATE = (
    _IMAGE_ID,
    Parameter("name", "string", "New name.", in_body=True),
    Parameter("distribution", "string", "New distribution; custom images only.", in_body=True),
    Parameter("description", "string", "New description; custom images only.", in_body=True),
)
_REGION = Parameter("region", "string", "Slug of a region.", required=True, in_body=True)
_ACTION_ID = Parameter("action_id", "integer", "Id of the action.", required=True)
_IMAGE, _LISTING, _ACTS = "/v2/images/{image_id}", "/v2/images", "/v2/images/{image_id}/actions"

PROVIDER = "digitalocean"
SERVICES = (
    Service("images", "Images", "Images and their actions, under the names of 2023."),
    Service("compute", "Compute", "The same images and actions, under the names of today."),
)
RESOURCES = (
    Resource(
        ("digitalocean.images.images", "digitalocean.compute.images", "images"),
        IMAGES,
        (
            Method(("get", "images_get"), "SELECT", "GET", _IMAGE, (_IMAGE_ID,), "Read one image.", IMAGES),
            Method(("list", "images_list"), "SELECT", "GET", _LISTING, _LIST, "List images, all pages.", IMAGES),
            Method(
                ("create_custom", "images_create_custom"),
                "INSERT",
                "POST",
                _LISTING,
                (
                    Parameter("name", "string", "Display name.", required=True, in_body=True),
                    _REGION,
                    Parameter("url", "string", "Where the image file is fetched from.", required=True, in_body=True),
                    Parameter("distribution", "string", "Operating system.", in_body=True),
                    Parameter("description", "string", "Free text.", in_body=True),
                    Parameter("tags", "strings", "Tags of the new image.", in_body=True),
                ),
                "Import a custom image from a URL.",
                IMAGES,
            ),
            Method(
                ("delete", "images_delete"),
                "DELETE",
                "DELETE",
                _IMAGE,
                (_IMAGE_ID,),
                "Delete an image, for good.",
                None,
            ),
            Method(
                ("_get",),
                "EXEC",
                "GET",
                _IMAGE,
                (_IMAGE_ID,),
                "Read one image, the whole reply as it is.",
                IMAGES,
                is_whole=True,
            ),
            Method(
                ("_list",),
                "EXEC",
                "GET",
                _LISTING,
                _LIST,
                "Read one page of the listing, the whole reply as it is.",
                IMAGES,
                is_whole=True,
            ),
            Method(
                ("update", "images_update"),
                "EXEC",
                "PUT",
                _IMAGE,
                _UPDATE,
                "Change name, distribution, description.",
                IMAGES,
            ),
            Method(
                ("convert", "images_convert"),
                "EXEC",
                "POST",
                _ACTS,
                (_IMAGE_ID,),
                "Make a backup into a snapshot.",
                ACTIONS,
                (("type", "convert"),),
                service="compute",
            ),
            Method(
                ("transfer", "images_transfer"),
                "EXEC",
                "POST",
                _ACTS,
                (_IMAGE_ID, _REGION),
                "Copy an image to one more region.",
                ACTIONS,
                (("type", "transfer"),),
                service="compute",
            ),
        ),
        "Base systems, 1-Click applications, snapshots, backups and custom images.",
        aliases=(("image_id", "id"),),
    ),
    Resource(
        ("digitalocean.images.actions", "digitalocean.compute.image_actions", "actions", "image_actions"),
        ACTIONS,
        (
            Method(
                ("get", "imageActions_get", "image_actions_get"),
                "SELECT",
                "GET",
                f"{_ACTS}/{{action_id}}",
                (_IMAGE_ID, _ACTION_ID),
                "Read one action of an image.",
                ACTIONS,
            ),
            Method(
                ("list", "imageActions_list", "image_actions_list"),
                "SELECT",
                "GET",
                _ACTS,
                (_IMAGE_ID,),
                "List the actions of an image.",
                ACTIONS,
            ),
            Method(
                ("post", "imageActions_post", "image_actions_post"),
                "INSERT",
                "POST",
                _ACTS,
                (
                    _IMAGE_ID,
                    Parameter("type", "string", "convert or transfer.", required=True, in_body=True),
                    Parameter("region", "string", "Slug of the region to copy to; transfer only.", in_body=True),
                ),
                "Convert or transfer an image.",
                ACTIONS,
            ),
        ),
        "What was done to an image: transfers, conversions and others.",
        aliases=(("image_id", "resource_id"), ("action_id", "id")),
    ),
)
