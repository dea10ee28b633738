"""``%%doimages`` and ``%doimages``, and what loading and unloading the extension does to a shell."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import TraitType

from doimages import reads
from doimages.errors import DOImagesError, UsageError
from doimages.notebook.arguments import Listing, is_traceback_wanted, parse
from doimages.notebook.completer import register, unregister
from doimages.notebook.display import WideFrame
from doimages.notebook.errands import apply, dry_run, run_errand, unfinished
from doimages.notebook.flags import help_text
from doimages.notebook.forms import to_form
from doimages.notebook.values import values
from doimages.reader import prepare
from doimages.settings import SETTINGS, options

if TYPE_CHECKING:
    from doimages.change.plan import Plan
    from doimages.change.report import Report

LAST = "_doimages"
PARTIAL = "_doimages_partial"
MAGIC = "doimages"
CLASS = "DoImagesMagic"
# By their names: loading has no time for what changes are made with.
_PLAN = ("doimages.change.plan", "Plan")
_REPORT = ("doimages.change.report", "Report")


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
    max_count = Option("max_count")
    max_percent = Option("max_percent")
    price_per_gigabyte_month = Option("price_per_gigabyte_month")
    progress = Option("progress")
    protected_names = Option("protected_names")
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
        if asked.apply is not None:
            return self._give(asked, apply(asked))
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
        if asked.as_ == "plan" and not read.is_plan:
            raise UsageError("--as plan is for writes, and this is a read. Nothing was sent.")
        if asked.save is not None:
            read.save(asked.save)
        made = read.run()
        if not read.is_plan:
            self._last = made.attrs.get("do_images")
        result = to_form(made, asked.as_)
        is_wide = read.is_told and asked.as_ in {None, "frame"}
        return self._give(asked, result, WideFrame if is_wide else None)

    def _give(self, asked: Listing, result: Any, shown_as: Callable[[Any], Any] | None = None) -> Any:
        """Put a result where the line wants it, and show it if it is to be shown."""
        self.keep(result)
        if asked.dest:
            self._namespace[asked.dest] = result
        if not asked.is_shown:
            return None
        return result if shown_as is None else shown_as(result)

    @property
    def _namespace(self) -> dict[str, Any]:
        """The variables of the notebook, also when the magic is used in a function."""
        assert self.shell is not None  # noqa: S101 - it is made with one
        names: dict[str, Any] = self.shell.user_ns
        return names

    def keep(self, result: Any) -> None:
        """Take the last result: of a line, or of a button under a plan."""
        self._namespace[LAST] = result

    def show_plan(self, plan: "Plan") -> dict[str, Any] | None:
        """Give a plan with a text box and a button under it; None where there is nothing to confirm, or no kernel."""
        if not plan.steps or getattr(self.shell, "kernel", None) is None:
            return None
        from doimages.notebook.confirm import Confirmation  # with ipywidgets, for who has a plan

        return Confirmation(plan, self.keep).bundle

    def show_report(self, report: "Report") -> dict[str, Any] | None:
        """Give a report with what can be done next under it; None where that is nothing, or there is no kernel."""
        if getattr(self.shell, "kernel", None) is None:
            return None
        from doimages.notebook.confirm import Confirmation  # with ipywidgets, for who has a report
        from doimages.notebook.report import ReportView, has_next

        if not has_next(report):
            return None
        return ReportView(report, lambda plan: Confirmation(plan, self.keep), self.keep).bundle

    def keep_partial(self, frame: pd.DataFrame) -> None:
        """Take what an interrupted read has got."""
        self._namespace[PARTIAL] = frame


def load(shell: InteractiveShell) -> None:
    """Add the magics to a shell; twice is once. Sends nothing, and prints which plans are unfinished, if any are."""
    unload(shell)
    magic = DoImagesMagic(shell)
    shell.register_magics(magic)
    shell.input_transformers_cleanup.append(fill_empty_body)
    register(shell, LAST)
    _mimebundles(shell).for_type_by_name(*_PLAN, magic.show_plan)
    _mimebundles(shell).for_type_by_name(*_REPORT, magic.show_report)
    reads.keep_partial = magic.keep_partial
    with suppress(Exception):  # what is wrong with a file of old must not keep anybody from loading
        for line in unfinished():
            print(line)  # noqa: T201 - what somebody left undone is told aloud


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
    for name in (_PLAN, _REPORT):
        _mimebundles(shell).pop(".".join(name), None)
    reads.keep_partial = None
    for name, value in magic.configured.items():
        if getattr(options, name) == value:
            setattr(options, name, None)


def _mimebundles(shell: InteractiveShell) -> Any:
    display: Any = shell.display_formatter
    return display.mimebundle_formatter


def fill_empty_body(lines: list[str]) -> list[str]:
    """Give ``%%doimages --flags`` a body: IPython refuses a cell magic without one before the magic is asked."""
    is_bare = len(lines) == 1 and lines[0].split()[:1] == [f"%%{MAGIC}"]
    return [*lines, "\n"] if is_bare else lines


def _shorten(error: BaseException, text: str) -> None:
    """Have IPython show an error that is not ours in one line."""
    error._render_traceback_ = lambda: [text]  # type: ignore[attr-defined]
