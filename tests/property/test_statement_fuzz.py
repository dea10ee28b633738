"""Ten thousand statements that went wrong: whatever is asked, nothing is changed, opened, reached or crashed."""

import faulthandler
import signal
import sys
import threading
from collections.abc import Mapping

import pandas as pd
import pytest
from corpus import STATEMENTS, mutants

import doimages
from doimages import execute
from doimages.errors import DOImagesError
from doimages.settings import options

SEED = 20261125
COUNT = 10_000
DROPLETS = pd.DataFrame({"image_id": [200002364, 112006329], "memory": [1024, 2048]})
LINE = "canary-in-a-file"
SLOW_SECONDS = 20
DEAF_SECONDS = 15
_seen: list[tuple[str, object]] | None = None


def _note(event: str, arguments: tuple) -> None:
    """An audit hook stays for the life of the process, so it has a switch."""
    if _seen is not None and event in _WATCHED:
        _seen.append((event, arguments))


_WATCHED = {
    *(
        "open",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "subprocess.Popen",
        "os.system",
        "os.exec",
    ),
    *("os.posix_spawn", "os.remove", "os.rename", "os.mkdir", "os.putenv", "ctypes.dlopen"),
    *("compile", "exec"),
}


@pytest.fixture(scope="module")
def box():
    sys.addaudithook(_note)
    with doimages.sandbox(images=30, rate_limit=10**9) as made:
        options.requests_per_minute = 10**9
        assert made.client is not None
        options.reset()
        yield made


class Namespace(Mapping):
    """The variables of a notebook, which remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._held = {
            "droplets": DROPLETS,
            "least": 512,
            "tag": "x' OR 1=1 --",
            "since": "2026-01-01",
            "ids": [200002364, 5],
            "python_secret": Secretive(),
            "os": sys.modules["os"],
            "__builtins__": __builtins__,
        }

    def __getitem__(self, name):
        self.asked.append(name)
        return self._held[name]

    def __iter__(self):
        raise AssertionError("the namespace was listed")

    def __len__(self):
        return len(self._held)


class Secretive:
    def __repr__(self):
        return LINE


class Watchdog:
    """Interrupts, as Ctrl-C would, the statement that takes longer than any should; ends a run that is deaf to it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.beat = 0
        self.barked = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        faulthandler.cancel_dump_traceback_later()
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        last = -1
        while not self._ended.wait(self._seconds):
            if self.beat == last:
                self.barked += 1
                faulthandler.dump_traceback_later(DEAF_SECONDS, exit=True, file=sys.__stderr__)
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            last = self.beat


def run(text: str, box, names: Namespace) -> str:
    """Run a text as a cell would, and give all that it said."""
    try:
        made = doimages.read_do_images(text, params=names, frames=names, client=box.client)
    except DOImagesError as error:
        return str(error)
    finally:
        execute.views.clear()
    return repr(made if isinstance(made, doimages.Plan) else made.head(3).to_dict("list"))


# The rows, and what a plan reads beside them.
PATHS = ("/v2/images", "/v2/account", "/v2/regions", "/v2/droplets")


def is_named(name: str, text: str) -> bool:
    return name in text.replace('""', '"').replace("''", "'")


def test_ten_thousand_statements_change_and_reach_nothing(box, tmp_path):
    """No write, file, address, process or name that is not in the text; no error but ours; no statement without end."""
    global _seen  # noqa: PLW0603 - the hook cannot be taken away
    secret = tmp_path / "secret.csv"
    secret.write_text(f"a,b\n{LINE},2\n")
    files = sorted(tmp_path.rglob("*"))
    log = box._server.state.log
    wrong: list[tuple[str, object]] = []
    sent = 0
    for text in STATEMENTS:  # what is imported at the first use is imported now
        run(text.replace("SECRET", str(secret)), box, Namespace())
    with Watchdog(SLOW_SECONDS) as watchdog:
        for number, mutant in enumerate(mutants(SEED, COUNT)):
            watchdog.beat = number
            text = mutant.replace("SECRET", ("secret.csv", str(secret))[number % 2])
            names = Namespace()
            log.clear()
            _seen = []
            try:
                said = run(text, box, names)
            except BaseException as error:  # noqa: BLE001 - that it is another is what is looked for
                said = ""
                wrong.append((text, error))
            seen, _seen = _seen, None
            sent += len(log)
            wrong += [(text, record) for record in log if record.method != "GET" or not record.path.startswith(PATHS)]
            wrong += [(text, event) for event in seen if not _is_local(event)]
            wrong += [(text, f"asked for {name!r}") for name in names.asked if not is_named(name, text)]
            if LINE in said and LINE not in text:
                wrong.append((text, said))
    assert not wrong, f"{len(wrong)} of {COUNT}, first: " + "\n".join(map(repr, wrong[:5]))
    assert watchdog.barked == 0
    assert sorted(tmp_path.rglob("*")) == files
    assert sent > COUNT / 50, "the mutants are too broken to tell anything"


def _is_local(event: tuple[str, object]) -> bool:
    kind, arguments = event
    return kind == "socket.connect" and arguments[1][0] == "127.0.0.1"


@pytest.mark.parametrize(
    "text",
    [
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c",
        "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3",
        "SELECT sum(length(name || r.range)) FROM images, range(1000000000000) r",
    ],
)
def test_statement_without_end_is_interrupted(box, text):
    """A statement that would run for years ends when it is interrupted, and the next one runs."""
    with Watchdog(1) as watchdog, pytest.raises(KeyboardInterrupt):
        run(text, box, Namespace())
    assert watchdog.barked == 1
    assert run("SELECT 7 AS n", box, Namespace()) == "{'n': [7]}"
