"""What `import doimages` and `%load_ext doimages` cost in a fresh interpreter, and what they bring in."""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence

HEAVY = ("duckdb", "sqlglot", "ipywidgets", "httpx", "h2", "anywidget")
TIMED = """
import json, sys, time
times = []
for statement in {statements!r}:
    start = time.perf_counter()
    exec(statement)
    times.append(time.perf_counter() - start)
print(json.dumps([times, [name for name in {heavy!r} if name in sys.modules]]))
"""
SHELL = "from IPython.core.interactiveshell import InteractiveShell; shell = InteractiveShell.instance()"
LOAD = "shell.run_line_magic('load_ext', 'doimages')"
# The last statement is what the case is about; the others come before it.
CASES = {
    "import pandas": ["import pandas"],
    "import doimages, after pandas": ["import pandas", "import doimages"],
    "import doimages, alone": ["import doimages"],
    "%load_ext doimages, after pandas": ["import pandas", SHELL, LOAD],
    "%load_ext doimages, alone": [SHELL, LOAD],
}


def run_fresh(statements: Sequence[str]) -> tuple[list[float], list[str]]:
    """Run the statements in a fresh interpreter; return the time of each and the heavy modules loaded after all."""
    script = TIMED.format(statements=list(statements), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def measure_imports(repeats: int) -> dict:
    """Return each case's median, taking turns so that a busy moment hits all of them; a failing case says why."""
    walls, results = {name: [] for name in CASES}, {name: {} for name in CASES}
    for turn in range(repeats + 1):
        for name, statements in CASES.items():
            if "error" in results[name]:
                continue
            try:
                times, heavy = run_fresh(statements)
            except RuntimeError as error:
                results[name] = {"error": str(error)}
                continue
            if turn:  # the first writes the byte code
                walls[name].append(times[-1])
                results[name] = {"seconds": statistics.median(walls[name]), "heavy": heavy}
    return results


if __name__ == "__main__":
    print(json.dumps(measure_imports(5), indent=2))
