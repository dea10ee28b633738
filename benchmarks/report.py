"""The figures as Markdown: one table of all who list images, and each target with what was measured."""

import statistics
from collections.abc import Iterator

import sql

OURS = "doimages, listing"
PYDO, LOOP = "pydo, as its docs do (per_page 50)", "requests loop + json_normalize"
LARGE = "20,000 @50 ms"
PAIRED = ("200 @50 ms", "2,000 @50 ms", LARGE)
# The floor of the targets is that of the first measurements: raw HTTP/1.1 on 64 open sockets. Raw HTTP/2 is shown too.
FLOOR, RAW_HTTP2 = "HTTP/1.1 on 64", "HTTP/2 on 1"
Target = tuple[str, str, str, bool | None]
FORBIDDEN = ("duckdb", "sqlglot", "ipywidgets", "httpx")


def seconds(results: dict, column: str, name: str) -> float | None:
    """Return a cell's median, None where it was not measured or failed."""
    cell = results.get("columns", {}).get(column, {}).get(name, {})
    return None if "error" in cell else cell.get("seconds")


def floor_seconds(results: dict, column: str, *, is_hinted: bool = False, way: str = FLOOR) -> float | None:
    """Return the median of one way to fetch the raw bytes."""
    return seconds(results, column, f"{way}{', hinted' * is_hinted}")


def ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above and below else None


def at_most(what: str, measured: float | None, limit: float, unit: str) -> Target:
    if measured is None:
        return what, f"≤ {limit:g} {unit}", "-", None
    return what, f"≤ {limit:g} {unit}", f"{measured:,.2f} {unit}", measured <= limit


def at_least(what: str, measured: float | None, limit: float) -> Target:
    if measured is None:
        return what, f"≥ {limit:g} times", "-", None
    return what, f"≥ {limit:g} times", f"{measured:,.1f} times", measured >= limit


def list_targets(results: dict) -> Iterator[Target]:
    """Yield each target: what, how much is asked, what was measured, and whether it is met (None: not measured)."""
    for column, kind, limit, what in (
        ("200 @50 ms", "listing", 1.15, "200 images at 50 ms, against one round trip"),
        ("2,000 @50 ms", "listing", 1.15, "2,000 at 50 ms, against the floor of two round trips"),
        (LARGE, "listing", 1.4, "20,000 at 50 ms, against the floor"),
        ("2,000 @50 ms", "repeated", 0.7, "2,000 at 50 ms again, against the floor of two round trips"),
    ):
        yield at_most(what, results.get("pairs", {}).get(column, {}).get(kind, {}).get("median"), limit, "times")
    ours = seconds(results, LARGE, OURS)
    yield at_least("20,000 at 50 ms, faster than a requests loop", ratio(seconds(results, LARGE, LOOP), ours), 20)
    yield at_least("20,000 at 50 ms, faster than pydo's docs", ratio(seconds(results, LARGE, PYDO), ours), 80)
    cpu = results.get("decode", {}).get("cpu_seconds")
    yield at_most("CPU to decode 20,000 images", cpu and cpu * 1000, 100, "ms")
    memory = results.get("memory", {}).get("ratio")
    yield at_most("200,000 images: growth of the peak, against the frame", memory, 3, "times")
    imports = results.get("imports", {})
    for name, limit in (("import doimages, after pandas", 150), ("%load_ext doimages, after pandas", 300)):
        took = imports.get(name, {}).get("seconds")
        yield at_most(f"`{name.split(',')[0]}`, pandas there already", took and took * 1000, limit, "ms")
    brought = {name for case in imports.values() for name in case.get("heavy", ())} & set(FORBIDDEN)
    is_whole = imports and not any("error" in case for case in imports.values())
    is_clean = False if brought else True if is_whole else None
    found = ", ".join(sorted(brought)) or ("none" if is_whole else "-")
    yield "heavy modules that import or load_ext bring in", "none", found, is_clean
    yield from list_sql_targets(results.get("sql", {}))
    yield from list_change_targets(results.get("changes", {}))
    largest = results.get("picker", {}).get("20,000", {})
    for step, limit in (("the first rows", 1.0), ("a filter by name", 0.5)):
        took = largest.get(step, {}).get("seconds")
        yield at_most(f"a picker over 20,000 images in JupyterLab: {step}", took, limit, "s")
    sizes = [told["bytes"] / 1000 for step, told in largest.items() if step != "the first rows"]
    yield at_most(
        "the largest answer of it to a filter, a sort, a scroll, a selection", max(sizes, default=None), 20, "KB"
    )


def list_sql_targets(figures: dict) -> Iterator[Target]:
    """Yield the targets of SQL."""
    parts = {name: {} if "error" in part else part for name, part in figures.items()}
    medians = [one["seconds"] * 1000 for one in parts.get("statements", {}).get("each", {}).values()]
    what = f"the slowest of {len(medians) or 'the'} statements to parse, check and plan, warm, median"
    yield at_most(what, max(medians, default=None), 20, "ms")
    grouped = parts.get("groups", {}).get("seconds", {}).get("GROUP BY")
    yield at_most("GROUP BY over 200,000 images in memory", grouped and grouped * 1000, 250, "ms")
    for column in sql.LATENCIES:
        ratios = {name: parts[column][name]["median"] for name in sql.LISTINGS} if parts.get(column) else {}
        slowest = max(ratios, key=ratios.get, default="the slowest statement")
        what = f"{slowest.removesuffix(' *')} over {column.replace('@', 'at ')}, against the plain read"
        yield at_most(what, ratios.get(slowest), 1.3, "times")
    pressed = [
        case["median_first_milliseconds"] for one in parts.get("completion", {}).values() for case in one.values()
    ]
    yield at_most("completion over 20,000 images, the slowest case, median", max(pressed, default=None), 20, "ms")


def list_change_targets(figures: dict) -> Iterator[Target]:
    """Yield the targets of changes."""
    deletes, many, plan, journal = (measured(figures, name) for name in ("deletes", "many", "plan", "journal"))
    yield at_most("100 deletes by plan at 200 ms", deletes.get("seconds"), 3, "s")
    times = ratio(many.get("seconds"), many.get("floor_seconds"))
    yield at_most("1,000 deletes at 250 a minute, planning included, against the floor", times, 1.1, "times")
    refused = many.get("refused")
    yield (
        "their replies 429",
        "none",
        "-" if refused is None else str(refused),
        None if refused is None else not refused,
    )
    shown = plan.get("shown_seconds")
    yield at_most("5,000 rows planned and shown, nothing sent", shown and shown * 1000, 1_000, "ms")
    more = journal.get("more_seconds")
    yield at_most("a line of the journal, over a plain append and fsync", more and more * 1000, 0.2, "ms")


def measured(figures: dict, name: str) -> dict:
    """Return a part, empty where it was not measured or failed."""
    part = figures.get(name, {})
    return {} if "error" in part else part


def write_table(results: dict) -> list[str]:
    """Return the table of all who list images: medians in ms, ratios in the largest column."""
    columns = results["columns"]
    names = dict.fromkeys(
        name for cells in columns.values() for name, cell in cells.items() if cell["group"] != "floor"
    )
    lines = ["| who | " + " | ".join(columns) + " | times the floor | CPU, ms | requests | peak, MB |"]
    lines.append("|---|" + "---:|" * (len(columns) + 4))
    for way, is_hinted, label in (
        (FLOOR, False, "**floor**: raw bytes, page 1, then all others at once on 64 sockets"),
        (FLOOR, True, "floor, the total known: all pages at once"),
        (RAW_HTTP2, False, "raw bytes over one HTTP/2 connection"),
        (RAW_HTTP2, True, "raw bytes over one HTTP/2 connection, the total known"),
    ):
        raw = [floor_seconds(results, column, is_hinted=is_hinted, way=way) for column in columns]
        times = ratio(floor_seconds(results, LARGE, is_hinted=is_hinted, way=way), floor_seconds(results, LARGE))
        last = f"{times:,.1f}" if times else "-"
        lines.append(f"| {label} | " + " | ".join(show(value) for value in raw) + f" | {last} | | | |")
    for name in names:
        shown = [show(seconds(results, column, name)) for column in columns]
        large = columns.get(LARGE, {}).get(name, {})
        times = ratio(seconds(results, LARGE, name), floor_seconds(results, LARGE))
        more = [f"{times:,.1f}" if times else "-"]
        if "seconds" in large:
            more += [show(large["cpu_seconds"]), str(large["requests"]), f"{large['peak_megabytes']:,.0f}"]
        else:
            more += ["-"] * 3
        lines.append(f"| {name} | " + " | ".join([*shown, *more]) + " |")
    for column, cells in columns.items():
        failed = [f"{name}: {cell['error']}" for name, cell in cells.items() if "error" in cell]
        lines += [f"\nFailed at {column}: {text}" for text in failed]
    return lines


def show(value: float | None) -> str:
    return "-" if value is None else f"{value * 1000:,.0f}"


def write_details(results: dict) -> list[str]:
    """Return the figures behind the targets that are in no table, one line each."""
    lines = []
    decode, memory, imports = (results.get(name, {}) for name in ("decode", "memory", "imports"))
    for name, part in (("decode", decode), ("memory", memory), *imports.items()):
        if "error" in part:
            lines.append(f"- {name} failed: {part['error']}")
    if "cpu_seconds" in decode:
        lines.append(
            f"- {decode['megabytes_of_json']:.1f} MB of JSON decoded in {show(decode['cpu_seconds'])} ms of CPU."
        )
    if "ratio" in memory:
        figures = {
            name: f"{memory[f'{name}_megabytes']:,.0f} MB" for name in ("growth", "kept", "frame", "memory_usage")
        }
        lines.append(
            f"- 200,000 images: the peak grew by {figures['growth']}, of which {figures['kept']} stay; the frame is "
            f"{figures['frame']} (shared objects once; `memory_usage(deep=True)`: {figures['memory_usage']})."
        )
    for column, pair in results.get("pairs", {}).items():
        for kind in ("listing", "repeated"):
            low, high = pair[kind]["quartiles"]
            lines.append(
                f"- {column}, {kind} against the floor in {pair['pairs']} pairs, one after the other: median "
                f"{pair[kind]['median']:.2f}, half of them within {low:.2f} to {high:.2f}."
            )
    for name, case in imports.items():
        if "error" in case:
            continue
        heavy = ", ".join(case["heavy"]) or "none of the heavy modules"
        lines.append(f"- {name}: {show(case['seconds'])} ms; {heavy}.")
    return lines


def write_sql_details(figures: dict) -> Iterator[str]:
    """Yield the figures of SQL that are in no table, one line each."""
    parts = {name: part for name, part in figures.items() if "error" not in part}
    yield from (f"- SQL, {name}, failed: {part['error']}" for name, part in figures.items() if name not in parts)
    if cold := parts.get("cold"):
        took = ", ".join(f"{name} {show(median)} ms" for name, median in cold.items())
        yield f"- The first statement of a process, doimages there already: {took}."
    if checked := parts.get("statements"):
        each, longest = checked["each"], checked["longest_collection_seconds"]
        middle = statistics.median(one["seconds"] for one in each.values()) * 1000
        slowest = max(each, key=lambda number: each[number]["seconds"])
        single = max(one["slowest_seconds"] for one in each.values())
        yield (
            f"- {len(each)} statements checked, nothing sent: median {middle:.1f} ms; the slowest is vector {slowest} "
            f"with {each[slowest]['seconds'] * 1000:.1f} ms; the slowest single call {show(single)} ms, the longest "
            f"pass of Python's garbage collector {show(longest)} ms."
        )
    if groups := parts.get("groups"):
        took = ", ".join(f"{name} {show(median)} ms" for name, median in groups["seconds"].items())
        against = ", ".join(f"{times:.2f} of {name}" for name, times in groups["against"].items())
        yield f"- 200,000 images in memory: {took}. The GROUP BY takes {against}."
    for column in sql.LATENCIES:
        pair = parts.get(column, {})
        for name in sql.LISTINGS if pair else ():
            low, high = pair[name]["quartiles"]
            yield (
                f"- {column}, {name} against the plain read in {pair['pairs']} pairs: median "
                f"{pair[name]['median']:.2f}, half of them within {low:.2f} to {high:.2f}; the plain read takes "
                f"{show(pair['plain_seconds'])} ms."
            )
    for backend, cases in parts.get("completion", {}).items():
        slowest = max(cases, key=lambda name: cases[name]["median_first_milliseconds"])
        single = max(case["slowest_first_milliseconds"] for case in cases.values())
        yield (
            f"- Completion, {backend}: the slowest case is {slowest}, "
            f"{cases[slowest]['median_first_milliseconds']:.1f} ms at first and "
            f"{cases[slowest]['median_again_milliseconds']:.1f} ms again; the slowest single press {single:.1f} ms."
        )


def write_change_details(figures: dict) -> Iterator[str]:
    """Yield the figures of changes that are in no table, one line each."""
    yield from (f"- Changes, {name}, failed: {part['error']}" for name, part in figures.items() if "error" in part)
    if deletes := measured(figures, "deletes"):
        took = ", ".join(
            f"a {name} {seconds:.1f} s ({seconds / deletes['seconds']:.1f} times)"
            for name, seconds in deletes["serial_seconds"].items()
        )
        yield (
            f"- 100 deletes at 200 ms: applied in {deletes['seconds']:.2f} s (median; the slowest "
            f"{deletes['slowest_seconds']:.2f} s) with {deletes['requests']} requests, planned in "
            f"{deletes['plan_seconds']:.2f} s; {took}."
        )
    if many := measured(figures, "many"):
        yield (
            f"- 1,000 deletes at 250 a minute: {many['seconds']:.0f} s, the floor of its {many['requests']} requests "
            f"{many['floor_seconds']} s, {many['refused']} replies 429."
        )
    if plan := measured(figures, "plan"):
        took = ", ".join(f"{name} {show(seconds)} ms" for name, seconds in plan["seconds"].items())
        yield f"- A plan of 5,000 rows, {plan['megabytes']:.1f} MB on disk: {took}."
    if journal := measured(figures, "journal"):
        line, slowest, plain = (f"{journal[f'{name}_seconds'] * 1000:.2f} ms" for name in ("line", "slowest", "plain"))
        yield f"- A line of the journal, on disk: {line}, the slowest {slowest}; a plain append and fsync {plain}."


def write_picker_details(figures: dict) -> Iterator[str]:
    """Yield the figures of the picker, one line each number of rows."""
    for rows, steps in figures.items():
        took = ", ".join(
            f"{step} {show(told['seconds'])} ms ({told['bytes'] / 1000:.0f} KB)" for step, told in steps.items()
        )
        yield f"- A picker over {rows} images, from the press of a key to what is painted: {took}."


def write_report(results: dict) -> str:
    """Return the whole page."""
    run = results["run"]
    lines = ["# Benchmarks", ""]
    lines += [
        "Median wall time of a repeated call in ms, each in a process of its own, connection open, imports excluded.",
        "One server process for all (hypercorn, TLS, pages of 200 serialised beforehand, latency added per request).",
        "CPU, requests and peak memory are those of 20,000 images at 50 ms. Compare within the table only.",
        "",
    ]
    if results.get("columns"):
        lines += [*write_table(results), ""]
    lines += ["| target | asked | measured | |", "|---|---:|---:|---|"]
    words = {True: "met", False: "**NOT met**", None: "not measured"}
    lines += [f"| {what} | {asked} | {got} | {words[is_met]} |" for what, asked, got, is_met in list_targets(results)]
    versions = ", ".join(f"{name} {version}" for name, version in run["libraries"].items())
    details = [*write_details(results), *write_sql_details(results.get("sql", {}))]
    lines += ["", *details, *write_change_details(results.get("changes", {}))]
    lines += [*write_picker_details(results.get("picker", {})), ""]
    machine = f"Python {run['python']}, {run['cores']} cores, load before the run {run['load_before']}"
    lines.append(f"{run['date']}, {machine}, {versions}; {run['run_seconds']} s in all.")
    for group, date in sorted(run.get("later", {}).items()):
        lines.append(f"Measured later and by itself: {group}, {date}.")
    lines.append("How: `make bench`; what is measured: `benchmarks/README.md`; raw figures: `benchmarks/results.json`.")
    return "\n".join(lines) + "\n"
