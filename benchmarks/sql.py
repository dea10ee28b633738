"""SQL: statements checked, a listing in memory grouped, and a listing read by SQL against the plain read of it."""

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import imports
import measure
import ours
import paired
from server import Server

T = "digitalocean.images.images"
IDS, NAMES, WHERE = f"SELECT id FROM {T}", f"SELECT id, name FROM {T}", f"SELECT id FROM {T} WHERE"
# The vectors of facts/stackql-surface.md, section 7, that are SELECT, SHOW, DESCRIBE or EXPLAIN, by their numbers.
STATEMENTS = {
    "1": NAMES,
    "3": f"{WHERE} image_id = 'ubuntu-0-x64'",
    "5": f"{WHERE} image_id IN (1001, 999)",
    "6": f"{WHERE} image_id = 999",
    "10": f"SELECT id, type FROM {T} WHERE type = 'snapshot'",
    "11": f"{WHERE} type IN ('snapshot','backup')",
    "13": f"{WHERE} private = true",
    "16": f"{WHERE} tag_name = 't1' AND private = true",
    "23": f"{WHERE} public = true",
    "23, = 1": f"{WHERE} public = 1",
    "23, = 'true'": f"{WHERE} public = 'true'",
    "23, bare": f"{WHERE} public",
    "23, IS TRUE": f"{WHERE} public IS TRUE",
    "25": f"{WHERE} name ILIKE 'img%'",
    "26": f"{WHERE} min_disk_size BETWEEN 10 AND 20",
    "28": f"{WHERE} description = 'it''s'",
    "30": f"{WHERE} created_at >= '2024-06-01'",
    "31": f"{WHERE} created_at LIKE '2024-02%'",
    "33": f"{NAMES} ORDER BY size_gigabytes DESC LIMIT 3",
    "35": f"{NAMES} WHERE name LIKE 'x%' LIMIT 3",
    "36": f"SELECT distribution, count(*) AS n FROM {T} GROUP BY distribution HAVING count(*)>8 ORDER BY n DESC",
    "38": f"SELECT max(created_at) AS m FROM {T}",
    "40": f"SELECT CASE WHEN public THEN 'y' ELSE 'n' END AS p, name FROM {T}",
    "41": f"SELECT iif(public,'y','n') AS p FROM {T}",
    "43": f"SELECT json_array_length(regions) AS n FROM {T}",
    "45": f"{WHERE} list_contains(regions,'ams3')",
    "45, @>": f"{WHERE} tags @> ['prod']",
    "46": f"SELECT name, row_number() OVER (PARTITION BY distribution ORDER BY created_at DESC) AS rn FROM {T}",
    "48": f"WITH a AS ({WHERE} private=true) SELECT count(*) AS n FROM a",
    "50": f"{IDS} EXCEPT {WHERE} private = true",
    "51": f"SELECT a.id FROM {T} a LEFT JOIN {T} b ON a.id=b.id",
    "53": f"SELECT t.id FROM ({IDS}) t WHERE t.id > 1001",
    "58": "SELECT id FROM images",
    "98": f"SHOW METHODS IN {T} LIKE 'del%'",
    "98, WHERE": f"SHOW METHODS IN {T} WHERE SQLVerb='EXEC'",
    "100": f"SHOW INSERT /*+ REQUIRED */ INTO {T}",
    "101": f"DESCRIBE {T}",
    "101, EXTENDED": f"DESCRIBE EXTENDED {T}",
    "103": f"EXPLAIN {WHERE} private=true AND public",
    "110": f"{WHERE} tag_name = :t",
    "110, a name": f"{WHERE} name = :t",
}
# Those of them that are errors: timed until they are refused.
REFUSED = {
    "8": f"{WHERE} image_id = 1001 AND private = true",
    "15": f"{WHERE} NOT private = true",
    "18": f"{WHERE} tag_name = 't1' OR private = true",
    "20": f"{WHERE} per_page > 5",
    "21": f"{WHERE} per_page = 500",
    "55": f"{WHERE} nosuch = 1",
    "56": "SELECT id FROM digitalocean.images.nope",
    "108": "SELECT * FROM read_csv('/etc/passwd')",
}
VALUES = {"t": "x' OR 1=1 --"}
FIRST = "doimages.execute.prepare_steps({!r}, None, dict().get)".format(STATEMENTS["36"])
# What the first statement of a process takes, in the order it happens; doimages is there before.
COLD = {
    "import sqlglot": "import sqlglot",
    "import duckdb": "import duckdb",
    "import the rest": "import doimages.execute",
    "the first statement": FIRST,
    "the same again": FIRST,
}
GROUPS = {
    "GROUP BY": """
        SELECT distribution, type, count(*) AS images, sum(size_gigabytes) AS gigabytes
        FROM listing GROUP BY distribution, type
    """,
    "GROUP BY a month of created_at": """
        SELECT date_trunc('month', created_at) AS month, count(*) AS images, sum(size_gigabytes) AS gigabytes
        FROM listing GROUP BY month
    """,
    "GROUP BY a region, unnested": """
        SELECT region, count(*) AS images, sum(size_gigabytes) AS gigabytes
        FROM (SELECT unnest(regions) AS region, size_gigabytes FROM listing) GROUP BY region
    """,
}
# Over all that is listed: nothing is pushed down, so the requests are those of the plain read.
LISTINGS = {
    "SELECT *": "SELECT * FROM images",
    "GROUP BY": "SELECT distribution, count(*) AS n, sum(size_gigabytes) AS size FROM images GROUP BY distribution",
    "WHERE": "SELECT * FROM images WHERE size_gigabytes > 20 AND created_at >= '2024-06-01'",
}
LATENCIES = {"20,000 @0 ms": 0.0, "20,000 @50 ms": 0.05}


def timed(call: Callable, repeats: int) -> list[float]:
    """Return the seconds of each call, but for the first one, which warms up."""
    walls = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        call()
        walls.append(time.perf_counter() - started)
    return walls[1:]


def measure_statements(repeats: int) -> dict:
    """Return what it takes to parse, check and plan each statement, nothing sent; a wrong outcome is an error."""
    from doimages.errors import UsageError
    from doimages.execute import prepare_steps

    def prepare(text: str, *, is_refused: bool) -> None:
        try:
            prepare_steps(text, VALUES.__getitem__, {}.get)
        except UsageError:
            if not is_refused:
                raise
        else:
            if is_refused:
                raise RuntimeError(f"not refused: {text}")

    cases = {number: (text, False) for number, text in STATEMENTS.items()}
    cases |= {number: (text, True) for number, text in REFUSED.items()}
    walls, passes = {number: [] for number in cases}, watch_collector()
    for turn in range(repeats + 1):  # in turns, so that a busy moment hits all of them
        for number, (text, is_refused) in cases.items():
            started = time.perf_counter()
            prepare(text, is_refused=is_refused)
            if turn:
                walls[number].append(time.perf_counter() - started)
    each = {
        number: {"seconds": statistics.median(took), "slowest_seconds": max(took)} for number, took in walls.items()
    }
    return {"each": each, "longest_collection_seconds": max(passes, default=0.0)}


def watch_collector() -> list[float]:
    """Return a list that gets the seconds of each pass of Python's garbage collector: one can fall into any call."""
    passes, started = [], [0.0]

    def note(phase: str, _info: dict) -> None:
        if phase == "start":
            started[0] = time.perf_counter()
        else:
            passes.append(time.perf_counter() - started[0])

    gc.callbacks.append(note)
    return passes


def measure_cold(repeats: int) -> dict:
    """Return the median of each part of a first statement, in fresh interpreters that have doimages."""
    try:
        runs = [imports.run_fresh(["import doimages", *COLD.values()])[0][1:] for _ in range(repeats + 1)]
    except RuntimeError as error:
        return {"error": str(error)}
    parts = zip(*runs[1:], strict=True)  # the first writes the byte code
    return {name: statistics.median(walls) for name, walls in zip(COLD, parts, strict=True)}


def measure_groups(url: str, repeats: int) -> dict:
    """Return what SQL over a listing in memory takes, and the first of its queries in pandas and in plain DuckDB."""
    import duckdb

    import doimages

    client = doimages.connect(token=measure.TOKEN, base_url=url)
    doimages.read_do_images(client=client)
    print("warm", flush=True)
    sys.stdin.readline()
    listing = doimages.read_do_images(client=client)
    connection = duckdb.connect()
    connection.register("listing", listing)
    first = GROUPS["GROUP BY"]
    keys = ["distribution", "type"]
    calls = {
        name: lambda text=text: doimages.read_do_images(text, frames={"listing": listing})
        for name, text in GROUPS.items()
    }
    calls["pandas"] = lambda: listing.groupby(keys, dropna=False, as_index=False).agg(
        images=("id", "size"), gigabytes=("size_gigabytes", "sum")
    )
    calls["plain DuckDB"] = lambda: connection.sql(first).df()
    sizes = {name: len(calls[name]()) for name in ("GROUP BY", "pandas", "plain DuckDB")}
    if len(set(sizes.values())) > 1:
        raise RuntimeError(f"not the same groups: {sizes}")
    taken = [{name: timed(call, 1)[0] for name, call in calls.items()} for _ in range(repeats)]
    figures = {name: statistics.median(one[name] for one in taken) for name in calls}
    ratios = {
        name: statistics.median(one["GROUP BY"] / one[name] for one in taken) for name in ("pandas", "plain DuckDB")
    }
    return {"rows": len(listing), "seconds": figures, "against": ratios}


class ReadBySql(ours.Listing):
    """The listing read by a statement, on a client that is as new as that of the plain read."""

    text = ""

    def __call__(self) -> int:
        import doimages

        return len(doimages.read_do_images(self.text, client=self.client))


def measure_pairs(url: str, ca_file: str, repeats: int) -> dict:
    """Return what each read by SQL takes against the plain read just before it."""
    plain = ours.Listing(url, measure.TOKEN, ca_file)
    cells = {name: ReadBySql(url, measure.TOKEN, ca_file) for name in LISTINGS}
    for name, cell in cells.items():
        cell.text = LISTINGS[name]
        cell()
    print("warm", flush=True)
    sys.stdin.readline()
    taken = [
        {name: (paired.timed(plain), paired.timed(cell)) for name, cell in cells.items()} for _ in range(repeats + 1)
    ][1:]
    waited = statistics.median(before for one in taken for before, _ in one.values())
    results = {"rows": plain(), "pairs": len(taken), "plain_seconds": waited}
    for name in cells:
        ratios = [one[name][1] / one[name][0] for one in taken]
        results[name] = {"median": statistics.median(ratios), "quartiles": paired.quartiles(ratios)}
    return results


def run_alone(script: str, *arguments: str) -> dict:
    """Run a script that needs no server in a fresh process, and return what it prints."""
    command = [sys.executable, Path(__file__).with_name(script), *arguments]
    with tempfile.TemporaryDirectory() as folder:  # loading tells of unfinished plans, which belong to somebody
        environment = os.environ | {"XDG_STATE_HOME": folder}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return {"error": measure.last_line(done.stderr)} if done.returncode else json.loads(done.stdout)


def measure_sql(server: Server, *, is_quick: bool) -> dict[str, dict]:
    """Return all figures of SQL, each part from fresh processes."""

    def run(part: str, total: int, latency_seconds: float) -> dict:
        state = {"total": total, "latency_seconds": latency_seconds}
        return measure.run_cell("sql.py", part, server, state, 5 if is_quick else 20, 0, server.url)

    return {
        "cold": measure_cold(2 if is_quick else 7),
        "statements": run_alone("sql.py", "statements", "5" if is_quick else "20"),
        "groups": run("groups", 200_000, 0.0),
        "completion": run_alone("completion.py"),
        **{column: run("pairs", 20_000, latency_seconds) for column, latency_seconds in LATENCIES.items()},
    }


if __name__ == "__main__":
    if sys.argv[1] == "statements":
        print(json.dumps(measure_statements(int(sys.argv[2]))))
    elif sys.argv[1] == "groups":
        print(json.dumps(measure_groups(sys.argv[2], int(sys.argv[4]))))
    else:
        print(json.dumps(measure_pairs(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
