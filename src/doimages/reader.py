"""The reader: images as a frame, from Python."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import pandas as pd

from doimages import progress as bars
from doimages.api.connect import shared_client
from doimages.api.listing import Reading
from doimages.api.portal import portal
from doimages.errors import DOImagesError, UnsupportedError, UsageError
from doimages.schema import IMAGES
from doimages.settings import options
from doimages.table.filters import Filters, make_filters
from doimages.table.read import Shape, make_frame, read

if TYPE_CHECKING:
    from doimages.api.client import Client

DtypeBackend = Literal["numpy_nullable", "pyarrow"]
Progress = Literal["auto", "bar", "text", "off"]
ImageType = Literal["distribution", "application", "base", "snapshot", "backup", "custom", "admin"]


class ReadArguments(TypedDict, total=False):
    """The arguments of a read; :func:`read_do_images` tells what they mean."""

    private: bool
    tag_name: str | None
    type: ImageType | Sequence[ImageType] | None
    image_id: int | str | Sequence[int | str] | None
    columns: Sequence[str] | None
    index_col: str | None
    params: Mapping[str, object] | None
    max_results: int | None
    dtype_backend: DtypeBackend | None
    dtypes: Mapping[str, Any] | None
    progress: Progress | None
    client: "Client | None"


# Takes the frame of what an interrupted read has got; a notebook puts it into `_doimages_partial`.
keep_partial: Callable[[pd.DataFrame], None] | None = None


def read_do_images(
    query: str | None = None,
    /,
    *,
    private: bool = False,
    tag_name: str | None = None,
    type: ImageType | Sequence[ImageType] | None = None,
    image_id: int | str | Sequence[int | str] | None = None,
    columns: Sequence[str] | None = None,
    index_col: str | None = None,
    params: Mapping[str, object] | None = None,
    max_results: int | None = None,
    dtype_backend: DtypeBackend | None = None,
    dtypes: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    client: "Client | None" = None,
) -> pd.DataFrame:
    """Read images of an account into a typed frame.

    Sends GET /v2/images for page 1, then for all other pages side by side; with ``image_id``, GET /v2/images/{id}
    for each, or one listing where they are a hundred or more. Nothing is sent if an argument is wrong.

    Parameters
    ----------
    query
        A SQL statement. Not built yet: UnsupportedError.
    private
        Only the images of the account itself. False lists all there are, public ones too.
    tag_name
        Only images with this tag.
    type
        ``"distribution"`` and ``"application"`` are the API's request filter. ``"base"``, ``"snapshot"``,
        ``"backup"``, ``"custom"``, ``"admin"``, or a list of them, filter the column ``type``; where only private
        kinds can match, ``private=true`` is sent along.
    image_id
        An id, a slug of a public image, or a list of them, answered in the order asked, each once.
    columns
        Which columns, in which order.
    index_col
        A column to make the index.
    params
        Values of the SQL statement.
    max_results
        At most so many rows; no more pages are asked for than that takes.
    dtype_backend
        ``"numpy_nullable"`` or ``"pyarrow"``, as in pandas' own readers.
    dtypes
        Dtypes of single columns, such as ``{"type": "category"}``.
    progress
        ``"auto"``, ``"bar"``, ``"text"`` or ``"off"``; the default is off.
    client
        A client of :func:`doimages.connect`; the default is one made of the settings, and kept.

    Returns
    -------
    pandas.DataFrame
        One row an image, in the API's order, on a RangeIndex. ``id`` is int64; ``min_disk_size`` (GB) Int64;
        ``size_gigabytes`` Float64; ``public`` boolean; ``created_at`` datetime64[us, UTC]; text is ``str``;
        ``regions`` and ``tags`` hold lists. The same dtypes for no rows. Fields the API adds one day follow the 14
        columns. ``attrs["do_images"]`` tells where and when it was read, and whether it is complete.

    Raises
    ------
    UsageError
        If an argument is wrong; nothing was sent.
    CredentialsError
        If there is no token.
    NotFoundError
        If an image of ``image_id`` does not exist.
    ListingError
        If the listing changed while it was read, three times; a partial frame is never returned.
    APIError, TransportError, DecodeError
        If the API answers with an error, does not answer, or sends a value that fits no column.

    Examples
    --------
    >>> import doimages
    >>> client = doimages.connect(base_url="sandbox")
    >>> frame = doimages.read_do_images(type="snapshot", columns=["id", "name", "size_gigabytes"], client=client)
    >>> frame.dtypes.astype(str).to_dict()
    {'id': 'int64', 'name': 'str', 'size_gigabytes': 'Float64'}
    """
    return prepare(
        query,
        private=private,
        tag_name=tag_name,
        type=type,
        image_id=image_id,
        columns=columns,
        index_col=index_col,
        params=params,
        max_results=max_results,
        dtype_backend=dtype_backend,
        dtypes=dtypes,
        progress=progress,
        client=client,
    ).run()


async def aread_do_images(query: str | None = None, /, **arguments: Unpack[ReadArguments]) -> pd.DataFrame:
    """Read images as :func:`read_do_images` does, without blocking the caller's event loop.

    Sends, takes, returns and raises the same. Cancelling it cancels its requests.

    Examples
    --------
    >>> import asyncio, doimages
    >>> client = doimages.connect(base_url="sandbox")
    >>> len(asyncio.run(doimages.aread_do_images(max_results=3, client=client)))
    3
    """
    return await prepare(query, **arguments).arun()


@dataclass(frozen=True, slots=True)
class Read:
    """One read, checked and ready to be sent."""

    filters: Filters
    shape: Shape
    progress: str
    client: "Client"

    def run(self) -> pd.DataFrame:
        """Send it, and wait; if that is interrupted, what came so far goes to ``keep_partial``."""
        reading = Reading(IMAGES)
        with bars.show(self.progress) as tick:
            try:
                return portal.wait(self._work(reading), _ticking(tick, reading))
            except KeyboardInterrupt:
                self._keep(reading)
                raise

    async def arun(self) -> pd.DataFrame:
        """Send it for a caller on another loop."""
        reading = Reading(IMAGES)
        with bars.show(self.progress) as tick:
            try:
                return await portal.bridge(self._work(reading), _ticking(tick, reading))
            except asyncio.CancelledError:
                self._keep(reading)
                raise

    async def _work(self, reading: Reading) -> pd.DataFrame:
        return await read(self.client, self.filters, self.shape, reading)

    def _keep(self, reading: Reading) -> None:
        # A page that cannot be decoded must not take the place of the interrupt.
        with contextlib.suppress(DOImagesError):
            self._keep_rows(reading)

    def _keep_rows(self, reading: Reading) -> None:
        if keep_partial is not None:
            rows = self.filters.keep(reading.rows())
            keep_partial(
                make_frame(rows, self.client, self.filters, self.shape, reading, total=reading.total, is_complete=False)
            )


def prepare(
    query: str | None = None,
    /,
    *,
    endpoint: str | None = None,
    context: str | None = None,
    default_progress: Progress = "off",
    **arguments: Unpack[ReadArguments],
) -> Read:
    """Check the arguments of a read, and find its client; nothing is sent."""
    filters, shape = check(query, **arguments)
    progress = options.resolve("progress", arguments.get("progress")).value or default_progress
    # Only a magic names endpoint and context here; Python gives a client.
    client = arguments.get("client") or shared_client(endpoint, context, source="the magic's flag")
    return Read(filters, shape, progress, client)


def check(query: str | None = None, /, **arguments: Unpack[ReadArguments]) -> tuple[Filters, Shape]:
    """Check the arguments of a read without a client, as a dry run does; nothing is sent."""
    if query is not None:
        raise UnsupportedError(
            "SQL is not built yet. Filter with type=, private=, tag_name= and image_id=, then with pandas. "
            "Nothing was sent."
        )
    if arguments.get("params") is not None:
        raise UsageError("params are the values of a SQL statement, and there is none. Nothing was sent.")
    filters = make_filters(
        type=arguments.get("type"),
        private=arguments.get("private", False),
        tag_name=arguments.get("tag_name"),
        image_id=arguments.get("image_id"),
        max_results=arguments.get("max_results"),
    )
    backend = options.resolve("dtype_backend", arguments.get("dtype_backend")).value
    shape = Shape(arguments.get("columns"), arguments.get("index_col"), backend, arguments.get("dtypes"))
    shape.check()
    return filters, shape


def _ticking(tick: bars.Tick | None, reading: Reading) -> Callable[[], None] | None:
    return None if tick is None else lambda: tick(reading.rows_read, reading.total)
