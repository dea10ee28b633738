"""The notebooks write the journals of their plans into a folder that goes away."""

import os
import tempfile

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder before a kernel starts: nbval's cells know no fixtures."""
    folder = tempfile.TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    os.environ["XDG_STATE_HOME"] = folder.name
