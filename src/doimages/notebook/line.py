"""The line under a plan or a report: how far it is, and what went wrong, also for those who hear it."""

from typing import Literal

from doimages.errors import DOImagesError
from doimages.sheet import safe

# MathJax goes by the one name or the other, by its version: a name with two $ in it is no formula.
_NO_MATH = "tex2jax_ignore mathjax_ignore"


def status(text: str) -> str:
    """Give the HTML of a line that a screen reader reads when there is time."""
    return _line(text, "status")


def alert(text: str) -> str:
    """Give the HTML of a line that a screen reader reads at once."""
    return _line(text, "alert")


def words_of(error: Exception) -> str:
    """Say an error in one line; of one that is not ours, also its name."""
    text = str(error) if isinstance(error, DOImagesError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _line(text: str, role: Literal["status", "alert"]) -> str:
    return f'<div role="{role}" class="{_NO_MATH}">{safe(text)}</div>'
