"""Which images are wanted: the filters that are set, frozen, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from doimages.errors import UsageError, unknown_name
from doimages.pick.code import MAGIC, PYTHON, SQL, Language, Source, language_of
from doimages.pick.filters import FILTERS


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """The filters of a picker that are set, by their names in its state; an image must fit all of them.

    Written as Python, SQL or a cell of the magic, and read back from what was written so.

    Examples
    --------
    >>> spec = FilterSpec.of(type=["snapshot"], age=">90d")
    >>> print(spec.to_sql())
    SELECT * FROM images
    WHERE created_at < now() - INTERVAL '90 days'
      AND type IN ('snapshot')
    >>> FilterSpec.from_code(spec.to_sql()) == FilterSpec.of(type=["snapshot"], age=">90 days")
    True
    """

    given: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Check the filters, each by its name; raises UsageError for an unknown one, and for a value that is none."""
        made = {}
        for key, value in values.items():
            if key not in FILTERS:
                raise unknown_name("filter", key, tuple(FILTERS))
            checked = FILTERS[key].check(value)
            if checked is not None:
                made[key] = checked
        # In the order of the table: two that say the same are the same.
        return cls(MappingProxyType({key: made[key] for key in FILTERS if key in made}))

    @classmethod
    def from_code(cls, text: str) -> Self:
        """Read back what :meth:`to_python`, :meth:`to_sql` or :meth:`to_magic` wrote.

        Literals and the order of the predicates may have been changed. Raises UsageError for anything else.
        """
        language = language_of(text)
        parts: dict[str, dict[str, tuple[Any, ...]]] = {}
        for key, part, literals in language.read(text):
            if part in parts.setdefault(key, {}):
                raise UsageError(f"{key} is filtered twice in this code: a picker has one filter of each.")
            parts[key][part] = literals
        try:
            spec = cls.of(**{key: FILTERS[key].from_parts(told) for key, told in parts.items()})
        except ValueError as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError("this code has a filter in two parts that a picker has in one.") from None
        for key, told in parts.items():
            spec._check_same(language, key, told)  # noqa: SLF001 - its own
        return spec

    def _check_same(self, language: Language, key: str, told: Mapping[str, tuple[Any, ...]]) -> None:
        """Refuse literals that code takes in another way than a filter of theirs does, such as a text in capitals."""
        one = FILTERS[key]
        written = dict(one.to_parts(self.given[key])) if key in self.given else {}
        if one.kind != "age" and language.templates(one, written) != language.templates(one, told):
            raise UsageError(f"{key}: a picker does not write these literals so: small letters, each value once.")

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON has it: lists for pairs and choices."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in self.given.items()}

    def to_python(self, source: Source = Source.ALL, sort: str | None = None) -> str:
        """Write it as Python: from a read, or from a frame ``df``, to ``picked``."""
        return self.to_code(PYTHON, source, sort)

    def to_sql(self, source: Source = Source.ALL, sort: str | None = None) -> str:
        """Write it as a SELECT."""
        return self.to_code(SQL, source, sort)

    def to_magic(self, source: Source = Source.ALL, sort: str | None = None) -> str:
        """Write it as a cell of ``%%doimages``."""
        return self.to_code(MAGIC, source, sort)

    def to_code(self, language: Language, source: Source = Source.ALL, sort: str | None = None) -> str:
        """Write it in a language."""
        predicates = [
            language.write(one.form(part), literals)
            for one in FILTERS.values()
            if one.key in self.given
            for part, literals in one.to_parts(self.given[one.key])
        ]
        return language.compose(predicates, source, sort)

    def __repr__(self) -> str:
        return f"FilterSpec({', '.join(f'{key}={value!r}' for key, value in self.to_record().items())})"

    def __hash__(self) -> int:
        return hash(tuple(self.given.items()))
