"""What the magic does beside reading: apply a plan, tell how things stand, the schema, the sandbox, contexts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from doimages.api.connect import describe_account, embedded, known_client
from doimages.api.credentials import doctl_contexts
from doimages.change.folder import has_journals
from doimages.errors import NotConfirmedError
from doimages.notebook.arguments import Errand, Listing, quoted
from doimages.notebook.display import WideFrame
from doimages.reader import ReadArguments, check
from doimages.schema import IMAGES
from doimages.settings import SETTINGS, options
from doimages.sheet import Sheet
from doimages.table.frame import default_dtype

if TYPE_CHECKING:
    from doimages.change.report import Report

_MOST_UNFINISHED = 3


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


def apply(listing: Listing) -> "Report":
    """Apply the plan that a line names; sends what :meth:`Plan.apply` does, and says the same in the magic's words."""
    from doimages.change.plans import recall

    plan = recall(listing.apply or None)
    try:
        return plan.apply(confirm=listing.confirm, progress=listing.progress)
    except NotConfirmedError:
        tried = "" if listing.confirm is None else f"{listing.confirm!r} does not confirm plan {plan.id}. "
        flags = f"--apply {plan.id} --confirm {quoted(plan.confirmation)}"
        raise NotConfirmedError(
            f"{tried}To carry plan {plan.id} out, write {flags}. Nothing was sent.", plan=plan
        ) from None


def unfinished() -> list[str]:
    """Say which plans were begun on this machine and not brought to an end, a line each, and no more than a few."""
    if not has_journals():
        return []
    from doimages.change.apply import tell_unfinished  # with what changes are made with: loading has no time for it

    lines = tell_unfinished()
    more = len(lines) - _MOST_UNFINISHED
    return [*lines[:_MOST_UNFINISHED], *([f"unfinished: and {more} more"] if more > 0 else [])]


def status(last: Mapping[str, Any] | None) -> Sheet:
    """Tell the address, where the token is from, the sandbox, the last result, unfinished plans, and each setting."""
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
            *((name, text) for name, _, text in (line.partition(": ") for line in unfinished())),
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
