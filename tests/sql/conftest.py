"""Sandboxes for statements, one of a page and one of three; each as seeded for every test."""

import pytest
from desk import Desk, open_desk


@pytest.fixture(scope="module")
def _one_page():
    with open_desk(images=60) as desk:
        yield desk


@pytest.fixture(scope="module")
def _three_pages():
    with open_desk(images=450) as desk:
        yield desk


@pytest.fixture
def desk(_one_page) -> Desk:
    _one_page.state.reset()
    return _one_page


@pytest.fixture
def large_desk(_three_pages) -> Desk:
    _three_pages.state.reset()
    return _three_pages
