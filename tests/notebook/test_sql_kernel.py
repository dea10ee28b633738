"""SQL in a real kernel: errors as messages, a runaway query that can be stopped, a listing stopped half way."""

import pytest

from doimages.sandbox_api.faults import Fault

pytestmark = pytest.mark.kernel

RUNAWAY = [
    "SELECT count(*) AS n FROM range(1000000000) a, range(1000000) b WHERE hash(a.range + b.range) = 5",
    "SELECT count(*) AS n FROM mine a, mine b, mine c, mine d WHERE a.x + b.x + c.x + d.x = -1",
    "SELECT i.id FROM images i, range(1000000000) a, range(1000000) b ORDER BY hash(a.range * b.range) LIMIT 1",
]


def stop(kernel, cell, has_begun):
    """Start a cell, interrupt it once it has begun, and give its error."""
    kernel.start(cell)
    while not has_begun():
        kernel.peek()
    kernel.manager.interrupt_kernel()
    return dict(kernel.finish())["error"]


def test_sql_shows_one_frame_and_an_error_three_lines(kernel):
    """A frame in text and HTML; an error with a caret, which fails the cell."""
    kernel.run("%load_ext doimages")
    messages = kernel.run("%%doimages\nSELECT type, count(*) AS n FROM images GROUP BY type ORDER BY type;")
    outputs = [content for kind, content in messages if kind not in {"execute_input", "status"}]
    assert len(outputs) == 1
    assert {"text/plain", "text/html"} <= outputs[0]["data"].keys()
    error = dict(kernel.run("%%doimages rows\nSELECT id,\n  nmae FROM images"))["error"]
    assert error["ename"] == "UnknownColumnError"
    lines = "\n".join(error["traceback"]).splitlines()
    assert lines[1:] == ["    nmae FROM images", "    ^^^^"]
    error = dict(kernel.run("%doimages SELEC 1 FROM images"))["error"]
    assert error["ename"] in {"StatementError", "UsageError"}
    assert kernel.text("'rows' in globals()") == "False"
    sheet = dict(kernel.run(f"%%doimages --dry-run\n{RUNAWAY[2]}"))["execute_result"]["data"]
    assert {"text/plain", "text/html"} <= sheet.keys()


@pytest.mark.parametrize("statement", RUNAWAY, ids=["ranges", "a frame", "a listing"])
def test_a_runaway_query_is_stopped_and_the_kernel_goes_on(kernel, tmp_path, statement):
    """An interrupt ends the query itself, not only the wait for it: the next one is answered."""
    begun = tmp_path / "begun"
    kernel.run("%load_ext doimages\nimport pandas as pd\nmine = pd.DataFrame({'x': range(100_000)})")
    kernel.text("%doimages SELECT 1 AS a")
    # The kernel tells when its query runs: the engine is asked over no rows first, which ends at once.
    kernel.run(
        "from doimages.sql import residual\n"
        "plain = residual.Residual.run\n"
        "def telling(self, query, *, with_rows=True):\n"
        "    if with_rows:\n"
        f"        open({str(begun)!r}, 'w').close()\n"
        "    return plain(self, query, with_rows=with_rows)\n"
        "residual.Residual.run = telling"
    )
    error = stop(kernel, f"%%doimages rows\n{statement}", begun.exists)
    assert error["ename"] == "KeyboardInterrupt"
    assert kernel.text("'rows' in globals()") == "False"
    assert kernel.text("import asyncio; from doimages.api.portal import portal; asyncio.all_tasks(portal.loop)") == (
        "set()"
    )
    assert kernel.text("again = %doimages SELECT count(*) AS n FROM images\nint(again.n[0])") == "300"


def test_a_listing_of_sql_that_is_stopped_leaves_what_came(kernel, server):
    """The images so far are in _doimages_partial, as they came: the residual wants all of them."""
    kernel.run("%load_ext doimages")
    server.state.faults.append(Fault("slow", query={"page": "2"}, seconds=60))
    error = stop(
        kernel,
        "%%doimages rows\nSELECT type, count(*) AS n FROM images WHERE name LIKE '%' GROUP BY type",
        lambda: any(record.query.get("page") == "2" for record in server.state.log),
    )
    assert error["ename"] == "KeyboardInterrupt"
    assert error["traceback"] == ["KeyboardInterrupt: what was read so far is in _doimages_partial."]
    assert kernel.text("_doimages_partial.shape, _doimages_partial.attrs['do_images']['complete']") == (
        "((200, 14), False)"
    )
    assert kernel.text("'rows' in globals()") == "False"
    assert kernel.text("n = %doimages SELECT count(*) AS n FROM _doimages_partial\nint(n.n[0])") == "200"
    assert kernel.text("n = %doimages SELECT count(name) AS n FROM images\nint(n.n[0])") == "300"
