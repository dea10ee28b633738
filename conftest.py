"""What every test has, and every example in src/ too: no token, no settings and no files of whoever runs them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doimages.settings import SETTINGS, options


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the tokens, files and options of whoever runs the tests out of them."""
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
    for name in ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "DOIMAGES_NO_PATCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    options.reset()
    yield
    options.reset()
    if "doimages.execute" in sys.modules:
        sys.modules["doimages.execute"].views.clear()
