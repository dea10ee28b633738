"""What a press of Tab costs in a cell of ours: IPython's own part with it, 20,000 images as the last listing.

First: the listing was not looked at before. Again: the same key pressed once more. Nothing is sent.
"""

import json
import random
import statistics
import sys
import time
import warnings

import pandas as pd
from IPython.core.completer import ProvisionalCompleterWarning
from IPython.core.interactiveshell import InteractiveShell
from server import write_image

from doimages.notebook.scan import LONGEST

ROWS = 20_000
WHERE = "%%doimages\nSELECT id FROM images i WHERE "
CASES = {
    "a flag": "%%doimages box --ty",
    "the value of a flag": "%doimages --tag-name p",
    "a keyword": "%%doimages\nSEL",
    "all that may follow SELECT": "%%doimages\nSELECT ",
    "a column by its alias": f"{WHERE}i.na",
    "a value of the schema": f"{WHERE}type = 'sn",
    "a tag of the last listing": f"{WHERE}tag_name = '",
    "one of 20,000 slugs": f"{WHERE}image_id IN ('",
    "a variable": f"{WHERE}name = :",
    "a word that is none": f"{WHERE}zzzz",
    "the end of a long statement": f"{WHERE}{'id = 1 OR ' * (LONGEST // 10 - 10)}na",
}


def make_listing(dtype_backend: str) -> pd.DataFrame:
    """Return a listing in one family of dtypes, each image with a slug of its own."""
    rng = random.Random(20261125)
    rows = [json.loads(write_image(image_id, rng)) | {"slug": f"slug-{image_id}"} for image_id in range(ROWS)]
    return pd.DataFrame(rows).convert_dtypes(dtype_backend=dtype_backend)


def press(shell: InteractiveShell, text: str) -> tuple[float, int]:
    """Return the seconds one completion took, and how many words were offered."""
    start = time.perf_counter()
    found = list(shell.Completer.completions(text, len(text)))
    return time.perf_counter() - start, len(found)


def measure_completion(repeats: int, dtype_backend: str) -> dict:
    """Return each case's slowest first press, and the median of the second, in milliseconds."""
    shell = InteractiveShell.instance()
    shell.extension_manager.load_extension("doimages")
    listing, results = make_listing(dtype_backend), {}
    shell.user_ns.update({f"frame_{number}": listing.head(3) for number in range(50)})
    shell.user_ns.update({f"value_{number}": number for number in range(1_000)})
    for name, text in CASES.items():
        first, again, words = [], [], 0
        for _ in range(repeats):
            shell.user_ns["_doimages"] = listing.copy(deep=False)
            first.append(press(shell, text)[0])
            seconds, words = press(shell, text)
            again.append(seconds)
        results[name] = {
            "words": words,
            "slowest_first_milliseconds": round(max(first) * 1000, 2),
            "median_first_milliseconds": round(statistics.median(first) * 1000, 2),
            "median_again_milliseconds": round(statistics.median(again) * 1000, 2),
        }
    return results


if __name__ == "__main__":
    warnings.simplefilter("ignore", ProvisionalCompleterWarning)
    backends = sys.argv[1:] or ("numpy_nullable", "pyarrow")
    print(json.dumps({backend: measure_completion(21, backend) for backend in backends}, indent=2))
