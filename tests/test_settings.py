"""Settings: the order of their sources, and what is refused."""

import pytest
from scripted import CANARY, image

from doimages.errors import UsageError
from doimages.reader import prepare
from doimages.settings import SETTINGS, options


@pytest.fixture
def project(tmp_path):
    """Give a function that writes a table for doimages into the pyproject.toml of a folder."""

    def write(text, folder=tmp_path):
        (folder / "pyproject.toml").write_text(f"[tool.doimages]\n{text}\n", encoding="utf-8")

    return write


@pytest.fixture
def user(tmp_path):
    """Give a function that writes the user's config.toml."""

    def write(text):
        folder = tmp_path / "config" / "doimages"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(text, encoding="utf-8")

    return write


def found(name="dtype_backend", argument=None):
    resolved = options.resolve(name, argument)
    return resolved.value, resolved.source


def test_order(project, user, monkeypatch):
    """Argument, options, environment, project, user, default: the first that says something counts."""
    assert found("requests_per_minute") == (250, "default")
    user("requests_per_minute = 60")
    assert found("requests_per_minute") == (60, "the user's config.toml")
    project("requests_per_minute = 50")
    assert found("requests_per_minute") == (50, "pyproject.toml")
    monkeypatch.setenv("DOIMAGES_REQUESTS_PER_MINUTE", "40")
    assert found("requests_per_minute") == (40, "$DOIMAGES_REQUESTS_PER_MINUTE")
    options.requests_per_minute = 30
    assert found("requests_per_minute") == (30, "options")
    assert found("requests_per_minute", 20) == (20, "argument")


@pytest.mark.parametrize("name", SETTINGS)
def test_default(name):
    """Where nobody says anything, the default counts."""
    assert found(name) == (SETTINGS[name].default, "default")


def test_flag_of_a_magic():
    """A caller may name another source than the argument."""
    assert options.resolve("progress", "bar", "--progress").source == "--progress"


def test_nearest_project(project, tmp_path, monkeypatch):
    """The nearest pyproject.toml above the working folder counts, and only that."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    project('dtype_backend = "pyarrow"')
    assert found() == ("pyarrow", "pyproject.toml")

    project("stale_minutes = 5", tmp_path / "a")

    assert found() == (None, "default")
    assert found("stale_minutes") == (5.0, "pyproject.toml")


def test_changed_file(project):
    """A file that was changed is read again."""
    project("stale_minutes = 5")
    assert found("stale_minutes")[0] == 5

    project("stale_minutes = 60.5")

    assert found("stale_minutes")[0] == 60.5


def test_project_without_a_table(tmp_path):
    """A pyproject.toml of another tool says nothing."""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")

    assert found() == (None, "default")


def test_empty_variable(monkeypatch):
    """A variable that is set to nothing counts as not set."""
    monkeypatch.setenv("DOIMAGES_DTYPE_BACKEND", "")

    assert found() == (None, "default")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dtype_backend", "polars", "must be one of numpy_nullable, pyarrow, not 'polars'"),
        ("dtype_backend", "PyArrow", "must be one of numpy_nullable, pyarrow, not 'PyArrow'"),
        ("progress", "on", "must be one of auto, bar, text, off, not 'on'"),
        ("progress", True, "must be of type str, not True"),
        ("requests_per_minute", 0, "must be above zero, not 0"),
        ("requests_per_minute", -5, "must be above zero, not -5"),
        ("requests_per_minute", "many", "must be of type int, not 'many'"),
        ("requests_per_minute", True, "must be of type int, not True"),
        ("requests_per_minute", 2.5, "must be of type int, not 2.5"),
        ("requests_per_minute", float("inf"), "must be of type int, not inf"),
        ("requests_per_minute", [250], "must be of type int, not [250]"),
        ("stale_minutes", "soon", "must be of type float, not 'soon'"),
        ("stale_minutes", 0, "must be above zero, not 0"),
        ("stale_minutes", float("nan"), "must be of type float, not nan"),
        ("stale_minutes", False, "must be of type float, not False"),
        ("max_percent", float("inf"), "must be finite, not inf"),
        ("max_percent", "1e999", "must be finite, not '1e999'"),
        ("max_percent", float("-inf"), "must be above zero, not -inf"),
    ],
)
def test_wrong_value(name, value, said):
    """A wrong value is refused where it is set, and the one before stays."""
    with pytest.raises(UsageError) as got:
        setattr(options, name, value)

    assert str(got.value) == f"{name} from options {said}."
    assert found(name) == (SETTINGS[name].default, "default")


def test_wrong_value_names_its_source(project, user, monkeypatch):
    """The error for a wrong value tells where that stands."""
    user('dtype_backend = "polars"')
    with pytest.raises(UsageError, match=r"^dtype_backend from the user's config.toml must be one of"):
        found()
    project('dtype_backend = "polars"')
    with pytest.raises(UsageError, match=r"^dtype_backend from pyproject.toml must be one of"):
        found()
    monkeypatch.setenv("DOIMAGES_DTYPE_BACKEND", "polars")
    with pytest.raises(UsageError, match=r"^dtype_backend from \$DOIMAGES_DTYPE_BACKEND must be one of"):
        found()
    with pytest.raises(UsageError, match=r"^dtype_backend from argument must be one of"):
        found("dtype_backend", "polars")


def test_wrong_file_below_an_argument(project, user, monkeypatch):
    """What is wrong further down does not matter where something above it counts."""
    user("no toml at all")
    project("nor this")
    monkeypatch.setenv("DOIMAGES_DTYPE_BACKEND", "pyarrow")

    assert found() == ("pyarrow", "$DOIMAGES_DTYPE_BACKEND")
    assert found("progress", "off") == ("off", "argument")


@pytest.mark.parametrize("text", [b"no toml at all", b"\xff = 1"], ids=["no toml", "no utf-8"])
def test_broken_files(tmp_path, text):
    """A file that is no TOML is refused by name."""
    (tmp_path / "pyproject.toml").write_bytes(text)

    with pytest.raises(UsageError, match=r"^pyproject.toml cannot be read as TOML: "):
        found()


@pytest.mark.parametrize("text", ["tool = 5", "[tool]\ndoimages = 'pyarrow'"])
def test_no_table(tmp_path, text):
    """A value where a table should be is refused."""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match=r"in pyproject.toml must be a table, not"):
        found()


def test_types_of_the_environment(monkeypatch):
    """Text of the environment becomes a number where the setting is one."""
    monkeypatch.setenv("DOIMAGES_STALE_MINUTES", "2.5")
    monkeypatch.setenv("DOIMAGES_REQUESTS_PER_MINUTE", "100")

    assert (options.stale_minutes, options.requests_per_minute) == (2.5, 100)


def test_unknown_setting():
    """An unknown setting is refused with the ones that are close, on reading and on writing."""
    with pytest.raises(UsageError, match=r"no setting 'dtype_backends'\. Did you mean 'dtype_backend'\?"):
        options.dtype_backends = "pyarrow"
    with pytest.raises(UsageError, match=r"no setting 'verbose'\. Known: base_url, context, "):
        _ = options.verbose


def test_protocols_of_python():
    """Names with an underscore are no settings: copying, pickling and IPython ask for them."""
    assert not hasattr(options, "_repr_html_")
    assert not hasattr(options, "__wrapped__")


def test_dir():
    """Completion offers every setting."""
    assert set(SETTINGS) <= set(dir(options))


def test_none_takes_back():
    """Setting None takes the value of this session back."""
    options.dtype_backend = "pyarrow"
    options.dtype_backend = None

    assert found() == (None, "default")


def test_reset():
    """Reset forgets what was set in this session."""
    options.dtype_backend = "pyarrow"
    options.stale_minutes = 5
    options.reset()

    assert (options.dtype_backend, options.stale_minutes) == (None, 15.0)


def test_option_context():
    """A context sets several and gives the ones before back, nested ones too."""
    options.progress = "text"
    with options.option_context(progress="bar", dtype_backend="pyarrow"):
        with options.option_context(progress=None), pytest.raises(UsageError):
            options.progress = "on"
        with options.option_context(progress=None):
            assert (options.progress, options.dtype_backend) == (None, "pyarrow")
        assert options.progress == "bar"

    assert (options.progress, options.dtype_backend) == ("text", None)


def test_option_context_with_an_error():
    """A context that ends with an error gives the ones before back."""
    with pytest.raises(UsageError, match="no 'x'"), options.option_context(progress="bar"):
        raise UsageError("no 'x'")

    assert options.progress is None


def test_option_context_with_a_wrong_value():
    """A context that is refused leaves nothing behind."""
    with pytest.raises(UsageError), options.option_context(progress="bar", dtype_backend="polars"):
        pass

    assert options.progress is None


def test_to_pandas(project):
    """The table shows every setting, its value, its source and its meaning."""
    options.progress = "text"
    project("stale_minutes = 5")

    table = options.to_pandas()

    assert table.index.name == "setting"
    assert table.index.tolist() == list(SETTINGS)
    assert table.columns.tolist() == ["value", "source", "meaning"]
    assert table.source[["progress", "stale_minutes", "context"]].tolist() == ["options", "pyproject.toml", "default"]
    assert table.value["stale_minutes"] == 5
    assert "stale_minutes" in repr(options)


def test_to_pandas_shows_no_token():
    """An address with a token in it is masked where settings are shown."""
    options.base_url = f"https://{CANARY}@api.test"

    assert options.to_pandas().value["base_url"] == "https://***@api.test"
    assert CANARY not in repr(options)


def test_settings_of_a_read(make_client, monkeypatch):
    """A read takes its dtype backend and progress from the settings, an argument before them."""
    monkeypatch.setenv("DOIMAGES_DTYPE_BACKEND", "pyarrow")
    client = make_client(lambda _: image(1))

    with options.option_context(progress="text"):
        read = prepare(client=client)
        other = prepare(client=client, dtype_backend="numpy_nullable", progress="off")

    assert (read.shape.dtype_backend, read.progress) == ("pyarrow", "text")
    assert (other.shape.dtype_backend, other.progress) == ("numpy_nullable", "off")


@pytest.mark.parametrize("file", ["pyproject.toml", "config.toml"])
def test_a_misspelt_key_in_a_file_is_refused(tmp_path, file):
    """A key that is no setting is an error that names the file and what was meant."""
    folder = tmp_path if file == "pyproject.toml" else tmp_path / "config" / "doimages"
    folder.mkdir(parents=True, exist_ok=True)
    head = "[tool.doimages]\n" if file == "pyproject.toml" else ""
    (folder / file).write_text(f'{head}dtype_backed = "pyarrow"\n')
    with pytest.raises(UsageError) as caught:
        options.resolve("dtype_backend")
    assert file in str(caught.value)
    assert "Did you mean 'dtype_backend'?" in str(caught.value)
