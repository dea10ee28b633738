"""A pattern of names: text with fields of the image in braces, such as ``old-{name}``."""

from dataclasses import dataclass
from string import Formatter
from typing import Self

from doimages.change.image import Image
from doimages.errors import UsageError
from doimages.pick.code import PYTHON, SQL, Language

# Each field in Python and in SQL, and the part of the image that must not be missing.
_FIELDS = {
    "name": ("image.name", "name", "name"),
    "id": ("str(image.id)", "id", "id"),
    "date": ("image.created_at[:10]", "strftime('%Y-%m-%d', created_at)", "created_at"),
    "type": ("image.type", "type", "type"),
    "distribution": ("image.distribution", "distribution", "distribution"),
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """Pairs of a text and the field that follows it; the last one may have none."""

    parts: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a pattern; raises UsageError for a field that is none."""
        try:
            found = list(Formatter().parse(text))
        except ValueError:
            raise UsageError(f"{text!r} has a brace too many: write {{{{ for a brace itself.") from None
        for _, field, form, conversion in found:
            if field is not None and (field not in _FIELDS or form or conversion):
                known = ", ".join(f"{{{name}}}" for name in _FIELDS)
                raise UsageError(f"{text!r} has the field {{{field}}}; known are {known}.")
        return cls(tuple((literal, field) for literal, field, _, _ in found))

    def __call__(self, image: Image) -> str:
        """Give the name of an image; raises UsageError if it lacks a field."""
        return "".join(literal + ("" if field is None else _field(image, field)) for literal, field in self.parts)

    @property
    def python(self) -> str:
        """It as an argument in Python."""
        if all(field is None for _, field in self.parts):
            return PYTHON.literal("".join(literal for literal, _ in self.parts))
        # Joined by plus, for in an f-string a name that is missing is the word None.
        return f"lambda image: {' + '.join(self._texts(PYTHON, 0))}"

    @property
    def sql(self) -> str:
        """It as an expression of SQL."""
        texts = self._texts(SQL, 1)
        # A number alone is no text.
        joined = " || ".join(texts if len(texts) > 1 or not self.parts or self.parts[0][1] is None else [*texts, "''"])
        return joined or "''"

    def _texts(self, language: Language, place: int) -> list[str]:
        texts: list[str] = []
        for literal, field in self.parts:
            texts += [language.literal(literal)] if literal else []
            texts += [] if field is None else [_FIELDS[field][place]]
        return texts


def _field(image: Image, name: str) -> str:
    value = image[_FIELDS[name][2]]
    if value is None:
        raise UsageError(f"it has no {_FIELDS[name][2]}")
    return str(value)[:10] if name == "date" else str(value)
