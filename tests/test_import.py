"""What ``import doimages`` does, in a process of its own, and what it does not."""

import os
import subprocess
import sys

import pytest

HEAVY = [
    *("duckdb", "sqlglot", "ipywidgets", "anywidget", "matplotlib", "httpx", "uvicorn", "starlette", "tqdm", "yaml"),
    "IPython",
]


def run(code, **environment):
    """Run code in a fresh Python where every warning is an error, and give what it prints."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("DOIMAGES_", "DIGITALOCEAN_"))}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=known | environment, timeout=60, check=False)  # noqa: S603 - our own code
    return (done.stdout + done.stderr).strip()


def test_prints_nothing():
    """An import prints nothing, and warns of nothing."""
    assert run("import doimages") == ""


def test_sends_nothing():
    """An import opens no socket and starts no thread, whatever the environment asks for."""
    code = (
        "import sys, threading\n"
        "sys.addaudithook(lambda name, args: name.startswith('socket.') and print(name, args))\n"
        "import doimages\n"
        "print(threading.active_count())"
    )

    assert run(code, DIGITALOCEAN_TOKEN="x" * 20, DIGITALOCEAN_API_URL="sandbox") == "1"


def test_writes_nothing(tmp_path):
    """An import opens no file for writing."""
    code = (
        "import sys\n"
        "sys.dont_write_bytecode = True\n"
        "def hook(name, args):\n"
        "    if name == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+'):\n"
        "        print(args)\n"
        "import pandas\n"
        "sys.addaudithook(hook)\n"
        "import doimages"
    )

    assert run(code, HOME=str(tmp_path)) == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", HEAVY)
def test_brings_nothing_heavy(name):
    """An import leaves the heavy libraries for those who use them."""
    assert run(f"import doimages, sys; print({name!r} in sys.modules)") == "False"


def test_lies_in_wait():
    """A plain read of the sandbox brings in what speaks HTTP, and still no library of notebooks or SQL."""
    code = (
        "import doimages, sys\n"
        "print(len(doimages.read_do_images(client=doimages.connect(base_url='sandbox'), max_results=3)))\n"
        "print([name for name in ('duckdb', 'sqlglot', 'ipywidgets', 'anywidget', 'IPython') if name in sys.modules])"
    )

    assert run(code) == "3\n[]"


def test_the_extension_lies_in_wait(tmp_path):
    """Loading it, a listing, and a look at a wrong line bring no library of SQL; the first statement does."""
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        "def there(): print([name for name in ('duckdb', 'sqlglot') if name in sys.modules])\n"
        "shell.run_line_magic('load_ext', 'doimages')\n"
        "shell.run_line_magic('doimages', 'rows --endpoint sandbox -n 1')\n"
        "shell.run_line_magic('doimages', 'rows --dry-run')\n"
        "there()\n"
        "shell.run_cell_magic('doimages', 'rows', 'SELECT 1 AS a')\n"
        "there()"
    )

    assert run(code, IPYTHONDIR=str(tmp_path)).splitlines()[-2:] == ["[]", "['duckdb', 'sqlglot']"]


def test_the_extension_brings_no_widgets(tmp_path):
    """Loading it and a listing bring nothing that draws; a picker brings widgets, a summary that is shown a plot."""
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        "def there(): print([name for name in ('anywidget', 'ipywidgets', 'matplotlib') if name in sys.modules])\n"
        "shell.run_line_magic('load_ext', 'doimages')\n"
        "frame = shell.run_line_magic('doimages', '--endpoint sandbox -n 1')\n"
        "there()\n"
        "frame.do_images.picker(read_only=True)\n"
        "there()\n"
        "frame.do_images.summary()._repr_html_()\n"
        "there()"
    )

    assert run(code, IPYTHONDIR=str(tmp_path)).splitlines()[-3:] == [
        "[]",
        "['anywidget', 'ipywidgets']",
        "['anywidget', 'ipywidgets', 'matplotlib']",
    ]


def test_patches_pandas():
    """An import puts the reader and the accessor on pandas."""
    code = (
        "import doimages, pandas as pd\n"
        "print(pd.read_do_images is doimages.read_do_images)\n"
        "print(pd.DataFrame({'id': [7]}).do_images.ids)"
    )

    assert run(code) == "True\n[7]"


def test_no_patch():
    """$DOIMAGES_NO_PATCH keeps pandas as it is; register puts both on later, unregister takes them off."""
    code = (
        "import doimages, pandas as pd\n"
        "def there(): return hasattr(pd, 'read_do_images'), hasattr(pd.DataFrame, 'do_images')\n"
        "print(*there()); doimages.register(); print(*there()); doimages.unregister(); print(*there())\n"
        "print('do_images' in pd.DataFrame._accessors)"
    )

    assert run(code, DOIMAGES_NO_PATCH="1") == "False False\nTrue True\nFalse False\nFalse"


@pytest.mark.parametrize(
    "again",
    [
        "import importlib; importlib.reload(doimages)",
        "import importlib, doimages.accessor; importlib.reload(doimages.accessor); doimages.accessor.register()",
        "[sys.modules.pop(name) for name in list(sys.modules) if name.startswith('doimages')]; import doimages",
        "doimages.register(); doimages.register()",
        "doimages.unregister(); doimages.unregister(); doimages.register()",
    ],
    ids=["reload", "reload of a module", "import anew", "register", "unregister"],
)
def test_again(again):
    """Importing again, in any way, warns of nothing and leaves one working reader and accessor."""
    code = (
        f"import doimages, sys, pandas as pd\n{again}\n"
        "print(pd.DataFrame({'id': [7]}).do_images.ids, callable(pd.read_do_images))"
    )

    assert run(code) == "[7] True"


@pytest.mark.parametrize(
    ("put", "look", "name"),
    [
        ("pd.read_do_images = len", "pd.read_do_images is len", "pandas.read_do_images"),
        ("pd.DataFrame.do_images = 'theirs'", "pd.DataFrame.do_images == 'theirs'", "DataFrame.do_images"),
    ],
)
def test_foreign(put, look, name):
    """What others put on pandas stays: an import warns, register refuses, unregister takes nothing away."""
    code = (
        "import pandas as pd, warnings\n"
        f"{put}\n"
        "with warnings.catch_warnings(record=True) as warned:\n"
        "    warnings.simplefilter('always')\n"
        "    import doimages\n"
        "print(*(str(warning.message) for warning in warned))\n"
        "try: doimages.register()\n"
        "except doimages.UsageError as error: print(error)\n"
        "doimages.unregister()\n"
        f"print({look}, callable(doimages.read_do_images))"
    )
    said = f"{name} is there already, and not of doimages; it was left alone."

    assert run(code) == f"{said} Use doimages.read_do_images.\n{said}\nTrue True"


def test_foreign_accessor_stays_listed():
    """An accessor of others stays among those that pandas lists."""
    code = (
        "import pandas as pd, warnings\n"
        "pd.api.extensions.register_dataframe_accessor('do_images')(type('Theirs', (), {'__init__': print}))\n"
        "warnings.simplefilter('ignore')\n"
        "import doimages\n"
        "doimages.unregister()\n"
        "print('do_images' in pd.DataFrame._accessors)"
    )

    assert run(code) == "True"
