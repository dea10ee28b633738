"""The plans of this process, so that one can be applied by its id, with the client it was made with."""

import json
from collections import OrderedDict
from pathlib import Path
from weakref import WeakValueDictionary

from doimages.api.client import Client
from doimages.api.connect import shared_client
from doimages.change.plan import Plan
from doimages.errors import UsageError

_MOST = 200
_plans: OrderedDict[str, Plan] = OrderedDict()
_clients: WeakValueDictionary[str, Client] = WeakValueDictionary()


def remember(plan: Plan, client: Client) -> None:
    """Keep a plan that was made, and its client as long as somebody holds that."""
    _clients[plan.id] = client
    _keep(plan)


def _keep(plan: Plan) -> None:
    _plans[plan.id] = plan
    while len(_plans) > _MOST:
        _plans.popitem(last=False)


def forget(plan_id: str) -> None:
    """Know a plan no more that was dropped: it is neither the last one made, nor found by its id."""
    _plans.pop(plan_id, None)


def load_plan(path: str | Path) -> Plan:
    """Read a plan that :meth:`Plan.save` wrote, and know it by its id; nothing is sent.

    Raises UsageError if the file is no plan, was edited, or is of another version.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The plan cannot be read: {error.strerror}. Nothing was sent.") from None
    except (ValueError, RecursionError):
        raise UsageError("This file is no plan of doimages. Nothing was sent.") from None
    plan = Plan.from_record(record)
    _keep(plan)
    return plan


def recall(plan_id: str | None = None) -> Plan:
    """Give the plan of an id, or the last one that was made; raises UsageError if there is none."""
    if plan_id is None:
        if not _plans:
            raise UsageError("There is no plan in this session. Nothing was sent.")
        return next(reversed(_plans.values()))
    found = _plans.get(plan_id)
    if found is None:
        known = ", ".join(f"{one.id} ({one.confirmation})" for one in [*_plans.values()][-3:]) or "none"
        raise UsageError(f"no plan {plan_id!r} in this session: the last are {known}. Nothing was sent.")
    return found


def words_by_id() -> dict[str, str]:
    """Give the words that confirm each plan, by its id, the last one made last."""
    return {one.id: one.confirmation for one in [*_plans.values()]}


def client_for(plan: Plan, client: Client | None = None) -> Client:
    """Give the client to apply a plan with: one of the same endpoint. Raises UsageError for another."""
    client = client or _clients.get(plan.id) or shared_client()
    if client.base_url != plan.base_url:
        raise UsageError(
            f"Plan {plan.id} is for {plan.base_url}, the client speaks to {client.base_url}: ids mean other images "
            "there. Give client=doimages.connect(...) of the right one. Nothing was sent."
        )
    return client
