"""A plan: what would be sent, for which images, as frozen plain data that can be saved, loaded and refused."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import pandas as pd

from doimages.api.credentials import LOCAL_HOSTS
from doimages.change.guards import Guards
from doimages.change.operations import OPERATIONS, Operation, OperationName
from doimages.change.scene import Account
from doimages.change.step import Refusal, Step
from doimages.errors import UsageError
from doimages.redaction import redact

if TYPE_CHECKING:
    from doimages.api.client import Client
    from doimages.change.report import Report

VERSION = 1
# What a plan tells of, and does not do.
_ABOUT = ("id", "made_at", "expires_at", "warnings", "notes", "own", "price")
FRESH_FOR = timedelta(minutes=15)
_CLOCK_SET_BACK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan:
    """What would be done to which images; nothing is, before :meth:`apply` is given the words of :attr:`confirmation`.

    Made by ``df.do_images.delete()`` and its kin, :func:`doimages.create_custom`, and SQL. It holds no token and no
    connection. ``steps`` are the requests to come, ``refusals`` the images left alone, ``warnings`` what should be
    known. Times are ISO 8601 in UTC.
    """

    operation: OperationName
    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]
    guards: Guards
    base_url: str
    account: Account | None
    # How many images the account has of its own.
    own: int
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    # Images that a rule keeps: where one of them is gone, the rule may keep others.
    keeps: tuple[int, ...] = ()
    # Actions and imports are waited for, and what is told of each row then, of SQL's AWAIT and RETURNING.
    waits: bool = False
    returning: str | None = None
    # US dollars per GB-month.
    price: float
    made_at: str
    expires_at: str
    version: int = VERSION
    id: str = field(default="")

    @property
    def rule(self) -> Operation:
        """What holds for its operation."""
        return OPERATIONS[self.operation]

    @property
    def count(self) -> int:
        """How many images it changes."""
        return len({step.image_id or f"new {step.number}" for step in self.steps})

    @property
    def is_local(self) -> bool:
        """Whether it is for a sandbox on this machine."""
        return urlsplit(self.base_url).hostname in LOCAL_HOSTS

    @property
    def host(self) -> str:
        """The host it is for."""
        return urlsplit(self.base_url).netloc

    @property
    def confirmation(self) -> str:
        """The words that :meth:`apply` wants; away from a sandbox they name the team, or else the host."""
        words = f"{self.rule.verb} {self.count} image{'' if self.count == 1 else 's'}"
        name = self.account.name if self.account is not None else ""
        # What cannot be typed as it shows names nobody.
        whose = name if name.strip() and name.isprintable() and redact(name) == name else self.host
        return words if self.is_local else f"{words} {'from' if self.rule.takes_away else 'in'} {whose}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what it would do, the same for two plans that would do the same, whenever they were made."""
        return _digest(_without(self.to_record(), *_ABOUT))

    def check_whole(self) -> None:
        """Refuse a plan that was edited, or is of another version; raises UsageError."""
        _check_version(self.version, f"plan {self.id}")
        if self.id != _id_of(self.to_record()):
            raise UsageError(
                f"plan {self.id} was edited: what it says does not fit its id. Plan anew. Nothing was sent."
            )

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        rest = {one.name: getattr(self, one.name) for one in fields(self)}
        return rest | {
            "steps": [one.to_record() for one in self.steps],
            "refusals": [one.to_record() for one in self.refusals],
            "guards": asdict(self.guards),
            "account": None if self.account is None else asdict(self.account),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "keeps": list(self.keeps),
        }

    @classmethod
    def from_record(cls, record: Any) -> Self:
        """Make it of what :meth:`to_record` gave; raises UsageError for anything else, and for an edited one."""
        try:
            _check_version(record["version"], "This plan")
            made = cls(
                **{
                    **record,
                    "steps": tuple(map(Step.from_record, record["steps"])),
                    "refusals": tuple(map(Refusal.from_record, record["refusals"])),
                    "guards": Guards(**record["guards"]),
                    "account": None if record["account"] is None else Account(**record["account"]),
                    "warnings": tuple(record["warnings"]),
                    "notes": tuple(record["notes"]),
                    "keeps": tuple(record["keeps"]),
                }
            )
            _check_sense(made)
            made.check_whole()
        except UsageError:
            raise
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
            raise UsageError("This is no plan of doimages. Nothing was sent.") from None
        return made

    def save(self, path: str | Path) -> None:
        """Write it to a file, for :func:`doimages.load_plan`. Nothing is sent.

        >>> import doimages
        >>> client = doimages.connect(base_url="sandbox")
        >>> frame = doimages.read_do_images(type="snapshot", max_results=2, client=client)
        >>> plan = frame.do_images.tag("old", client=client)
        >>> plan.save("plan.json")
        >>> doimages.load_plan("plan.json") == plan
        True
        """
        text = json.dumps(self.to_record(), ensure_ascii=False, indent=1)
        Path(path).write_text(f"{text}\n", encoding="utf-8")

    def is_stale(self, now: datetime | None = None) -> bool:
        """Tell whether it is too old to be applied: 15 minutes."""
        now = now or datetime.now(UTC)
        made = datetime.fromisoformat(self.made_at)
        return not made - _CLOCK_SET_BACK <= now < made + FRESH_FOR

    def refresh(self, client: "Client | None" = None) -> "Plan":
        """Plan the same again, from a fresh read of the images; sends what planning sends."""
        from doimages.change.planning import plan_again

        return plan_again(self, client)

    def apply(
        self,
        confirm: str | None = None,
        *,
        wait: bool | None = None,
        progress: str | None = None,
        client: "Client | None" = None,
    ) -> "Report":
        """Carry it out, and tell what became of each image.

        Sends GET /v2/account and the listing of the account's images, then a request a step, side by side within the
        rate limit; each is on disk before it is sent. The images are read again every minute, and one that has changed
        is left alone. Ctrl-C ends after the requests under way, a second one at once; both give the report.

        Parameters
        ----------
        confirm
            The words of :attr:`confirmation`, exactly.
        wait
            Wait until actions and imports have ended. The default is False, and True after SQL's ``/*+ AWAIT */``.
        progress
            ``"auto"``, ``"bar"``, ``"text"`` or ``"off"``; the default is auto.
        client
            A client of the same endpoint; the default is the one the plan was made with.

        Returns
        -------
        Report
            One row a step, and one for each image left alone.

        Raises
        ------
        NotConfirmedError
            If the words are missing or others. Nothing was sent.
        UsageError
            If the plan is stale, edited, applied already, being applied, or for another account or endpoint. Nothing
            was changed.
        """
        from doimages.change.apply import apply_plan

        return apply_plan(self, confirm, wait=wait, progress=progress, client=client)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a step, then one a refusal: id, name, type, action, outcome (planned, at first), reason, sends.

        ``sends`` is a dict of the fields that go out.
        """
        told: list[tuple[Step | Refusal, str, str | None]] = [
            *((one, "planned", None) for one in self.steps),
            *((one, one.outcome, one.reason) for one in self.refusals),
        ]
        rows = [
            {
                "id": one.image_id,
                "name": one.name,
                "type": None if one.image is None else one.image.type,
                "outcome": outcome,
                "reason": reason,
                "sends": dict(one.fields),
            }
            for one, outcome, reason in told
        ]
        frame = pd.DataFrame(rows, columns=["id", "name", "type", "action", "outcome", "reason", "sends"], dtype=object)
        frame["action"] = self.operation
        return frame.astype({"id": "Int64", **dict.fromkeys(("name", "type", "action", "outcome", "reason"), "str")})

    def __len__(self) -> int:
        """Give the number of steps."""
        return len(self.steps)

    def __repr__(self) -> str:
        from doimages.change.preview import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from doimages.change.preview import to_html

        return to_html(self)


def make_plan(**values: Any) -> Plan:
    """Make a plan as of now, and give it its id."""
    now = datetime.now(UTC)
    plan = Plan(**values, made_at=now.isoformat(), expires_at=(now + FRESH_FOR).isoformat())
    record = plan.to_record()
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except (UnicodeEncodeError, TypeError) as error:
        raise UsageError(f"A value of this plan cannot be sent: {error}. Nothing was changed.") from None
    # By way of its record, so that a plan that is loaded is the same as the one that was saved.
    return Plan.from_record(json.loads(json.dumps(record | {"id": _id_of(record)})))


def _check_sense(plan: Plan) -> None:
    """Raise ValueError or TypeError for what no plan of ours says, though its id may fit."""
    limits = (plan.guards.max_count, plan.guards.max_percent, plan.guards.min_age_seconds, plan.price)
    made, expires = map(datetime.fromisoformat, (plan.made_at, plan.expires_at))
    is_sensible = (
        plan.operation in OPERATIONS
        and [step.number for step in plan.steps] == list(range(1, len(plan.steps) + 1))
        and all((step.image is None) is (plan.operation == "create") for step in plan.steps)
        and all(math.isfinite(limit) for limit in limits)
        and expires - made == FRESH_FOR
        and made.tzinfo is not None
    )
    if not is_sensible:
        raise ValueError(plan.id)


def _check_version(version: Any, whose: str) -> None:
    if version != VERSION:
        raise UsageError(f"{whose} is of version {version}, not {VERSION}. Nothing was sent.")


def _id_of(record: Mapping[str, Any]) -> str:
    return _digest(_without(record, "id"))[:8]


def _digest(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}
