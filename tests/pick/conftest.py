"""An account that the pickers of these tests are of, without a server, and its listing."""

import pytest
from estate import estate

import doimages


@pytest.fixture(scope="session")
def account():
    with estate(size=300) as made:
        yield made


@pytest.fixture(scope="session")
def listing(account):
    return doimages.read_do_images(client=account.here)
