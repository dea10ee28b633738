"""A picker where there are no widgets: text and HTML that stay as they are, in which a name is a name."""

from html.parser import HTMLParser

import pytest
from hand import Hand, join
from screen import buttons, click, parts

import doimages
from doimages.sandbox_api.faults import Fault
from doimages.sheet import plain

VIEW = "application/vnd.jupyter.widget-view+json"
HOSTILE = [
    "</td></table><img src=x onerror=alert(1)>",
    "<script>window.pwned=1</script>",
    "<!--<script>",
    "\" onmouseover=alert(1) '",
    "&lt;b&gt; &amp; & &#x3c;",
    "$x^2$ \\(y\\)",
    "\x1b[31mred\x1b[0m\x07 \u202egnp",
    "  two\nlines\tand spaces  ",
    "=1+1",
    "{name} %s",
]
TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "br", "div", "code"}
ATTRIBUTES = {"class", "style", "scope", "role"}


pytestmark = pytest.mark.usefixtures("settled")


class Page(HTMLParser):
    """The elements of some HTML, and the texts of its cells; anything that is not ours fails."""

    def __init__(self, html):
        super().__init__()
        self.cells, self.text = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS
        for name, value in attrs:
            assert name in ATTRIBUTES
            assert "(" not in value
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_data(self, data):
        self.text += data
        if self.cells:
            self.cells[-1] += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


@pytest.fixture
def frame(desk):
    """Images whose texts are all hostile."""
    rows = desk.images.copy()
    texts = [HOSTILE[at % len(HOSTILE)] for at in range(len(rows))]
    for name in ("name", "description", "type", "status", "distribution", "slug"):
        rows[name] = texts
    for name in ("tags", "regions"):
        rows[name] = [[text, "b"] for text in texts]
    return rows


# Text


def test_a_picker_shows_the_same_text_each_time(desk):
    """Without addresses: its counts and filters; two of the same frame and state show the same."""
    frame = desk.images
    state = {"type": ["custom", "snapshot"], "name": "a", "selected": [int(frame["id"].iloc[0])]}
    texts = {repr(doimages.picker(frame, **state)) for _ in range(2)}
    number = len(doimages.picker(frame, **state).value)
    assert texts == {
        f"ImagePicker({number} of 60 images · 1 selected (1 hidden by filters); name='a', type=['custom', 'snapshot'])"
    }
    assert repr(doimages.picker(frame)) == "ImagePicker(60 of 60 images · 0 selected)"
    assert repr(doimages.picker(frame).snapshot()) == repr(doimages.picker(frame).snapshot())


def test_a_picker_shows_as_text_html_and_widget(desk):
    """Places without widgets have its first rows, and how many more there are."""
    picker = doimages.picker(desk.images)
    bundle = picker._repr_mimebundle_()
    assert bundle["text/plain"] == repr(picker)
    assert bundle["text/html"] == picker.snapshot(20)._repr_html_()
    assert "40 more rows are not shown here" in bundle["text/html"]
    assert bundle[VIEW]["model_id"] == picker.model_id


# The snapshot


def test_a_snapshot_has_the_rows_as_they_are_shown(desk):
    """Filtered, in their order, ticked where they are selected, under the line of the status and the filters."""
    frame = desk.images
    hand = Hand(doimages.picker(frame, type=["snapshot"], sort="-id"))
    first, second, *_ = hand.picker.value["id"].tolist()
    hand.select(second)
    snapshot = hand.picker.snapshot()
    assert snapshot.status == "30 of 60 images · 1 selected"
    assert snapshot.columns[:3] == ("selected", "name", "id")
    assert [row[2] for row in snapshot.rows] == hand.picker.value["id"].astype(str).tolist()
    assert [row[0] for row in snapshot.rows] == ["", "\N{CHECK MARK}", *[""] * 28]
    page = Page(snapshot._repr_html_())
    for text in (page.text, repr(snapshot)):
        assert snapshot.status in text
        assert "type: ['snapshot']" in text
        assert str(first) in text
        assert "not shown here" not in text
    shown = [row[1:] for row in hand.view.window["rows"]]
    assert [list(row[1:]) for row in snapshot.rows] == shown


@pytest.mark.parametrize(("rows", "more"), [(0, "60"), (1, "59"), (50, "10"), (60, ""), (100, "")])
def test_a_snapshot_says_how_many_rows_it_leaves_out(desk, rows, more):
    """In text and in HTML."""
    snapshot = doimages.picker(desk.images).snapshot(rows)
    assert len(snapshot.rows) == min(rows, 60)
    for text in (repr(snapshot), Page(snapshot._repr_html_()).text):
        assert ("not shown here" in text) is bool(more)
        assert not more or f"{more} more rows are not shown here" in text


def test_a_snapshot_stays_as_it_was(desk):
    """Whatever is picked after it was taken, and it is no widget."""
    hand = Hand(doimages.picker(desk.images))
    snapshot = hand.picker.snapshot()
    html, text = snapshot._repr_html_(), repr(snapshot)
    hand.send("all")
    hand.filter(type=["custom"])
    assert (snapshot._repr_html_(), repr(snapshot)) == (html, text)
    assert (hand.picker.snapshot()._repr_html_(), repr(hand.picker.snapshot())) != (html, text)
    assert not hasattr(snapshot, "_repr_mimebundle_")


# Hostile texts


@pytest.mark.parametrize("way", ["snapshot", "bundle"])
def test_hostile_texts_are_texts_in_html(frame, way):
    """No element and no attribute but ours, and each text is there as it would be printed."""
    picker = doimages.picker(frame)
    html = picker.snapshot(20)._repr_html_() if way == "snapshot" else picker._repr_mimebundle_()["text/html"]
    page = Page(html)
    width = len(picker.snapshot().columns)
    rows = [page.cells[at : at + width] for at in range(width, len(page.cells), width)]
    head = page.cells[:width]
    assert len(rows) == 20
    for row, text in zip(rows, frame["name"].head(20), strict=True):
        cells = dict(zip(head, row, strict=True))
        for name in ("name", "type", "status", "distribution"):
            assert cells[name] == plain(text)
        for name in ("tags", "regions"):
            assert cells[name] == f"{plain(text)}, b"
    assert "mathjax_ignore" in html
    assert "tex2jax_ignore" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_filters_are_texts(frame, text):
    """In the text of the picker, and in both forms of its snapshot."""
    picker = doimages.picker(frame, name=text, tags=[text], distribution=[text])
    snapshot = picker.snapshot()
    page = Page(picker._repr_mimebundle_()["text/html"])
    assert f"name: {plain(text)}" in page.text
    for shown in (repr(picker), picker._repr_mimebundle_()["text/plain"], *repr(snapshot).split("\n")):
        assert shown.isprintable()
    assert f"name={text!r}" in repr(picker)
    assert f"name: {plain(text)}" in repr(snapshot)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_go_to_the_screen_as_texts_that_print(frame, text):
    """The view gets them for what they are, without letters that a terminal or a page obeys."""
    hand = Hand(doimages.picker(frame))
    row = next(row for row in hand.view.window["rows"] if row[1] == plain(text))
    hand.send("focus", id=row[0])
    told = dict(hand.view.status["details"])
    assert told["name"] == told["description"] == plain(text)
    assert told["tags"] == f"{plain(text)}, b"
    assert [text, plain(text), 6] in hand.view.facets["type"]["values"]


def test_hostile_names_are_texts_in_the_panel(desk):
    """In examples, plans, reports and errors: no element and no attribute but ours."""
    own = desk.images[desk.images["type"].eq("snapshot")]["id"].head(8).tolist()
    for number, text in zip(own, HOSTILE, strict=False):
        desk.state.images[number] |= {"name": text, "tags": ["ok"]}
    hand = Hand(doimages.picker())
    pages = []

    def look():
        htmls = [one.value for one in parts(hand.picker) if type(one).__name__ == "HTML"]
        pages.extend(Page(html).text for html in htmls)

    hand.select(*own)
    for pattern in ("{name}<img src=x>", "{<img src=x onerror=alert(1)>}"):
        hand.choose("rename", pattern)
        look()
    refused = {"id": "unprocessable_entity", "message": HOSTILE[0]}
    path = f"/v2/images/{own[0]}"
    desk.state.faults.append(Fault("status", method="PUT", path=path, status=422, body=refused, times=None))
    hand.plan("rename", "{name}<img src=x>")
    look()
    hand.confirm()
    look()
    click(buttons(hand.picker)["Plan the retry of 1 image"])
    join()
    look()
    desk.state.faults.append(Fault("status", path="/v2/images", status=403, body=refused, times=None))
    hand.plan("delete")
    look()
    text = "\n".join(pages)
    assert "<img src=x>" in text
    assert text.count(HOSTILE[0]) >= 3
