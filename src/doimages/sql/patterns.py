"""SQLite's patterns as regular expressions, where DuckDB's match otherwise.

DuckDB's GLOB negates with ! and has an escape; its ILIKE fails on an escape that is escaped (measured, 2.0.1).
"""

import re

_NOTHING = r"[^\s\S]"


def glob_to_regex(pattern: str) -> str:
    """Translate a pattern of GLOB that is to match the whole of a text."""
    made, place = "(?s)", 0
    while place < len(pattern):
        letter = pattern[place]
        end = _end_of_set(pattern, place) if letter == "[" else -1
        if end > 0:
            made += _set(pattern[place + 1 : end])
            place = end
        elif letter == "[":
            return _NOTHING  # a set that is not closed
        else:
            made += {"*": ".*", "?": "."}.get(letter) or re.escape(letter)
        place += 1
    return made


def like_to_regex(pattern: str, escape: str) -> str:
    """Translate a pattern of LIKE with an escape; one that ends with the escape matches nothing, as in SQLite."""
    made = "(?is)"
    letters = iter(pattern)
    for letter in letters:
        if letter == escape:
            following = next(letters, None)
            if following is None:
                return _NOTHING
            made += re.escape(following)
        else:
            made += {"%": ".*", "_": "."}.get(letter) or re.escape(letter)
    return made


def _end_of_set(pattern: str, start: int) -> int:
    """Find the bracket that closes a set; right behind the opening one it is a member."""
    first = start + 1 + (pattern[start + 1 : start + 2] == "^")
    return pattern.find("]", first + 1)


def _set(members: str) -> str:
    is_negated = members.startswith("^")
    members = members[is_negated:]
    parts = []
    place = 0
    while place < len(members):
        if members[place + 1 : place + 2] == "-" and place + 2 < len(members):
            low, high = members[place], members[place + 2]
            parts.append(f"{_member(low)}-{_member(high)}" if low <= high else "")
            place += 3
        else:
            parts.append(_member(members[place]))
            place += 1
    inside = "".join(parts)
    if not inside:
        return r"[\s\S]" if is_negated else r"[^\s\S]"
    return f"[{'^' if is_negated else ''}{inside}]"


def _member(letter: str) -> str:
    return letter if letter.isalnum() or not letter.isascii() else f"\\{letter}" if letter.isprintable() else letter
