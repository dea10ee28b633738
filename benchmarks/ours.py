"""doimages in the same table: a first listing, a repeated one, HTTP/1.1 only; and the decoding alone."""

import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import Sequence

import floor
import measure
import pandas as pd


class Listing:
    """One listing on an open client; before each call a new client, its connection opened by one other request."""

    def __init__(self, url: str, token: str, _ca_file: str) -> None:
        self.url, self.token = url, token
        self.client = None
        self.connect()

    def connect(self) -> None:
        import doimages

        if self.client is not None:
            self.client.close()
        self.client = doimages.connect(token=self.token, base_url=self.url)

    def prepare(self) -> None:
        """Forget the last total: without it page 1 must come back before the others are asked."""
        import doimages

        self.connect()
        doimages.read_do_images(client=self.client, image_id=1)
        gc.collect()  # what the last client left is not this listing's to clear away

    def __call__(self) -> int:
        import doimages

        return len(doimages.read_do_images(client=self.client))


class RepeatedListing(Listing):
    """The listing again on the same client, which remembers the last total."""

    def prepare(self) -> None:
        """List once with this state, so that the total remembered is the right one."""
        self()
        self.prepare = lambda: None


CELLS = {"listing": Listing, "repeated": RepeatedListing}


def decode(pages: Sequence[bytes]) -> pd.DataFrame:
    """Make the frame of the pages' bytes. THE ONE PLACE that knows the modules: keep it in step with them."""
    from doimages.api.pages import decode_pages
    from doimages.api.rows import concat
    from doimages.schema import IMAGES
    from doimages.table.frame import to_frame

    return to_frame(concat([page.rows for page in decode_pages(pages, IMAGES)]))


async def fetch(url: str, ca_file: str) -> list[bytes]:
    """Return the bodies of all pages, by way of the floor's connection."""
    way = floor.Floor(url, ca_file, floor.Http2, 1)
    await way.connect()
    try:
        pages = await way.list_pages()
    finally:
        way.close()
    return pages


def measure_decode(url: str, ca_file: str, repeats: int) -> dict:
    """CPU from the bytes of a listing to the typed frame; the small listing before it pays for the imports."""
    decode(asyncio.run(fetch(url, ca_file)))
    print("warm", flush=True)
    sys.stdin.readline()
    pages, cpus, walls = asyncio.run(fetch(url, ca_file)), [], []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        frame = decode(pages)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "rows": len(frame),
        "cpu_seconds": statistics.median(cpus),
        "seconds": statistics.median(walls),
        "megabytes_of_json": sum(map(len, pages)) / 1e6,
    }


if __name__ == "__main__":
    if sys.argv[1] == "decode":
        print(json.dumps(measure_decode(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else:
        measure.main(CELLS)
