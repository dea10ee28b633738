"""Frames that show their texts in full."""

import pandas as pd


class WideFrame(pd.DataFrame):
    """A frame that shows its texts in full; what pandas makes of it is a plain frame again."""

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None, "display.max_columns", None, "display.width", 200):
            return super().__repr__()

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None):
            made: str | None = super()._repr_html_()  # type: ignore[misc] # the stubs leave it out
            return made
