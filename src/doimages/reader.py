"""The reader: images as a frame, from Python."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

import pandas as pd

from doimages.api.connect import known_client, shared_client
from doimages.errors import UsageError
from doimages.reads import ListingRead, Read
from doimages.settings import options
from doimages.table.filters import check_limit, make_filters
from doimages.table.read import Shape

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
    frames: Mapping[str, object] | None
    max_results: int | None
    dtype_backend: DtypeBackend | None
    dtypes: Mapping[str, Any] | None
    progress: Progress | None
    client: "Client | None"


@overload
def read_do_images(query: None = None, /, **arguments: Unpack[ReadArguments]) -> pd.DataFrame: ...
@overload
def read_do_images(query: str, /, **arguments: Unpack[ReadArguments]) -> Any: ...
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
    frames: Mapping[str, object] | None = None,
    max_results: int | None = None,
    dtype_backend: DtypeBackend | None = None,
    dtypes: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    client: "Client | None" = None,
) -> Any:
    """Read images of an account into a typed frame.

    Sends GET /v2/images for page 1, then for all other pages side by side; with ``image_id``, GET /v2/images/{id}
    for each, or one listing where they are a hundred or more. A SQL statement sends what its WHERE and LIMIT leave.
    Nothing is sent if an argument or the statement is wrong.

    Parameters
    ----------
    query
        A SQL statement, or several with ``;`` between, of which the last one's result is given. See the reference
        of SQL. The four filters that follow are for a read without one. INSERT, UPDATE, REPLACE, DELETE and EXEC of
        what changes images give a :class:`Plan`: it reads, and changes nothing before it is applied.
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
        Values of the SQL statement, by name: ``:name`` in it is bound to them, as literals or lists.
    frames
        Frames that the SQL statement may join, by the names that it gives them.
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
        columns. ``attrs["do_images"]`` tells where and when it was read, and whether it is complete. The columns of
        a SQL statement have the same dtypes: Int64, Float64, boolean, str, times in UTC, lists.

    Raises
    ------
    UsageError
        If an argument is wrong; StatementError and UnknownColumnError point into the statement. Nothing was sent.
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

    >>> sql = "SELECT type, count(*) AS images FROM images WHERE private = true GROUP BY type ORDER BY type"
    >>> doimages.read_do_images(sql, client=client).type.tolist()
    ['backup', 'custom', 'snapshot']
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
        frames=frames,
        max_results=max_results,
        dtype_backend=dtype_backend,
        dtypes=dtypes,
        progress=progress,
        client=client,
    ).run()


@overload
async def aread_do_images(query: None = None, /, **arguments: Unpack[ReadArguments]) -> pd.DataFrame: ...
@overload
async def aread_do_images(query: str, /, **arguments: Unpack[ReadArguments]) -> Any: ...
async def aread_do_images(query: str | None = None, /, **arguments: Unpack[ReadArguments]) -> Any:
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
    read = check(query, **arguments)
    progress = options.resolve("progress", arguments.get("progress")).value or default_progress
    # Only a magic names endpoint and context here; Python gives a client. A query over frames alone needs neither.
    client = arguments.get("client")
    if client is None:
        source = "the magic's flag"
        client = (
            shared_client(endpoint, context, source=source) if read.needs_client else known_client(endpoint, context)
        )
    return replace(read, progress=progress, client=client)


def check(query: str | None = None, /, **arguments: Unpack[ReadArguments]) -> Read:
    """Check the arguments of a read without a client, as a dry run does; nothing is sent."""
    backend = options.resolve("dtype_backend", arguments.get("dtype_backend")).value
    shape = Shape(arguments.get("columns"), arguments.get("index_col"), backend, arguments.get("dtypes"))
    if query is not None:
        for name in ("type", "private", "tag_name", "image_id"):
            if arguments.get(name):
                raise UsageError(f"{name} goes into the statement: WHERE {name} = ... Nothing was sent.")
        from doimages.statement import prepare_statement  # with sqlglot and DuckDB, for those who write SQL

        return prepare_statement(
            query,
            shape,
            params=arguments.get("params") or {},
            frames=arguments.get("frames") or {},
            limit=check_limit(arguments.get("max_results")),
        )
    for name in ("params", "frames"):
        if arguments.get(name) is not None:
            raise UsageError(f"{name} are for a SQL statement, and there is none. Nothing was sent.")
    filters = make_filters(
        type=arguments.get("type"),
        private=arguments.get("private", False),
        tag_name=arguments.get("tag_name"),
        image_id=arguments.get("image_id"),
        max_results=arguments.get("max_results"),
    )
    shape.check()
    return ListingRead(shape=shape, filters=filters)
