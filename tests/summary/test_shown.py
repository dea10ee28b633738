"""How a summary shows: as text, and as drawings with tables; what stands in an image's texts runs nothing."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pandas as pd
import pytest
from scripted import CANARY, image, pages_of

from doimages.reader import read_do_images

HOSTILE = [
    "<script>alert(1)</script>",
    "</text></svg><img src=x onerror=alert(1)>",
    "'\"><b onclick='x'>&amp;&lt;",
    "$\\frac{1}{2}$ $$x$$ \\(y\\)",
    "<!--<script>",
    "]]><![CDATA[",
    "\N{CJK UNIFIED IDEOGRAPH-6F22}\N{CJK UNIFIED IDEOGRAPH-5B57}\N{GRINNING FACE}",
    "{{7*7}} ${x} %s",
    "",
]
CONTROL = {"a\x00\x1b[31mb\nc": "a\ufffd\ufffd[31mb\ufffdc", "\u202egnp.exe": "\ufffdgnp.exe"}
TAGS = {"div", "p", "b", "figure", "figcaption", "details", "summary", "ul", "li"}
TAGS |= {"table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "title", "desc", "g", "path", "text"}
ATTRIBUTES = {"aria-label", "class", "d", "height", "role", "scope", "style", "tabindex", "transform", "viewbox"}
ATTRIBUTES |= {"width", "x", "y"}


class Page(HTMLParser):
    """Reads a page as a browser does: its elements, their attributes, and its texts by element."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self._open = [], {}, []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def handle_comment(self, data):
        raise AssertionError(data)

    unknown_decl = handle_decl = handle_pi = handle_comment

    def all_of(self, name):
        """Give what every attribute of a name holds."""
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def drawings(html):
    """Give the drawings, read as XML."""
    return [ET.fromstring(svg) for svg in re.findall(r"<svg .*?</svg>", html, re.DOTALL)]  # noqa: S314 - our own


def drawn(svg):
    """Give the texts of a drawing."""
    return [element.text for element in svg.iter("text")]


@pytest.fixture
def summary(make_client):
    """Give a function that sums up images."""

    def of(images):
        return read_do_images(client=make_client(pages_of(images))).do_images.summary()

    return of


def some(number=5):
    return [image(one, regions=["nyc3", "ams3"], size_gigabytes=one) for one in range(1, number + 1)]


def test_text(summary):
    """As text it tells the totals, how many images there are of what, and the first of the biggest and the oldest."""
    lines = repr(summary([*some(), image(9, type="backup", size_gigabytes=None)])).splitlines()

    assert re.fullmatch(r"6 images, 6 your own, 15\.00 GB, \$0\.90 a month; \d{4}-\d\d-\d\d \d\d:\d\d UTC", lines[0])
    assert lines[1:4] == [
        "  by type          snapshot 5, backup 1",
        "  by distribution  Ubuntu 6",
        "  by region        nyc3 6, ams3 5",
    ]
    assert lines[5:] == [
        "  biggest          image 5 ('web-5'), 5.00 GB",
        "  biggest          image 4 ('web-4'), 4.00 GB",
        "  biggest          image 3 ('web-3'), 3.00 GB",
        "  oldest           image 1 ('web-1'), 2026-03-01",
        "  oldest           image 2 ('web-2'), 2026-03-01",
        "  oldest           image 3 ('web-3'), 2026-03-01",
        "  note             not known, and not in the sums: size of 1",
        "  note             only snapshots and custom images are billed by size",
        "  note             an image counts in each of its regions, and is billed once",
    ]


def test_drawings(summary):
    """The drawings show the figures by type, distribution, region and age; what is not known is a dash."""
    html = summary([*some(), image(9, type="base", size_gigabytes=1234.5, distribution=None)])._repr_html_()
    by_type, by_distribution, by_region, by_age = drawings(html)

    assert {"snapshot", "5", "15.00", "$0.90", "base", "1", "1,234.50", "\N{EN DASH}"} < set(drawn(by_type))
    assert {"images", "GB", "$ a month"} < set(drawn(by_type))
    assert {"Ubuntu", "missing"} < set(drawn(by_distribution))
    assert {"nyc3", "ams3", "1,249.50"} < set(drawn(by_region))
    assert {"under 1 day", "1 to 7 days", "over a year", "0.00", "$0.00"} < set(drawn(by_age))


def test_the_tables_have_what_is_drawn(summary):
    """Each figure that is drawn is in a table too."""
    html = summary([*some(), image(9, type="base", distribution="Rocky Linux")])._repr_html_()
    cells = Page(html).texts
    told = {*cells["td"], *cells["th"]}

    for svg in drawings(html):
        assert set(drawn(svg)) <= told


@pytest.mark.parametrize(("number", "labels"), [(11, 11), (12, 11), (500, 11)])
def test_many_values(summary, number, labels):
    """Ten values are drawn, and the sum of the others if they are more than one; the frame has them all."""
    made = summary([image(one, distribution=f"own {one:03}", size_gigabytes=1) for one in range(1, number + 1)])
    panel = made.panels[1]

    assert len(made.by_distribution) == number
    assert len(panel.rows) == labels
    assert [row.label for row in panel.rows[:2]] == ["own 001", "own 002"]
    assert sum(row.images for row in panel.rows) == number
    assert sum(row.gigabytes for row in panel.rows) == number
    assert panel.rows[-1].label == ("own 011" if number == 11 else f"{number - 10} others")


def test_no_images(summary):
    """No images are drawn as zeros."""
    made = summary([])
    html = made._repr_html_()

    assert repr(made).startswith("0 images, 0 your own, 0.00 GB, $0.00 a month")
    assert len(drawings(html)) == 4
    assert drawn(drawings(html)[3]).count("0") == 6


def test_long_values(summary):
    """A value that is too long for its place is cut in the drawing, wide letters sooner, and whole in the table."""
    long, wide = "x" * 200, "\N{CJK UNIFIED IDEOGRAPH-6F22}" * 100
    html = summary([image(1, distribution=long), image(2, distribution=wide)])._repr_html_()
    labels = [text for text in drawn(drawings(html)[1]) if text.endswith("\N{HORIZONTAL ELLIPSIS}")]

    assert {label[:-1] for label in labels} == {"x" * 14, "\N{CJK UNIFIED IDEOGRAPH-6F22}" * 7}
    assert {long, wide} < set(Page(html).texts["th"])


@pytest.mark.parametrize("where", ["name", "distribution", "type", "regions"])
def test_hostile_texts(summary, where):
    """Whatever stands in a text of an image is shown as it is, and is no element, no attribute and no formula."""
    kept = {text or "(empty)" for text in (*HOSTILE, *CONTROL.values())}
    html = made_of([*HOSTILE, *CONTROL], where).do_images.summary()._repr_html_()
    page = Page(html)

    assert {tag for tag, _ in page.elements} <= TAGS
    assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES
    assert page.elements[0] == ("div", {"class": "tex2jax_ignore", "style": "line-height: 1.4"})
    assert not any(re.search(r"url|expression|@", style) for style in page.all_of("style"))
    assert kept <= {*page.texts["td"], *page.texts["th"]}
    labels = {text for svg in drawings(html) for text in drawn(svg)}
    assert where == "name" or {text.strip("()") for text in kept if len(text) < 15} <= labels


def made_of(texts, where):
    """Make a frame that has each text in a column: the first are the biggest images, and the last the oldest."""
    records = [
        image(number, size_gigabytes=100 - number, created_at=f"2026-03-{31 - number}T00:00:00Z")
        | {where: [text] if where == "regions" else text}
        for number, text in enumerate(texts, 1)
    ]
    return pd.DataFrame(records)


def test_dollars_are_no_formula(summary):
    """A text with dollars is drawn letter by letter."""
    html = summary([image(1, distribution="$x^2$")])._repr_html_()

    assert "$x^2$" in drawn(drawings(html)[1])


def test_letters_that_the_font_lacks(summary):
    """A letter that matplotlib's font lacks stays a letter in the drawing, without a warning."""
    word = "\N{CJK UNIFIED IDEOGRAPH-6F22}\N{CJK UNIFIED IDEOGRAPH-5B57}"

    assert word in drawn(drawings(summary([image(1, distribution=word)])._repr_html_())[1])


def test_tokens(summary):
    """A token that stands in a name shows nowhere."""
    made = summary([image(1, name=CANARY, distribution=CANARY, type=CANARY, regions=[CANARY])])

    assert CANARY not in repr(made)
    assert CANARY not in made._repr_html_()


def test_accessible(summary):
    """Each drawing is an image with a name and a description; each table has a caption, and headings of its rows."""
    html = summary(some())._repr_html_()
    page = Page(html)

    for svg, what in zip(drawings(html), ("type", "distribution", "region", "age"), strict=True):
        assert svg.get("role") == "img"
        assert svg[0].tag == "title"
        assert svg[0].text == f"Images, GB and cost by {what}"
        assert svg[1].tag == "desc"
    tables = [tag for tag, _ in page.elements].count("table")
    assert page.texts["caption"] == ["Biggest", "Oldest", "By type", "By distribution", "By region", "By age"]
    assert tables == 6
    assert set(page.all_of("scope")) == {"col", "row"}


def test_themes(summary):
    """Text and lines have the colour of the page's text, the ground is the page's, and only bars have one of ours."""
    html = summary(some())._repr_html_()
    colours = set(re.findall(r"(?:fill|stroke|color|background)[\w-]*: ([^;\"]+)", html))

    assert colours - {"round", "miter", "square", "butt", "0.5", "0.8"} == {
        *("currentColor", "none", "#3987c9", "#2a9d8f", "#c9772e")
    }
    for svg in drawings(html):
        assert all("fill: currentColor" in element.get("style") for element in svg.iter("text"))


def test_same_again(summary):
    """The same figures are drawn the same, and nothing has an id: two summaries can stand in one page."""
    made = summary(some())
    html = made._repr_html_()

    assert made._repr_html_() == html
    assert Page(html).all_of("id") == []
    assert "url(" not in html
    assert "<style" not in html


def test_matplotlib_stays(summary):
    """A style of the user's changes nothing in the drawings, which leave it as it is."""
    made = summary(some())
    html = made._repr_html_()
    with mpl.rc_context({"font.size": 30, "figure.facecolor": "red", "svg.fonttype": "path", "text.color": "red"}):
        before = dict(mpl.rcParams)
        assert made._repr_html_() == html
        assert dict(mpl.rcParams) == before


def test_threads(summary):
    """Threads that draw at the same time draw the same, and leave matplotlib's settings."""
    made = summary(some())
    html, before = made._repr_html_(), dict(mpl.rcParams)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: made._repr_html_(), range(8))) == {html}

    assert dict(mpl.rcParams) == before


def test_brought_in_when_drawn():
    """Figures and text bring in no matplotlib; a drawing does, and no pyplot."""
    code = (
        "import doimages, sys\n"
        "frame = doimages.read_do_images(client=doimages.connect(base_url='sandbox'), max_results=3)\n"
        "made = frame.do_images.summary(); repr(made); made.to_frames()\n"
        "print('matplotlib' in sys.modules)\n"
        "made._repr_html_()\n"
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=60,
        check=True,
    )

    assert done.stdout == "False\nTrue False\n"
