"""The bar of a long read: silent for a second, gone at the end, off where nobody looks."""

import pytest

from doimages import progress


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("mode", ["text", "bar"])
def test_nothing_shows_in_the_first_second_and_nothing_stays(capsys, mode):
    """After it, rows and total are on the line; at the end the line is wiped."""
    clock = Clock()
    with progress.show(mode, clock) as tick:
        tick(200, 400)
        clock.now = 0.9
        tick(200, 400)
        assert capsys.readouterr().err == ""
        clock.now = 1.1
        tick(300, 400)
        assert "300/400" in capsys.readouterr().err
    assert capsys.readouterr().err.rpartition("\r")[2].strip() == ""


def test_off_and_auto_in_a_log_show_nothing(monkeypatch):
    """CI, pytest and papermill are logs; so is an error stream that is no terminal."""
    monkeypatch.setattr("sys.modules", {})
    for mode in ("off", "auto"):
        with progress.show(mode) as tick:
            assert tick is None
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.setenv("CI", "true")
    with progress.show("auto") as tick:
        assert tick is None


def test_a_magic_asks_for_auto_and_a_setting_wins(notebook, monkeypatch):
    """--progress is above the setting, the setting above auto."""
    asked = []
    shown = progress.show
    monkeypatch.setattr("doimages.reads.bars.show", lambda mode: asked.append(mode) or shown("off"))
    notebook.run("%doimages --endpoint sandbox -n 1")
    notebook.run('%config DoImagesMagic.progress = "text"')
    notebook.run("%doimages --endpoint sandbox -n 1")
    notebook.run("%doimages --endpoint sandbox -n 1 --progress off")
    assert asked == ["auto", "text", "off"]
