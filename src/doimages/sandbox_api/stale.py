"""Reads that come too early: what was just written is seen as it was before (hashicorp/terraform issue 481)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from doimages.sandbox_api.call import JSON

# An image by its id, in a listing, in a listing by tag_name; an action by its id, in a listing.
Way = Literal["image", "images", "tagged", "action", "actions"]
WAYS_TO_AN_IMAGE: tuple[Way, ...] = ("image", "images", "tagged")
WAYS_TO_AN_ACTION: tuple[Way, ...] = ("action", "actions")


@dataclass
class _Late:
    before: JSON | None  # None: it was not there
    looks: int


class Stale:
    """What is still seen as it was before a write, and for how many looks; each way of looking counts its own.

    A look is a GET by id, or a listing from its first page on: all pages of a listing show the same.
    """

    def __init__(self) -> None:
        self._late: defaultdict[Way, dict[int, _Late]] = defaultdict(dict)

    def hold(self, ways: tuple[Way, ...], key: int, before: JSON | None, looks: int) -> None:
        """Show `before` for so many looks, or what is shown already from an earlier write."""
        if looks <= 0:
            return
        for way in ways:
            earlier = self._late[way].get(key)
            held = None if before is None else dict(before)
            self._late[way][key] = _Late(earlier.before if earlier else held, looks)

    def look(self, way: Way, key: int, now: JSON | None, *, is_new: bool = True) -> JSON | None:
        """Give what this look sees where `now` is the truth; the later pages of a listing are no new look."""
        late = self._late[way].get(key)
        if late is None:
            return now
        if is_new and late.looks <= 0:
            del self._late[way][key]
            return now
        late.looks -= is_new
        return late.before

    def rows(
        self, way: Way, records: dict[int, JSON], fits: Callable[[JSON], bool], *, is_new: bool = True
    ) -> list[JSON]:
        """Give what a listing of what `fits` sees; one that shows a record neither before nor after is no look."""
        late = self._late[way]
        if not late:
            return [record for record in records.values() if fits(record)]
        rows = []
        for key in dict.fromkeys((*records, *late)):
            seen = now = records.get(key)
            if key in late:
                if not any(record is not None and fits(record) for record in (now, late[key].before)):
                    continue
                seen = self.look(way, key, now, is_new=is_new)
            if seen is not None and fits(seen):
                rows.append(seen)
        return rows
