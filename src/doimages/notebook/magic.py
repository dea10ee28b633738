"""``%%doimages`` and ``%doimages``, and what loading and unloading the extension does to a shell."""

import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import TraitType

from doimages import reads
from doimages.errors import DOImagesError, UsageError
from doimages.notebook.arguments import Listing, is_traceback_wanted, parse
from doimages.notebook.completer import register, unregister
from doimages.notebook.display import WideFrame
from doimages.notebook.errands import dry_run, run_errand
from doimages.notebook.flags import help_text
from doimages.notebook.forms import to_form
from doimages.notebook.values import values
from doimages.reader import prepare
from doimages.settings import SETTINGS, options

LAST = "_doimages"
PARTIAL = "_doimages_partial"
MAGIC = "doimages"
CLASS = "DoImagesMagic"


class Option(TraitType[Any, Any]):
    """A setting of ``doimages.options`` as a trait for ``%config``; the value is kept there, and only there."""

    def __init__(self, setting: str) -> None:
        super().__init__(SETTINGS[setting].default, help=SETTINGS[setting].description)
        self.tag(config=True)

    def get(self, obj: Any, cls: Any = None) -> Any:  # noqa: ARG002 - the signature is traitlets'
        """Give the value that counts, wherever it came from."""
        return options.resolve(str(self.name)).value

    def set(self, obj: Any, value: Any) -> None:
        """Check and store it; one that was refused before is left out when the extension is loaded again."""
        try:
            setattr(options, str(self.name), value)
        except UsageError as error:
            if obj.is_loaded:
                raise
            warnings.warn_explicit(f"{error} It is left out.", UserWarning, filename="%config", lineno=1)
        else:
            obj.configured[self.name] = value


@magics_class
class DoImagesMagic(Magics):
    """DigitalOcean images as typed DataFrames: what the magics %%doimages and %doimages start from."""

    base_url = Option("base_url")
    context = Option("context")
    dtype_backend = Option("dtype_backend")
    progress = Option("progress")
    requests_per_minute = Option("requests_per_minute")
    stale_minutes = Option("stale_minutes")

    def __init__(self, shell: InteractiveShell) -> None:
        self.is_loaded = False
        self.configured: dict[str, Any] = {}
        self._last: Mapping[str, Any] | None = None
        super().__init__(shell)
        self.is_loaded = True

    # The line is ours to read: expansion would run what stands in braces. Nor may a closing `;` silence a body of SQL.
    @no_var_expand
    @line_cell_magic
    def doimages(self, line: str, cell: str | None = None) -> Any:  # noqa: D102 - the help, below
        partial = self._namespace.get(PARTIAL)
        try:
            return self._run(line, cell)
        except DOImagesError as error:
            error.in_full = is_traceback_wanted(line)
            raise
        except KeyboardInterrupt as interrupt:
            if self._namespace.get(PARTIAL) is not partial:
                _shorten(interrupt, f"KeyboardInterrupt: what was read so far is in {PARTIAL}.")
            raise

    doimages.__doc__ = help_text()

    def _run(self, line: str, cell: str | None) -> Any:
        asked = parse(line, cell)
        if not isinstance(asked, Listing):
            return run_errand(asked, self._last)
        if asked.help:
            print(help_text())  # noqa: T201 - help is printed
            return None
        arguments = asked.read_arguments
        if asked.statement is not None:
            names = self._namespace
            arguments |= {"params": values(asked.param, asked.params, names), "frames": names}
        if asked.dry_run:
            made = dry_run(asked, arguments)
            return None if asked.no_display else made
        read = prepare(
            asked.statement,
            endpoint=asked.endpoint,
            context=asked.context,
            default_progress="auto",
            **arguments,
        )
        if asked.save is not None:
            read.save(asked.save)
        frame = read.run()
        result = to_form(frame, asked.as_)
        self._last = frame.attrs.get("do_images")
        self._namespace[LAST] = result
        if asked.dest:
            self._namespace[asked.dest] = result
        if not asked.is_shown:
            return None
        return WideFrame(result) if read.is_told and asked.as_ == "frame" else result

    @property
    def _namespace(self) -> dict[str, Any]:
        """The variables of the notebook, also when the magic is used in a function."""
        assert self.shell is not None  # noqa: S101 - it is made with one
        names: dict[str, Any] = self.shell.user_ns
        return names

    def keep_partial(self, frame: pd.DataFrame) -> None:
        """Take what an interrupted read has got."""
        self._namespace[PARTIAL] = frame


def load(shell: InteractiveShell) -> None:
    """Add the magics to a shell; twice is once. Sends nothing, reads no file, prints nothing."""
    unload(shell)
    magic = DoImagesMagic(shell)
    shell.register_magics(magic)
    shell.input_transformers_cleanup.append(fill_empty_body)
    register(shell, LAST)
    reads.keep_partial = magic.keep_partial


def unload(shell: InteractiveShell) -> None:
    """Take away what loading added, options set by ``%config`` too; results stay in their variables."""
    magic = shell.magics_manager.registry.pop(CLASS, None)
    if magic is None:
        return
    for kind in shell.magics_manager.magics.values():
        kind.pop(MAGIC, None)
    shell.configurables.remove(magic)
    shell.input_transformers_cleanup.remove(fill_empty_body)
    unregister(shell)
    reads.keep_partial = None
    for name, value in magic.configured.items():
        if getattr(options, name) == value:
            setattr(options, name, None)


def fill_empty_body(lines: list[str]) -> list[str]:
    """Give ``%%doimages --flags`` a body: IPython refuses a cell magic without one before the magic is asked."""
    is_bare = len(lines) == 1 and lines[0].split()[:1] == [f"%%{MAGIC}"]
    return [*lines, "\n"] if is_bare else lines


def _shorten(error: BaseException, text: str) -> None:
    """Have IPython show an error that is not ours in one line."""
    error._render_traceback_ = lambda: [text]  # type: ignore[attr-defined]
