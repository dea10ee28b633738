"""The floor and doimages in turn in one process: the median ratio of pairs, which a drifting machine does not move."""

import json
import statistics
import sys
import time

import floor
import measure
import ours

PAIRS = 21


def timed(cell: object) -> float:
    getattr(cell, "prepare", lambda: None)()
    started = time.perf_counter()
    cell()
    return time.perf_counter() - started


def measure_pairs(url: str, ca_file: str) -> dict:
    """Give what each listing takes against the floor's two round trips just before it."""
    cells = [opened(url, measure.TOKEN, ca_file) for opened in (floor.CELLS["HTTP/1.1 on 64"], *ours.CELLS.values())]
    for cell in cells:
        cell()
    print("warm", flush=True)
    sys.stdin.readline()
    taken = [[timed(cell) for cell in cells] for _ in range(PAIRS)][1:]
    ratios = {name: [row[place] / row[0] for row in taken] for place, name in enumerate(ours.CELLS, start=1)}
    return {
        "rows": cells[1](),
        "pairs": len(taken),
        **{name: {"median": statistics.median(found), "quartiles": quartiles(found)} for name, found in ratios.items()},
    }


def quartiles(found: list[float]) -> list[float]:
    low, _, high = statistics.quantiles(found, n=4)
    return [low, high]


if __name__ == "__main__":
    print(json.dumps(measure_pairs(sys.argv[2], sys.argv[3])))
