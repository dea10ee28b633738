"""One sandbox without a server for all the laws of SQL: none of them changes anything."""

import pytest
from world import World


@pytest.fixture(scope="session")
def world():
    made = World()
    yield made
    made.client.close()
    made.sqlite.close()
