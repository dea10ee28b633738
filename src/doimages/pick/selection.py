"""Which images are selected, by their ids alone: filters and sorting do not touch it."""

from collections.abc import Collection, Iterable, Iterator


class Selection:
    """Ids out of those there are, in the order they were selected in."""

    def __init__(self, known: Collection[int] = ()) -> None:
        self._known = known
        self._ids: dict[int, None] = {}

    def select(self, ids: Iterable[int], *, on: bool = True) -> None:
        """Add ids, or take them out; one that is unknown is passed over."""
        for one in ids:
            if not on:
                self._ids.pop(one, None)
            elif one in self._known:
                self._ids[one] = None

    def clear(self) -> None:
        """Take all out."""
        self._ids.clear()

    def keep(self, known: Collection[int]) -> list[int]:
        """Have other rows: give the ids that are no more there, and are not selected any more."""
        self._known = known
        gone = [one for one in self._ids if one not in known]
        self.select(gone, on=False)
        return gone

    def __contains__(self, one: object) -> bool:
        return one in self._ids

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
