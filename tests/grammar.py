"""Statements of the whole grammar, as hypothesis draws them: texts, not trees, so that the parser reads each."""

from hypothesis import strategies as st

COLUMNS = ("id", "name", "description", "tags", "regions", "type", "slug", "status", "min_disk_size", "public")
TABLES = (
    "images",
    "digitalocean.images.images",
    "digitalocean.compute.images",
    "digitalocean.images.actions",
    "droplets",
)
# What no SQL text can hold, and what would end a name: see doimages.sql.bind.
_letters = st.characters(blacklist_categories=("Cs",), blacklist_characters="\0")


def quoted(text: str) -> str:
    """Write a text as SQL does."""
    return "'" + text.replace("'", "''") + "'"


def named(text: str) -> str:
    """Write a name in double quotes."""
    return '"' + text.replace('"', '""') + '"'


texts = st.one_of(
    st.sampled_from(
        ["", "it's", "a\\", "\\'", "a\nb", "%", "_x%", "prod", "--", "/* x */", ";", "{x}", "$.a", "é🚀\u202e", '"']
    ),
    st.text(_letters, max_size=6),
).map(quoted)
odd_names = st.one_of(
    st.sampled_from(["a b", "select", 'q"q', "a.b", "é", "x;y", "it's", "--", ":p"]),
    st.text(_letters, min_size=1, max_size=4).filter(str.strip),
).map(named)
words = st.sampled_from(["a", "b", "i", "t1", "total_gb", "x_y"])
parameters = st.sampled_from([":tag", ":since", ":ids"])
numbers = st.one_of(st.integers(0, 10**12).map(str), st.sampled_from(["0", "1.5", "1e3", "2.25E-2", "-3", "-0.5"]))
columns = st.one_of(
    st.sampled_from(COLUMNS),
    st.sampled_from(COLUMNS).map(str.upper),
    odd_names,
    st.tuples(words, st.one_of(st.sampled_from(COLUMNS), odd_names)).map(".".join),
)
atoms = st.one_of(
    columns, columns, texts, numbers, parameters, st.sampled_from(["true", "FALSE", "NULL", "current_date", "[]"])
)


def joined(strategy, least=1, most=3, by=", "):
    """Several of one kind, with a comma or another word between."""
    return st.lists(strategy, min_size=least, max_size=most).map(by.join)


def made(form: str, **parts):
    """Fill a form with what is drawn for its names."""
    return st.fixed_dictionaries(parts).map(form.format_map)


_OPERATORS = ("=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "AND", "OR", "LIKE", "NOT LIKE")
_OPERATORS += ("ILIKE", "GLOB", "REGEXP", "IS NOT DISTINCT FROM", "->", "->>", "//", "SIMILAR TO")
_ONE = ("upper", "lower", "length", "abs", "round", "date", "json_type", "unixepoch", "julianday", "typeof", "len")
_TWO = ("ifnull", "coalesce", "list_contains", "json_extract", "regexp_like", "nullif", "strftime", "date_trunc")
_ANY = ("concat", "greatest", "json_array_length", "my_function", "datetime", "printf")
_AGGREGATES = ("sum", "max", "min", "avg", "total", "group_concat", "median", "count", "list", "json_group_array")
_TYPES = ("int", "BIGINT", "text", "VARCHAR", "double", "timestamp", "date", "boolean", "DECIMAL(10, 2)", "INTEGER[]")


def _grow(x):
    """Larger expressions of smaller ones."""
    order = made("{x} {way}", x=x, way=st.sampled_from(["", "ASC", "DESC", "DESC NULLS LAST", "NULLS FIRST"]))
    window = made(
        "{partition} {order} {rows}",
        partition=st.sampled_from(["", "PARTITION BY type", "PARTITION BY type, public"]),
        order=order.map("ORDER BY {}".format),
        rows=st.sampled_from(["", "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", "RANGE UNBOUNDED PRECEDING"]),
    )
    aggregate = made(
        "{f}({distinct}{x}){filter}",
        f=st.sampled_from(_AGGREGATES),
        distinct=st.sampled_from(["", "DISTINCT "]),
        x=x,
        filter=st.sampled_from(["", " FILTER (WHERE public)"]),
    )
    return st.one_of(
        made("{a} {op} {b}", a=x, op=st.sampled_from(_OPERATORS), b=x),
        made("({a}) {op} ({b})", a=x, op=st.sampled_from(_OPERATORS), b=x),
        made("({x})", x=x),
        made("NOT {x}", x=x),
        made("- ({x})", x=x),
        made("({x} {is})", x=x, **{"is": st.sampled_from(["IS NULL", "IS NOT NULL", "IS TRUE", "IS NOT FALSE"])}),
        made("({x} {n}IN ({xs}))", x=x, n=st.sampled_from(["", "NOT "]), xs=joined(x)),
        made("({x} IN {p})", x=x, p=parameters),
        made("({x} IN (SELECT id FROM images WHERE {w}))", x=x, w=x),
        made("({x} {n}BETWEEN {a} AND {b})", x=x, n=st.sampled_from(["", "NOT "]), a=numbers, b=numbers),
        made("({x} LIKE {t} ESCAPE '!')", x=x, t=texts),
        made("CASE WHEN {a} THEN {b} ELSE {c} END", a=x, b=x, c=x),
        made("CASE {a} WHEN {b} THEN {c} WHEN 1 THEN 2 END", a=x, b=x, c=x),
        made("{f}({x})", f=st.sampled_from(_ONE), x=x),
        made("{f}({x}, {y})", f=st.sampled_from(_TWO), x=x, y=x),
        made("{f}({xs})", f=st.sampled_from(_ANY), xs=joined(x)),
        made("iif({a}, {b}, {c})", a=x, b=x, c=x),
        made("split_part({a}, '-', 1)", a=x),
        made("regexp_replace({a}, {t}, 'x')", a=x, t=texts),
        made("CAST({x} AS {t})", x=x, t=st.sampled_from(_TYPES)),
        made("({x})::{t}", x=x, t=st.sampled_from(_TYPES)),
        made("TRY_CAST({x} AS {t})", x=x, t=st.sampled_from(_TYPES)),
        made("[{xs}]", xs=joined(x)),
        made("regions[{n}]", n=st.integers(1, 3)),
        made("list_transform(tags, lambda t: {x})", x=x),
        made("list_filter(regions, r -> r = {x})", x=x),
        made("[t FOR t IN tags IF t = {x}]", x=x),
        made("extract({part} FROM ({x}))", part=st.sampled_from(["year", "month", "dow"]), x=x),
        made("created_at - INTERVAL {n} {unit}", n=st.integers(1, 90), unit=st.sampled_from(["DAY", "month", "hours"])),
        made("EXISTS (SELECT 1 FROM images b WHERE {w})", w=x),
        made("(SELECT max(id) FROM images WHERE {w})", w=x),
        aggregate,
        st.just("count(*)"),
        made("string_agg({x}, {t} ORDER BY name)", x=x, t=texts),
        made("{a} OVER ({w})", a=aggregate, w=window),
        made("row_number() OVER ({w})", w=window),
        made("lag({x}, 1) OVER ({w})", x=x, w=window),
        made("{{'a': {x}, 'b': 1}}", x=x),
    )


expressions = st.recursive(atoms, _grow, max_leaves=6)

_aliases = st.one_of(st.just(""), words.map(" AS {}".format), odd_names.map(" AS {}".format), words.map(" {}".format))
_projections = st.one_of(
    st.sampled_from(["*", "i.*", "* EXCLUDE (tags)", "* REPLACE (upper(name) AS name)", "COLUMNS('size.*')"]),
    made("{x}{alias}", x=expressions, alias=_aliases),
    made("{x}{alias}", x=expressions, alias=_aliases),
)


def _query(inner):
    """Queries whose FROM may hold one of ``inner``."""
    table = st.one_of(
        made("{t}{alias}", t=st.sampled_from(TABLES), alias=st.sampled_from(["", " a", " AS i", ' "o d"'])),
        made("({q}) AS s", q=inner),
        st.sampled_from(["json_each(tags) j", "unnest([1, 2]) u(x)", "range(3)", "(VALUES (1, 'a')) v(n, t)"]),
    )
    on = st.one_of(expressions.map(" ON {}".format), st.just(" USING (id)"), st.just(" USING (id, name)"))
    join = st.one_of(
        made(
            " {kind} {t}{on}",
            kind=st.sampled_from(
                ["JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN"]
            ),
            t=table,
            on=on,
        ),
        made(" {kind} {t}", kind=st.sampled_from(["CROSS JOIN", "NATURAL JOIN"]), t=table),
        st.sampled_from([", images b", ", json_each(tags) AS j", ", digitalocean.images.images AS c"]),
    )
    order = joined(
        made("{x}{way}", x=expressions, way=st.sampled_from(["", " DESC", " ASC NULLS LAST", " DESC NULLS FIRST"]))
    )
    maybe = lambda word, strategy: st.one_of(st.just(""), strategy.map(f" {word} {{}}".format))  # noqa: E731
    tail = made(
        "{order}{limit}",
        order=maybe("ORDER BY", order),
        limit=st.sampled_from(["", " LIMIT 3", " LIMIT 3 OFFSET 2", " OFFSET 4", " LIMIT :n"]),
    )
    select = made(
        "SELECT {distinct}{xs} FROM {t}{joins}{where}{group}{having}{qualify}",
        distinct=st.sampled_from(["", "", "DISTINCT ", "DISTINCT ON (type) ", "/*+ SHOWRESULTS */ "]),
        xs=joined(_projections),
        t=table,
        joins=joined(join, 0, 2, ""),
        where=maybe("WHERE", expressions),
        group=st.one_of(st.just(""), joined(expressions, most=2).map(" GROUP BY {}".format), st.just(" GROUP BY ALL")),
        having=st.one_of(st.just(""), st.just(" HAVING count(*) > 8")),
        qualify=st.one_of(st.just(""), st.just(" QUALIFY row_number() OVER (PARTITION BY type ORDER BY id) = 1")),
    )
    bare = made("SELECT {xs}", xs=joined(_projections))
    words_between = ("UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL", "UNION BY NAME")
    united = made("{a} {word} {b}", a=select, word=st.sampled_from(words_between), b=select)
    cte = made(
        "WITH {rec}c{cols} AS ({q}), d AS (SELECT 1) {s}",
        rec=st.sampled_from(["", "RECURSIVE "]),
        cols=st.sampled_from(["", "(x)", "(x, y)"]),
        q=inner,
        s=select,
    )
    pivots = st.sampled_from(
        [
            "PIVOT images ON type USING count(*) GROUP BY distribution",
            "SELECT * FROM images PIVOT (count(*) FOR type IN ('base', 'snapshot'))",
            "FROM images SELECT name WHERE id = 1",
            "FROM images",
            "VALUES (1, 'a'), (2, NULL)",
            "(SELECT 1)",
        ]
    )
    return st.one_of(made("{s}{tail}", s=select, tail=tail), select, united, cte, bare), pivots


_selects, _others = _query(st.just("SELECT id FROM images WHERE private = true"))
_nested, _ = _query(_selects)
queries = st.one_of(_selects, _nested, _others)

_images = st.sampled_from(TABLES[:3])
_await = st.sampled_from(["", "/*+ AWAIT */ "])
_returning = st.one_of(st.just(""), joined(_projections).map(" RETURNING {}".format), st.just(" RETURNING *"))
_where = expressions.map(" WHERE {}".format)
_rows = joined(joined(atoms.filter(lambda text: text != "[]"), 2, 3).map("({})".format))
writes = st.one_of(
    made(
        "INSERT {a}INTO {t} (data__name, data__region, data__url) VALUES {rows}{r}",
        a=_await,
        t=_images,
        rows=_rows,
        r=_returning,
    ),
    made("INSERT {a}INTO {t} (name, region, url) {q}{r}", a=_await, t=_images, q=_selects, r=_returning),
    made(
        "{verb} {a}{t} SET {sets}{w}{r}",
        verb=st.sampled_from(["UPDATE", "REPLACE"]),
        a=_await,
        t=_images,
        sets=joined(
            made("{c} = {x}", c=st.sampled_from(["name", "data__description", '"distribution"']), x=expressions)
        ),
        w=_where,
        r=_returning,
    ),
    made("DELETE {a}FROM {t}{w}{r}", a=_await, t=_images, w=st.one_of(st.just(""), _where), r=_returning),
)
_values = st.one_of(texts, numbers, parameters, st.sampled_from(["true", "FALSE", "NULL", "-4", ".5", "-.5"]))
_method = st.sampled_from(
    ["digitalocean.images.images.update", "images._get", 'images."list"', "images.list", "a.transfer"]
)
execs = made(
    "EXEC {hint}{m} {arguments}{body}",
    hint=st.sampled_from(["", "/*+ AWAIT */ ", "/*+ SHOWRESULTS */ ", "/*+ SHOWRESULTS, AWAIT */ "]),
    m=_method,
    arguments=joined(made("@{n} = {v}", n=st.sampled_from(["image_id", "name", "data__name"]), v=_values), 0),
    body=st.one_of(st.just(""), texts.map(" @@json = {}".format), texts.map(", @@json={}".format)),
).filter(lambda text: " ," not in text.split("@@json", 1)[0])
shows = st.one_of(
    made(
        "SHOW {e}{what} {tail}",
        e=st.sampled_from(["", "EXTENDED "]),
        what=st.sampled_from(
            ["PROVIDERS", "SERVICES IN digitalocean", "METHODS IN digitalocean.images.images", "VERSION"]
        ),
        tail=st.one_of(st.just(""), texts.map("LIKE {}".format), expressions.map("WHERE {}".format)),
    ),
    st.sampled_from(
        ["SHOW INSERT INTO images", "SHOW INSERT /*+ REQUIRED */ INTO digitalocean.images.images", "SHOW AUTH"]
    ),
)
describes = made(
    "{d} {e}{t}",
    d=st.sampled_from(["DESCRIBE", "DESC", "DESCRIBE METHOD", "describe"]),
    e=st.sampled_from(["", "EXTENDED "]),
    t=st.one_of(st.sampled_from(TABLES), _method, odd_names),
)
viewed = st.one_of(_selects, _nested).filter(
    lambda text: not text.lstrip("( ").startswith(("PIVOT", "VALUES", "UNPIVOT"))
)
views = st.one_of(
    made("CREATE {r}VIEW {n} AS {q}", r=st.sampled_from(["", "OR REPLACE "]), n=st.one_of(words, odd_names), q=viewed),
    made("DROP VIEW {n}", n=st.one_of(words, odd_names)),
)
notes = st.sampled_from(["REGISTRY PULL digitalocean v1.2", "REGISTRY LIST", "USE digitalocean", "SLEEP 10", "PURGE"])
notes |= made("USE {n}", n=odd_names) | made("AUTH LOGIN {n}", n=texts)
explains = made("EXPLAIN {s}", s=st.one_of(queries, writes, execs))
statements = st.one_of(queries, queries, writes, execs, shows, describes, views, notes, explains)
