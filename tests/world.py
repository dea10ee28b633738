"""A sandbox of 60 images without a server, the listings it gives, and SQL over either."""

import httpx
import pandas as pd
from clauses import in_sqlite

import doimages
from doimages.api.client import Client
from doimages.api.credentials import Credentials
from doimages.api.pacing import Pacer
from doimages.api.transport import Transport
from doimages.redaction import Secret
from doimages.sandbox_api.app import create_app
from doimages.sandbox_api.state import State

TOKEN = "made-up-for-the-sandbox"


class World:
    """Asks the sandbox by SQL, and frames of its listings by the same."""

    def __init__(self) -> None:
        self.state = State(60, rate_limit=10**9)
        _make_odd(list(self.state.images.values()))
        over = httpx.ASGITransport(app=create_app(self.state, token=TOKEN))
        transport = Transport("https://api.test", Secret(TOKEN), Pacer(10**9), over=over)
        self.client = Client(Credentials(Secret(TOKEN), "the test", "https://api.test"), transport)
        self.listings = {}
        self.whole = self.listing("")
        self.sqlite = in_sqlite(self.whole)

    def listing(self, parameters: str):
        """The listing that request parameters, written as in SQL, ask for; read by arguments."""
        if parameters not in self.listings:
            self.listings[parameters] = doimages.read_do_images(**ARGUMENTS[parameters], client=self.client)
        return self.listings[parameters]

    def read(self, sql: str):
        """What SQL gives over the API, and the paths that were asked for."""
        self.state.log.clear()
        rows = rows_of(doimages.read_do_images(sql, client=self.client))
        return rows, [record.path for record in self.state.log]

    def over(self, sql: str, **parameters: str):
        """What SQL gives over whole listings under these names."""
        frames = {name: self.listing(text) for name, text in parameters.items()}
        return rows_of(doimages.read_do_images(sql, frames=frames))


def _make_odd(images: list[dict]) -> None:
    """Put in what the first images of the catalogue have not: an admin image, quotes, nulls, an unknown kind."""
    images[1] |= {"name": "it's 100%_x\\", "tags": ["prod", "nyc3"]}
    images[3] |= {"name": "", "slug": ""}
    images[5] |= {"type": "admin"}
    images[7] |= {"type": "volume", "public": None}
    images[9] |= {"name": None, "created_at": None, "status": None}
    images[11] |= {"type": None, "distribution": None, "regions": []}
    images[14] |= {"slug": "web-01", "name": "web-01"}


ARGUMENTS = {
    "": {},
    "private = true": {"private": True},
    "tag_name = 'prod'": {"tag_name": "prod"},
    "type = 'distribution'": {"type": "distribution"},
    "'application' = type": {"type": "application"},
    "private": {"private": True},
    "private = true AND tag_name = 'prod'": {"private": True, "tag_name": "prod"},
    "tag_name IN ('staging')": {"tag_name": "staging"},
}


def rows_of(frame):
    """Rows as plain tuples, nulls as None."""
    return [
        tuple(one if isinstance(one, list) else None if pd.isna(one) else one for one in row)
        for row in frame.astype(object).itertuples(index=False, name=None)
    ]


def unordered(rows):
    return sorted(rows, key=repr)
