"""Every public name as a person uses it: checked by mypy --strict, never run."""

from typing import Any, assert_type

import pandas as pd

import doimages
from doimages.accessor import ImagesAccessor
from doimages.api.client import Client
from doimages.api.connect import Sandbox
from doimages.notebook.picker.snapshot import Snapshot
from doimages.summary.summary import Summary


def read() -> None:
    assert_type(doimages.read_do_images(), pd.DataFrame)
    assert_type(doimages.read_do_images("SELECT name FROM images WHERE id = :id", params={"id": 7}), Any)
    doimages.read_do_images(
        private=True,
        tag_name="prod",
        type="snapshot",
        columns=["id", "name"],
        index_col="id",
        max_results=10,
        dtype_backend="pyarrow",
        dtypes={"type": "category", "name": pd.StringDtype()},
        progress="off",
        client=doimages.connect(base_url="sandbox"),
    )
    doimages.read_do_images(type=["snapshot", "backup"], image_id=None)
    doimages.read_do_images(image_id=[7, "ubuntu-24-04-x64"])
    doimages.read_do_images("FROM owners", frames={"owners": pd.DataFrame()}, max_results=5)


def refuse() -> None:
    doimages.read_do_images(type="snapshoot")  # type: ignore[arg-type]
    doimages.read_do_images(dtype_backend="polars")  # type: ignore[call-overload]
    doimages.read_do_images(progress="on")  # type: ignore[call-overload]
    doimages.read_do_images(tag="prod")  # type: ignore[call-overload]
    doimages.read_do_images(query="SELECT 1")  # type: ignore[call-overload]
    doimages.connect(token=7)  # type: ignore[arg-type]


async def read_async() -> None:
    assert_type(await doimages.aread_do_images(), pd.DataFrame)
    await doimages.aread_do_images("SELECT 1", params=None)
    await doimages.aread_do_images(private=True, type="distribution", image_id=7, client=None)
    await doimages.aread_do_images(type="snapshoot")  # type: ignore[arg-type]
    await doimages.aread_do_images(tag="prod")  # type: ignore[call-overload]


def connect() -> None:
    client = doimages.connect(token="a", base_url="https://api.digitalocean.com", context=None)
    assert_type(client, Client)
    assert_type(client.base_url, str)
    assert_type(client.source, str)
    with client as same:
        assert_type(same, Client)
    client.close()


def sandbox() -> None:
    with doimages.sandbox(images=10, seed=1, latency=0.1, rate_limit=100) as box:
        assert_type(box, Sandbox)
        assert_type(box.url, str)
        assert_type(box.token, str)
        assert_type(box.client, Client)


def accessor(frame: pd.DataFrame) -> None:
    found = ImagesAccessor(frame)
    assert_type(found.ids, list[int])
    assert_type(found.provenance, dict[str, Any])
    assert_type(found.is_stale(), bool)
    assert_type(found.is_stale(minutes=5), bool)
    assert_type(frame[found.has_region("nyc3", "ams3")], pd.DataFrame)
    assert_type(frame[found.has_tag("prod")], pd.DataFrame)
    assert_type(found.explode("regions"), pd.DataFrame)
    assert_type(found.refresh(), pd.DataFrame)
    assert_type(found.refresh(client=doimages.connect()), pd.DataFrame)
    assert_type(found.monthly_cost(rate=0.05).sum(), float)


def summary(frame: pd.DataFrame) -> None:
    made = ImagesAccessor(frame).summary()
    assert_type(made, Summary)
    assert_type(made.by_region, pd.DataFrame)
    assert_type(made.to_frames(), dict[str, pd.DataFrame])


def pick(frame: pd.DataFrame, client: Client) -> None:
    picker = doimages.picker(frame, client=client, read_only=True, type=["snapshot"], age=">90d", sort="-created_at")
    assert_type(picker, doimages.ImagePicker)
    assert_type(ImagesAccessor(frame).picker(read_only=None, selected=[7]), doimages.ImagePicker)
    assert_type(doimages.picker(**picker.state), doimages.ImagePicker)
    assert_type(picker.value, pd.DataFrame)
    assert_type(picker.selection, pd.DataFrame)
    assert_type(picker.sql, str)
    assert_type(picker.python, str)
    assert_type(picker.state, dict[str, Any])
    assert_type(picker.snapshot(rows=10), Snapshot)
    picker.observe(print, "selection")
    doimages.picker("SELECT 1")  # type: ignore[arg-type]


def options() -> None:
    doimages.options.dtype_backend = "pyarrow"
    with doimages.options.option_context(progress="text"):
        assert_type(doimages.options.to_pandas(), pd.DataFrame)
    doimages.options.reset()


def extension(shell: object) -> None:
    doimages.register()
    doimages.unregister()
    doimages.load_ipython_extension(shell)
    doimages.unload_ipython_extension(shell)


def change(frame: pd.DataFrame, client: Client) -> None:
    images = ImagesAccessor(frame)
    plan = images.delete(max_count=100, min_age="2h", in_use="refuse", client=client)
    assert_type(plan, doimages.Plan)
    images.update(name=lambda image: f"old-{image.name}", description="spare")
    images.retain(keep_last=3, younger_than="30d", per="name_prefix")
    images.delete(in_use="perhaps")  # type: ignore[arg-type]
    images.retain(per="size")  # type: ignore[arg-type]
    images.update(size=3)  # type: ignore[call-arg]
    doimages.create_custom(name="base", url="https://images.example.com/base.qcow2", region="nyc3", tags=["q"])
    report = doimages.load_plan("plan.json").apply(confirm="delete 12 images", wait=True)
    assert_type(report, doimages.Report)
    assert_type(report.to_frame(), pd.DataFrame)
    assert_type(doimages.resume(plan.id, client=client), doimages.Report)
    try:
        report.raise_for_failures()
    except doimages.ApplyError as error:
        assert_type(error.report, Any)
    except doimages.NotConfirmedError as error:
        assert_type(error.plan, Any)


def fail() -> str | int | float | bool | list[str] | None:  # noqa: C901, PLR0911 - one branch an error
    try:
        doimages.read_do_images()
    except doimages.StatementError as error:
        assert_type(error.line, int | None)
        return error.hint or f"{error.line}:{error.column}"
    except doimages.UnknownColumnError as error:
        return error.suggestions
    except (doimages.UnsupportedError, doimages.UsageError) as error:
        caught: ValueError = error
        return str(caught)
    except doimages.CredentialsError as error:
        return str(error)
    except doimages.RateLimitError as error:
        return error.retry_after
    except (
        doimages.InvalidRequestError,
        doimages.AuthenticationError,
        doimages.ForbiddenError,
        doimages.NotFoundError,
        doimages.ConflictError,
        doimages.ServerError,
    ) as error:
        return error.method + error.url + error.api_id
    except doimages.APIError as error:
        return error.status
    except doimages.TransportError as error:
        return error.in_doubt
    except doimages.DecodeError as error:
        return error.column
    except doimages.ListingError as error:
        return error.retryable
    except doimages.DOImagesError as error:
        return error.request_id
    return None
