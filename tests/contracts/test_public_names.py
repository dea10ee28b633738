"""The public surface: which names there are, what they look like, and that each says what it does."""

import ast
import inspect
import pathlib

import pytest

import doimages
from doimages.accessor import ImagesAccessor
from doimages.api.client import Client
from doimages.api.connect import Sandbox
from doimages.notebook.picker.snapshot import Snapshot
from doimages.reader import ReadArguments
from doimages.settings import Options
from doimages.summary.summary import Summary

EMPTY = inspect.Parameter.empty
TESTS = pathlib.Path(__file__).parents[1]
FUNCTIONS = ["aread_do_images", "connect", "create_custom", "load_ipython_extension", "load_plan", "picker"]
FUNCTIONS += ["read_do_images", "register", "resume", "sandbox", "unload_ipython_extension", "unregister"]
ERRORS = [name for name in doimages.__all__ if name.endswith("Error")]
# What a public name gives, though it has no public name itself.
GIVEN = [Client, ImagesAccessor, Options, Sandbox, Snapshot, Summary]


def test_names():
    """The public names are these: functions, errors, pickers, plans, reports and the options."""
    assert sorted(doimages.__all__) == sorted([*FUNCTIONS, *ERRORS, "ImagePicker", "Plan", "Report", "options"])
    assert len(ERRORS) == 19


def test_sorted():
    """They are listed in order, each once."""
    assert doimages.__all__ == sorted(set(doimages.__all__))


def test_importable():
    """A star import gives exactly them."""
    space = {}
    exec("from doimages import *", space)  # noqa: S102 - the only way to see what a star gives
    space.pop("__builtins__")

    assert sorted(space) == doimages.__all__


def test_no_other_names():
    """What is public by its name is listed, or a module."""
    others = {
        name
        for name, item in vars(doimages).items()
        if not name.startswith("_") and not inspect.ismodule(item) and name not in doimages.__all__
    }

    assert others == {"Any", "TYPE_CHECKING", "version", "register_on_import"}


def test_version():
    """The version is that of the distribution."""
    assert doimages.__version__.count(".") == 2


@pytest.mark.parametrize("name", doimages.__all__)
def test_home(name):
    """Every public object comes from doimages."""
    item = getattr(doimages, name)
    module = item.__module__ if hasattr(item, "__qualname__") else type(item).__module__

    assert module.partition(".")[0] == "doimages"


def parameters(function):
    return {
        parameter.name: (parameter.kind.name, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
    }


def test_reader():
    """read_do_images takes a query by position, and the rest by name."""
    by_name = dict.fromkeys(
        ["tag_name", "type", "image_id", "columns", "index_col", "params", "frames", "max_results"],
        ("KEYWORD_ONLY", None),
    )
    by_name |= dict.fromkeys(["dtype_backend", "dtypes", "progress", "client"], ("KEYWORD_ONLY", None))

    assert parameters(doimages.read_do_images) == {
        "query": ("POSITIONAL_ONLY", None),
        "private": ("KEYWORD_ONLY", False),
        **by_name,
    }


def test_async_reader():
    """aread_do_images takes the same arguments, with the same types."""
    reader = inspect.signature(doimages.read_do_images)
    by_name = {name: item.annotation for name, item in reader.parameters.items() if item.kind.name == "KEYWORD_ONLY"}

    assert list(ReadArguments.__annotations__) == list(by_name)
    # A typed dict makes a reference of the one annotation that is text.
    annotated = {name: getattr(item, "__forward_arg__", item) for name, item in ReadArguments.__annotations__.items()}
    assert annotated == by_name
    assert ReadArguments.__required_keys__ == frozenset()
    assert list(inspect.signature(doimages.aread_do_images).parameters) == ["query", "arguments"]


def test_connect():
    """To connect takes a token, an address and a context, all of them optional."""
    assert parameters(doimages.connect) == {
        "token": ("POSITIONAL_OR_KEYWORD", None),
        "base_url": ("POSITIONAL_OR_KEYWORD", None),
        "context": ("POSITIONAL_OR_KEYWORD", None),
    }


def test_sandbox():
    """A sandbox takes the size and seed of its catalogue, its latency and its limit, gives url, token and client."""
    assert parameters(doimages.sandbox) == {
        "images": ("POSITIONAL_OR_KEYWORD", 300),
        "seed": ("POSITIONAL_OR_KEYWORD", 7),
        "latency": ("POSITIONAL_OR_KEYWORD", 0.0),
        "rate_limit": ("POSITIONAL_OR_KEYWORD", 250),
    }
    with doimages.sandbox(images=3) as box:
        assert box.url.startswith("http://127.0.0.1:")
        assert isinstance(box.token, str)
        assert len(doimages.read_do_images(client=box.client)) == 3


def test_accessor():
    """The accessor has these names."""
    names = {name for name in dir(ImagesAccessor) if not name.startswith("_")}

    reads = {"explode", "has_region", "has_tag", "ids", "is_stale", "latest", "monthly_cost", "provenance", "refresh"}
    plans = {"convert", "delete", "ensure_regions", "quarantine", "retain", "tag", "transfer", "transfer_account"}
    assert names == reads | plans | {"picker", "summary", "untag", "update"}


def test_picker():
    """A frame comes by position, the rest by name, and a state; the accessor has the frame already."""
    by_name = {"client": ("KEYWORD_ONLY", None), "read_only": ("KEYWORD_ONLY", None), "state": ("VAR_KEYWORD", EMPTY)}

    assert parameters(doimages.picker) == {"df": ("POSITIONAL_OR_KEYWORD", None), **by_name}
    assert parameters(ImagesAccessor.picker) == {"self": ("POSITIONAL_OR_KEYWORD", EMPTY), **by_name}


def test_picker_members():
    """A picker has these names beside those of a widget."""
    own = {name for name in vars(doimages.ImagePicker) if not name.startswith("_")}

    assert own == {"python", "selection", "snapshot", "sql", "state", "value"}


def test_summary_members():
    """A summary has these names: its parts, all of them as frames, and what is drawn."""
    parts = {"ages", "biggest", "by_distribution", "by_region", "by_type", "made_at", "oldest", "totals"}

    assert {name for name in dir(Summary) if not name.startswith("_")} == parts | {
        *("caption", "notes", "panels", "to_frames")
    }


def documented():
    """Give every public function and class, and the public methods and properties of classes."""
    for name in doimages.__all__:
        yield name, getattr(doimages, name)
    for kind in [*GIVEN, *(getattr(doimages, name) for name in ERRORS)]:
        yield kind.__name__, kind
        for name, item in vars(kind).items():
            if not name.startswith("_") and (callable(item) or isinstance(item, property)):
                yield f"{kind.__name__}.{name}", item


@pytest.mark.parametrize(
    ("name", "item"), [pytest.param(name, item, id=name) for name, item in dict(documented()).items()]
)
def test_docstring(name, item):
    """Each says in a sentence what it does."""
    lines = (inspect.getdoc(item) or "").splitlines()

    assert lines, name
    assert lines[0].rstrip().endswith("."), lines[0]


@pytest.mark.parametrize("name", ["aread_do_images", "connect", "picker", "read_do_images", "sandbox"])
def test_docstring_of_a_reader(name):
    """Those that send, or start something that answers, say what they send and show an example."""
    text = inspect.getdoc(getattr(doimages, name))

    assert "Sends" in text
    assert ">>> import" in text


def test_typed_names():
    """The file that mypy checks as a user's code names every public name."""
    tree = ast.parse((TESTS / "typing" / "api.py").read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "doimages"
    }

    assert sorted(used) == doimages.__all__
