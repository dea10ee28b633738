"""Where the token comes from, in which order, and where it may be sent."""

import os
import sys
import types

import pytest
from scripted import CANARY

from doimages.api.connect import close_all, connect, shared_client
from doimages.api.credentials import check_base_url, clean_token, doctl_contexts, find_credentials
from doimages.errors import CredentialsError, UsageError
from doimages.reader import read_do_images
from doimages.settings import Resolved, options

HOME = "https://api.digitalocean.com"
DOCTL = """\
access-token: token-of-doctl-default
auth-contexts:
  work: token-of-doctl-work
context: work
"""


def find(token=None, **arguments):
    """Find credentials as connect does."""
    base_url = options.resolve("base_url", arguments.get("base_url"))
    return find_credentials(token, base_url, options.resolve("context", arguments.get("context")))


def token_and_source(token=None, **arguments):
    found = find(token, **arguments)
    return found.secret.reveal(), found.source


@pytest.fixture
def doctl(tmp_path):
    folder = tmp_path / "config" / "doctl"
    folder.mkdir(parents=True)
    path = folder / "config.yaml"
    path.write_text(DOCTL, encoding="utf-8")
    return path


@pytest.fixture
def keyring(monkeypatch):
    """Put a module in the place of keyring: its ``passwords``, and ``fails`` as on a bare server."""
    fake, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})
    fake.passwords = {("doimages", "token"): "token-of-the-keyring"}
    fake.fails = False

    def get_password(service, name):
        if fake.fails:
            raise errors.KeyringError("no backend")
        return fake.passwords.get((service, name))

    fake.get_password = get_password
    monkeypatch.setitem(sys.modules, "keyring", fake)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return fake


def test_order(doctl, keyring, monkeypatch):
    """Argument, named context, $DIGITALOCEAN_TOKEN, $DIGITALOCEAN_ACCESS_TOKEN, keyring: the first that is there."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "token-of-variable-one")
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", "token-of-variable-one")

    assert token_and_source("token-of-argument", context="work") == ("token-of-argument", "the token argument")
    assert token_and_source(context="work") == ("token-of-doctl-work", "doctl's context work")
    assert token_and_source() == ("token-of-variable-one", "$DIGITALOCEAN_TOKEN")
    monkeypatch.delenv("DIGITALOCEAN_TOKEN")
    assert token_and_source() == ("token-of-variable-one", "$DIGITALOCEAN_ACCESS_TOKEN")
    monkeypatch.delenv("DIGITALOCEAN_ACCESS_TOKEN")
    assert token_and_source() == ("token-of-the-keyring", "the keyring")


def test_no_token():
    """Without a token the error tells where it was looked for, and three ways to go on."""
    with pytest.raises(CredentialsError) as got:
        find()

    said = str(got.value)
    for looked_at in ("token argument", "$DIGITALOCEAN_TOKEN", "$DIGITALOCEAN_ACCESS_TOKEN", "keyring"):
        assert looked_at in said
    for way in ("Set $DIGITALOCEAN_TOKEN", "context='...'", "base_url='sandbox'"):
        assert way in said


def test_no_token_starts_no_sandbox():
    """Nothing falls back to the sandbox silently."""
    with pytest.raises(CredentialsError):
        read_do_images()


def test_empty_variable_is_none(monkeypatch):
    """A variable that is set to nothing counts as not set."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "")
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", "token-of-variable-two")

    assert token_and_source() == ("token-of-variable-two", "$DIGITALOCEAN_ACCESS_TOKEN")


def test_variables_differ(monkeypatch):
    """Two variables with different tokens: the first is used, and the source says so."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "token-of-variable-one")
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", "token-of-variable-two")

    assert token_and_source() == (
        "token-of-variable-one",
        "$DIGITALOCEAN_TOKEN ($DIGITALOCEAN_ACCESS_TOKEN differs and is not used)",
    )


def test_context_of_a_variable(doctl, monkeypatch):
    """$DIGITALOCEAN_CONTEXT names a context, which goes before a token of the environment."""
    monkeypatch.setenv("DIGITALOCEAN_CONTEXT", "work")
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "token-of-variable-one")

    assert token_and_source() == ("token-of-doctl-work", "doctl's context work")


def test_contexts(doctl):
    """The contexts of doctl are its default and the named ones; names may be written in capitals."""
    assert doctl_contexts() == ["default", "work"]
    assert token_and_source(context="default")[0] == "token-of-doctl-default"
    assert token_and_source(context="Work")[0] == "token-of-doctl-work"


def test_context_is_not_taken_unnamed(doctl):
    """The context that doctl uses now is not used here unless it is named."""
    with pytest.raises(CredentialsError, match="No token"):
        find()


def test_unknown_context(doctl):
    """An unknown context is refused with the known ones, whatever else there is."""
    with pytest.raises(
        CredentialsError, match=r"doctl has no context 'home'\. It has default, work\. Nothing was sent"
    ):
        find(context="home")


def test_no_doctl(tmp_path):
    """A context without a configuration of doctl is refused with the place of the file."""
    with pytest.raises(CredentialsError, match=r"No configuration of doctl is at .*config\.yaml"):
        find(context="work")

    assert not (tmp_path / "config" / "doctl").exists()


@pytest.mark.parametrize(
    "text", [f"access-token: [{CANARY}", f"{CANARY}: :\n- x", "access-token: \xff"], ids=["open", "mixed", "latin-1"]
)
def test_broken_doctl(doctl, text):
    """A file of doctl that is no YAML is refused without a word of what is in it."""
    doctl.write_text(text, encoding="latin-1")

    with pytest.raises(
        CredentialsError, match=r"^doctl's config.yaml cannot be read, or not as YAML\. Nothing was sent\.$"
    ):
        find(context="default")


@pytest.mark.parametrize("text", ["", "- a list\n", "auth-contexts: none\n", "access-token: ''\n"])
def test_doctl_without_tokens(doctl, text):
    """A file of doctl without tokens has no contexts."""
    doctl.write_text(text, encoding="utf-8")

    assert doctl_contexts() == []
    with pytest.raises(CredentialsError, match="doctl has no context 'work'"):
        find(context="work")


@pytest.mark.parametrize("fails", [False, True], ids=["empty", "no backend"])
def test_keyring_without_token(keyring, fails):
    """A keyring that is empty, or has no backend, is passed over."""
    keyring.passwords.clear()
    keyring.fails = fails

    with pytest.raises(CredentialsError, match="No token"):
        find()


def test_no_keyring(monkeypatch):
    """Without the extra the keyring is passed over."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(CredentialsError, match="No token"):
        find()


@pytest.mark.parametrize(
    "text",
    [
        f" {CANARY}\n",
        f"'{CANARY}'",
        f'"{CANARY}"',
        f"Bearer {CANARY}",
        f"bearer  {CANARY}",
        f" 'Bearer {CANARY}' ",
        f"\t{CANARY}\r\n",
    ],
)
def test_cleaned(text):
    """What copying brings along is taken off."""
    assert clean_token(text, "a test").reveal() == CANARY


def test_word_within_a_token():
    """Only a leading Bearer is taken off."""
    assert clean_token("a-token-of-a-bearer", "a test").reveal() == "a-token-of-a-bearer"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "''",
        "Bearer ",
        f"{CANARY} {CANARY}",
        f"{CANARY}\nX-Evil: 1",
        f"{CANARY}\r\nX-Evil: 1",
        f"{CANARY}\x00",
        f"{CANARY}\x7f",
        f"{CANARY}é",
        f"{CANARY}\u200b",
        f"{CANARY}\u2028{CANARY}",
        f"{CANARY}\udcff",
    ],
)
def test_refused(text):
    """A token that cannot be a header is refused with its source and is not shown."""
    with pytest.raises(CredentialsError, match="The token from the place of a test is empty, or has") as got:
        clean_token(text, "the place of a test")

    assert CANARY[:20] not in repr(got.value)
    assert "evil" not in repr(got.value).lower()


@pytest.mark.parametrize("token", [b"dop_v1_0123456789abcdef", 5, True])
def test_no_text(token):
    """A token that is no text is refused with its type."""
    with pytest.raises(CredentialsError, match=rf"is no text but a {type(token).__name__}\.$") as got:
        clean_token(token, "the token argument")

    assert "0123456789abcdef" not in str(got.value)


def test_refused_argument_is_final(monkeypatch):
    """An empty token argument is refused, and not replaced by another token."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)

    with pytest.raises(CredentialsError, match="The token from the token argument is empty"):
        connect(token="")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (HOME, HOME),
        (f" {HOME}/ ", HOME),
        ("HTTPS://API.DigitalOcean.com", HOME),
        ("https://proxy.test:8443/do/", "https://proxy.test:8443/do"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_base_url(text, url):
    """An address is https, or http on this machine, and has no slash at its end."""
    assert check_base_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://api.digitalocean.com",
        "http://127.0.0.1.evil.test",
        "http://localhost.evil.test",
        "http://10.0.0.1",
        "http://[::2]",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "api.digitalocean.com",
        "//api.digitalocean.com",
        "https://",
        "https://:443",
        "https://host.test?x=1",
        "https://host.test#x",
        "https://host.test:99999",
        "https://[::1",
        "https://a b.test",
        "https://host.test\\evil",
        "https://host.test/\x00",
        "",
    ],
)
def test_base_url_refused(text):
    """Any other address is refused before anything is sent."""
    with pytest.raises(UsageError, match=r"(Nothing was sent|use https://)\.$"):
        check_base_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@api.digitalocean.com",
        "https://hunter2@api.digitalocean.com",
        "http://127.0.0.1@hunter2.test",
        "https://user:hunter2@",
        "user:hunter2@api.digitalocean.com",
        "ftp://user:hunter2@api.digitalocean.com",
    ],
)
def test_user_name_in_the_base_url(text):
    """A user name or password in the address is refused and not shown."""
    with pytest.raises(UsageError, match="user name or password in it; give a token instead") as got:
        check_base_url(text)

    assert "hunter2" not in str(got.value)


def test_token_of_the_environment_stays_home(monkeypatch):
    """A token of the environment goes to api.digitalocean.com, whoever names that."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)

    assert find(base_url=HOME).base_url == HOME
    assert find().base_url == HOME


def test_address_of_an_argument(monkeypatch):
    """A token of the environment is not sent to an address that an argument names."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)

    with pytest.raises(CredentialsError, match=r"not sent to evil.test:8443, which argument names.*Nothing was sent"):
        find(base_url="https://evil.test:8443")


@pytest.mark.parametrize("host", ["api.digitalocean.com.evil.test", "digitalocean.com", "api-digitalocean.com"])
def test_hosts_that_look_like_home(monkeypatch, host):
    """A host that looks like the API's is another host."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)

    with pytest.raises(CredentialsError, match="is not sent to"):
        find(base_url=f"https://{host}")


def test_address_of_a_project(monkeypatch, tmp_path):
    """A token of the environment is not sent to an address that a pyproject.toml names."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    (tmp_path / "pyproject.toml").write_text('[tool.doimages]\nbase_url = "https://evil.test"\n', encoding="utf-8")

    with pytest.raises(CredentialsError, match=r"not sent to evil.test, which pyproject.toml names"):
        find()


def test_address_of_options(monkeypatch):
    """A token of the environment is not sent to an address that options name."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)

    with options.option_context(base_url="https://other.test"), pytest.raises(CredentialsError, match="options names"):
        find()


def test_both_of_the_environment(monkeypatch):
    """A token and an address of the environment belong together."""
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", CANARY)
    monkeypatch.setenv("DIGITALOCEAN_API_URL", "https://other.test")

    assert find().base_url == "https://other.test"


@pytest.mark.parametrize("source", ["context", "keyring"])
def test_address_of_the_environment(doctl, keyring, monkeypatch, source):
    """An address of the environment gets no token of doctl or of the keyring."""
    monkeypatch.setenv("DIGITALOCEAN_API_URL", "https://other.test")

    with pytest.raises(CredentialsError, match=r"is not sent to other.test, which \$DIGITALOCEAN_API_URL names"):
        find(context="work" if source == "context" else None)


def test_both_in_one_call():
    """A token and an address that are given in one call belong together."""
    assert find(CANARY, base_url="https://other.test").base_url == "https://other.test"


def test_client_repr():
    """A client tells its address and where its token is from."""
    with connect(token=CANARY) as client:
        assert repr(client) == "Client(https://api.digitalocean.com, token from the token argument)"


def test_sandbox():
    """The word sandbox starts the embedded one and takes its token, whatever else there is."""
    with connect(token=CANARY, base_url="sandbox") as client:
        assert client.source == "the embedded sandbox"
        assert client.base_url.startswith("http://127.0.0.1:")
        assert len(read_do_images(client=client, max_results=2)) == 2


def test_sandbox_of_the_environment(monkeypatch):
    """$DIGITALOCEAN_API_URL may be the word sandbox; a token of the environment is then not used."""
    monkeypatch.setenv("DIGITALOCEAN_API_URL", "sandbox")
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)

    assert len(read_do_images(max_results=2)) == 2
    assert shared_client().source == "the embedded sandbox"
    close_all()


def test_shared_client(monkeypatch):
    """Calls that name no client share one, until the token changes."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)
    first = shared_client()
    assert shared_client() is first

    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "another-token-of-the-same-variable")

    assert shared_client() is not first
    close_all()


def test_nothing_is_written(tmp_path, monkeypatch):
    """Finding a token writes no file."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", CANARY)

    find()

    assert os.listdir(tmp_path) == []  # noqa: PTH208 - the names are enough


def test_resolved_by_hand():
    """The source of an address is what find_credentials goes by, not its value."""
    found = find_credentials(CANARY, Resolved("https://other.test", "argument"), Resolved(None, "default"))

    assert (found.source, found.base_url) == ("the token argument", "https://other.test")
