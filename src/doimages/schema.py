"""The one table of data: columns and their types, kinds of image, filters, regions' words.

Dtypes, SQL, completion, widgets and the reference docs are made from what stands here.
Source of the image's fields: `models/image.yml` of DigitalOcean's OpenAPI description.
"""

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["integer", "number", "string", "boolean", "time", "strings", "object"]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record: its name, type, unit and meaning; ``required`` values are never missing."""

    name: str
    type: ColumnType
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of record: the JSON keys it comes under, and its columns in the order of the frame."""

    name: str
    plural: str
    singular: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> str:
        """The column that tells its records apart; of a query's result, the first."""
        return next((column.name for column in self.columns if column.required), self.columns[0].name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Give the column of a name."""
        return next(column for column in self.columns if column.name == name)


IMAGES = Table(
    "images",
    plural="images",
    singular="image",
    columns=(
        Column("id", "integer", "Number of the image; stable until the image is retired.", required=True),
        Column("name", "string", "Display name; not unique. Base images hold the version only."),
        Column("description", "string", "Free text."),
        Column("tags", "strings", "Tags; missing if the token lacks tag:read."),
        Column("regions", "strings", "Slugs of its regions; empty while importing or retired."),
        Column("type", "string", "base, snapshot, backup, custom, admin or application."),
        Column("slug", "string", "Moving name of a public image's newest build; missing for private images."),
        Column("status", "string", "NEW, available, pending, deleted or retired."),
        Column("min_disk_size", "integer", "Smallest disk a Droplet needs for it, in GB."),
        Column("public", "boolean", "Whether anyone may use it. False does not mean it is yours."),
        Column("created_at", "time", "When it was made, UTC."),
        Column("distribution", "string", "Operating system, such as Ubuntu; Unknown for some custom images."),
        Column("error_message", "string", "Why an import failed."),
        Column("size_gigabytes", "number", "Size in GB, as billed."),
    ),
)
ACTIONS = Table(
    "actions",
    plural="actions",
    singular="action",
    columns=(
        Column("id", "integer", "Number of the action.", required=True),
        Column("status", "string", "in-progress, completed or errored."),
        Column("type", "string", "transfer, convert, image_destroy and others."),
        Column("started_at", "time", "When it began, UTC."),
        Column("completed_at", "time", "When it ended, UTC; missing while it runs."),
        Column("resource_id", "integer", "Number of the image or Droplet it works on."),
        Column("resource_type", "string", "image, droplet or another kind."),
        Column("region", "object", "The region, as the API gives it."),
        Column("region_slug", "string", "Slug of the region."),
    ),
)
SNAPSHOTS = Table(
    "snapshots",
    plural="snapshots",
    singular="snapshot",
    columns=(
        Column("id", "string", "Number (Droplet) or uuid (volume), as text.", required=True),
        Column("name", "string", "Display name."),
        Column("created_at", "time", "When it was made, UTC."),
        Column("regions", "strings", "Slugs of the regions it is in."),
        Column("resource_id", "string", "The Droplet or volume it was made of."),
        Column("resource_type", "string", "droplet or volume."),
        Column("min_disk_size", "integer", "Smallest disk it needs, in GB."),
        Column("size_gigabytes", "number", "Billable size in GB."),
        Column("tags", "strings", "Tags."),
    ),
)
REGIONS = Table(
    "regions",
    plural="regions",
    singular="region",
    columns=(
        Column("slug", "string", "Short name, such as nyc3.", required=True),
        Column("name", "string", "Display name."),
        Column("features", "strings", "What it offers; image_transfer among them."),
        Column("available", "boolean", "Whether new Droplets can be made there."),
        Column("sizes", "strings", "Slugs of the Droplet sizes it offers."),
    ),
)
TAGS = Table(
    "tags",
    plural="tags",
    singular="tag",
    columns=(
        Column("name", "string", "The tag.", required=True),
        Column("resources", "object", "Counts of what carries it."),
    ),
)
DROPLETS = Table(
    "droplets",
    plural="droplets",
    singular="droplet",
    columns=(
        Column("id", "integer", "Number of the Droplet.", required=True),
        Column("name", "string", "Display name."),
        Column("image", "object", "The image it was made from, as the API gives it."),
    ),
)
ACCOUNT = Table(
    "account",
    plural="accounts",
    singular="account",
    columns=(
        Column("uuid", "string", "Identity of the account.", required=True),
        Column("email", "string", "Address of the owner."),
        Column("name", "string", "Display name."),
        Column("status", "string", "active, warning or locked."),
        Column("status_message", "string", "Why, if not active."),
        Column("email_verified", "boolean", "Whether the address is confirmed."),
        Column("droplet_limit", "integer", "Most Droplets it may have."),
        Column("floating_ip_limit", "integer", "Most reserved addresses it may have."),
        Column("team", "object", "The team: uuid and name."),
    ),
)

# The API's request filter `type` is not the attribute `type` (openapi: images_list, "Image Type").
REQUEST_TYPES = ("distribution", "application")
KINDS = ("base", "snapshot", "backup", "custom", "admin")
STATUSES = ("NEW", "available", "pending", "deleted", "retired")
# The distributions an import may name (openapi, the field distribution of an image); others are read as Unknown.
DISTRIBUTIONS = (
    *("Arch Linux", "CentOS", "CoreOS", "Debian", "Fedora", "Fedora Atomic", "FreeBSD", "Gentoo", "openSUSE"),
    *("RancherOS", "Rocky Linux", "Ubuntu", "Unknown"),
)
# What `private=true` lists: the user's own images.
PRIVATE_KINDS = frozenset({"snapshot", "backup", "custom"})

PAGE_SIZE = 200  # The largest the API documents: `per_page` in shared/parameters.yml.

# Snapshots and custom images, US dollars per GB-month, at least a cent each: docs.digitalocean.com, snapshots and
# custom-images pricing, read 2026-11. A backup is a share of its Droplet's price, so it has none of its own.
PRICE_PER_GIGABYTE_MONTH = 0.06
PRICE_AT_LEAST = 0.01
PRICE_DATE = "2026-11"
PRICED_KINDS = frozenset({"snapshot", "custom"})
