"""Time one cell in a process of its own: the connection warm, imports excluded, the median of repeated calls."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from server import Server

TOKEN = "dop_v1_" + "0" * 64


def measure(open_cell: Callable, url: str, ca_file: str, repeats: int, budget_seconds: float) -> dict:
    """Open, call once, wait for the state to be set, then call until `repeats` or the budget is reached.

    A cell may have `prepare`, called before each timed call and not timed itself.
    """
    started = time.perf_counter()
    call = open_cell(url, TOKEN, ca_file)
    call()
    first = time.perf_counter() - started
    print("warm", flush=True)
    sys.stdin.readline()
    prepare, walls, cpus, requests = getattr(call, "prepare", lambda: None), [], [], 0
    server = Server(url, url, ca_file)
    while len(walls) < repeats and (not walls or sum(walls) + walls[-1] / 2 < budget_seconds):
        prepare()
        asked = server.control(url) if not walls else 0
        cpu, wall = time.process_time(), time.perf_counter()
        rows = call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        requests = requests or server.control(url) - asked
    return {
        "rows": rows,
        "requests": requests,
        "first_seconds": first,
        "seconds": statistics.median(walls),
        "fastest_seconds": min(walls),
        "calls": len(walls),
        "cpu_seconds": statistics.median(cpus),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(cells: Mapping[str, Callable]) -> None:
    """Be the measuring process: name, URL, CA file, repeats and budget come as arguments, the result goes out."""
    name, url, ca_file, repeats, budget_seconds = sys.argv[1:]
    print(json.dumps(measure(cells[name], url, ca_file, int(repeats), float(budget_seconds))))


def environment(ca_file: str) -> dict[str, str]:
    """Trust the server's certificate in every client, ask no proxy, and lift our own limit of requests a minute."""
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), ca_file)
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return kept | trust | {"NO_PROXY": "*", "DOIMAGES_REQUESTS_PER_MINUTE": "1000000"}


def run_cell(
    script: str, name: str, server: Server, state: dict, repeats: int, budget_seconds: float, url: str
) -> dict:
    """Run one cell in a fresh process: it warms up on 200 images without latency, then meets the state.

    A cell that fails is a result with its last line of error, not the end of the run.
    """
    server.control(url, {"total": 200, "latency_seconds": 0.0})
    command = [sys.executable, Path(__file__).with_name(script), name, url, server.ca_file, str(repeats)]
    with subprocess.Popen(
        [*command, str(budget_seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(server.ca_file),
    ) as process:
        if process.stdout.readline().strip() != "warm":
            return {"error": last_line(process.stderr.read())}
        server.control(url, state)
        answer, errors = process.communicate("go\n")
    if process.returncode:
        return {"error": last_line(errors)}
    result = json.loads(answer.splitlines()[-1])
    if result["rows"] != state["total"]:
        return result | {"error": f"{result['rows']} rows, not {state['total']}"}
    return result


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1][:200]
