"""The URL of a custom image is looked at before anything is sent."""

import re
import socket
from ipaddress import IPv4Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doimages.change.address import check_address, warnings_about
from doimages.errors import UsageError

FORMATS = ("raw", "img", "qcow2", "vhdx", "vdi", "vmdk")
SECRET = "hunter2"


def refusal(url):
    with pytest.raises(UsageError) as caught:
        check_address(url)
    return str(caught.value)


@pytest.mark.parametrize("compression", ["", ".gz", ".bz2"])
@pytest.mark.parametrize("known", FORMATS)
def test_known_format_passes(known, compression):
    """Each format that DigitalOcean documents passes without a warning, as it is or with gzip or bzip2."""
    url = f"https://images.example.com/v1.2/disk-24.04.{known}{compression}"

    check_address(url)

    assert warnings_about(url) == ()


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://EXAMPLE.COM/DISK.QCOW2",
        "https://example.com:8443/disk.img",
        "https://example.com./disk.img",
        "https://my_bucket.nyc3.digitaloceanspaces.com/disk.img",
        "https://xn--bcher-kva.com/disk.img",
        "https://8.8.8.8/disk.img",
        "https://[2606:4700::1111]:443/disk.img",
        "https://example.com/@scope/a%20disk.img",
        "https://example.com/backup.zip.img",
        "https://local.example.com/disk.img",
        "https://internal.example.com/disk.img",
        "https://home.test-lan.example.org/disk.img",
        "https://example.com/tar/zip/disk.img",
        "https://example.com/" + "d" * 1976 + ".img",
    ],
    ids=lambda url: url[:60],
)
def test_plain_public_address_passes(url):
    """A port, an IP address that anybody can reach, an encoded space and a name in capitals are no fault."""
    check_address(url)

    assert warnings_about(url) == ()


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "db", "db:8080", "intranet", "a.localhost", "printer.local"),
        *("metadata.google.internal", "internal", "box.home.arpa", "printer.local.", "home.arpa"),
        *("nas.lan", "git.corp", "nas.home", "www.intranet", "db.private", "a.test", "a.invalid", "www.example"),
        *("NAS.LAN.", "nas.lan:8080", "abcdefghij.onion"),
        *("127.0.0.1", "127.0.0.1.", "127.0.0.1:80", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1", "192.0.2.1"),  # noqa: S104
        *("2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "10.0.5", "127.0.0.0x1", "0x"),
        *("08.8.8.8", "256.1.1.1", "1.2.3.4.5", "example.123", "0", "8.8.8.8.8"),
        *("[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[::1]:8080"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:8.8.8.8]", "[2002:7f00:1::]", "[2001:0:7f00:1::]"),
        *("[64:ff9b::7f00:1]", "[::127.0.0.1]", "[fe80::1%25eth0]", "[v1.a]", "[]", "[", "[::1", "::1", "[::1]x"),
        *("", ".", ":80", "example.com:", "example.com:0", "example.com:65536", "example.com:http", "a..b", ".a.b"),
        *("-a.com", "a-.com", "l" * 64 + ".com", ".".join(["label"] * 50), "%31%32%37.0.0.1", "a!b.com"),
        *(
            "example.com%2f",
            "1.2.3.4%00",
            "example.com:1:2",
            "example.com:+80",
            "exa_mple.com:\uff18\uff10",
            "\uff11\uff12\uff17.0.0.1",
        ),
    ],
)
def test_host_that_not_everybody_can_reach_is_refused(host):
    """Private, local and misspelt hosts are refused in each spelling that some program would follow."""
    assert refusal(f"https://{host}/disk.img").endswith("Nothing was sent.")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "169.254.169.254"])
def test_private_address_is_refused_as_any_number(address):
    """An address as one decimal, octal or hexadecimal number, or with fewer parts, is no way around."""
    number = int.from_bytes(socket.inet_aton(address))
    head, rest = number >> 24, number & 0xFFFFFF

    for spelling in (f"{number}", f"{number:#x}", f"0{number:o}", f"{head}.{rest}", f"{head:#x}.{rest:#x}"):
        assert socket.inet_ntoa(socket.inet_aton(spelling)) == address
        assert "IP address" in refusal(f"http://{spelling}/disk.img")


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd.img", "ftp://example.com/disk.img", "data:,disk.img", "s3://bucket/disk.img"),
        *("//example.com/disk.img", "example.com/disk.img", "http:/example.com/disk.img", "http:example.com/disk.img"),
        *("https:///example.com/disk.img", "https://", "https:", "javascript:alert(1).img", "/disk.img"),
        *("xhttps://example.com/disk.img", "httpss://example.com/disk.img", "view-source:https://example.com/disk.img"),
    ],
)
def test_other_scheme_or_no_host_is_refused(url):
    """Only http:// and https:// with a host are addresses of an image."""
    assert re.search(r"does not begin with https:// or http://|has no host", refusal(url))


@pytest.mark.parametrize(
    "url",
    [
        *(" https://example.com/disk.img", "https://example.com/disk.img\n", "https://example.com/a b.img"),
        *("ht\ttps://example.com/disk.img", "https://exa\nmple.com/disk.img", "https://127.0\t.0.1/disk.img"),
        *(
            "https:\\\\example.com\\disk.img",
            "https://example.com\\@10.0.0.1/disk.img",
            "https://example.com/disk\x00.img",
        ),
        *("https://example.com/ä.img", "https://\uff45xample.com/disk.img", "https://example.com/disk%.img"),
        *(
            "https://example.com/disk%zz.img",
            "https://example.com/%0d%0aHost:%20x/disk.img",
            "https://example.com/%7F.img",
        ),
        *('https://example.com/"disk.img', "https://example.com/<disk>.img", "\ufeffhttps://example.com/disk.img"),
    ],
    ids=ascii,
)
def test_letter_that_programs_read_in_different_ways_is_refused(url):
    """Spaces, control characters, backslashes and letters beyond ASCII are refused, not dropped."""
    assert "letter that no URL may hold" in refusal(url)


@pytest.mark.parametrize("value", [None, "", 5, b"https://example.com/disk.img", float("nan")], ids=repr)
def test_what_is_no_text_is_refused(value):
    """A missing value of a frame is no URL."""
    assert "is empty or no text" in refusal(value)


def test_long_url_is_refused():
    """2,000 characters pass, one more does not; the message tells how many there were."""
    assert "has 2001 characters" in refusal("https://example.com/" + "d" * 1977 + ".img")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("disk.img.xz", "fedora-coreos-tracker issue 395"),
        ("disk.XZ", "fedora-coreos-tracker issue 395"),
        ("disk.xz.gz", "fedora-coreos-tracker issue 395"),
        ("disk.txz", "fedora-coreos-tracker issue 395"),
        ("disk.zip", "only gzip and bzip2"),
        ("disk.%7Aip", "only gzip and bzip2"),
        ("disk.tar", "doctl issue 671"),
        ("disk.tar.gz", "doctl issue 671"),
        ("disk.tar.zst", "doctl issue 671"),
        ("disk.qcow2.tar.bz2", "doctl issue 671"),
        ("disk.tgz", "doctl issue 671"),
        ("disk.tbz2", "doctl issue 671"),
        ("debian.iso", "an installer"),
        ("debian.iso.gz", "an installer"),
    ],
)
def test_file_that_cannot_be_imported_is_refused_with_the_rule(name, reason):
    """An archive, an installer and xz are refused, and the message names the rule and what to give instead."""
    message = refusal(f"https://example.com/{name}")

    assert reason in message
    assert ".qcow2" in message


@pytest.mark.parametrize("path", ["", "/", "/images/", "/images/.", "/images/..", "/images/%2e%2E", "/disk.img/"])
def test_url_without_a_file_name_is_refused(path):
    """A URL ends in the name of a file, not of a folder."""
    assert "does not end in a file name" in refusal(f"https://example.com{path}")


@pytest.mark.parametrize(
    "name", ["disk", "disk.vhd", "disk.gz", "disk.img.zst", "ubuntu-24.04", "iso", "disk.img;v=1", "x.bz2"]
)
def test_unknown_format_is_a_warning(name):
    """Nobody says that the name decides, so an unknown ending is no refusal; the warning lists those known."""
    url = f"https://example.com/{name}"

    check_address(url)

    (warning,) = warnings_about(url)
    assert all(f".{known}" in warning for known in FORMATS)


def test_plain_http_is_a_warning():
    """Over http an image can be changed on its way."""
    check_address("http://example.com/disk.img")

    assert [warning.split(":")[0] for warning in warnings_about("http://example.com/disk.img")] == [
        "The image is fetched over http"
    ]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (f"https://{SECRET}@example.com/disk.img", "user name or password"),
        (f"https://me:{SECRET}@example.com/disk.img", "user name or password"),
        (f"https://@{SECRET}/disk.img", "user name or password"),
        (f"https://a@{SECRET}@example.com/disk.img", "user name or password"),
        (f"https://me:{SECRET}/x@example.com/disk.img", "host and port"),
        (f"https://{SECRET}/x@example.com/disk.img", "cannot reach"),
        (f"https://{SECRET}%40example.com/disk.img", "no name of a host"),
        (f"{SECRET}:x@example.com/disk.img", "does not begin"),
        (f"https://example.com/disk.img?X-Amz-Signature={SECRET}", "presigned URL does not work"),
        (f"https://example.com/disk.img?{SECRET}", "has a query"),
        (f"https://10.0.0.1/disk.img?{SECRET}", "has a query"),
        (f"https://example.com/disk.img#{SECRET}", "a fragment"),
        (f"https://example.com?{SECRET}/disk.img", "has a query"),
        (f"https://10.0.0.1/{SECRET}/disk.img", "the host 10.0.0.1,"),
        (f"https://example.com/{SECRET}.xz", "xz"),
        (f"https://example.com/{SECRET}/", "file name"),
        (f"https://example.com/{SECRET} /disk.img", "letter"),
        (f"ftp://{SECRET}/disk.img", "does not begin"),
    ],
)
def test_message_never_repeats_a_secret(url, problem):
    """A user name, a password, a query and a path stay out of the message; the host may be in it."""
    message = refusal(url)

    assert problem in message
    assert SECRET not in message


@pytest.mark.parametrize("end", ["?", "#"])
def test_empty_query_or_fragment_is_refused(end):
    """A mark at the end is a query too, and the URL does not end in a file name."""
    assert "query or a fragment" in refusal(f"https://example.com/disk.img{end}")


def test_token_as_host_is_masked():
    """What looks like a token is masked even where the host is named."""
    token = "dop_v1_" + "0123456789abcdef" * 4

    assert token not in refusal(f"https://{token}/disk.img")


def passes(url):
    try:
        check_address(url)
    except UsageError:
        return False
    return True


@given(st.text("/:@?#[]\\%. \t\nab1-ä", max_size=30).map(lambda text: f"https://{text}.com/disk.img") | st.text())
@example("https://[" + "/disk.img")
@example("https://" + "1" * 400 + "/disk.img")
def test_text_is_refused_unless_all_programs_read_it_alike(url):
    """No text makes another error than UsageError, and none that passes has a letter to be read in two ways."""
    if passes(url):
        assert re.fullmatch(r"https?://[a-z0-9._-]+\.[a-z0-9._-]+(:\d+)?/[!-~]+", url, re.IGNORECASE)
        assert not re.search(r"[\\?# ]", url)


@given(st.from_regex(r"(0x|0)?[0-9a-f]{1,4}(\.(0x|0)?[0-9a-f]{1,4}){0,3}", fullmatch=True) | st.ip_addresses().map(str))
def test_host_that_is_an_address_passes_only_if_public(host):
    """Whatever the C library reads as an IPv4 address passes only as four decimal numbers, and if it is public."""
    try:
        read = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return
    assert passes(f"https://{host}/disk.img") == (
        host == read and IPv4Address(read).is_global and not IPv4Address(read).is_multicast
    )
