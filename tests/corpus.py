"""Statements of every form, attacks among them, and what makes others of them."""

import random
import re
from collections.abc import Iterator

READS = (
    "SELECT id, name FROM digitalocean.images.images",
    "SELECT * FROM images WHERE private = true AND tag_name = 'prod'",
    "SELECT id, type FROM images WHERE type IN ('snapshot', 'backup') ORDER BY created_at DESC LIMIT 3",
    "SELECT id FROM images WHERE image_id = 'ubuntu-24-04-x64'",
    "SELECT id FROM digitalocean.compute.images WHERE id IN (200002364, 112006329) AND NOT public",
    "SELECT count(*) FROM images WHERE type = 'distribution'",
    "SELECT distribution, count(*) AS n FROM images GROUP BY distribution HAVING count(*) > 2 ORDER BY n DESC",
    "SELECT DISTINCT type FROM images WHERE created_at LIKE '2026-1%' OR name ILIKE 'web%' LIMIT 5 OFFSET 1",
    "WITH a AS (SELECT id FROM images WHERE private = true) SELECT count(*) AS n FROM a",
    "SELECT a.id FROM images a LEFT JOIN images b ON a.id = b.id AND b.type = 'base' WHERE b.id IS NULL",
    "SELECT i.name, d.memory FROM images i JOIN droplets d ON d.image_id = i.id WHERE d.memory > :least",
    "SELECT id FROM images WHERE tag_name = :tag AND created_at > :since AND id IN :ids",
    "SELECT name, row_number() OVER (PARTITION BY distribution ORDER BY id DESC) AS rn FROM images QUALIFY rn = 1",
    "SELECT a.id, a.status FROM digitalocean.images.actions a WHERE a.image_id = 200002364",
    "SELECT json_extract(regions, '$[0]') r, json_array_length(tags), iif(public, 'y', 'n') FROM images LIMIT 2",
    "SELECT i.id, t.value FROM images i, json_each(i.tags) t WHERE t.value LIKE 'env:%'",
    "SELECT strftime('%Y-%m', max(created_at), '+1 day'), total(size_gigabytes), group_concat(name, ';') FROM images",
    "SELECT list_transform(tags, lambda t: upper(t)), regions[1], [t FOR t IN tags IF t <> 'x'] FROM images",
    "SELECT id FROM images EXCEPT SELECT id FROM images WHERE public UNION ALL SELECT 1",
    "SELECT CASE WHEN size_gigabytes > 1.5e1 THEN 'big' ELSE 'small' END AS s, created_at - INTERVAL 3 DAY FROM images",
    "FROM images SELECT name WHERE min_disk_size BETWEEN 10 AND 20",
    "PIVOT images ON type USING count(*)",
    "VALUES (1, 'a'), (2, NULL)",
    "SELECT * EXCLUDE (tags) REPLACE (upper(name) AS name) FROM images WHERE page = 1 AND per_page = 5",
)
OTHERS = (
    "INSERT /*+ AWAIT */ INTO images (data__name, region, url) VALUES ('a', 'nyc3', 'http://x/a') RETURNING id",
    "INSERT INTO images (name, region, url) SELECT name || '-b', 'nyc3', 'http://x/' || id FROM images WHERE private",
    "UPDATE images SET name = 'x', description = 'it''s' WHERE image_id = 200002364 RETURNING image",
    "REPLACE digitalocean.compute.images SET name = upper(name) WHERE type = 'snapshot'",
    "DELETE FROM images WHERE image_id = 200002364",
    "DELETE /*+ AWAIT */ FROM images WHERE image_id IN (SELECT id FROM images WHERE private AND id < 200009999)",
    "EXEC digitalocean.images.images.update @image_id = 200002364, @name = 'x'",
    'EXEC images.transfer @image_id = 200002364 @@json = \'{"region": "nyc2"}\'',
    "EXEC /*+ SHOWRESULTS */ images._get @image_id = 200002364",
    "EXEC /*+ SHOWRESULTS */ images._list @type = 'distribution'",
    "EXEC images.delete @image_id = 200002364",
    "SHOW METHODS IN digitalocean.images.images LIKE 'del%'",
    "SHOW EXTENDED RESOURCES IN digitalocean.images WHERE name = 'images'",
    "SHOW INSERT /*+ REQUIRED */ INTO digitalocean.images.images",
    "DESCRIBE EXTENDED digitalocean.images.images",
    "DESCRIBE METHOD images.create_custom",
    "EXPLAIN SELECT id FROM images WHERE private = true AND public",
    "EXPLAIN DELETE FROM images WHERE image_id = 200002364",
    "CREATE OR REPLACE VIEW v AS SELECT id FROM images; SELECT * FROM v; DROP VIEW v",
    "REGISTRY PULL digitalocean; USE digitalocean; SLEEP 10; -- nothing\n SELECT 1",
    "AUTH LOGIN digitalocean",
)
ATTACKS = (
    "SELECT * FROM read_csv('SECRET')",
    "SELECT * FROM read_text('SECRET')",
    "SELECT * FROM 'SECRET'",
    'SELECT * FROM "SECRET"',
    "SELECT * FROM glob('*')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    "ATTACH 'stolen.db' AS s; CREATE TABLE s.t AS SELECT 1",
    "COPY (SELECT 1) TO 'stolen.csv'",
    "COPY images TO 'stolen.csv'",
    "EXPORT DATABASE 'stolen'",
    "INSTALL httpfs; LOAD httpfs",
    "PRAGMA database_list",
    "SET enable_external_access = true; SELECT * FROM read_csv('SECRET')",
    "SELECT * FROM query('SELECT * FROM read_csv(''SECRET'')')",
    "SELECT * FROM query_table('SECRET')",
    "SELECT getenv('HOME'), current_setting('temp_directory')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM sniff_csv('SECRET')",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM python_secret JOIN os ON true",
    "SELECT :python_secret, :os, :__builtins__",
    "SELECT __import__('os').system('id')",
    "SELECT * FROM images_1, images_2, shown",
    "SELECT * FROM images WHERE name = '' ; DELETE FROM images WHERE image_id = 200002364 --'",
    "CREATE TABLE t AS SELECT * FROM images",
    "CALL pragma_version()",
    "SELECT {{ .x }}, $python_secret, ${os}",
)
STATEMENTS = READS + OTHERS + ATTACKS
_PIECES = re.compile(r"'(?:[^']|'')*'|\w+|\s+|.", re.DOTALL)
_SCRAPS = (
    *(
        "'",
        '"',
        "`",
        ";",
        "--",
        "/*",
        "*/",
        "#",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        "::",
        "@",
        "@@json",
        "$",
        "\\",
        "\0",
    ),
    *(
        ",",
        ".",
        "*",
        "=",
        "<>",
        "->",
        "->>",
        "||",
        "NOT",
        "OR",
        "AND",
        "NULL",
        "true",
        "0",
        "-1",
        "1e999",
        "99999999999",
    ),
    *("SELECT", "FROM", "UNION", "read_csv('SECRET')", "getenv('HOME')", ":python_secret", "FROM os", "glob('*')"),
    *("9223372036854775808", "''", "'%'", "é", "\u2028", "image_id = 200002364", "private = true", "LIMIT 1", "\n"),
)


def mutants(seed: int, count: int) -> Iterator[str]:
    """Statements with one to four things wrong, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - the same each time is the point
    for number in range(count):
        base = READS if number % 2 else STATEMENTS
        pieces = _PIECES.findall(base[number % len(base)])
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            pieces = chance.choice(_CHANGES)(pieces, chance.randrange(len(pieces)), chance)
        yield "".join(pieces)


def _other(chance: random.Random) -> list[str]:
    pieces: list[str] = _PIECES.findall(chance.choice(STATEMENTS))
    return pieces[chance.randrange(len(pieces)) :]


def _kind(piece: str) -> str:
    return "text" if piece[0] == "'" else "number" if piece[0].isdigit() else "word" if piece[0].isalpha() else "sign"


def _alike(pieces: list[str], place: int, chance: random.Random) -> list[str]:
    """Put a word for a word, a text for a text, a number for a number: what is left is often SQL."""
    others = [one for one in (*_other(chance), *_SCRAPS) if _kind(one) == _kind(pieces[place])]
    return [*pieces[:place], chance.choice(others or [" "]), *pieces[place + 1 :]]


_CHANGES = (
    *[_alike] * 4,
    lambda pieces, place, chance: [*pieces[:place], *pieces[place + chance.randint(1, 3) :]] or [" "],
    lambda pieces, place, chance: [*pieces[:place], *pieces[place : place + chance.randint(1, 4)], *pieces[place:]],
    lambda pieces, place, chance: [*pieces[:place], chance.choice(_SCRAPS), *pieces[place + 1 :]],
    lambda pieces, place, chance: [*pieces[:place], f" {chance.choice(_SCRAPS)} ", *pieces[place:]],
    lambda pieces, place, chance: [*pieces[:place], *_other(chance)],
    lambda pieces, place, chance: [*pieces[:place], *_other(chance)[: chance.randint(1, 5)], *pieces[place + 1 :]],
    *[lambda pieces, place, chance: [*pieces[:place], pieces[place].swapcase(), *pieces[place + 1 :]]] * 3,
    *[lambda pieces, place, chance: [" /* x */\n" if piece == " " else piece for piece in pieces]] * 3,
    lambda pieces, place, chance: ["(", *pieces, ") ORDER BY 1"],
    lambda pieces, place, chance: [*pieces[:place], chance.choice("a'\"(1%_ "), *pieces[place:]],
    lambda pieces, place, chance: [
        *pieces,
        chance.choice((";", " UNION ALL ", " WHERE ", " AND ", "\n")),
        *_other(chance),
    ],
    lambda pieces, place, chance: [*pieces[:place], "(", *pieces[place:], ")"],
    lambda pieces, place, chance: ["EXPLAIN ", *pieces],
)
