"""Where the token comes from, and where it may be sent."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_config_path

from doimages.errors import CredentialsError, UsageError
from doimages.redaction import Secret
from doimages.settings import API_URL, SETTINGS, Resolved

# Terraform's order; steampipe's too. doctl reads the second only.
VARIABLES = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
_BEARER = re.compile(r"^bearer(\s+|$)", re.IGNORECASE)
_NO_ADDRESS = re.compile(r"[^!-~]|[\\\"'<>^`{|}]")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, where it came from in words, and the address it is for."""

    secret: Secret
    source: str
    base_url: str


def check_base_url(text: str) -> str:
    """Give the address without a closing slash; only https will do, but for this machine."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise UsageError("The base URL cannot be read. Nothing was sent.") from None
    if "@" in text:
        raise UsageError("The base URL has a user name or password in it; give a token instead. Nothing was sent.")
    is_http = parts.scheme in ("http", "https") and not _NO_ADDRESS.search(text.strip())
    if not is_http or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"The base URL must look like {API_URL}, not {text!r}. Nothing was sent.")
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise UsageError(f"{parts.hostname!r} is no name of a host. Nothing was sent.") from None
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        raise UsageError(f"http:// would show the token to the network on the way to {parts.hostname}; use https://.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def clean_token(text: Any, source: str) -> Secret:
    """Give a token without what copying brings along; one that cannot be a header is refused, and not shown."""
    if not isinstance(text, str):
        raise CredentialsError(f"The token from {source} is no text but a {type(text).__name__}.")
    trimmed = _BEARER.sub("", text.strip().strip("'\""), count=1).strip()
    if not trimmed or not trimmed.isascii() or not trimmed.isprintable() or " " in trimmed:
        del text, trimmed  # a traceback that shows the locals would show them
        raise CredentialsError(
            f"The token from {source} is empty, or has a space, line break or letter that no token has. "
            "It is not shown here. Copy it again. Nothing was sent."
        )
    return Secret(trimmed)


def find_credentials(token: str | None, base_url: Resolved, context: Resolved) -> Credentials:
    """Find the token: the argument, a named context of doctl, the environment, the keyring.

    A token goes to api.digitalocean.com, or to where the same source points: one found in the environment is never
    sent to an address that an argument or a file names, for that address may be anybody's.
    """
    url = check_base_url(base_url.value)
    if token is not None:
        return Credentials(clean_token(token, "the token argument"), "the token argument", url)
    secret, source = _find(context)
    is_home = urlsplit(url).hostname == urlsplit(API_URL).hostname
    is_one_source = source.startswith("$") and base_url.source == f"${SETTINGS['base_url'].variable}"
    if is_home or is_one_source:
        return Credentials(secret, source, url)
    raise CredentialsError(
        f"The token from {source} is not sent to {urlsplit(url).netloc}, which {base_url.source} names. "
        "Give both in one call, doimages.connect(token=..., base_url=...), or set $DIGITALOCEAN_API_URL beside the "
        "token. Nothing was sent."
    )


def _find(context: Resolved) -> tuple[Secret, str]:
    if context.value is not None:
        return _of_context(context.value)
    # Secrets at once: a traceback that shows the locals must not show tokens.
    found = [(name, Secret(os.environ[name])) for name in VARIABLES if os.environ.get(name)]
    if found:
        name, first = found[0]
        differs = any(not other.is_same(first) for _, other in found)
        source = f"${name}" + (f" (${found[1][0]} differs and is not used)" if differs else "")
        return clean_token(first.reveal(), source), source
    kept = _of_keyring()
    if kept is not None:
        return clean_token(kept.reveal(), "the keyring"), "the keyring"
    raise CredentialsError(
        "No token. Looked at the token argument, the context, $DIGITALOCEAN_TOKEN, $DIGITALOCEAN_ACCESS_TOKEN and the "
        "keyring.\nSet $DIGITALOCEAN_TOKEN, or name a context of doctl with context='...', or do without a token: "
        "base_url='sandbox' in Python, --endpoint sandbox in a magic, starts the embedded sandbox."
    )


def _of_keyring() -> Secret | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        kept: str | None = keyring.get_password("doimages", "token")
    except KeyringError:
        return None
    return Secret(kept) if kept else None


def doctl_contexts() -> list[str]:
    """Give the names of the tokens that doctl knows, ``default`` first."""
    return [name for name, _ in _doctl_tokens()]


def _of_context(name: str) -> tuple[Secret, str]:
    source = f"doctl's context {name}"
    tokens = dict(_doctl_tokens())
    # doctl lower-cases the names when it writes them.
    token = tokens.get(name, tokens.get(name.lower()))
    if token is None:
        known = f"It has {', '.join(tokens)}." if tokens else f"No configuration of doctl is at {_doctl_file()}."
        raise CredentialsError(f"doctl has no context {name!r}. {known} Nothing was sent.")
    return clean_token(token.reveal(), source), source


def _doctl_file() -> Path:
    return user_config_path("doctl", appauthor=False, roaming=True) / "config.yaml"


def _doctl_tokens() -> Iterator[tuple[str, Secret]]:
    import yaml

    path = _doctl_file()
    try:
        if not path.is_file():
            return
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        is_readable = False
    else:
        is_readable = True
    if not is_readable:
        # Outside of `except`: as its context the error would quote the line, and with it a token.
        raise CredentialsError("doctl's config.yaml cannot be read, or not as YAML. Nothing was sent.")
    read = read if isinstance(read, dict) else {}
    if read.get("access-token"):
        yield "default", Secret(str(read["access-token"]))
    named = read.get("auth-contexts")
    for name, token in named.items() if isinstance(named, dict) else ():
        if token:
            yield str(name), Secret(str(token))
