"""Filters and code of a picker in a bare page; its looks, hostile texts, its end, and two views of one picker."""

import re

import pytest
from desk import open_desk
from drawn import Drawn
from lab import axe
from playwright.sync_api import expect

from doimages.notebook.picker.view import module

NAME = "Name (text or /regex/)"
SIZES = ("Size, GB", "Cost a month, $", "Min disk, GB")
MARKUP = '<img src=x onerror="window.pwned = true">'
HOSTILE = f"{MARKUP}<script>window.pwned = true</script>$x$ &amp; \u202e\"'"
PICKER = ".doimages-picker"
TAGS = "() => [...new Set([...document.querySelectorAll('main *')].map(one => one.localName))].sort()"
ANOTHER_VIEW = """async () => {
    const el = document.createElement("div");
    document.querySelector("main").append(el);
    window.end = (await import("/widget.js")).default.render({model: fake.model, el});
}"""
# Long enough for a view to ask for rows many times.
FRAMES = "async () => { for (let frame = 0; frame < 30; frame += 1) await new Promise(requestAnimationFrame); }"


@pytest.fixture(scope="module")
def images():
    with open_desk(300) as desk:
        yield desk.images


@pytest.fixture
def drawn(bare, images):
    return Drawn(bare, images)


def test_names_of_the_filters(drawn):
    """Each filter is a field or a group with a name, in a part of the page that is for searching."""
    rail = drawn.page.get_by_role("search", name="Filters")
    for label in (NAME, "Age (>90d)"):
        assert rail.get_by_role("textbox", name=label, exact=True).count() == 1
    for label in SIZES:
        for end in ("from", "to"):
            field = rail.get_by_role("group", name=label, exact=True)
            assert field.get_by_role("spinbutton", name=f"{label}, {end}", exact=True).count() == 1
    for end in ("from", "to"):
        assert rail.get_by_role("group", name="Created").get_by_label(f"Created, {end}", exact=True).count() == 1
    for label in ("type", "status", "tag", "region", "distribution", "public"):
        group = rail.get_by_role("group", name=label, exact=True)
        assert group.get_by_role("checkbox").count() > 0, label


def test_one_message_for_a_word(drawn):
    """What is typed is told once, when it has been typed; clearing it tells of no filter."""
    drawn.field(NAME).press_sequentially("debian", delay=30)
    expect(drawn.status).not_to_contain_text("300 of")
    assert [message["spec"] for message in drawn.sent("filter")] == [{"name": "debian"}]
    assert set(drawn.page.locator("tbody .doimages-of-name").all_inner_texts()) == set(drawn.picker.value.name)
    drawn.field(NAME).fill("")
    expect(drawn.status).to_contain_text("300 of 300 images")
    assert drawn.sent("filter")[-1]["spec"] == {}


def test_every_filter_reaches_the_kernel(drawn):
    """All fields and facets say what was put into them, and Clear filters empties them all."""
    drawn.field(NAME).fill("/e/")
    drawn.field("Age (>90d)").fill(">1d")
    drawn.field("Created, from").fill("2020-01-02")
    drawn.field("Size, GB, to").fill("90.5")
    drawn.field("Cost a month, $, from").fill("0")
    drawn.field("Min disk, GB, from").fill("1")
    drawn.field("Min disk, GB, to").fill("500")
    drawn.facet("type").get_by_role("checkbox", name="snapshot").check()
    drawn.facet("type").get_by_role("checkbox", name="backup").check()
    drawn.facet("public").get_by_role("checkbox", name="no").check()
    expected = {
        "name": "/e/",
        "age": ">1d",
        "created_at": ["2020-01-02", None],
        "size_gigabytes": [None, 90.5],
        "monthly_cost": [0, None],
        "min_disk_size": [1, 500],
        "type": ["snapshot", "backup"],
        "public": [False],
    }
    drawn.page.wait_for_function("() => fake.traits.spec.public && fake.traits.spec.min_disk_size")
    assert drawn.picker.state == expected
    drawn.page.get_by_role("button", name="Clear filters").click()
    expect(drawn.status).to_contain_text("300 of 300 images")
    values = [field.input_value() for field in drawn.page.locator("input:not([type=checkbox])").all()]
    assert values == [""] * len(values)
    assert drawn.page.locator(".doimages-rail input:checked").count() == 0


def test_the_kernel_does_not_overwrite_what_is_typed(drawn):
    """A reply to what was typed before leaves what is typed now, and a filter chosen meanwhile stays chosen."""
    drawn.hold()
    drawn.field(NAME).fill("web")
    drawn.page.wait_for_function("() => fake.sent.length === 1")
    drawn.facet("type").get_by_role("checkbox", name="snapshot").check()
    drawn.field(NAME).press("End")
    drawn.page.keyboard.type("-01")
    drawn.settle()
    drawn.give()
    expect(drawn.field(NAME)).to_have_value("web-01")
    expect(drawn.facet("type").get_by_role("checkbox", name="snapshot")).to_be_checked()
    drawn.release()
    drawn.page.wait_for_function("() => fake.traits.spec.name === 'web-01'")
    assert drawn.picker.state == {"name": "web-01", "type": ["snapshot"]}


@pytest.mark.parametrize("is_sent", [True, False])
def test_rows_that_nobody_saw_are_not_selected(drawn, is_sent):
    """A click on Select all while other rows are on their way selects none, and says so; the next one selects these."""
    if is_sent:
        drawn.hold()
        drawn.field(NAME).fill("web")
        drawn.page.wait_for_function("() => fake.sent.length === 1")
        drawn.page.evaluate("document.querySelector('.doimages-tools button').click()")
        drawn.release()
    else:
        drawn.page.evaluate(
            """() => {
                const input = document.querySelector(".doimages-rail input");
                input.value = "web";
                input.dispatchEvent(new Event("input", {bubbles: true}));
                document.querySelector(".doimages-tools button").click();
            }"""
        )
    expect(drawn.alert).to_contain_text("nothing was selected")
    expect(drawn.status).to_contain_text("58 of 300 images · 0 selected")
    expect(drawn.field(NAME)).to_have_value("web")
    drawn.page.get_by_role("button", name="Select all 58 filtered").click()
    expect(drawn.status).to_contain_text("58 selected")
    expect(drawn.alert).to_have_text("")


def test_filters_that_are_set_by_code_are_shown(drawn):
    """What the kernel sets is in the fields, but for the one that is being typed in."""
    drawn.field(NAME).focus()
    drawn.picker._picking.set(name="db", size_gigabytes=(1, 50), type=["backup"])
    drawn.push()
    expect(drawn.field("Size, GB, from")).to_have_value("1")
    expect(drawn.field("Size, GB, to")).to_have_value("50")
    expect(drawn.facet("type").get_by_role("checkbox", name="backup")).to_be_checked()
    expect(drawn.field(NAME)).to_have_value("")
    drawn.field("Age (>90d)").focus()
    drawn.picker._picking.set(name="web")
    drawn.push()
    expect(drawn.field(NAME)).to_have_value("web")
    expect(drawn.facet("type").get_by_role("checkbox", name="backup")).not_to_be_checked()


@pytest.mark.parametrize(("label", "wrong", "right"), [(NAME, "/[/", "/[w]/"), ("Age (>90d)", "old", ">1d")])
def test_a_filter_that_is_refused(drawn, label, wrong, right):
    """The kernel says why, the rows and what was typed stay; the next filter that is one takes the words away."""
    rows = drawn.rows.all_inner_texts()
    drawn.field(label).fill(wrong)
    expect(drawn.alert).to_contain_text("The rows are as before.")
    drawn.field("Size, GB, from").focus()
    drawn.boxes.first.check()
    expect(drawn.status).to_contain_text("1 selected")
    assert drawn.rows.all_inner_texts() == rows
    expect(drawn.field(label)).to_have_value(wrong)
    drawn.field(label).fill(right)
    expect(drawn.alert).to_have_text("")
    expect(drawn.field(label)).to_have_value(right)
    assert next(iter(drawn.picker.state.values())) == right


def test_counts_change_in_place(drawn):
    """A value that is chosen keeps the focus while the counts change; one without rows stays, and is shown so."""
    facet = drawn.facet("type")
    backup = facet.get_by_role("checkbox", name="backup")
    place = backup.evaluate("box => { window.box = box; return box.getBoundingClientRect().top; }")
    backup.focus()
    drawn.page.keyboard.press("Space")
    counted = drawn.picker._picking.rows.frame.query("type == 'backup'").status.value_counts()
    expect(drawn.facet("status").get_by_role("checkbox", name="available")).to_be_visible()
    expect(drawn.facet("status").locator("label").first).to_have_text(f"available({counted['available']})")
    expect(drawn.facet("status").locator(".doimages-empty").first).to_contain_text("(0)")
    assert drawn.page.evaluate("() => document.activeElement === box && box.isConnected && box.checked")
    assert backup.evaluate("box => box.getBoundingClientRect().top") == place
    # The facet itself still counts what it would add.
    expect(facet.get_by_role("checkbox", name="snapshot")).to_have_accessible_name(re.compile(r"snapshot \([1-9]"))


def test_a_long_facet_is_searched(bare, images):
    """More than twelve values have a search; what is chosen stays in sight; the rest is told by its number."""
    tags = [[f"tag-{number:02}"] for number in range(60)] * 5
    drawn = Drawn(bare, images.assign(tags=tags))
    facet = drawn.facet("tag")
    expect(facet.get_by_role("checkbox")).to_have_count(25)
    expect(facet).to_contain_text("35 more: search")
    facet.get_by_role("checkbox", name="tag-03").check()
    search = facet.get_by_role("searchbox", name="search in tag")
    search.press_sequentially("tag-5")
    expect(facet.get_by_role("checkbox")).to_have_count(11)
    expect(facet.get_by_role("checkbox", name="tag-03")).to_be_checked()
    expect(search).to_be_focused()
    assert [message["text"] for message in drawn.sent("search")] == ["tag-5"]
    assert facet.locator(".doimages-more").inner_text() == ""
    assert drawn.facet("type").get_by_role("searchbox").count() == 0
    search.press("b")
    search.press("Enter")
    expect(facet.get_by_role("checkbox")).to_have_count(1)
    assert drawn.page.url.endswith(":1/")


def test_the_code(drawn):
    """The code of the filters is there in each language, follows them, and is copied by a button."""
    drawn.page.get_by_text("Show the code").click()
    code = drawn.page.get_by_role("region", name="Code")
    drawn.field(NAME).fill("web")
    expect(drawn.status).not_to_contain_text("300 of")
    copy = drawn.page.get_by_role("button", name="Copy")
    for language in ("Python", "SQL", "%%doimages"):
        drawn.page.get_by_label("Language").select_option(language)
        expected = drawn.picker._codes[language]
        expect(code).to_have_text(expected, use_inner_text=True)
        copy.click()
        expect(drawn.page.get_by_role("status").last).to_have_text("copied")
        assert drawn.page.evaluate("navigator.clipboard.readText()") == expected
    drawn.field(NAME).fill("db")
    expect(code).to_contain_text("'db'")
    expect(drawn.page.get_by_label("Language")).to_have_value("%%doimages")
    expect(drawn.page.get_by_role("status").last).to_have_text("")


def test_the_code_is_copied_without_a_clipboard(drawn):
    """A page that gives no clipboard, as one over plain HTTP does not, still has a way to copy."""
    drawn.page.evaluate("() => Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    drawn.page.get_by_text("Show the code").click()
    drawn.page.get_by_role("button", name="Copy").click()
    expect(drawn.page.get_by_role("status").last).to_have_text("copied")
    assert drawn.page.evaluate("getSelection().toString()") == drawn.picker.python


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400), ("light", 400)])
def test_axe_has_nothing_against_it(drawn, theme, width):
    """It is as accessible as axe can tell, with an error, a selection, details and code; and it fits into its cell."""
    drawn.widget.theme(theme)
    drawn.page.set_viewport_size({"width": width, "height": 1600})
    drawn.boxes.nth(1).check()
    drawn.page.get_by_text("Show the code").click()
    drawn.field(NAME).fill("/[/")
    expect(drawn.alert).to_contain_text("The rows are as before.")
    assert axe(drawn.page, PICKER) == []
    wide = drawn.page.evaluate(
        "() => [...document.querySelectorAll('main *')].filter(one => one.scrollWidth > one.clientWidth + 1"
        " && one.clientWidth && getComputedStyle(one).overflowX !== 'hidden').map(one => one.className)"
    )
    assert set(wide) <= {"doimages-scroll", ""}
    assert drawn.page.evaluate("document.documentElement.scrollWidth") <= width
    assert drawn.page.evaluate(f"getComputedStyle(document.querySelector('{PICKER}')).colorScheme") == theme


def test_hostile_texts_run_nothing(bare, images):
    """Markup in every text of every trait is shown as it is written, in elements of the view's own alone."""
    drawn = Drawn(bare, images.head(3))
    ours = drawn.page.evaluate(TAGS)

    def poison(value):
        if isinstance(value, dict):
            return {key: poison(one) for key, one in value.items()}
        if isinstance(value, list):
            return [poison(one) for one in value]
        return HOSTILE if isinstance(value, str) else value

    traits = {name: drawn.widget[name] for name in ("facets", "window", "status")}
    traits["status"] |= {"details": [["name", "x"]], "note": "x", "error": "x"}
    traits["codes"] = {HOSTILE: {HOSTILE: HOSTILE}}
    drawn.widget.push(**{name: poison(value) for name, value in traits.items()})
    drawn.page.get_by_text("Show the code").click()
    page = drawn.page
    for shown in (drawn.status, drawn.alert, page.locator(".doimages-note"), page.locator("dd"), page.locator("pre")):
        expect(shown).to_have_text(HOSTILE)
    expect(page.locator("tbody tr[data-id] td:nth-child(2)")).to_have_text([HOSTILE] * 3)
    assert set(page.locator(".doimages-word").all_text_contents()) == {HOSTILE, "(none)", "yes", "no"}
    assert page.evaluate(TAGS) == sorted({*ours, "div", "dt", "dd", "option"})
    assert page.evaluate("window.pwned") is None
    assert HOSTILE in drawn.boxes.first.get_attribute("aria-label")


def test_hostile_names_of_columns_and_filters(bare, images):
    """The texts that are only read once are no markup either."""
    drawn = Drawn(bare, images.head(3))
    traits = {name: drawn.widget[name] for name in ("facets", "window", "marks", "status", "spec", "codes")}
    traits["filters"] = [one | {"label": HOSTILE} for one in drawn.widget["filters"]]
    traits["columns"] = [one | {"label": HOSTILE} for one in drawn.widget["columns"]]
    made = bare(module(), "", traits)
    assert set(made.page.locator("th:not(:first-child)").all_text_contents()) == {HOSTILE}
    assert set(made.page.locator("legend").all_text_contents()) == {HOSTILE}
    assert made.page.locator("img, script:not(head script)").count() == 0
    assert made.page.evaluate("window.pwned") is None


def test_its_end(drawn):
    """A view that has ended hears nothing and sends nothing, not even what was typed just before."""
    assert drawn.widget.listeners > 0
    drawn.hold()
    drawn.page.evaluate("() => { window.timers = new Set(); }")
    drawn.page.evaluate(
        "() => { const [set, clear] = [setTimeout, clearTimeout];"
        " window.setTimeout = (act, after) => {"
        " const id = set(() => { timers.delete(id); act(); }, after); timers.add(id); return id; };"
        " window.clearTimeout = id => { timers.delete(id); clear(id); }; }"
    )
    drawn.page.evaluate(
        "label => { const field = document.querySelector('input[type=text]'); field.value = 'web';"
        " field.dispatchEvent(new Event('input'));"
        " const search = document.querySelector('input[type=search]'); search.value = 'a';"
        " search.dispatchEvent(new Event('input'));"
        " window.begun = timers.size; fake.clean_up(); }"
    )
    assert drawn.page.evaluate("window.begun") == 2
    assert drawn.page.evaluate("timers.size") == 0
    assert drawn.widget.listeners == 0
    drawn.field(NAME).fill("db")
    drawn.boxes.first.click()
    drawn.page.get_by_role("button", name="Clear selection").dispatch_event("click")
    drawn.page.keyboard.press("Control+a")
    drawn.scroller.evaluate("one => { one.scrollTop = 5_000; one.dispatchEvent(new Event('scroll')); }")
    assert drawn.page.evaluate("timers.size") == 0
    assert drawn.widget.sent == []


def test_two_views_of_one_picker_come_to_rest(drawn):
    """Scrolled in one of them, the other follows: they do not ask for their rows in turn without end."""
    drawn.page.evaluate(ANOTHER_VIEW)
    one, other = drawn.page.locator(".doimages-scroll").all()
    one.evaluate("one => { one.scrollTop = 5000; }")
    drawn.page.wait_for_function("() => fake.traits.window.start > 100")
    drawn.page.evaluate(FRAMES)
    drawn.settle()
    assert len(drawn.sent("window")) == 1
    for view in (one, other):
        expect(view.locator("tr[data-id]").first).to_be_attached()
        assert view.evaluate("one => one.scrollTop") > 4000
    drawn.page.evaluate("() => end()")


def test_two_views_of_one_picker(drawn):
    """Both show the same; what is done in the one stays done in the other, and the end of one is not that of both."""
    for place in range(3):
        drawn.boxes.nth(place).click()
    drawn.settle()
    drawn.page.evaluate(ANOTHER_VIEW)
    one, other = drawn.page.locator(PICKER).all()
    for place in range(3, 6):
        one.get_by_role("checkbox", name=re.compile("^Select ")).nth(place).click()
    drawn.settle()
    drawn.hold()
    # Its clicks are not answered by replies to those of the other view.
    other.get_by_label(NAME).fill("e")
    drawn.page.wait_for_function("() => fake.sent.at(-1).kind === 'filter'")
    other.get_by_role("checkbox", name=re.compile("^Select ")).nth(8).click()
    status = drawn.widget["status"]
    drawn.widget.push(status=status | {"note": "told meanwhile"})
    expect(other.locator("tr[aria-selected='true']")).to_have_count(7)
    drawn.release()
    for view in (one, other):
        expect(view.locator(".doimages-status")).to_contain_text("7 selected")
        expect(view.get_by_label(NAME)).to_have_value("e")
    drawn.widget.clean_up()
    other.get_by_role("button", name="Clear selection").click()
    expect(other.locator(".doimages-status")).to_contain_text("0 selected")
    drawn.page.evaluate("() => end()")
    assert drawn.widget.listeners == 0


def test_the_module_makes_no_markup():
    """Nothing in it makes elements of text, or runs any."""
    words = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc|https?:"
    assert re.findall(words, module()) == []
