"""Run all benchmarks against one server process: `python benchmarks/run.py [--quick] [--cells floor ours]`."""

import argparse
import importlib.metadata
import json
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

import changes
import floor
import ours
import peers
import picker
import report
import sql
from imports import measure_imports
from measure import run_cell
from server import Server, running_server

GROUPS = ("floor", "ours", "peers", "decode", "memory", "imports", "sql", "changes", "picker")
COLUMNS = {
    "200 @50 ms": (200, 0.05),
    "2,000 @50 ms": (2_000, 0.05),
    "20,000 @0 ms": (20_000, 0.0),
    "20,000 @50 ms": (20_000, 0.05),
}
QUICK_PEERS = ("requests loop + json_normalize",)
LIBRARIES = ("doimages", "pandas", "pyarrow", "duckdb", "sqlglot", "httpx", "h2", "hypercorn", "requests")
LIBRARIES += ("pydo", "python-digitalocean", "apache-libcloud")


def list_cells(groups: list[str], column: str, *, is_quick: bool) -> list[tuple[str, str, str, bool]]:
    """Return what to run in one column, in order: group, script, name, HTTP/1.1 only."""
    is_large = COLUMNS[column][0] == 20_000
    chosen = QUICK_PEERS if is_quick and is_large else peers.PEERS
    cells = [("floor", "floor.py", name, False) for name in floor.CELLS]
    cells += [("ours", "ours.py", name, False) for name in ours.CELLS]
    cells += [("ours", "ours.py", "listing", True)]
    cells += [("peers", "peers.py", name, False) for name in chosen]
    return [cell for cell in cells if cell[0] in groups]


def run_columns(server: Server, groups: list[str], *, is_quick: bool) -> dict:
    """Return the figures of every timed cell, by column and name."""
    figures = {}
    for column, (total, latency_seconds) in COLUMNS.items():
        if is_quick and column == "20,000 @0 ms":
            continue
        figures[column] = {}
        for group, script, name, is_http1 in list_cells(groups, column, is_quick=is_quick):
            url = server.http1_url if is_http1 else server.url
            state = {"total": total, "latency_seconds": latency_seconds}
            state["per_page"] = 50 if "per_page 50" in name else 200
            repeats, budget_seconds = (3, 1) if is_quick else (21, 5)
            label = f"doimages, {name}{', HTTP/1.1 only' * is_http1}" if group == "ours" else name
            result = run_cell(script, name, server, state, repeats, budget_seconds, url)
            figures[column][label] = {"group": group} | result
            took = result.get("error") or f"{result['seconds'] * 1000:,.0f} ms, {result['requests']} requests"
            print(f"{column:>14}  {label:40} {took}", flush=True)
    return figures


def run_pairs(server: Server) -> dict:
    """Return the ratios to the floor, by column."""
    pairs = {}
    for column in report.PAIRED:
        total, latency_seconds = COLUMNS[column]
        state = {"total": total, "latency_seconds": latency_seconds}
        pairs[column] = run_cell("paired.py", "pairs", server, state, 0, 0, server.url)
        print(f"{column:>14}  against the floor, in pairs: {pairs[column]}", flush=True)
    return pairs


def describe_run(seconds: float, load_before: float, *, is_quick: bool) -> dict:
    """Return what a reader needs to place the figures, and nothing that names the machine."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": round(load_before, 2),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "run_seconds": round(seconds),
        "is_quick": is_quick,
    }


def put_beside(earlier: dict, results: dict) -> dict:
    """Return the figures of an earlier run with those groups in them that were measured now, by themselves."""
    run = results.pop("run")
    later = earlier["run"].get("later", {}) | dict.fromkeys(results, run["date"])
    return earlier | results | {"run": earlier["run"] | {"later": later}}


def put_down(results: dict, asked: argparse.Namespace) -> str:
    """Write the figures and the page where that is asked for, and return the page."""
    path = Path(__file__).with_name("results.json")
    is_whole = set(asked.cells) == set(GROUPS)
    if asked.write and not is_whole:
        results = put_beside(json.loads(path.read_text(encoding="utf-8")), results)
    markdown = report.write_report(results)
    if asked.write:
        asked.write.write_text(markdown, encoding="utf-8")
    if (is_whole or asked.write) and not asked.quick:
        path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes: fewer calls, no slow peers, no memory")
    parser.add_argument("--long", action="store_true", help="1,000 deletes at 250 a minute too: four minutes more")
    parser.add_argument("--cells", nargs="+", choices=GROUPS, default=list(GROUPS), help="only these groups")
    parser.add_argument("--write", type=Path, help="write the Markdown here too")
    asked = parser.parse_args()
    load_before = os.getloadavg()[0]
    started, groups, results = time.perf_counter(), asked.cells, {}
    with running_server() as server:
        if {"floor", "ours", "peers"} & set(groups):
            results["columns"] = run_columns(server, groups, is_quick=asked.quick)
        if "ours" in groups:
            results["pairs"] = run_pairs(server)
        if "decode" in groups:
            state = {"total": 20_000, "latency_seconds": 0.0}
            results["decode"] = run_cell("ours.py", "decode", server, state, 7, 0, server.url)
        if "memory" in groups and not asked.quick:
            state = {"total": 200_000, "latency_seconds": 0.0}
            results["memory"] = run_cell("memory.py", "memory", server, state, 1, 0, server.url)
        if "sql" in groups:
            results["sql"] = sql.measure_sql(server, is_quick=asked.quick)
    if "changes" in groups:
        results["changes"] = changes.measure_changes(is_quick=asked.quick, is_long=asked.long)
    if "picker" in groups:
        results["picker"] = picker.measure_picker(is_quick=asked.quick)
    if "imports" in groups:
        results["imports"] = measure_imports(2 if asked.quick else 7)
    results["run"] = describe_run(time.perf_counter() - started, load_before, is_quick=asked.quick)
    print("\n" + put_down(results, asked))


if __name__ == "__main__":
    main()
