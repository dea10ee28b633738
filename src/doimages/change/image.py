"""One image as the API told of it, as plain data that a plan and a journal can hold."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self

# A status in which an image is gone, though GET may still answer 200: terraform-provider, resource_custom_image.
_GONE = "deleted"
_LONGEST = 60  # letters of a name in a message
# NEW and new are one (openapi issue 517).
_UNFINISHED = frozenset({"new", "pending"})

# How the tags begin that doimages gives: to find an import again, and from which day on an image may be deleted
# (custodian's mark-for-op does the same).
MARK_PREFIX = "doimages:"
DUE_PREFIX = "doimages-delete-after:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a plan knows of an image. ``created_at`` is ISO 8601 in UTC; what the API did not tell is None."""

    id: int
    name: str | None = None
    type: str | None = None
    public: bool | None = None
    created_at: str | None = None
    size_gigabytes: float | None = None
    regions: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None
    status: str | None = None
    description: str | None = None
    distribution: str | None = None
    slug: str | None = None
    min_disk_size: int | None = None
    error_message: str | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Make one of a record of the API, a row of a listing, or what :meth:`to_record` gave."""
        known: dict[str, Any] = {one.name: record.get(one.name) for one in fields(cls)}
        regions = tuple(region for region in known["regions"] or () if region is not None)
        tags = None if known["tags"] is None else tuple(tag for tag in known["tags"] if tag is not None)
        return cls(**{**known, "regions": regions, "tags": tags})

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        record = asdict(self)
        return record | {"regions": list(self.regions), "tags": None if self.tags is None else list(self.tags)}

    def __getitem__(self, name: str) -> Any:
        """Give a field by its name, as a row of a frame does."""
        if name not in self.__slots__:
            raise KeyError(name)
        return getattr(self, name)

    @property
    def made_at(self) -> datetime | None:
        """When it was made; None if that is missing or cannot be read."""
        return to_time(self.created_at)

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted and is only remembered."""
        return (self.status or "").lower() == _GONE

    @property
    def is_unfinished(self) -> bool:
        """Whether it is still being made."""
        return (self.status or "").lower() in _UNFINISHED

    @property
    def title(self) -> str:
        """What a message calls it."""
        name = self.name or ""
        return f"image {self.id} ({name if len(name) <= _LONGEST else f'{name[:_LONGEST]}...'!r})"


def to_time(text: str | None) -> datetime | None:
    """Read a time of the API's, UTC if it has no zone; None where there is none, or it is no time."""
    try:
        made = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)
