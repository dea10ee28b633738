"""``DataFrame.do_images``: what a frame of images can tell, and how it is put on pandas."""

import os
import re
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_list_like

from doimages.change.image import Image
from doimages.changes import ImageChanges, client_of, id_column
from doimages.errors import UsageError
from doimages.reader import read_do_images
from doimages.schema import IMAGES
from doimages.settings import options
from doimages.summary.figures import NEEDED, plain_images, summarize
from doimages.summary.summary import Summary
from doimages.table.cost import monthly_cost

if TYPE_CHECKING:
    from doimages.api.client import Client
    from doimages.notebook.picker.widget import ImagePicker

NAME = "do_images"
READER = "read_do_images"
_CANDIDATES = 5
_LISTS = tuple(column.name for column in IMAGES.columns if column.type == "strings")


class ImagesAccessor(ImageChanges):
    """What a frame of images can tell; hidden from a frame that has no integer ``id``.

    It holds the frame and nothing else: pandas 3 makes it anew at each access.

    Examples
    --------
    >>> import doimages
    >>> frame = doimages.read_do_images(max_results=5, client=doimages.connect(base_url="sandbox"))
    >>> len(frame.do_images.ids)
    5
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        ids = id_column(frame)
        if ids is None or not pd.api.types.is_integer_dtype(ids.dtype):
            raise AttributeError("do_images is for frames with an integer column (or index) 'id', one of that name")
        if (frame.attrs.get(NAME, {}).get("ids_of") or IMAGES.name) != IMAGES.name:
            raise AttributeError("do_images is for frames of images; the column 'id' of this one is something else's")
        self._frame = frame

    @property
    def ids(self) -> list[int]:
        """The ids in the order of the rows, each once; a missing one is left out."""
        ids = id_column(self._frame)
        return [] if ids is None else [int(value) for value in ids.dropna().unique()]

    @property
    def provenance(self) -> dict[str, Any]:
        """Where and when the frame was read, by ``attrs["do_images"]``; empty if pandas lost that on the way."""
        return dict(self._frame.attrs.get(NAME, {}))

    def is_stale(self, minutes: float | None = None) -> bool:
        """Tell whether the frame was read more than ``minutes`` ago (the setting ``stale_minutes``, 15).

        A frame that does not know when it was read counts as stale.
        """
        read_at = self.provenance.get("fetched_at")
        if read_at is None:
            return True
        age = datetime.now(UTC) - datetime.fromisoformat(read_at)
        return age.total_seconds() > 60 * (options.stale_minutes if minutes is None else minutes)

    def has_region(self, *regions: str) -> "pd.Series[bool]":
        """Tell, for each row, whether the image is in at least one of the regions; False where that is unknown."""
        return self._has("regions", regions)

    def has_tag(self, *tags: str) -> "pd.Series[bool]":
        """Tell, for each row, whether the image has at least one of the tags; False where that is unknown.

        Case does not count, as in the API. A token without tag:read sees no tags.
        """
        return self._has("tags", tags)

    def explode(self, column: str) -> pd.DataFrame:
        """Give one row for each region or tag; an image without any keeps one row, with a missing value.

        A region that the API names twice for one image (api-v2 issue 122) gives one row: sums by region hold.

        >>> import doimages
        >>> frame = doimages.read_do_images(image_id="ubuntu-24-04-x64", client=doimages.connect(base_url="sandbox"))
        >>> len(frame.do_images.explode("regions")) == len(frame.regions.iloc[0])
        True
        """
        if column not in _LISTS:
            raise UsageError(f"{column!r} holds no lists; explode {' or '.join(_LISTS)}.")
        frame = self._listed(column)
        once = [list(dict.fromkeys(words)) if isinstance(words, list) else None for words in frame[column]]
        text = frame.assign(**{column: pd.Series(once, index=frame.index, dtype=object)}).explode(column)
        return text.assign(**{column: text[column].astype("str")})

    def refresh(self, client: "Client | None" = None) -> pd.DataFrame:
        """Read the same images again, in the order of the rows, with all columns.

        Sends GET /v2/images/{id} for each, or one listing for a hundred or more. ``client`` must be of the endpoint
        that the frame was read from. Raises NotFoundError, naming them, if some are gone.
        """
        return read_do_images(image_id=self.ids, client=client_of(self._frame, client))

    def latest(
        self, name_regex: str | None = None, *, tag: str | None = None, region: str | None = None
    ) -> "pd.Series[Any]":
        """Give the row of the newest image: with a name that the regular expression is found in, a tag, in a region.

        What is unfinished or deleted by the column ``status``, if there is one, is passed over.
        Raises UsageError, listing candidates, if there is none, or two were made at the same time.

        >>> import doimages
        >>> client = doimages.connect(base_url="sandbox")
        >>> frame = doimages.read_do_images(type="snapshot", client=client)
        >>> frame.do_images.latest("^web-02-")["name"].startswith("web-02-2026")
        True
        """
        if not isinstance(name_regex, str | None):
            raise UsageError(
                f"name_regex is a regular expression as text, such as '^web-', not {name_regex!r}. Nothing was sent."
            )
        for column in ("name", "created_at"):
            self._need(column)
        fits = self._frame["name"].notna() & self._frame["created_at"].notna() & self._is_ready()
        try:
            fits &= (
                self._frame["name"].fillna("").map(lambda text: bool(re.search(name_regex or "", text))).astype(bool)
            )
        except re.error as error:
            raise UsageError(f"name_regex is no regular expression: {error}.") from None
        fits &= self.has_tag(tag) if tag is not None else True
        fits &= self.has_region(region) if region is not None else True
        found = self._frame[fits].sort_values("created_at", ascending=False, kind="stable")
        ids = pd.Series(id_column(found), index=found.index)
        found = found[~ids.duplicated()]
        if len(found) and (found["created_at"] == found["created_at"].iloc[0]).sum() == 1:
            return found.iloc[0]
        near = self._frame if found.empty else found
        names = near.sort_values("created_at", ascending=False)["name"].head(_CANDIDATES)
        what = "two of the newest were made at the same time" if len(found) else "no image fits"
        raise UsageError(f"latest: {what}. Candidates are: {', '.join(map(repr, names)) or 'none'}.")

    def monthly_cost(self, rate: float | None = None) -> "pd.Series[float]":
        """Give what each image costs a month, in US dollars: size in GB times ``rate``, a cent at least.

        Only snapshots and custom images are billed by size; other kinds, and images of unknown size, are missing.
        The default is the setting ``price_per_gigabyte_month``, 0.06 (docs.digitalocean.com, pricing of snapshots and
        custom images, read 2026-11).
        """
        for column in ("type", "size_gigabytes"):
            self._need(column)
        price = options.resolve("price_per_gigabyte_month", rate).value
        pairs = zip(self._frame["type"], self._frame["size_gigabytes"], strict=True)
        costs = [monthly_cost(kind, None if pd.isna(size) else size, price) for kind, size in pairs]
        return pd.Series(costs, index=self._frame.index, name="monthly_cost", dtype="Float64")

    def summary(self) -> Summary:
        """Sum up the images: totals, by type, distribution, region and age, the ten biggest and the ten oldest.

        Sends nothing. It shows as a dashboard in a notebook, and has the figures as frames. Needs the columns name,
        type, distribution, regions, size_gigabytes and created_at; each image in one row, or a UsageError is raised.

        >>> import doimages
        >>> frame = doimages.read_do_images(private=True, client=doimages.connect(base_url="sandbox"))
        >>> frame.do_images.summary().by_type["images"].to_dict()
        {'snapshot': 250, 'backup': 20, 'custom': 6}
        """
        for column in NEEDED:
            self._need(column)
        images = plain_images(self._listed("regions"), self._write_ids())
        plain = ImagesAccessor(images)
        images["monthly_cost"] = plain.monthly_cost()
        return summarize(images, plain.explode("regions"), datetime.now(UTC))

    def picker(self, *, client: "Client | None" = None, read_only: bool | None = None, **state: Any) -> "ImagePicker":
        """Pick images of the frame on the screen: :func:`doimages.picker` of it.

        >>> import doimages
        >>> client = doimages.connect(base_url="sandbox")
        >>> frame = doimages.read_do_images(type="snapshot", client=client)
        >>> len(frame.do_images.picker(client=client).value) == len(frame)
        True
        """
        from doimages.notebook.picker.widget import picker  # with ipywidgets, for who picks

        return picker(self._frame, client=client, read_only=read_only, **state)

    def _has(self, column: str, wanted: tuple[str, ...]) -> "pd.Series[bool]":
        if not wanted:
            raise UsageError(f"name at least one of the {column} to look for.")
        for word in wanted:
            if not isinstance(word, str):
                raise UsageError(f"{column} to look for are texts, one by one, not {word!r}. Nothing was sent.")
        sought = {word.casefold() for word in wanted}
        lists = self._listed(column)[column]
        found = [
            isinstance(words, list) and any(word is not None and word.casefold() in sought for word in words)
            for words in lists
        ]
        return pd.Series(found, index=self._frame.index, name=column, dtype=bool)

    def _is_ready(self) -> "pd.Series[bool]":
        """Tell which rows are of images that are there and finished; all, where the frame does not know."""
        if "status" not in self._frame.columns:
            return pd.Series(True, index=self._frame.index)
        images = [Image(id=0, status=status if isinstance(status, str) else None) for status in self._frame["status"]]
        return pd.Series([not (one.is_gone or one.is_unfinished) for one in images], self._frame.index, dtype=bool)

    def _listed(self, column: str) -> pd.DataFrame:
        """Give the frame with plain lists in a column, whichever backend it has."""
        self._need(column)
        values = self._frame[column]
        if isinstance(values.dtype, pd.ArrowDtype):
            plain = pd.Series(values.array.__arrow_array__().to_pylist(), index=values.index, dtype=object)
            return self._frame.assign(**{column: plain})
        # Parquet gives arrays for lists.
        if any(is_list_like(words) and not isinstance(words, list) for words in values):
            lists = [list(words) if is_list_like(words) else words for words in values]
            return self._frame.assign(**{column: pd.Series(lists, index=values.index, dtype=object)})
        return self._frame

    def _need(self, column: str) -> None:
        named = int((self._frame.columns == column).sum())
        if not named:
            raise UsageError(f"this frame has no column {column!r}; read it with that column.")
        if named > 1:
            raise UsageError(f"this frame has {named} columns {column!r}; drop all but one. Nothing was sent.")


def register() -> None:
    """Put ``read_do_images`` and the accessor on pandas; twice is once, and what others put there stays.

    ``import doimages`` does it, unless ``$DOIMAGES_NO_PATCH`` is set.
    """
    for owner, name in ((pd, READER), (pd.DataFrame, NAME)):
        if hasattr(owner, name) and not _is_ours(owner, name):
            raise UsageError(f"{owner.__name__}.{name} is there already, and not of doimages; it was left alone.")
    unregister()
    setattr(pd, READER, read_do_images)
    pd.api.extensions.register_dataframe_accessor(NAME)(ImagesAccessor)


def unregister() -> None:
    """Take both off pandas again; ``doimages.read_do_images`` stays."""
    if _is_ours(pd, READER):
        delattr(pd, READER)
    if _is_ours(pd.DataFrame, NAME):
        delattr(pd.DataFrame, NAME)
        pd.DataFrame._accessors.discard(NAME)  # type: ignore[attr-defined]  # noqa: SLF001 - pandas cannot unregister


def _is_ours(owner: Any, name: str) -> bool:
    """Tell by the module's name: after a reload the class is another."""
    found = owner.__dict__.get(name)
    accessor = getattr(found, "_accessor", found)
    return str(getattr(accessor, "__module__", "")).startswith("doimages")


def register_on_import() -> None:
    """Register, unless the environment says not to; if a name is taken, warn: an import must not fail for that."""
    if not os.environ.get("DOIMAGES_NO_PATCH"):
        try:
            register()
        except UsageError as error:
            warnings.warn(f"{error} Use doimages.{READER}.", stacklevel=2)
