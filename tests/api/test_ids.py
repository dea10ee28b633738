"""What counts as an id, a slug or a tag before it is put into a path."""

import numpy as np
import pandas as pd
import pytest

from doimages.api.ids import MOST_ID, check_tag, image_key, image_keys, image_number
from doimages.errors import UsageError


@pytest.mark.parametrize(
    "value", [7, 7.0, "7", np.int64(7), np.float64(7.0)], ids=lambda value: f"{type(value).__name__}"
)
def test_whole_number_is_a_plain_int(value):
    """Whatever kind of number it was, an id is an int."""
    assert (image_number(value), type(image_number(value))) == (7, int)


@pytest.mark.parametrize("value", [1, MOST_ID, str(MOST_ID)], ids=repr)
def test_ids_go_from_one_to_what_int64_holds(value):
    """The largest id is kept to the last digit."""
    assert image_number(value) == int(value)


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, None, 0, -7, 7.5, MOST_ID + 1, float("nan"), float("inf"), pd.NA, np.bool_(True), b"7", [7]),
        *("", "0", "007", "7.0", "1e3", "0x7", " 7", "7\n", "+7", "7_000", "७", "slug", str(MOST_ID + 1)),
    ],
    ids=lambda value: f"{type(value).__name__}-{value!r}",
)
def test_anything_else_is_no_number(value):
    """int() takes more than a path may hold."""
    with pytest.raises(UsageError, match=r"is no image id: an id is a whole number above zero\. Nothing was sent\.$"):
        image_number(value)


@pytest.mark.parametrize(
    ("value", "key"),
    [("ubuntu-24-04-x64", "ubuntu-24-04-x64"), ("A.b_c-1", "A.b_c-1"), ("s" * 255, "s" * 255), ("42", 42), (42.0, 42)],
)
def test_slug_stays_as_it_is_and_digits_are_an_id(value, key):
    """Text of digits is an id, other text a slug."""
    assert image_key(value) == key


@pytest.mark.parametrize(
    "value", ["", ".", "..", "../x", "-x", "a/b", "a?b", "a#b", "a%2fb", "a b", "a\n", "é", "s" * 256, "007", "0"]
)
def test_text_that_would_bend_a_path_is_refused(value):
    """A slug has no letter that means something in a path."""
    with pytest.raises(UsageError):
        image_key(value)


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        (7, [7]),
        ("web", ["web"]),
        ([3, "web", 3.0, "3", 1, "web"], [3, "web", 1]),
        (pd.Series([2.0, 1.0]), [2, 1]),
        (np.array([2, 2, 1]), [2, 1]),
        ((i for i in (5, 4)), [5, 4]),
        ((), []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_key_once_in_the_order_asked(values, keys):
    """One value or many: each once, in their order."""
    assert image_keys(values) == keys


@pytest.mark.parametrize("tag", ["web", "env:prod", "a_b-C9", "t" * 255])
def test_tag_of_the_apis_letters_passes(tag):
    """Letters, digits, underscore, colon and dash."""
    assert check_tag(tag) == tag


@pytest.mark.parametrize("tag", ["", "a b", "a/b", "здорово", "t" * 256, "a\n", None, 5, ["web"]], ids=repr)
def test_other_tags_are_refused(tag):
    """Anything else would bend the path or be refused by the API."""
    with pytest.raises(UsageError, match=r"is no tag: letters, digits, '_', ':' and '-', 1 to 255 of them\. Nothing"):
        check_tag(tag)
