"""The tree of errors: its shape, what every error tells, and its way through a pickle."""

import copy
import pickle

import pytest
from scripted import CANARY

import doimages
from doimages import errors
from doimages.errors import (
    APIError,
    ApplyError,
    AuthenticationError,
    ConflictError,
    CredentialsError,
    DecodeError,
    DOImagesError,
    ForbiddenError,
    InvalidRequestError,
    ListingError,
    NotConfirmedError,
    NotFoundError,
    RateLimitError,
    ServerError,
    StatementError,
    TransportError,
    UnknownColumnError,
    UnsupportedError,
    UsageError,
)

TREE = {
    DOImagesError: Exception,
    UsageError: DOImagesError,
    StatementError: UsageError,
    UnknownColumnError: UsageError,
    UnsupportedError: UsageError,
    CredentialsError: DOImagesError,
    NotConfirmedError: DOImagesError,
    ApplyError: DOImagesError,
    TransportError: DOImagesError,
    APIError: DOImagesError,
    InvalidRequestError: APIError,
    AuthenticationError: APIError,
    ForbiddenError: APIError,
    NotFoundError: APIError,
    ConflictError: APIError,
    RateLimitError: APIError,
    ServerError: APIError,
    DecodeError: DOImagesError,
    ListingError: DOImagesError,
}
RETRYABLE = {ConflictError, RateLimitError, ServerError, ListingError}

# What single errors are told beside the message.
ATTRIBUTES = {
    StatementError: {"line": 2, "column": 3, "hint": "try SELECT"},
    NotConfirmedError: {"plan": "a plan"},
    ApplyError: {"report": "a report"},
    TransportError: {"in_doubt": True, "retryable": True, "status": 302},
    DecodeError: {"column": "id", "value": [1.5]},
}


def make(kind):
    """Make an error of a kind, with every attribute it takes."""
    if issubclass(kind, APIError):
        return kind(
            "GET /v2/images/1: no.",
            status=418,
            method="GET",
            url="/v2/images/1",
            api_id="teapot",
            request_id="r-1",
            retry_after=5.0,
        )
    if kind is UnknownColumnError:
        return kind("naem", ("id", "name"))
    return kind("no.", **ATTRIBUTES.get(kind, {}))


def test_tree():
    """The errors are these, each below the one it is a kind of."""
    found = {item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, DOImagesError)}

    assert found == set(TREE)
    assert {kind: kind.__bases__[0] for kind in found} == TREE


def test_tree_is_drawn():
    """The drawing at the top of the file names every error."""
    assert [kind.__name__ for kind in TREE if kind.__name__ not in errors.__doc__] == []


def test_usage_is_a_value_error():
    """A wrong argument is a ValueError to who catches that."""
    assert issubclass(UsageError, ValueError)


def test_public():
    """Every error is a public name."""
    assert [kind.__name__ for kind in TREE if getattr(doimages, kind.__name__, None) is not kind] == []


@pytest.mark.parametrize("kind", TREE)
def test_attributes_of_every_error(kind):
    """Status, request id, retry-after and retryable can be read on every error."""
    error = make(kind)

    assert error.status == (418 if issubclass(kind, APIError) else 302 if kind is TransportError else None)
    assert error.request_id == ("r-1" if issubclass(kind, APIError) else None)
    assert error.retry_after == (5.0 if issubclass(kind, APIError) else None)
    assert error.retryable is (kind in RETRYABLE or kind is TransportError)


def test_attributes_of_single_errors():
    """What only some errors know can be read on those."""
    api = make(NotFoundError)
    assert (api.method, api.url, api.api_id) == ("GET", "/v2/images/1", "teapot")
    statement = make(StatementError)
    assert (statement.line, statement.column, statement.hint) == (2, 3, "try SELECT")
    assert make(UnknownColumnError).suggestions == ["name"]
    assert make(TransportError).in_doubt is True
    decode = make(DecodeError)
    assert (decode.column, decode.value) == ("id", [1.5])
    assert make(NotConfirmedError).plan == "a plan"
    assert make(ApplyError).report == "a report"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", TREE)
def test_pickled(kind, protocol):
    """An error comes through a pickle with its class, message, attributes and notes."""
    error = make(kind)
    error.add("And more.")
    error.add_note("a note")

    back = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - of our own making

    assert type(back) is kind
    assert str(back) == str(error)
    assert back.args == error.args
    assert vars(back) == vars(error)


@pytest.mark.parametrize("kind", TREE)
def test_copied(kind):
    """A copy of an error is like it."""
    assert vars(copy.copy(make(kind))) == vars(make(kind))
    assert str(copy.deepcopy(make(kind))) == str(make(kind))


@pytest.mark.parametrize("kind", TREE)
def test_masked(kind):
    """A token in a message, and in what is added to it, is masked when it is made."""
    error = make(kind)
    error.add(f"It was {CANARY}.")

    assert str(error).endswith(" It was ***.")


def test_masked_attributes():
    """A token in the address or the value is masked."""
    api = APIError("no.", status=400, method="GET", url=f"/v2/images?token={CANARY}")
    assert api.url == "/v2/images?token=***"
    assert DecodeError("no.", value=f"a {CANARY}").value == "a ***"


def test_masked_before_the_parent_sees_it():
    """A token is in no argument of the error, where a traceback or a logger would find it."""
    assert CANARY not in repr(DOImagesError(f"Bearer {CANARY}"))


@pytest.mark.parametrize("kind", TREE)
def test_shown_in_a_notebook(kind):
    """A notebook shows the name and the message of an error, in three lines at most."""
    shown = make(kind)._render_traceback_()

    assert shown[0].startswith(f"{kind.__name__}: ")
    assert len(shown) <= 3


def test_suggestions():
    """An unknown column is answered with the close ones, or else with all."""
    assert str(UnknownColumnError("naem", ("id", "name"))) == "no column 'naem' in images. Did you mean 'name'?"
    assert str(UnknownColumnError("zzz", ("id", "name"))) == "no column 'zzz' in images. Known: id, name."
    assert UnknownColumnError("zzz", ("id",)).suggestions == []


def test_unknown_name():
    """Any other unknown name is answered likewise, even if it is no text."""
    assert str(errors.unknown_name("type", "snapshoot", ("snapshot", "base"))).endswith("Did you mean 'snapshot'?")
    assert str(errors.unknown_name("type", 5, ("snapshot",))) == "no type '5'. Known: snapshot."


@pytest.mark.parametrize(
    ("statement", "word", "line", "column", "shown"),
    [
        ("SELECT nmae", "nmae", 1, 8, ("SELECT nmae", "       ^^^^")),
        ("SELECT\n  nmae\nFROM x", "nmae", 2, 3, ("  nmae", "  ^^^^")),
        ("SELECT\r\n nmae\r\n", "nmae", 2, 2, (" nmae ", " ^^^^")),
        ("\n\nSELECT '\u2028\x0b', nmae", "nmae", 3, 14, ("SELECT '  ', nmae", "             ^^^^")),
        ("SELECT 'a\nb' || nmae", "'a\nb'", 1, 8, ("SELECT 'a", "       ^^")),
        ("\tnmae\x1b[0m", "nmae", 1, 2, (" nmae [0m", " ^^^^")),
        ("é🚀 nmae", "nmae", 1, 4, ("é🚀 nmae", "   ^^^^")),
        (" " * 200 + "nmae" + "x" * 200, "nmae", 1, 201, (" " * 96 + "nmae", " " * 96 + "^^^^")),
        ("n" * 300, "n" * 300, 1, 1, ("n" * 100, "^" * 100)),
    ],
)
def test_pointing(statement, word, line, column, shown):
    """An error points at a word: its line, shown as one a terminal does not obey, and carets below."""
    start = statement.index(word)
    error = UsageError("no.").mark(statement, start, start + len(word))

    assert (error.line, error.column) == (line, column)
    assert str(error).split("\n") == ["no.", *(f"  {text}" for text in shown)]
    assert error._render_traceback_() == ["UsageError: no.", *(f"  {text}" for text in shown)]


def test_more_is_said_before_the_place():
    """What is added to an error that points at a word stands in its message, above the line and the carets."""
    error = StatementError("no.").mark("SELECT nmae", 7, 11)
    error.add(f"It was {CANARY}.")

    assert str(error).split("\n") == ["no. It was ***.", "  SELECT nmae", "         ^^^^"]


@pytest.mark.parametrize("statement", ["", " ", "\n", "SELECT", "SELECT\n", "SELECT\n\n"])
def test_pointing_at_the_end(statement):
    """Behind the last word, where something is missing, there is one caret; an empty text has a place too."""
    error = UsageError("no.").mark(statement, len(statement), len(statement) + 1)

    assert error.line == statement.count("\n") + 1
    assert str(error).count("^") == 1
    assert len(error._render_traceback_()) == 3


def test_no_place():
    """An error that is about no statement has no line and no column; one about all of it has the first."""
    assert (UsageError("no.").line, UsageError("no.").column) == (None, None)
    assert (UnknownColumnError("naem", ("name",)).line, UnsupportedError("no.").column) == (None, None)
    assert (StatementError("no.").line, StatementError("no.").column) == (1, 1)


def test_a_message_that_quotes_a_statement_moves_no_cursor():
    """Letters of control in it are spaces; a token in the line that is shown is masked."""
    assert str(StatementError("no \x1b[31m\n'x'.", hint="y\rz")) == "no  [31m 'x'. y z"
    assert CANARY not in str(UsageError("no.").mark(f"SELECT '{CANARY}', nmae", 0, 6))


def test_nothing_is_known():
    """Where there are no names at all, none are listed."""
    assert str(UnknownColumnError("x", (), "a query without FROM")) == "no column 'x' in a query without FROM."
