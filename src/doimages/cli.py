"""``doimages demo | sandbox | doctor``: the command line, which needs no account and sends nothing to one."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import pandas as pd
from platformdirs import user_config_path

from doimages.api.connect import connect, describe_account, sandbox
from doimages.errors import DOImagesError
from doimages.reader import read_do_images
from doimages.redaction import redact
from doimages.settings import SETTINGS, options

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
# What the package cannot do without: distribution and module.
LIBRARIES = {
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "httpx": "httpx",
    "ipython": "IPython",
    "ipywidgets": "ipywidgets",
    "anywidget": "anywidget",
    "duckdb": "duckdb",
    "sqlglot": "sqlglot",
}
SHOWN_LINES = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and give the exit code: 0 only if all of it worked."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "demo":
            return demo(with_notebook=not asked.no_notebook)
        if asked.command == "doctor":
            return doctor()
        return serve(asked.port, asked.images, asked.seed, asked.latency, asked.rate_limit)
    except DOImagesError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="doimages", description="DigitalOcean images as typed pandas DataFrames.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="demo | sandbox | doctor")
    one = commands.add_parser("demo", help="list, filter and count images of the embedded sandbox, then run a notebook")
    one.add_argument("--no-notebook", action="store_true", help="leave notebooks/quickstart.ipynb out")
    one = commands.add_parser("sandbox", help="serve a sandbox of the API on 127.0.0.1 until Ctrl-C")
    one.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    one.add_argument("--images", type=int, default=300, help="how many images it has (%(default)s)")
    one.add_argument("--seed", type=int, default=7, help="the same seed gives the same images (%(default)s)")
    one.add_argument("--latency", type=float, default=0.0, help="seconds each answer takes (%(default)s)")
    one.add_argument("--rate-limit", type=int, default=250, help="requests it allows a minute (%(default)s)")
    commands.add_parser("doctor", help="check versions, settings, where the token comes from, and the sandbox")
    return parser


def demo(*, with_notebook: bool) -> int:
    """Do the main job on the embedded sandbox and print it, then run the quickstart notebook."""
    client = connect(base_url="sandbox")
    print(f"doimages {version('doimages')} on the embedded sandbox, {client.base_url}; nothing leaves this machine.")

    images = _read("All images", "read_do_images()", client=client)
    _show(images[["id", "name", "type", "regions", "min_disk_size", "created_at", "size_gigabytes"]].head(5))
    _show(images.dtypes.astype(str).rename("dtype").to_frame().T)

    snapshots = _read(
        "Snapshots and custom images of the account",
        'read_do_images(type=["snapshot", "custom"])',
        client=client,
        type=["snapshot", "custom"],
    )
    _show(snapshots[["id", "name", "type", "regions", "size_gigabytes"]].head(5))

    print("\nHow many GB of them are in each region, on top of pandas")
    by_region = snapshots.explode("regions").groupby("regions")["size_gigabytes"]
    _show(by_region.agg(["count", "sum"]).sort_values("sum", ascending=False).head(5).round(2))

    slugs = ["ubuntu-24-04-x64", "debian-12-x64"]
    named = _read("By slug", f"read_do_images(image_id={slugs})", client=client, image_id=slugs)
    _show(named[["id", "slug", "distribution", "size_gigabytes"]])
    return run_notebook(QUICKSTART) if with_notebook else 0


def _read(title: str, call: str, **arguments: Any) -> pd.DataFrame:
    began = time.perf_counter()
    frame = read_do_images(**arguments)
    took = 1000 * (time.perf_counter() - began)
    requests = frame.attrs["do_images"]["requests"]
    print(f"\n{title}: {call}\n{len(frame)} rows, {requests} requests, {took:.0f} ms")
    return frame


def _show(frame: pd.DataFrame) -> None:
    with pd.option_context("display.width", 160, "display.max_columns", None, "display.max_colwidth", 36):
        print(frame)


def run_notebook(path: Path) -> int:
    """Execute a notebook of the checkout and print its outputs."""
    if not path.is_file():
        print(f"\nSkipped: {path.name} is in the source checkout, not in the installed package.")
        return 0
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError as error:
        print(f"\nSkipped {path.name}: {error.name} is not installed (pip install nbclient ipykernel).")
        return 0
    print(f"\n{path.name}, executed")
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    try:
        NotebookClient(notebook, timeout=60, kernel_name="python3", extra_arguments=["--log-level=ERROR"]).execute()
    except CellExecutionError as error:
        print(f"{path.name} failed at this cell:\n{error}", file=sys.stderr)
        return 1
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _show_cell(cell)
    return 0


def _show_cell(cell: Any) -> None:
    print(f"\nIn [{cell.execution_count}]: " + cell.source.replace("\n", "\n    "))
    for output in cell.outputs:
        lines = str(output.get("text") or output.get("data", {}).get("text/plain", "")).rstrip().splitlines()
        left_out = [f"({len(lines) - SHOWN_LINES} more lines)"] if len(lines) > SHOWN_LINES else []
        print("\n".join([*lines[:SHOWN_LINES], *left_out]))


def serve(port: int, images: int, seed: int, latency: float, rate_limit: int) -> int:
    """Serve a sandbox in the foreground; Ctrl-C ends it."""
    from doimages.sandbox_api.server import Server

    server = Server(images=images, seed=seed, latency=latency, rate_limit=rate_limit, port=port)
    try:
        server.start()
    except OSError as error:
        print(f"Port {port} cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    print(
        f"The sandbox answers at {server.url} with {images} images, until Ctrl-C.\n"
        "To use it from another terminal:\n"
        f"  export DIGITALOCEAN_API_URL={server.url}\n"
        f"  export DIGITALOCEAN_TOKEN={server.token}",
        flush=True,
    )
    server.run_forever()
    print("The sandbox has ended.")
    return 0


def doctor() -> int:
    """Check what a read needs, and print it; a token is never shown, and nothing leaves this machine."""
    print("Nothing is sent off this machine, and no token is shown.\n")
    findings = [*_check_libraries(), *_check_settings(), _check_sandbox()]
    width = max(len(name) for name, _, _ in findings)
    for name, found, is_fine in findings:
        print(redact(f"{'ok' if is_fine else 'BROKEN':<6}  {name:<{width}}  {found}"))
    return 0 if all(is_fine for _, _, is_fine in findings) else 1


Finding = tuple[str, str, bool]


def _check_libraries() -> Iterator[Finding]:
    yield "python", python_version(), sys.version_info >= (3, 11)
    yield "doimages", version("doimages"), True
    for distribution, module in LIBRARIES.items():
        try:
            import_module(module)
        except ImportError as error:
            yield distribution, f"cannot be imported: {error}", False
        else:
            yield distribution, version(distribution), True


def _check_settings() -> Iterator[Finding]:
    path = user_config_path("doimages") / "config.toml"
    yield "config file", f"{path}{'' if path.is_file() else ' (not there, nor needed)'}", True
    try:
        for name in SETTINGS:
            found = options.resolve(name)
            yield name, f"{'not set' if found.value is None else found.value} (from {found.source})", True
        address, token = describe_account()
    except DOImagesError as error:
        yield "settings", str(error), False
        return
    yield "address", address, True
    yield "token from", token, True


def _check_sandbox() -> Finding:
    try:
        with sandbox() as box:
            began = time.perf_counter()
            rows = len(read_do_images(client=box.client))
            took = 1000 * (time.perf_counter() - began)
    except (DOImagesError, OSError, ImportError) as error:
        return "sandbox", str(error), False
    return "sandbox", f"listed {rows} images in {took:.0f} ms", rows > 0
