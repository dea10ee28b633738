"""What is sent for an image, checked before anything is: names, texts, tags, regions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from doimages.api.client import Client
from doimages.api.ids import check_tag
from doimages.change.address import check_address
from doimages.change.arguments import Value
from doimages.change.image import Image
from doimages.errors import ForbiddenError, UsageError, unknown_name
from doimages.redaction import has_token

UPDATABLE = ("name", "description", "distribution")
LONGEST_NAME = 255

_REQUIRED = ("name", "url", "region")


def check_fields(fields: Mapping[str, Any], whose: str) -> dict[str, Any]:
    """Check the fields of an update or a create, and leave out what is None; raises UsageError."""
    given = {name: value for name, value in fields.items() if value is not None}
    for name, value in given.items():
        if name == "tags":
            given[name] = _check_tags(value)
        elif not isinstance(value, str):
            raise UsageError(f"{name} of {whose} is {value!r}, which is no text. Nothing was changed.")
        elif has_token(value):
            raise UsageError(f"{name} of {whose} has a token of DigitalOcean's in it. Nothing was changed.")
    name = str(given.get("name", "x"))
    if not name.strip():
        raise UsageError(f"the name of {whose} would be empty. Nothing was changed.")
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"the name of {whose} would have {len(name)} letters, more than {LONGEST_NAME}. Nothing was changed."
        )
    return given


def check_import(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Check the fields of one import; raises UsageError, and nothing is sent."""
    given = check_fields(fields, "the new image")
    missing = [name for name in _REQUIRED if name not in given]
    if missing:
        raise UsageError(f"{missing[0]} is missing: an import needs {', '.join(_REQUIRED)}. Nothing was sent.")
    check_address(given["url"])
    return given


@dataclass(frozen=True, slots=True)
class Computed:
    """The fields of an update, told for each image as it is: texts, and functions of the image."""

    values: Mapping[str, Value]

    @property
    def names(self) -> tuple[str, ...]:
        """Which fields they are."""
        return tuple(self.values)

    def __call__(self, image: Image) -> dict[str, Any]:
        """Give the fields for an image; raises UsageError where a function fails or gives none."""
        made = {name: _call(name, value, image) if callable(value) else value for name, value in self.values.items()}
        for name, value in made.items():
            if value is None:
                raise UsageError(f"{name} of {image.title} is None: give a text. Nothing was changed.")
        return made


def computed(values: Mapping[str, Value | None]) -> Computed:
    """Check the fields of an update that are texts; raises UsageError for what can be none."""
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        raise UsageError(f"update changes nothing: give {', '.join(UPDATABLE)}, or some of them. Nothing was sent.")
    check_fields({name: value for name, value in given.items() if not callable(value)}, "each image")
    return Computed(given)


def _call(name: str, function: Callable[[Image], Any], image: Image) -> Any:
    try:
        return function(image)
    except UsageError as error:
        raise UsageError(f"{name} of {image.title} cannot be made: {error}. Nothing was changed.") from error
    except Exception as error:
        raise UsageError(
            f"the function for {name} failed for {image.title}: {type(error).__name__}: {error}. Nothing was changed."
        ) from error


async def check_regions(client: Client, slugs: Iterable[Any]) -> tuple[str, ...]:
    """Send GET /v2/regions, and refuse a region that is not there; gives what should be known of the others."""
    wanted = list(dict.fromkeys(slugs))
    for slug in wanted:
        if not isinstance(slug, str) or not slug:
            raise UsageError(f"region is {slug!r}, which is no slug such as 'nyc3'. Nothing was sent.")
    if not wanted:
        return ()
    try:
        rows = (await client.regions()).rows.to_pylist()
    except ForbiddenError:
        return ("the regions were not checked: the token lacks the scope regions:read",)
    known = {row["slug"]: row for row in rows}
    for slug in wanted:
        if slug not in known:
            error = unknown_name("region", slug, tuple(known))
            error.add("Nothing was changed.")
            raise error
    # Regions closed to new Droplets may take images all the same (packer issue 5948).
    closed = [slug for slug in wanted if known[slug]["available"] is False]
    without = [slug for slug in wanted if "image_transfer" not in (known[slug]["features"] or ())]
    return (
        *(f"region {slug} is closed to new Droplets" for slug in closed),
        *(f"region {slug} does not list image_transfer among its features" for slug in without),
    )


def _check_tags(tags: Any) -> list[str]:
    if isinstance(tags, (str, bytes, Mapping)) or not isinstance(tags, Iterable):
        raise UsageError(f"tags takes a list of tags, not {tags!r}. Nothing was sent.")
    return list(dict.fromkeys(check_tag(tag) for tag in tags))
