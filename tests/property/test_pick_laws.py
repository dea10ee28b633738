"""Laws of a picker's filters: the mask, the Python, the SQL and the magic that are shown mean the same rows."""

import json
import re
from collections import Counter
from contextlib import suppress

import pandas as pd
import pytest
from estate import estate
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import doimages
from doimages.errors import UsageError
from doimages.pick.code import LANGUAGES, MAGIC, PYTHON, SORTS, SQL, Source
from doimages.pick.filters import FILTERS, pattern_of
from doimages.pick.picking import Picking
from doimages.pick.spec import FilterSpec

BACKENDS = (None, "numpy_nullable", "pyarrow")
# Regular expressions that Python's `re` and RE2 read alike for these names. They do not where \w, \d, \s and \b meet
# what is not ASCII, and where $ meets a line's end at the end of a name: a frame of `str` follows `re`, SQL and a
# frame of Arrow follow RE2.
PATTERNS = (
    *("", "^web", "(web|db)-(?P<number>01)", "(?i)WEB", "^[a-z]+-0[12]", r"\.", r"[(]LTS[)]", r"x64$", r"\Aweb"),
    *("two.lines", "(?s)two.lines", "(?m)^lines", "скриншот|🚀", "[0-9]{4}", r"\x1b", "'", '"', r"\\", "/", "^.{0,8}$"),
)
quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def account():
    with estate(size=300) as made:
        yield made


@pytest.fixture(scope="module")
def frames(account):
    """The listing in each dtype backend, and with ``id`` as the index; each row says where it stands."""
    made = {}
    for backend in BACKENDS:
        frame = doimages.read_do_images(client=account.here, dtype_backend=backend)
        frame["place"] = range(len(frame))
        made[backend, "column"], made[backend, "index"] = frame, frame.set_index("id")
    return made


def words_of(frame, column):
    return sorted({word for words in frame[column] if words is not None for word in words})


@pytest.fixture(scope="module")
def known(frames):
    """Values that the filters of the listing may have, and some that no image has."""
    frame = frames[None, "column"]
    names = frame["name"].tolist()
    odd = ["no-such", "it's", 'say "hi"', "\\", "x'; --", "<b>", "\n", "{x}", "VALUE", "VALUES", "distribution", "базА"]
    made = {
        column: [*frame[column].dropna().unique().tolist(), *odd, None] for column in ("type", "status", "distribution")
    }
    made |= {column: [*words_of(frame, column), *odd, "PROD", "Nyc3", None] for column in ("tags", "regions")}
    numbers = {
        column: [*frame[column].dropna().unique().tolist(), 0, 0.1 + 0.2, 7, 1e-05, 2**63, 1e30]
        for column in ("size_gigabytes", "min_disk_size")
    }
    numbers["monthly_cost"] = [*frame.do_images.monthly_cost().dropna().unique().tolist(), 0, 0.01, 0.6, 1e9]
    days = [*frame["created_at"].dropna().dt.strftime("%Y-%m-%d").unique().tolist(), "0001-01-01", "9999-12-31"]
    return {"names": names, "choices": made, "numbers": numbers, "days": days}


def ends(values):
    """Pairs of the least and the most, either left out."""
    one = st.none() | st.sampled_from(values)
    return st.tuples(one, one).map(
        lambda pair: list(pair) if None in pair else sorted(pair),
    )


def texts(names):
    """Parts of the names, in any case, and any other text that SQL can hold."""
    parts = st.sampled_from(names).flatmap(
        lambda name: st.tuples(st.integers(0, len(name)), st.integers(1, 12)).map(
            lambda cut: name[cut[0] : cut[0] + cut[1]]
        )
    )
    cased = st.tuples(parts, st.sampled_from([str, str.upper, str.lower])).map(lambda pair: pair[1](pair[0]))
    free = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
    return (cased | free).filter(lambda text: pattern_of(text) is None) | st.sampled_from(PATTERNS).map("/{}/".format)


def specs(known, *, least=0):
    """Filters, drawn as a state has them."""
    values = {
        "name": texts(known["names"]),
        "age": st.tuples(st.sampled_from("<>"), st.integers(0, 900), st.sampled_from(["min", "h", "d", "w"])).map(
            lambda parts: f"{parts[0]} {parts[1]}{parts[2]}"
        ),
        "created_at": ends(known["days"]),
        "public": st.lists(st.sampled_from([True, False, None]), max_size=3),
        **{key: ends(numbers) for key, numbers in known["numbers"].items()},
        **{key: st.lists(st.sampled_from(words), max_size=4) for key, words in known["choices"].items()},
    }
    assert set(values) == set(FILTERS)
    keys = st.lists(st.sampled_from(sorted(values)), min_size=least, max_size=3, unique=True)
    return keys.flatmap(lambda chosen: st.fixed_dictionaries({key: values[key] for key in chosen}))


sorts = st.none() | st.sampled_from([f"{sign}{column}" for column in SORTS for sign in ("", "-")])


def masked(frame, spec, sort=None):
    """Give where the rows stand that a picker shows, in its order."""
    return Picking(frame, sort=sort, **spec.to_record()).value["place"].tolist()


def run(language, code, frame):
    """Run code of a frame, and give where its rows stand."""
    if language is PYTHON:
        names = {"df": frame, "pd": pd}
        exec(code, names)  # noqa: S102 - what is tested is that it runs
        return names["picked"]["place"].tolist()
    body = code.partition("\n")[2] if language is MAGIC else code
    return doimages.read_do_images(body, frames={"df": frame})["place"].tolist()


@given(data=st.data(), kind=st.sampled_from([(one, how) for one in BACKENDS for how in ("column", "index")]))
@quick
def test_code_means_the_rows_that_are_shown(frames, known, data, kind):
    """The rows of the mask, and their order, are those of the Python, the SQL and the magic, in every backend."""
    frame = frames[kind]
    spec = FilterSpec.of(**data.draw(specs(known)))
    # SQL sees no index: it can neither give ids that are one, nor sort by them.
    sort = data.draw(sorts) if kind[1] == "column" else None

    expected = masked(frame, spec, sort)

    for language in LANGUAGES:
        code = spec.to_code(language, Source.FRAME, sort)
        assert run(language, code, frame) == expected, code


@given(data=st.data(), kind=st.sampled_from(BACKENDS))
@settings(quick, max_examples=15)
def test_python_of_an_index_is_sorted_alike(frames, known, data, kind):
    """Where the index is ``id``, the Python that is shown sorts by it, too."""
    spec, sort = FilterSpec.of(**data.draw(specs(known))), data.draw(sorts)
    frame = frames[kind, "index"]
    assert run(PYTHON, spec.to_python(Source.FRAME, sort), frame) == masked(frame, spec, sort)


@given(data=st.data(), source=st.sampled_from([Source.ALL, Source.OWN]))
@example(data={"type": ["application", "distribution"]}, source=Source.ALL)
@example(data={"type": ["application", "base", None], "tags": ["prod", None]}, source=Source.ALL)
@example(data={"type": ["distribution", "snapshot"], "regions": ["nyc3"]}, source=Source.OWN)
@settings(quick, max_examples=12)
def test_code_of_a_listing_means_the_rows_that_are_shown(account, frames, known, data, source):
    """What is read by the code of a listing are the rows that a picker of that listing shows."""
    is_drawn = not isinstance(data, dict)
    spec = FilterSpec.of(**(data.draw(specs(known)) if is_drawn else data))
    sort = data.draw(sorts) if is_drawn else None
    frame = doimages.read_do_images(private=source is Source.OWN, client=account.here)
    picking = Picking(frame, sort=sort, **spec.to_record())
    expected = picking.value["id"].tolist()
    assert picking.source is source

    names = {"pd": Reading(account.here)}
    exec(spec.to_python(source, sort), names)  # noqa: S102 - what is tested is that it runs
    body = spec.to_magic(source, sort).partition("\n")[2]

    assert names["picked"]["id"].tolist() == expected
    assert body == spec.to_sql(source, sort)
    assert doimages.read_do_images(body, client=account.here)["id"].tolist() == expected


class Reading:
    """pandas, with a client for its reader."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(pd, name)

    def read_do_images(self, **arguments):
        return doimages.read_do_images(client=self._client, **arguments)


@given(data=st.data(), source=st.sampled_from(Source))
@settings(quick, max_examples=40)
def test_code_is_read_back(frames, known, data, source):
    """What was written in any language is read back as the same rows; a record is the same filters."""
    spec, sort = FilterSpec.of(**data.draw(specs(known))), data.draw(sorts)
    record = json.loads(json.dumps(spec.to_record()))

    assert FilterSpec.of(**record) == spec
    for language in LANGUAGES:
        again = FilterSpec.from_code(spec.to_code(language, source, sort))
        # What it says may be written otherwise: >48h is >2 days, a tag in small letters, a pattern without groups.
        assert again.to_code(language, source, sort) == spec.to_code(language, source, sort)
        assert set(again.given) == set(spec.given)
    assert masked(frames[None, "column"], again) == masked(frames[None, "column"], spec)


# What a hand may put into code, or a picker of another day.
SPARE = {
    PYTHON: (
        *("|", "&", "~", "-", "\n", "(", ")", "[", "]", "None", "True", "5", '"5"', '"WEB"', '"web"', '"/web/"', '""'),
        *("[None]", "<", ">=", "==", "isin", "isna", "notna", '"name"', '"tags"', ".head(3)", "#", ", None", "b"),
    ),
    SQL: (
        *("OR", "AND", "NOT", "-", "\n", "(", ")", "NULL", "true", "5", "'5'", "'WEB'", "'web'", "'/web/'", "''", "--"),
        *("<", ">=", "=", "IN", "IS", "name", "type", "'distribution'", "LIMIT", "DESC", ", 'PROD'", "/*", "E"),
    ),
}
SPARE[MAGIC] = SPARE[SQL]
_TOKEN = re.compile(r"\"[^\"\n]*\"|'[^']*'|\s+|\w+|.", re.DOTALL)


def mutated(code, draw, spare):
    """Take a word out, put one in, write one for another, or let two change places; once or twice."""
    tokens = _TOKEN.findall(code)
    for _ in range(draw(st.integers(1, 2))):
        at, other = (draw(st.integers(0, len(tokens) - 1)) for _ in range(2))
        word = draw(st.sampled_from([*spare, *tokens]))
        match draw(st.sampled_from(["out", "in", "for", "swap"])):
            case "out":
                tokens[at] = " "
            case "in":
                tokens[at] += f" {word} " if word != "\n" else word
            case "for":
                tokens[at] = word
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
    return "".join(tokens)


@pytest.mark.filterwarnings("ignore")  # of Python, about code that was made to be wrong
@given(data=st.data(), language=st.sampled_from(LANGUAGES))
@settings(quick, max_examples=150)
def test_code_of_another_hand_is_refused_or_means_the_same(frames, known, data, language):
    """Code that was edited is refused by a UsageError, or the picker shows the rows that it gives."""
    frame = frames[None, "column"].head(60)
    spec, sort = FilterSpec.of(**data.draw(specs(known, least=1))), data.draw(sorts)
    code = mutated(spec.to_code(language, Source.FRAME, sort), data.draw, SPARE[language])
    try:
        read = FilterSpec.from_code(code)
    except UsageError:
        return
    rows = None
    with suppress(Exception):  # code that does not run gives no rows
        rows = run(language, code, frame)
    assume(rows is not None)

    assert sorted(rows) == sorted(masked(frame, read)), code


def as_it_is(value):
    return None if not isinstance(value, (list, tuple)) and pd.isna(value) else value


@given(data=st.data(), kind=st.sampled_from(BACKENDS))
@example(data=None, kind=None)
@quick
def test_counts_are_those_of_the_other_filters(frames, known, data, kind):
    """A facet counts the rows that fit all other filters, a word once a row whatever its case, and keeps zeros."""
    spec = FilterSpec.of(**(data.draw(specs(known)) if data else {}))
    picking = Picking(frames[kind, "column"], **spec.to_record())
    plain = frames[None, "column"]

    for key, counts in picking.counts.items():
        rest = FilterSpec.of(**{name: value for name, value in spec.to_record().items() if name != key})
        fitting = set(run(PYTHON, rest.to_python(Source.FRAME), frames[kind, "column"]))
        cells = [as_it_is(value) for value in plain[key]]
        if key in {"tags", "regions"}:
            cells = [sorted({word.casefold() for word in words or ()}) or [None] for words in cells]
        else:
            cells = [[value] for value in cells]
        expected = Counter({value: 0 for words in cells for value in words})
        expected.update(value for place in fitting for value in cells[place])

        assert dict(zip(picking.rows.facets[key].words, counts, strict=True)) == dict(expected)
