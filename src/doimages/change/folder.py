"""Where the journals of plans are kept."""

from pathlib import Path

from platformdirs import user_state_path


def folder() -> Path:
    """Give the folder of the journals; it need not be there."""
    return user_state_path("doimages") / "journal"


def journal_path(plan_id: str) -> Path:
    """Give the journal of a plan; it need not be there."""
    return folder() / f"{plan_id}.jsonl"


def has_journals() -> bool:
    """Tell whether any plan was ever applied here."""
    return any(folder().glob("*.jsonl"))
