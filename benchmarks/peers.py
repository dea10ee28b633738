"""The peers: each opens its client and returns the call that lists all images, as its own documentation has it.

All trust the server by SSL_CERT_FILE and REQUESTS_CA_BUNDLE, and all speak HTTP/1.1, one request at a time.
"""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import measure


def pydo(url: str, token: str, per_page: int) -> Callable[[], int]:
    """Page by hand, the loop of pydo's README (there is no other way)."""
    from pydo import Client

    client = Client(token=token, endpoint=url)

    def list_images() -> int:
        images, page = [], 1
        while page:
            reply = client.images.list(per_page=per_page, page=page)
            images += reply["images"]
            pages = reply.get("links", {}).get("pages", {})
            page = int(parse_qs(urlsplit(pages["next"]).query)["page"][0]) if "next" in pages else None
        return len(images)

    return list_images


def pydo_documented(url: str, token: str, _ca_file: str) -> Callable[[], int]:
    return pydo(url, token, 50)


def pydo_200(url: str, token: str, _ca_file: str) -> Callable[[], int]:
    return pydo(url, token, 200)


def python_digitalocean(url: str, token: str, _ca_file: str) -> Callable[[], int]:
    import digitalocean

    manager = digitalocean.Manager(token=token, end_point=f"{url}/v2/")
    return lambda: len(manager.get_all_images())


def libcloud(url: str, token: str, _ca_file: str) -> Callable[[], int]:
    from libcloud.compute.providers import get_driver
    from libcloud.compute.types import Provider

    driver = get_driver(Provider.DIGITAL_OCEAN)(token)
    # Its driver drops host= and port=, so they are set where it reads them; nothing has been sent yet.
    driver.connection.host, driver.connection.port = urlsplit(url).hostname, urlsplit(url).port
    driver.connection.connect()
    return lambda: len(driver.list_images())


def follow_links(get: Callable, url: str) -> int:
    """Follow the next links and make an untyped frame, as most scripts do."""
    import pandas as pd

    images, following = [], f"{url}/v2/images?page=1&per_page=200"
    while following:
        reply = get(following).json()
        images += reply["images"]
        following = reply["links"].get("pages", {}).get("next")
    return len(pd.json_normalize(images))


def requests_loop(url: str, token: str, _ca_file: str) -> Callable[[], int]:
    import pandas as pd  # noqa: F401  # before the clock runs
    import requests

    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    return lambda: follow_links(session.get, url)


def httpx_loop(url: str, token: str, ca_file: str) -> Callable[[], int]:
    import ssl

    import httpx
    import pandas as pd  # noqa: F401  # before the clock runs

    trust = ssl.create_default_context(cafile=ca_file)
    client = httpx.Client(verify=trust, headers={"Authorization": f"Bearer {token}"})
    return lambda: follow_links(client.get, url)


PEERS = {
    "pydo, as its docs do (per_page 50)": pydo_documented,
    "pydo, per_page 200": pydo_200,
    "python-digitalocean": python_digitalocean,
    "libcloud (8 of 14 fields)": libcloud,
    "requests loop + json_normalize": requests_loop,
    "httpx loop + json_normalize": httpx_loop,
}

if __name__ == "__main__":
    measure.main(PEERS)
