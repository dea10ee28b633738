"""The URL a custom image is imported from, looked at before anything is sent. No name is ever looked up.

The URL is taken apart here and not by urllib, which drops tabs and line ends and reads a backslash otherwise than
browsers do: what was checked would not be what is fetched. Messages name the host at most, since a user name, a
signature or a path may be a secret.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import unquote

from doimages.errors import UsageError

_MOST = 2_000  # characters; no limit is documented, and a longer URL is no plain address of a file
_MOST_HOST = 253  # RFC 1035, 2.3.4
_MOST_PORT = 65_535

_FORMATS = ("raw", "img", "qcow2", "vhdx", "vdi", "vmdk")
_COMPRESSIONS = ("gz", "bz2")
_KNOWN = f"Known: {', '.join('.' + known for known in _FORMATS)}, as they are or with .gz or .bz2 behind."
# Endings that DigitalOcean does not import, each with its source.
_REFUSED = {
    "xz": "xz is not decompressed (fedora-coreos-tracker issue 395). Compress with gzip or bzip2",
    "zip": "only gzip and bzip2 are decompressed (docs: custom images). Compress with one of them",
    "iso": "an installer is no disk image (docs: custom images, limits). Give an image of an installed disk",
    "tar": "an archive is not unpacked (doctl issue 671). Give the image by itself, compressed with gzip or bzip2",
}
_REFUSED |= dict.fromkeys(("tgz", "taz", "tbz", "tbz2"), _REFUSED["tar"]) | {"txz": _REFUSED["xz"]}

# The letters of RFC 3986, and % with two hexadecimal digits.
_LETTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_CONTROL = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
_PARTS = re.compile(r"(https?)://([^/?#]*)([^?#]*)([?#]?)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::(\d{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# What browsers and curl read as an IPv4 address by its last part: WHATWG URL standard, "ends in a number checker".
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
# Names that mean something on one network only, or nothing at all: RFC 6761; RFC 6762 and its appendix G (which names
# internal too, reserved by ICANN in 2024); RFC 7686 (onion); RFC 8375 (home.arpa).
_LOCAL = (
    *("localhost", "test", "invalid", "example"),
    *("local", "lan", "corp", "home", "intranet", "internal", "private"),
    *("onion", "home.arpa"),
)
_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out


def check_address(url: Any) -> None:
    """Refuse a URL that DigitalOcean could not import an image from, or should not.

    Nothing is sent, and no name is looked up. Raises UsageError for: a scheme but http and https; a user name, a
    query (so no presigned URL) or a fragment; a host that is missing, private or local in whatever spelling; a port
    out of range; no file name, or the name of an archive, an installer or an xz file; letters that no URL has.

    Examples
    --------
    >>> check_address("https://example.com/images/disk.qcow2.gz")
    """
    if not isinstance(url, str) or not url:
        raise _refusal("is empty or no text", "Write where the file is, such as https://example.com/disk.qcow2")
    if len(url) > _MOST:
        raise _refusal(f"has {len(url)} characters", f"Give one of {_MOST} at most")
    if not _LETTERS.fullmatch(url) or _CONTROL.search(url):
        raise _refusal(
            "has a space, a control character, a backslash or another letter that no URL may hold",
            "Percent-encode spaces and letters beyond ASCII, and leave out the rest",
        )
    found = _PARTS.match(url)
    if found is None:
        raise _refusal("does not begin with https:// or http://", "Put the file on a web server and give its address")
    _, authority, path, more = found.groups()
    if "@" in authority:
        raise _refusal("has a user name or password in it", "Give an address that can be read without logging in")
    if more:
        raise _refusal(
            "has a query or a fragment, and it must end in a file name (nanovms/ops issue 468)",
            "A presigned URL does not work: give the file a plain public address",
        )
    # With a slash in a password, or an encoded @, what looks like the host is the user's name.
    _check_authority(authority, is_named="@" not in unquote(authority + path))
    _check_file_name(path)


def warnings_about(url: str) -> tuple[str, ...]:
    """Say what may go wrong with a URL that :func:`check_address` has passed.

    Examples
    --------
    >>> warnings_about("https://example.com/disk.qcow2")
    ()
    """
    found = _PARTS.match(url)
    if found is None:
        return ()
    warnings = []
    if found[1].lower() == "http":
        warnings.append("The image is fetched over http: whoever is on the way can change it. Use https if you can.")
    if not _is_known(_file_name(found[3])):
        warnings.append(f"The file name does not tell the format of a disk image. {_KNOWN}")
    return tuple(warnings)


def _refusal(problem: str, advice: str) -> UsageError:
    return UsageError(f"the URL of the image {problem}. {advice}. Nothing was sent.")


def _check_authority(authority: str, *, is_named: bool) -> None:
    """Refuse a host that only some networks know, or that is not written as all programs read it."""
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or (parts[2] is not None and not 0 < int(parts[2]) <= _MOST_PORT):
        raise _refusal(
            "has a host and port that cannot be read", "Write host:port with a port from 1 to 65535, or no port"
        )
    host = parts[1].lower().removesuffix(".")
    if not host:
        raise _refusal("has no host", "Write where the file is, such as https://example.com/disk.qcow2")
    shown = f"the host {parts[1]}" if is_named and len(host) <= _MOST_HOST else "a host"
    if host.startswith("["):
        _check_ipv6(host[1:-1], shown)
    elif _NUMBER.fullmatch(host.rpartition(".")[2]):
        _check_ipv4(host, shown)
    else:
        _check_name(host, shown)


def _check_ipv4(host: str, shown: str) -> None:
    try:
        address = IPv4Address(host)
    except AddressValueError:
        # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to some programs, and another address to others.
        raise _refusal(
            f"has {shown}, which is no IP address of four decimal numbers", "Write it as such, or give a name"
        ) from None
    if not address.is_global or address.is_multicast:
        raise _not_public(shown)


def _check_ipv6(host: str, shown: str) -> None:
    try:
        address = IPv6Address(host)
    except AddressValueError:
        raise _refusal(f"has {shown}, which is no IP address", "Correct it, or give a name") from None
    # ::ffff:10.0.0.1, 2002:a00:1:: and Teredo's hold an IPv4 address, which may be a private one.
    holds_another = address.ipv4_mapped or address.sixtofour or address.teredo
    if holds_another or address not in _UNICAST or not address.is_global:
        raise _not_public(shown)


def _check_name(host: str, shown: str) -> None:
    labels = host.split(".")
    if len(host) > _MOST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise _refusal(f"has {shown}, which is no name of a host", "Correct it; percent-encoding has no place there")
    if len(labels) == 1 or any(host.endswith(f".{suffix}") or host == suffix for suffix in _LOCAL):
        raise _not_public(shown)


def _not_public(shown: str) -> UsageError:
    return _refusal(
        f"has {shown}, which DigitalOcean cannot reach or should not", "Put the file on a server that anybody can reach"
    )


def _check_file_name(path: str) -> None:
    name = _file_name(path)
    if not name.strip("."):
        raise _refusal("does not end in a file name (nanovms/ops issue 468)", "Give all of it, such as .../disk.qcow2")
    *_, inner, last = "", "", *_endings(name)
    # In .tar.zst and .iso.gz the ending before the last tells; in .zip.img the last does.
    for ending in (last,) if last in _FORMATS else (last, inner):
        if ending in _REFUSED:
            raise _refusal(
                f"ends in the name of a file that cannot be imported: {_REFUSED[ending]}", _KNOWN.rstrip(".")
            )


def _is_known(name: str) -> bool:
    *_, inner, last = "", "", *_endings(name)
    return (inner if last in _COMPRESSIONS else last) in _FORMATS


def _endings(name: str) -> list[str]:
    return name.split(".")[1:]


def _file_name(path: str) -> str:
    return unquote(path.rpartition("/")[2]).lower()
