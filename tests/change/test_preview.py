"""What a plan shows before anything is changed."""

import re
from html.parser import HTMLParser

import pytest
from estate import HERE, confirmed, estate, frame_of, images
from scripted import image

import doimages
from doimages.change.operations import OPERATIONS
from doimages.change.preview import minutes_of, requests_of
from doimages.settings import options

HOSTILE = {
    "markup": '<img src=x onerror="window.pwned=1"><script>alert(1)</script>',
    "entities": "&lt;b&gt; &amp; </td></tr></table><b>",
    "ansi": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "bidi": "invoice\u202egnp.exe\u2066\u200f",
    "lines": "one\ntwo\r\nNothing has been changed.\u2028three\x85four",
    "controls": "nul\x00 back\x08\x7f\x9b31m",
    "quotes": "'; DROP TABLE images; -- \"\\",
    "blank": "   ",
    "emoji": "\U0001f5c4\ufe0f nightly \U0001f680",
}


class Page(HTMLParser):
    """The elements of a page, and its rows of text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.rows = set(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes += [name for name, _ in attrs]
        if tag in {"tr", "caption"}:
            self.rows.append([])
        elif tag in {"th", "td"}:
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows[-1]:
            self.rows[-1][-1] += data
        else:
            self.rows[-1].append(data)


def page_of(plan):
    return Page(plan._repr_html_())


def rows_of(plan):
    """Give the rows of the HTML: a caption, then names and texts."""
    return [tuple(row) for row in page_of(plan).rows]


def texts(plan, name):
    return [text for first, text in rows_of(plan)[1:] if first == name]


@pytest.fixture
def account():
    with estate(
        image(1, name="web-2026-01-01", created_at="2026-01-01T00:00:00Z", size_gigabytes=2.0),
        image(2, name="web-2026-02-01", created_at="2026-02-01T00:00:00Z", size_gigabytes=3.5),
        image(3, name="db", type="custom", created_at="2025-12-24T00:00:00Z", size_gigabytes=None),
        image(4, name="kept", tags=["keep"]),
        image(5, name="kept too", tags=["keep"]),
        image(6, name="friday", type="backup"),
        image(7, name="24.04", type="base", public=True),
        image(8, name="spare"),
    ) as made:
        yield made


@pytest.fixture
def plan(account):
    return frame_of(1, 2, 3, 4, 5, 6, 7, 9).do_images.delete(client=account.here)


def test_preview(plan):
    """A preview tells whose images, how many, the saving, the ends, what is left alone and why, and how to confirm."""
    assert rows_of(plan) == [
        (f"Plan {plan.id}: delete 3 images. Nothing has been changed.",),
        ("host", HERE),
        ("account", "sandbox"),
        ("images", "3 images of the account's 7, 5.50 GB, 1 of unknown size"),
        ("by type", "2 snapshot, 1 custom"),
        ("oldest", "2025-12-24, image 3 ('db')"),
        ("newest", "2026-02-01, image 2 ('web-2026-02-01')"),
        ("frees", "$0.33 a month, at $0.06 per GB-month (price of 2026-11); 1 of unknown size are not in it"),
        ("sends", "image 1 ('web-2026-01-01'): delete"),
        ("sends", "image 2 ('web-2026-02-01'): delete"),
        ("sends", "image 3 ('db'): delete"),
        ("refused", "2 images: its tag 'keep' protects it: untag it first: image 4 ('kept'), image 5 ('kept too')"),
        (
            "refused",
            f"1 image: a backup: {OPERATIONS['delete'].reasons['backup']}: image 6 ('friday')",
        ),
        ("refused", "1 image: it is public, so not yours: image 7 ('24.04')"),
        ("already gone", "1 image: it is not there any more: image 9"),
        ("warning", "no image is left of the series 'web' (2)"),
        ("requests", "5, less than a minute at 250 a minute"),
        ("good until", f"{plan.expires_at[:16].replace('T', ' ')} UTC"),
        ("to confirm", "plan.apply(confirm='delete 3 images')"),
    ]


def test_text_is_as_the_html(plan):
    """The text has the rows of the HTML, one a line, the host and the account first."""
    lines = repr(plan).splitlines()

    assert lines[0] == f"Plan {plan.id}: delete 3 images. Nothing has been changed."
    assert [line.split()[0] for line in lines[1:3]] == ["host", "account"]
    assert [tuple(re.split(r" {2,}", line.strip(), maxsplit=1)) for line in lines[1:]] == rows_of(plan)[1:]
    assert str(plan) == repr(plan)


def test_host(account):
    """A host that is neither DigitalOcean's nor this machine is pointed at."""
    for url, said in (("https://api.test", "https://api.test (NOT DigitalOcean)"), (HERE, HERE)):
        assert texts(frame_of(1).do_images.delete(client=account.client(url)), "host") == [said]
    official = frame_of(1).do_images.delete(client=account.client("https://api.digitalocean.com"))
    assert texts(official, "host") == ["https://api.digitalocean.com"]


def test_account_that_is_not_known(account):
    """Where the token may not say whose it is, the preview says so."""
    plan = frame_of(1).do_images.delete(client=account.client(without="account:read"))

    assert texts(plan, "account") == ["not known: the token lacks the scope account:read"]
    assert "whose token it is was not checked: it lacks the scope account:read" in texts(plan, "warning")


@pytest.mark.parametrize(
    ("sizes", "price", "said"),
    [
        ([10.0, 10.0], None, r"\$1\.20 a month, at \$0\.06 per GB-month \(price of \d{4}-\d\d\)"),
        ([10.0, 10.0], 0.05, r"\$1\.00 a month, at \$0\.05 per GB-month$"),
        ([0.0, 0.05], None, r"\$0\.02 a month, .*"),
        ([None, None], None, r"\$0\.00 a month, .*; 2 of unknown size are not in it"),
        ([10.0, None], None, r"\$0\.60 a month, .*; 1 of unknown size are not in it"),
    ],
)
def test_saving(account, sizes, price, said):
    """The saving is by size at the price of the settings, a cent at least; unknown sizes are told and not guessed."""
    for number, size in zip((1, 2), sizes, strict=True):
        account.state.images[number]["size_gigabytes"] = size
    with options.option_context(price_per_gigabyte_month=price):
        plan = frame_of(1, 2).do_images.delete(client=account.here)

    [line] = texts(plan, "frees")
    assert re.fullmatch(said, line)
    assert texts(doimages.Plan.from_record(plan.to_record()), "frees") == [line]


def test_only_a_delete_saves(account):
    """What deletes nothing frees nothing."""
    assert texts(frame_of(1).do_images.tag("old", client=account.here), "frees") == []
    assert texts(frame_of(9).do_images.delete(client=account.here), "frees") == []


def test_what_is_sent(account):
    """Each step shows what is sent: for an update the value before and after."""
    rows = frame_of(1, 3).do_images

    assert texts(rows.update(name=lambda one: f"x-{one.name}", client=account.here), "sends") == [
        "image 1 ('web-2026-01-01'): name 'web-2026-01-01' -> 'x-web-2026-01-01'",
        "image 3 ('db'): name 'db' -> 'x-db'",
    ]
    assert texts(rows.transfer("ams3", client=account.here), "sends")[0] == (
        "image 1 ('web-2026-01-01'): transfer, region 'ams3'"
    )
    assert texts(rows.tag("old", client=account.here), "sends")[0] == "image 1 ('web-2026-01-01'): tag, tag 'old'"
    url = "https://images.example.com/base.qcow2"
    create = doimages.create_custom(name="base", url=url, region="nyc3", client=account.here)
    assert texts(create, "sends") == [f"image 'base': create, name 'base', url '{url}', region 'nyc3'"]
    assert texts(create, "images") == ["1 image"]


def test_overrides_show(account):
    """Each guard that was overridden shows, and those that were not do not."""
    loose = frame_of(1).do_images.delete(max_count=60, min_age="0h", client=account.here)

    assert texts(loose, "override") == ["max_count = 60 (usually 50)", "min_age = 0 min (usually 1h)"]
    assert texts(frame_of(1).do_images.delete(client=account.here), "override") == []


def test_plan_of_nothing(account):
    """A plan without steps says so, sends nothing, and asks for no words."""
    plan = frame_of(4, 9).do_images.delete(client=account.here)

    assert rows_of(plan)[0] == (f"Plan {plan.id}: delete 0 images. Nothing has been changed.",)
    assert texts(plan, "requests") == ["none"]
    assert texts(plan, "to confirm") == []
    assert len(texts(plan, "refused") + texts(plan, "already gone")) == 2


@pytest.mark.parametrize(
    ("steps", "own", "per_minute", "requests", "said"),
    [
        (1, 1, 250, 3, "less than a minute"),
        (200, 200, 250, 202, "less than a minute"),
        (250, 250, 250, 253, "about 1 min"),
        (600, 600, 250, 610, "about 2 min"),
        (200, 200, 10, 221, "about 22 min"),
    ],
)
def test_requests_and_minutes(steps, own, per_minute, requests, said):
    """A preview tells how many requests it takes, the reads among them, and how many minutes at the rate limit."""
    with estate(*images(own)) as account, options.option_context(requests_per_minute=per_minute):
        plan = frame_of(*range(1, steps + 1)).do_images.delete(max_count=1000, max_percent=100, client=account.here)
        [line] = texts(plan, "requests")

        assert requests_of(plan) == requests
        assert re.fullmatch(rf"\d+, {said} at {per_minute} a minute", line)


@pytest.mark.parametrize(("number", "requests"), [(1, 1), (100, 1), (101, 2), (250, 3)])
def test_tags_take_a_request_a_hundred(number, requests):
    """Images are tagged a hundred at once."""
    with estate(*images(number)) as account:
        plan = frame_of(*range(1, number + 1)).do_images.tag("old", max_count=1000, client=account.here)
        pages = -(-number // 200)

        assert requests_of(plan) == requests + 1 + pages


def test_requests_are_those_that_are_sent(account):
    """As many requests are sent as the preview told."""
    plan = frame_of(1, 2, 3).do_images.delete(client=account.here)
    account.state.log.clear()
    confirmed(plan)

    assert len(account.sent) == requests_of(plan)


def test_minutes():
    """The first minute's requests go at once."""
    with options.option_context(requests_per_minute=250):
        assert [minutes_of(number) for number in (0, 1, 250, 251, 500, 5000, 5025)] == [0, 0, 0, 1, 1, 19, 20]


# Names that try it


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names(name):
    """A name is never markup, and never a control character or a line of its own, wherever it shows."""
    with estate(
        image(1, name=name), image(2, name=name, tags=["keep"]), image(3, name="plain"), image(4, type=name)
    ) as account:
        account.state.account["team"]["name"] = name
        account.use(1, name)
        plain = frame_of(3, 9).do_images.delete(client=account.here)
        plans = [
            frame_of(1, 2, 3, 4).do_images.delete(client=account.here),
            frame_of(1).do_images.update(name=lambda one: f"x{one.name}", client=account.client("https://api.test")),
            doimages.create_custom(
                name=f"x{name}", url="https://images.example.com/a.img", region="nyc3", client=account.here
            ),
        ]
        for plan in plans:
            page = page_of(plan)
            assert page.elements == page_of(plain).elements == {"table", "caption", "tbody", "tr", "th", "td"}
            assert set(page.attributes) == {"class", "style"}
            assert {len(row) for row in page.rows[1:]} == {2}
            shown = repr(plan)
            assert all(letter.isprintable() or letter == "\n" for letter in shown)
            assert all(letter.isprintable() for letter in plan._repr_html_())
            assert len(shown.splitlines()) == len(page.rows)


def test_name_is_untouched_in_the_data():
    """The data of a plan has the names as they are."""
    with estate(*[image(number, name=name) for number, name in enumerate(HOSTILE.values(), 1)]) as account:
        plan = frame_of(*range(1, len(HOSTILE) + 1)).do_images.tag("x", client=account.here)

        assert [step.image.name for step in plan.steps] == [*HOSTILE.values()]
        assert plan.to_frame()["name"].tolist() == [*HOSTILE.values()]


def test_no_token_shows(account):
    """What looks like a token in a name is masked in the preview."""
    token = "dop_v1_" + "c0ffee" * 10 + "c0ff"
    account.state.images[1]["name"] = token
    plan = frame_of(1).do_images.delete(client=account.here)

    assert "c0ffee" not in repr(plan) + plan._repr_html_()


# Many rows

ROWS = 5_000


@pytest.fixture(scope="module")
def many():
    """A plan of 5,000 images, of which half are refused, each for a reason of its own."""
    kept = [image(number, tags=[f"protect-{number}"]) for number in range(ROWS // 2 + 1, ROWS + 1)]
    with estate(*images(ROWS // 2), *kept) as account:
        for number in range(1, 301):
            account.use(number, f"droplet-{number}")
        rows = frame_of(*range(1, ROWS + 1)).do_images
        yield rows.delete(max_count=ROWS, client=account.here)


def test_preview_of_many_is_short(many):
    """A preview of 5,000 rows has some dozens of lines, which say how many more there are, and where."""
    lines = repr(many).splitlines()

    assert len(lines) < 60
    assert len(repr(many)) < 10_000
    assert len(many._repr_html_()) < 20_000
    assert any("2492 more: plan.to_frame()" in line for line in lines)
    assert any("2 492 images more are left alone: plan.to_frame()" in line for line in lines)
    assert any("292 more: plan.warnings" in line for line in lines)
    assert len(many.to_frame()) == ROWS


def test_same_reason_is_one_line():
    """Thousands refused for one reason are one line, with their number and the first of them."""
    with estate(*images(2_000, tags=["keep"]), image(9_000)) as account:
        plan = frame_of(*range(1, 2_001)).do_images.delete(client=account.here)

        [line] = texts(plan, "refused")
        assert line.startswith("2 000 images: its tag 'keep' protects it: untag it first: image 1 ('web-1'), image 2")
        assert line.endswith("image 3 ('web-3') and 1997 more")
