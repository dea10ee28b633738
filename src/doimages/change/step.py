"""One change of one image, or why it is left alone: what a plan is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from doimages.change.image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An image of a plan, and the fields that are asked for it; None for one that is created."""

    image: Image | None
    fields: Mapping[str, Any]

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        values = {place.name: getattr(self, place.name) for place in fields(self)}
        return values | {"image": None if self.image is None else self.image.to_record(), "fields": dict(self.fields)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Make it of what :meth:`to_record` gave."""
        return cls(**{**record, "image": None if record["image"] is None else Image.of(record["image"])})

    @property
    def name(self) -> str | None:
        """The name of the image, or the one it is to get."""
        name: str | None = self.image.name if self.image is not None else self.fields.get("name")
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Row):
    """One change of one image: the fields that are sent, and the image as it was."""

    number: int

    @property
    def image_id(self) -> int | None:
        """The id of the image."""
        return None if self.image is None else self.image.id

    @property
    def title(self) -> str:
        """What a message calls it."""
        return self.image.title if self.image is not None else f"image {self.fields['name']!r}"

    @property
    def before(self) -> dict[str, Any] | None:
        """What it changes, as it was; None for a create."""
        if self.image is None:
            return None
        record = self.image.to_record()
        if self.fields and self.fields.keys() <= record.keys():
            return {name: record[name] for name in self.fields}
        changed = {"tag": "tags", "region": "regions"}
        found = {changed[name]: record[changed[name]] for name in self.fields if name in changed}
        return found or record


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Row):
    """An image that is left alone: with which outcome, and why."""

    image_id: int
    outcome: str
    reason: str
