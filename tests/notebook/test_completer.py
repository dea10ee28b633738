"""Tab completion: what is offered where, for a text with a | for the cursor."""

import subprocess
import sys
from collections.abc import Mapping

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter

from doimages.notebook.candidates import MOST
from doimages.notebook.completer import IDENTIFIER, complete
from doimages.notebook.flags import FLAGS, SUBCOMMANDS
from doimages.notebook.holdings import MOST_ROWS, Holdings, Texts
from doimages.notebook.scan import LONGEST
from doimages.resources import RESOURCES
from doimages.schema import DISTRIBUTIONS, IMAGES, KINDS, REQUEST_TYPES, STATUSES
from doimages.sql.functions import OURS
from doimages.sql.parse import STATEMENT_WORDS
from doimages.sql.vocabulary import KNOWN
from doimages.sql.words import KEYWORDS, SHOWN, STATEMENTS

LISTING = pd.DataFrame(
    {
        "id": [1, 2],
        "tags": [["prod", "env:dev"], None],
        "regions": [["nyc3"], ["ams3", "nyc3"]],
        "slug": ["ubuntu-24-04-x64", None],
        "distribution": ["Alpaquita", "Farmer's"],
    }
)
NAMES = {
    "droplets": pd.DataFrame({"image_id": [1], "hostname": ["a"], "two words": [0]}),
    "limit": 3,
    "wanted": ["a"],
    "settings": {"tag": "prod"},
    "pd": pd,
    "helper": len,
    "_private": 1,
}
# The last one made is last.
PLANS = {"3f9a12c4": "delete 12 images", "a0b1c2d3": "update 1 image in 'acme'"}


def ask(marked, names: Mapping = NAMES, last=LISTING):
    """Complete at the |."""
    before, _, after = marked.partition("|")
    lines = before.split("\n")
    holdings = Holdings(names, last, views=["old_ones"], plans=PLANS)
    return complete(before + after, len(lines) - 1, len(lines[-1]), holdings)


def offered(marked, **holds):
    """Give the words that are offered at the |; the text they replace must be what stands before it."""
    found = ask(marked, **holds)
    assert marked.partition("|")[0].endswith(found.fragment)
    return [one.text for one in found.found]


def in_cell(statement, **holds):
    return offered(f"%%doimages\n{statement}", **holds)


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("%doimages --pr|", ["--private", "--progress"]),
        ("%%doimages box --DRY|", ["--dry-run"]),
        ("%doimages --max_r|", ["--max_results"]),
        ("    snaps = %doimages --tag|", ["--tag-name"]),
        ("x = 1\n%doimages --tag|\ny = 2", ["--tag-name"]),
        ("\n\n%%doimages --no|\nSELECT", ["--no-display"]),
        ("%doimages --type sn|", ["snapshot"]),
        ("%doimages --type=sn|", ["snapshot"]),
        ("%doimages --type custom,sn|", ["snapshot"]),
        ("%doimages --type=custom,C|", []),
        ("%doimages --columns name,cre|", ["created_at"]),
        ("%doimages --columns id,name,i|", []),
        ("%doimages --dtype_backend py|", ["pyarrow"]),
        ("%doimages --private --type |", [*REQUEST_TYPES, *KINDS]),
        ("%doimages --tag-name pr|", ["prod"]),
        ("%doimages --tag-name 'env|", ["env:dev"]),
        ("%doimages --id 12 ub|", ["ubuntu-24-04-x64"]),
        ("%doimages --endpoint s|", ["sandbox"]),
        ("%doimages -n |", []),
        ("%doimages st|", ["status"]),
        ("%doimages select --priv|", ["--private"]),
        ("%doimages select << --priv|", ["--private"]),
        ("%doimages status --tr|", ["--traceback"]),
        ("%doimages sandbox st|", ["start", "stop"]),
        ("%doimages schema size|", ["size_gigabytes"]),
        ("%%doimages sch|", ["schema"]),
    ],
)
def test_the_line_is_completed_from_the_table_of_flags(marked, words):
    """Flags in both spellings, their values after = or a space and in lists, subcommands and what follows them."""
    assert offered(marked) == words


@pytest.mark.parametrize(
    "marked", ["%doimages |", "%doimages status |", "%doimages box |", "%doimages box << |", "%%doimages box --show |"]
)
def test_all_flags_are_offered_where_nothing_is_typed(marked):
    """Every flag of the table, long and short."""
    spellings = {spelling for flag in FLAGS for spelling in flag.spellings}
    assert spellings <= set(offered(marked))


def test_every_flag_and_choice_is_completed_from_its_first_letters():
    """None is forgotten when one is added to the table."""
    for flag in FLAGS:
        for spelling in flag.spellings:
            assert spelling in offered(f"%%doimages {spelling[:3]}|")
        for choice in flag.choices:
            assert choice in offered(f"%%doimages {flag.long} {choice[:2]}|")
            assert choice in offered(f"%%doimages {flag.spellings[0]}={choice[:2]}|")
    for subcommand in SUBCOMMANDS:
        assert subcommand.word in offered(f"%doimages {subcommand.word[:2]}|")
        assert offered(f"%doimages {subcommand.word} |")[: len(subcommand.choices)] == list(subcommand.choices)


def test_flags_that_take_names_offer_them():
    """-p the names that the statement binds, or else variables; --params the dicts."""
    assert offered("%%doimages -p |\nSELECT :tag, ':no', :size::int, :tag -- :no") == ["tag=", "size="]
    assert offered("%%doimages -p ta|\nSELECT :tag") == ["tag="]
    assert offered("%doimages -p |") == ["limit=", "wanted="]
    assert offered("%%doimages --params |") == ["$settings"]
    assert offered("%%doimages --params $se|") == ["$settings"]
    assert offered("%%doimages --save |") == []


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("%doimages --apply |", ["a0b1c2d3", "3f9a12c4"]),
        ("%doimages report << --apply 3|", ["3f9a12c4"]),
        ("%doimages --apply=a|", ["a0b1c2d3"]),
        ("%%doimages --apply 3f9a12c4 --confirm |", ['"delete 12 images"']),
        ("%%doimages --apply 3f9a12c4 --confirm del|", ['"delete 12 images"']),
        ('%%doimages --apply 3f9a12c4 --confirm "delete 12 im|', ['delete 12 images"']),
        ("%%doimages --apply=3f9a12c4 --confirm='|", ["delete 12 images'"]),
        ("%%doimages --apply --confirm |", ["\"update 1 image in 'acme'\""]),
        ("%%doimages --apply --confirm '|", []),
        ("%%doimages --apply 3f9a12c4 --confirm upd|", []),
        ("%%doimages --apply 99999999 --confirm |", []),
        ('%%doimages --apply 3f9a12c4 --confirm "delete 12 images" --pro|', ["--progress"]),
    ],
)
def test_plans_and_the_words_that_confirm_them_are_offered(marked, words):
    """The last plan first; its words in quotes, or with the quote that was begun, so that Enter can follow."""
    assert offered(marked) == words


def test_a_flag_that_takes_a_file_offers_files(notebook, tmp_path):
    """IPython's own, and nothing else."""
    (tmp_path / "query.sql").write_text("SELECT 1")
    notebook.run("query_of_python = 1")
    assert typed(notebook, "%%doimages -f que") == ["query.sql"]


@pytest.mark.parametrize("marked", ["%%doimages dro|", "%doimages lim|", "%doimages box na|", "%doimages box << dr|"])
def test_the_name_of_the_variable_is_not_completed(marked):
    """Nor what cannot stand after it; no word of Python is offered in its place."""
    assert offered(marked) == []


@pytest.mark.parametrize(
    ("marked", "word"),
    [("SEL|", "SELECT"), ("sel|", "select"), ("SELECT id FR|", "FROM"), ("select id fr|", "from"), ("exp|", "explain")],
)
def test_keywords_are_written_as_they_are_typed(marked, word):
    """In small letters or capitals."""
    assert word in in_cell(marked)
    assert word in offered(f"%doimages {marked}")


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("SELECT * FROM im|", ["images", "image_actions"]),
        ("SELECT * FROM digi|", ["digitalocean"]),
        ("SELECT * FROM digitalocean.|", ["images", "compute"]),
        ("SELECT * FROM digitalocean.im|", ["images"]),
        ("SELECT * FROM digitalocean.compute.im|", ["images", "image_actions"]),
        ("SELECT * FROM Digitalocean.Images.a|", ["actions"]),
        ("SELECT * FROM images i JOIN ac|", ["actions"]),
        ("SELECT * FROM images i, ac|", ["actions"]),
        ("SELECT * FROM images i JOIN dr|", ["droplets"]),
        ("WITH old AS (SELECT 1) SELECT * FROM o|", ["old", "old_ones"]),
        ("DELETE FROM dr|", ["droplets"]),
        ("INSERT INTO im|", ["images", "image_actions"]),
        ("UPDATE im|", ["images", "image_actions"]),
        ("EXPLAIN DELETE FROM ac|", ["actions"]),
        ("EXPLAIN UPDATE ac|", ["actions"]),
        ("SHOW METHODS IN digitalocean.images.im|", ["images"]),
        ("DESCRIBE im|", ["images", "image_actions"]),
        ("DESCRIBE EXTENDED ac|", ["actions"]),
    ],
)
def test_tables_are_completed_part_by_part(marked, words):
    """Tables of the schema, frames of the notebook, and the names that WITH makes."""
    assert in_cell(marked) == words


def test_every_table_can_be_reached_by_tab():
    """Each part of each name that the schema knows."""
    for resource in RESOURCES:
        for path in resource.paths:
            parts = path.split(".")
            for place, part in enumerate(parts):
                assert part in in_cell("SELECT * FROM " + ".".join([*parts[:place], "|"]))  # noqa: S608 - it is not run


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("SELECT i.na| FROM images i", ["name"]),
        ("SELECT I.NA| FROM images AS i", ["name"]),
        ("SELECT id\nFROM images AS i\nWHERE i.ta|\nORDER BY id", ["tags", "tag_name"]),
        ("SELECT digitalocean.images.images.sl| FROM digitalocean.images.images", ["slug"]),
        ("SELECT a.reg| FROM images i JOIN actions a ON a.image_id = i.id", ["region", "region_slug"]),
        ("SELECT d.| FROM images i JOIN droplets d ON 1", ["image_id", "hostname"]),
        ("SELECT x.| FROM images i", []),
        ("SELECT a.reg|; SELECT 1 FROM actions a", []),
        ("UPDATE images SET nam|", ["name"]),
        ("INSERT INTO images (data__u|", ["data__url"]),
        ("INSERT INTO images (ur|", ["url"]),
        ("SELECT id FROM images WHERE created_at::te|", []),
        ("SELECT id AS na| FROM images", []),
        ("SELECT 12| FROM images", []),
        ("SELECT id FROM images whe|", ["where", "when"]),
        ("SELECT id FROM images WHERE pri|", ["private"]),
        ("DELETE FROM images WHERE pri|", []),
        ("EXPLAIN SELECT id FROM images WHERE pri|", ["private"]),
        ("UPDATE images SET data__de|", ["data__description"]),
        ("REPLACE images SET name = 'a' WHERE image_|", ["image_id"]),
        ("SELECT 1 FROM actions; SELECT nam|", ["name"]),
        ("SELECT id FROM images ORDER BY name, im|", ["image_id", "images"]),
        ("SELECT id FROM images ORDER BY id DESC offs|", ["offset"]),
        ("CREATE VIEW old AS sel|", ["select"]),
        ("DELETE FROM images WHERE image|", ["image_id", "images"]),
    ],
)
def test_columns_are_those_of_the_table_named(marked, words):
    """By its alias or name, which may stand after the cursor, in the statement the cursor is in."""
    assert in_cell(marked) == words


def test_every_column_and_parameter_is_offered_first():
    """Before keywords; of images too where no table is named yet; functions once something is typed."""
    words = in_cell("SELECT | FROM images")
    assert words[: len(IMAGES.columns)] == list(IMAGES.column_names)
    assert {"image_id", "private", "tag_name", "page", "per_page"} <= set(words)
    assert in_cell("SELECT siz|") == ["size_gigabytes"]
    assert "error_message" not in in_cell("SELECT e| FROM actions")
    assert in_cell("SELECT list_con| FROM images") == ["list_contains"]
    assert in_cell("SELECT LIST_CON| FROM images") == ["LIST_CONTAINS"]


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("EXEC images.up|", ["update"]),
        ("EXEC digitalocean.images.images.images_tr|", ["images_transfer"]),
        ("EXEC /*+ SHOWRESULTS */ images._|", ["_get", "_list"]),
        ("EXEC images.del|", []),
        ("DESCRIBE METHOD images.del|", ["delete"]),
        ("EXEC images.transfer |", ["@image_id", "@region", "@@json"]),
        ("EXEC images.transfer @|", ["@image_id", "@region", "@@json"]),
        ("EXEC images.transfer @image_id = 1, @|", ["@region", "@@json"]),
        ("EXEC images.update @data__n|", ["@data__name"]),
        ("EXEC images.update @@|", ["@@json"]),
        ("EXEC images.transfer @image_id = |", []),
        ("EXEC images.nosuch @|", []),
        ("EXEC /*+ AW|", ["AWAIT"]),
        ("SHOW me|", ["methods"]),
    ],
)
def test_methods_hints_and_parameters_follow_exec(marked, words):
    """The methods of the table, the parameters of the method that are not given yet."""
    assert in_cell(marked) == words


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("type = 'sn|", ["snapshot"]),
        ("type = '|", [*REQUEST_TYPES, *KINDS]),
        ("type='|' AND public", [*REQUEST_TYPES, *KINDS]),
        ("type <> 'ba|", ["base", "backup"]),
        ("type NOT IN ('base', 'sn|')", ["snapshot"]),
        ("i.type = 'sn|", ["snapshot"]),
        ("status = '|", list(STATUSES)),
        ("status LIKE 'n|", ["NEW"]),
        ("distribution = 'rock|", ["Rocky Linux"]),
        ("distribution = '|", [*DISTRIBUTIONS, "Alpaquita", "Farmer''s"]),
        ("distribution = 'farmer''|", ["Farmer''s"]),
        ("tag_name = 'pr|", ["prod"]),
        ("list_contains(tags, '|", ["env:dev", "prod"]),
        ("list_contains(i.regions, 'n|", ["nyc3"]),
        ("tags && ['prod', 'e|", ["env:dev"]),
        ("slug = 'UB|", ["ubuntu-24-04-x64"]),
        ("image_id IN ('ub|", ["ubuntu-24-04-x64"]),
        ("name = 'sn|", []),
        ("split_part(type, '-', 1) = 'sn|", []),
        ("name = 'it''s Bob''s' AND type = 'sn|", ["snapshot"]),
        ("type = 'snapshot' AND name LIKE '%|", []),
    ],
)
def test_texts_in_quotes_are_what_their_column_may_hold(marked, words):
    """Words of the API, and the tags, regions, slugs and distributions of the last listing."""
    assert in_cell("SELECT id FROM images i WHERE " + marked) == words  # noqa: S608 - it is not run


def test_another_table_has_no_statuses_of_images():
    """The column's table decides."""
    assert in_cell("SELECT id FROM actions WHERE status = '|") == []
    assert in_cell("SELECT 1 FROM images i, actions a WHERE a.status = '|") == []
    assert in_cell("SELECT type = 'sn|' AS found FROM actions") == []
    assert in_cell("EXEC images._list @type = 'appl|") == ["application"]
    assert in_cell("UPDATE images SET distribution = 'Ub|") == ["Ubuntu"]


def test_a_word_is_offered_with_what_it_is():
    """Once, as the first it may be; JupyterLab shows that."""
    assert ask("%%doimages\nSELECT repla|").found == (("replace", "function"),)
    assert ask("%%doimages\nSELECT nam|").found == (("name", "column"),)


@pytest.mark.parametrize("marked", ["-- SELECT na|", "# SELECT na|", "SELECT 1 /* na|", 'SELECT "na|', "SELECT '% na|"])
def test_nothing_is_offered_in_comments_and_texts(marked):
    """Nor in a name in quotes; after them it goes on."""
    assert in_cell(marked) == []
    assert in_cell("SELECT 1 -- it's\n, '--', \"/*\", siz|") == ["size_gigabytes"]


def test_variables_are_looked_at_and_never_asked():
    """A lazy proxy, which fetches what it stands for once it is asked for its class, stays asleep."""

    class Lazy:
        @property
        def __class__(self):
            raise ConnectionError

    assert in_cell("SELECT id FROM images LIMIT :li|", names={"lazy": Lazy(), "limit": 3}) == ["limit"]
    assert in_cell("SELECT * FROM la|", names={"lazy": Lazy()}) == []


def test_values_come_from_the_variables_a_person_made():
    """Plain values and lists after a colon, dicts after --params; no modules, functions, frames or hidden names."""
    assert in_cell("SELECT id FROM images LIMIT :|") == ["limit", "wanted"]
    assert in_cell("SELECT id FROM images WHERE name IN :wan|") == ["wanted"]


@pytest.mark.parametrize(
    "last",
    [
        None,
        "text",
        [{"tags": ["prod"]}],
        pd.DataFrame({"slug": [1, 2], "tags": [object(), "x"]}),
        pd.DataFrame([["a", "b"]], columns=["tags", "tags"]),
        pd.DataFrame({"tags": []}),
    ],
)
def test_a_last_result_of_any_kind_offers_nothing_and_does_no_harm(last):
    """It need not be a listing."""
    assert in_cell("SELECT id FROM images WHERE tag_name = '|", last=last) == []


@pytest.mark.parametrize("dtype_backend", ["numpy_nullable", "pyarrow"])
def test_texts_are_read_of_frames_of_both_backends(dtype_backend):
    """Lists and texts, each once, in order; control characters are left out."""
    tags = pd.Series([["b", "a"], ["a", "\x1b[31m"], []])
    if dtype_backend == "pyarrow":
        tags = tags.convert_dtypes(dtype_backend="pyarrow")
    assert in_cell("SELECT * FROM images WHERE tag_name = '|", last=pd.DataFrame({"tags": tags})) == ["a", "b"]


def test_the_work_on_a_large_listing_is_bounded_and_done_once():
    """So many rows are looked at, once for a frame; another frame is looked at anew."""
    texts = Texts()
    large = pd.DataFrame({"slug": [f"s{row}" for row in range(MOST_ROWS + 1)]})
    found = texts.read(large, "slug")
    assert len(found) == MOST_ROWS
    assert texts.read(large, "slug") is found
    assert texts.read(large.head(1), "slug") == ("s0",)


def test_no_more_words_are_offered_than_are_shown():
    """However many slugs there are."""
    many = pd.DataFrame({"slug": [f"s{row:04}" for row in range(2 * MOST)]})
    assert in_cell("SELECT id FROM images WHERE slug = '|", last=many) == list(many["slug"].head(MOST))


def test_a_very_long_statement_is_not_completed():
    """That would be felt at the key."""
    assert in_cell(f"SELECT '{'x' * LONGEST}', siz|") == []


@pytest.mark.parametrize(
    "marked",
    [
        "na|",
        "%doim|",
        "%doimages|",
        "%%doimages|\nSELECT 1",
        "%%doim|\nSELECT",
        "%doimagesx --pr|",
        "%%time\nna|",
        "x = '%doimages --pr|",
        "%%sql\nSELECT na|",
    ],
)
def test_other_cells_are_not_ours(marked):
    """Nor is the name of the magic: IPython completes it."""
    assert ask(marked) is None


@given(st.text(alphabet=" \n%doimages-=,'\"()[]{}.:;@#*/_aIN1é", max_size=60), st.integers(0, 59))
def test_no_text_makes_it_fail(text, cursor):
    """Whatever is typed, and wherever the cursor is, what is offered continues the text before it."""
    for head in ("%%doimages\n", "%doimages ", "%%doimages "):
        before = head + text[:cursor]
        found = ask(f"{before}|{text[cursor:]}")
        assert found is None or before.endswith(found.fragment)
        assert found is None or all(one.text.lower().startswith(found.fragment.lower()) for one in found.found)


def test_the_words_are_those_of_the_parser():
    """A statement or a function that SQL learns must be completed, too."""
    assert set(STATEMENT_WORDS) == set(STATEMENTS)
    assert set(STATEMENTS) | set(SHOWN) <= set(KEYWORDS)
    assert {function.name.upper() for function in KNOWN} >= OURS


def test_completion_loads_no_parser_and_sends_nothing():
    """In a fresh process: neither sqlglot nor DuckDB nor HTTP is loaded, and no socket opened."""
    code = (
        "import sys\n"
        "from IPython.core.completer import provisionalcompleter\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        "shell.run_line_magic('load_ext', 'doimages')\n"
        "sys.addaudithook(lambda name, args: name.startswith('socket.') and print(name))\n"
        "text = '%%doimages\\nSELECT nam'\n"
        "with provisionalcompleter():\n"
        "    print([one.text for one in shell.Completer.completions(text, len(text))])\n"
        "print([name for name in ('sqlglot', 'duckdb', 'httpx') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own code
    assert done.stdout == "['name']\n[]\n"


def typed(notebook, text, cursor=None):
    """Give what the shell of a notebook offers at the end of a text, or at a cursor."""
    with provisionalcompleter():
        return [one.text for one in notebook.shell.Completer.completions(text, len(text) if cursor is None else cursor)]


def matchers(notebook):
    return [one.matcher_identifier for one in notebook.shell.Completer.custom_matchers]


def test_loading_adds_one_matcher_and_unloading_takes_it_away(notebook):
    """Loading again does not double it; those of others stay."""
    others = notebook.shell.Completer.custom_matchers
    assert matchers(notebook) == [IDENTIFIER]
    notebook.run("%reload_ext doimages")
    notebook.run("%load_ext doimages")
    assert matchers(notebook) == [IDENTIFIER]
    notebook.run("%unload_ext doimages")
    assert others is notebook.shell.Completer.custom_matchers
    assert matchers(notebook) == []


def test_python_stays_out_of_our_cells_and_we_out_of_others(notebook, tmp_path):
    """Neither names of Python nor files are offered in a cell of ours, also where we have nothing to say."""
    notebook.run("nameless = 1")
    (tmp_path / "query.sql").write_text("SELECT 1")
    assert typed(notebook, "%%doimages\nSELECT id,\nnam") == ["name"]
    assert typed(notebook, "%%doimages\nSELECT id,\nnameles") == []
    assert typed(notebook, "%%doimages\n-- nameles") == []
    assert typed(notebook, "%%doimages\nSELECT nameless.bit_l") == []
    assert typed(notebook, "%%doimages\nSELECT id FROM images WHERE name = 'que") == []
    assert typed(notebook, "%doimages --tag-name 'que") == []
    assert typed(notebook, "print('que") != []
    assert "nameless" in typed(notebook, "nam")
    assert "nameless" in typed(notebook, "%%time\nnam")
    assert "nameless" in typed(notebook, "%doimages box\nnam")
    assert "%%doimages" in typed(notebook, "%%doim")


def test_the_order_is_ours(notebook):
    """Columns come before keywords, and in the order of the table."""
    words = typed(notebook, "%%doimages\nSELECT ")
    assert words[: len(IMAGES.columns)] == list(IMAGES.column_names)


def test_variables_of_the_shell_are_not_offered(notebook):
    """In and Out are lists and dicts, too, but no one's values."""
    notebook.run("limit = 3")
    assert typed(notebook, "%%doimages\nSELECT id FROM images LIMIT :") == ["limit"]


def test_the_last_listing_is_known(notebook):
    """Its tags follow tag_name, and another listing's take their place."""
    notebook.run("%doimages --endpoint sandbox --private --no-display")
    cell = "%%doimages\nSELECT id FROM images WHERE tag_name = 'we"
    assert "web" in typed(notebook, cell)
    notebook.run("_doimages = _doimages.head(0)")
    assert typed(notebook, cell) == []


def test_a_saved_query_is_known(notebook):
    """Its name follows FROM."""
    notebook.run("%doimages CREATE VIEW mine_alone AS SELECT id FROM images")
    assert typed(notebook, "%%doimages\nSELECT * FROM mine_") == ["mine_alone"]
    notebook.run("%doimages DROP VIEW mine_alone")
    assert typed(notebook, "%%doimages\nSELECT * FROM mine_") == []


def test_a_fault_of_ours_offers_nothing_and_shows_nothing(notebook, monkeypatch, capsys):
    """A key that is pressed never prints a traceback."""
    monkeypatch.setattr("doimages.notebook.completer.complete", lambda *_: 1 / 0)
    assert typed(notebook, "%%doimages\nSELECT nameles") == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.kernel
def test_a_kernel_completes_in_the_middle_of_a_cell(kernel):
    """Over the protocol, with text after the cursor; the place that is replaced is the word before it."""

    def reply(marked):
        before, _, after = marked.partition("|")
        asked = kernel.client.complete(before + after, len(before))
        while True:
            message = kernel.client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == asked:
                content = message["content"]
                return content["matches"], before[content["cursor_start"] : content["cursor_end"]]

    kernel.text("%load_ext doimages\nlimit = 3\nnameless = 1")
    kernel.text("%doimages --type snapshot --no-display")
    assert reply("%%doimages box\nSELECT id, i.na|\nFROM images i\nWHERE public") == (["name"], "na")
    assert reply("%%doimages box --ty|\nSELECT 1") == (["--type"], "--ty")
    assert reply("%%doimages\nSELECT id FROM images\nWHERE type = 'sn|'\n  AND public") == (["snapshot"], "sn")
    assert reply("%%doimages\nSELECT id FROM images LIMIT :li|") == (["limit"], "li")
    assert "web" in reply("%%doimages\nSELECT id FROM images WHERE tag_name = 'w|'")[0]
    assert reply("%%doimages\nSELECT nameles|") == ([], "")
    assert reply("%%doimages é --progress o|\n") == (["off"], "o")
    assert "nameless" in reply("nam|")[0]
    kernel.text("%unload_ext doimages")
    assert "name" not in reply("%%doimages box\nSELECT na|")[0]
