"""DigitalOcean images as typed pandas DataFrames, in Jupyter.

``import doimages`` adds ``pd.read_do_images`` and ``DataFrame.do_images``. It sends nothing, prints nothing and needs
no token. Start with :func:`read_do_images`, or with ``%load_ext doimages`` in a notebook.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from doimages.accessor import register, register_on_import, unregister
from doimages.api.connect import connect, sandbox
from doimages.errors import (
    APIError,
    ApplyError,
    AuthenticationError,
    ConflictError,
    CredentialsError,
    DecodeError,
    DOImagesError,
    ForbiddenError,
    InvalidRequestError,
    ListingError,
    NotConfirmedError,
    NotFoundError,
    RateLimitError,
    ServerError,
    StatementError,
    TransportError,
    UnknownColumnError,
    UnsupportedError,
    UsageError,
)
from doimages.reader import aread_do_images, read_do_images
from doimages.settings import options

if TYPE_CHECKING:
    from doimages.change.apply import resume
    from doimages.change.plan import Plan
    from doimages.change.plans import load_plan
    from doimages.change.report import Report
    from doimages.changes import create_custom
    from doimages.notebook.picker.widget import ImagePicker, picker

__version__ = version("doimages")

# What changes and pickers are made with is brought in when it is asked for: most who import this only read.
_LATER = {
    "ImagePicker": "doimages.notebook.picker.widget",
    "Plan": "doimages.change.plan",
    "Report": "doimages.change.report",
    "create_custom": "doimages.changes",
    "load_plan": "doimages.change.plans",
    "picker": "doimages.notebook.picker.widget",
    "resume": "doimages.change.apply",
}

__all__ = [
    "APIError",
    "ApplyError",
    "AuthenticationError",
    "ConflictError",
    "CredentialsError",
    "DOImagesError",
    "DecodeError",
    "ForbiddenError",
    "ImagePicker",
    "InvalidRequestError",
    "ListingError",
    "NotConfirmedError",
    "NotFoundError",
    "Plan",
    "RateLimitError",
    "Report",
    "ServerError",
    "StatementError",
    "TransportError",
    "UnknownColumnError",
    "UnsupportedError",
    "UsageError",
    "aread_do_images",
    "connect",
    "create_custom",
    "load_ipython_extension",
    "load_plan",
    "options",
    "picker",
    "read_do_images",
    "register",
    "resume",
    "sandbox",
    "unload_ipython_extension",
    "unregister",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, getattr(importlib.import_module(_LATER[name]), name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: Any) -> None:
    """Add ``%%doimages`` and ``%doimages`` to a shell: what ``%load_ext doimages`` calls."""
    from doimages.notebook.magic import load

    register_on_import()
    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take everything that loading added away again."""
    from doimages.notebook.magic import unload

    unload(shell)
    unregister()


register_on_import()
