"""A sandbox that statements are asked of, what it was sent, and what plain pandas has to say of the same images."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import pandas as pd
import pytest

import doimages
from doimages.errors import StatementError

T = "digitalocean.images.images"


def get(path: str = "/v2/images", /, **query: object) -> str:
    """Write one GET as it is noted: the parameters in the order of the alphabet."""
    return f"GET {path}" + ("?" if query else "") + "&".join(f"{name}={query[name]}" for name in sorted(query))


def listing(pages: int = 1, /, **query: object) -> list[str]:
    """List the requests of a whole listing, pages of 200."""
    return [get(page=page, per_page=200, **query) for page in range(1, pages + 1)]


def hold(result: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Hold a result against what plain pandas gives: values, columns, their order, and dtypes."""
    pd.testing.assert_frame_equal(result, expected.reset_index(drop=True))


class Desk:
    """Asks a sandbox by SQL, and tells what it was sent."""

    def __init__(self, box):
        self.box = box
        self.state = box._server.state

    @cached_property
    def images(self) -> pd.DataFrame:
        """All images as seeded, read without SQL."""
        return doimages.read_do_images(client=self.box.client)

    @property
    def sent(self) -> list[str]:
        """What came since the last question, sorted: pages are asked for side by side."""
        return sorted(get(one.path, **one.query).replace("GET", one.method, 1) for one in self.state.log)

    def ask(self, statement: str, **arguments: object) -> pd.DataFrame:
        """Ask by SQL."""
        self.state.log.clear()
        return pd.read_do_images(statement, client=self.box.client, **arguments)

    def refuse(self, statement: str, error: type[Exception] = StatementError, **arguments: object) -> Exception:
        """Ask what must be refused before anything is sent, and give the error."""
        with pytest.raises(error) as caught:
            self.ask(statement, **arguments)
        assert self.sent == []
        return caught.value


@contextmanager
def open_desk(images: int) -> Iterator[Desk]:
    """Run a sandbox that is in no hurry to be spared: tests ask more than 250 times a minute."""
    with doimages.sandbox(images=images, rate_limit=10_000) as box:
        doimages.options.requests_per_minute = 10_000
        desk = Desk(box)
        assert len(desk.images) == images
        doimages.options.reset()
        yield desk
