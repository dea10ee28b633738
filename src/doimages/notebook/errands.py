"""What the magic does beside reading: tell how things stand, the schema, the sandbox, doctl's contexts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from doimages.api.connect import describe_account, embedded, known_client
from doimages.api.credentials import doctl_contexts
from doimages.notebook.arguments import Errand, Listing
from doimages.notebook.display import Sheet, WideFrame
from doimages.reader import ReadArguments, check
from doimages.schema import IMAGES
from doimages.settings import SETTINGS, options
from doimages.table.frame import default_dtype


def run_errand(errand: Errand, last: Mapping[str, Any] | None) -> Any:
    """Do what a subcommand says; ``last`` is the provenance of the last result. Nothing is sent."""
    word = errand.subcommand.word
    if word == "status":
        return status(last)
    if word == "schema":
        return schema(errand.operand)
    if word == "contexts":
        return contexts()
    return sandbox(str(errand.operand))


def dry_run(listing: Listing, arguments: ReadArguments) -> Sheet:
    """Tell what a read would send, and to whom; needs no token, and starts no sandbox."""
    address, token = describe_account(listing.endpoint, listing.context)
    client = known_client(listing.endpoint, listing.context)
    lines = replace(check(listing.statement, **arguments), client=client).explain()
    return Sheet("Dry run: nothing was sent. It would be:", (("to", address), ("token from", token), *lines))


def status(last: Mapping[str, Any] | None) -> Sheet:
    """Tell the address, where the token is from, the sandbox, the last result, and each setting with its source."""
    address, token = describe_account()
    server = embedded.server
    found = {name: options.resolve(name) for name in SETTINGS}
    return Sheet(
        "doimages, as it stands; nothing was sent",
        (
            ("address", address),
            ("token from", token),
            ("sandbox", f"running at {server.url}" if server else "not started"),
            ("last result", "none yet" if last is None else _describe_result(last)),
            *((name, f"{_describe_value(one.value)} (from {one.source})") for name, one in found.items()),
        ),
    )


def schema(column: str | None) -> WideFrame:
    """Give one row a column of images, in the order of the frame: its type, default dtype and meaning."""
    rows = [
        {"column": one.name, "type": one.type, "dtype": default_dtype(one), "meaning": one.description}
        for one in IMAGES.columns
        if column in {None, one.name}
    ]
    return WideFrame(pd.DataFrame(rows).set_index("column"))


def sandbox(verb: str) -> Sheet:
    """Start, stop or reset the embedded sandbox."""
    if verb == "stop":
        embedded.stop()
        return Sheet("The sandbox is stopped; what was changed in it is gone.")
    if verb == "reset":
        embedded.reset()
        return Sheet("The sandbox has its first images again.")
    server = embedded.start()
    return Sheet(
        f"The sandbox runs at {server.url}. Only what names it uses it:",
        (
            ("one read", "%doimages --endpoint sandbox"),
            ("all reads", 'doimages.options.base_url = "sandbox"'),
            ("otherwise", f"reads go to {describe_account()[0]}"),
        ),
    )


def contexts() -> Sheet:
    """Give the names of doctl's tokens; never the tokens."""
    names = doctl_contexts()
    if not names:
        return Sheet("doctl knows no contexts here.")
    return Sheet("doctl's contexts", tuple((name, f"%doimages --context {name}") for name in names))


def _describe_result(last: Mapping[str, Any]) -> str:
    minutes = int((datetime.now(UTC) - datetime.fromisoformat(last["fetched_at"])).total_seconds() // 60)
    age = "less than a minute" if minutes < 1 else f"{minutes} minute{'s' if minutes > 1 else ''}"
    part = "" if last["complete"] else f" of {'more' if last['total'] is None else last['total']}"
    return f"{last['rows']}{part} images, read {age} ago from {last['endpoint']}"


def _describe_value(value: Any) -> str:
    return "not set" if value is None else str(value)
