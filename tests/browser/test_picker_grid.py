"""The grid of a picker in a bare page: its names, its keys, its focus and its selection, at the pace of any kernel."""

import re

import pytest
from desk import open_desk
from drawn import Drawn, many
from playwright.sync_api import expect

MANY = 20_000
PAGE = 10


@pytest.fixture(scope="module")
def images():
    with open_desk(300) as desk:
        yield desk.images


@pytest.fixture(scope="module")
def long(images):
    return many(images, MANY)


@pytest.fixture
def few(bare, images):
    return Drawn(bare, many(images, 30))


@pytest.fixture
def all_of_them(bare, long):
    return Drawn(bare, long)


def press(drawn, *keys):
    for key in keys:
        drawn.page.keyboard.press(key)


def expect_focus(drawn, number):
    """Wait until the row of an id has the focus, and is in sight."""
    expect(drawn.page.locator(f"tr[data-id='{number}'] input")).to_be_focused()
    assert drawn.page.evaluate(
        "() => { const [row, all] = ['tr', '.doimages-scroll'].map("
        "    name => document.activeElement.closest(name).getBoundingClientRect());"
        " return row.top >= all.top + 28 && row.bottom <= all.bottom; }"
    )


def selected(drawn):
    """The ids that are ticked on the screen, as it tells them to a screen reader."""
    rows = drawn.page.locator("tr[aria-selected='true']")
    ids = [int(row.get_attribute("data-id")) for row in rows.all()]
    ticked = drawn.rows.filter(has=drawn.page.locator("input:checked"))
    assert ids == [int(row.get_attribute("data-id")) for row in ticked.all()]
    return ids


def test_names_and_roles(few):
    """A screen reader finds a grid of so many rows, headers that sort, and a box in each row that names its image."""
    grid = few.page.get_by_role("grid", name="Images")
    expect(grid).to_have_attribute("aria-rowcount", "31")
    expect(grid).to_have_attribute("aria-multiselectable", "true")
    assert grid.get_by_role("columnheader").count() == len(few.widget["columns"]) + 1
    rows = grid.get_by_role("row")
    assert [row.get_attribute("aria-rowindex") for row in rows.all()] == [str(place) for place in range(1, 32)]
    for row, (number, name, *_) in zip(few.rows.all(), few.widget["window"]["rows"], strict=True):
        assert row.get_by_role("checkbox", name=f"Select {name} ({number})", exact=True).count() == 1
        assert row.get_attribute("aria-selected") == "false"
    expect(few.page.get_by_role("status").first).to_have_text("30 of 30 images · 0 selected")


def test_sorting(few):
    """A header sorts upwards, downwards, not at all, and says which; a column of lists has no button."""
    header = few.page.get_by_role("columnheader", name="size_gigabytes")
    sizes = few.page.locator("tbody .doimages-of-size_gigabytes")
    before = sizes.all_inner_texts()
    numbers = sorted(float(text) for text in before if text)
    empty = [""] * (len(before) - len(numbers))
    texts = [f"{number:.2f}" for number in numbers]
    for way, expected in (("ascending", texts), ("descending", texts[::-1])):
        header.get_by_role("button").click()
        expect(header).to_have_attribute("aria-sort", way)
        assert sizes.all_inner_texts() == [*expected, *empty]
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "none")
    assert sizes.all_inner_texts() == before
    assert few.page.get_by_role("columnheader", name="tags").get_by_role("button").count() == 0


def test_the_order_of_tab(few):
    """Tab goes through filters, buttons, headers, one row, its details, and the code; and Shift+Tab back."""
    few.field("Name (text or /regex/)").focus()
    seen = [few.focused]
    while "Show the code" not in seen:
        press(few, "Tab")
        seen.append(few.focused)
        assert len(seen) < 100
    first = few.boxes.first.get_attribute("aria-label")
    marks = ("Name (text or /regex/)", "Age (>90d)", "Size, GB, from", "snapshot", "Clear filters")
    marks += ("Select all 30 filtered", "name", "monthly_cost", first, "Show the code")
    places = [seen.index(mark) for mark in marks]
    assert places == sorted(places)
    assert sum(name.startswith("Select ") and "(" in name for name in seen) == 1
    press(few, "Shift+Tab")
    assert few.focused == "The image in focus"
    press(few, "Shift+Tab")
    assert few.focused == first


def test_keys_move_through_all_rows(all_of_them):
    """Arrows, PageDown, PageUp, Home and End come to any of 20,000 rows, one window after the other."""
    all_of_them.boxes.first.focus()
    press(all_of_them, "ArrowDown", "ArrowDown", "ArrowUp")
    expect_focus(all_of_them, 2)
    for step in range(1, 8):
        press(all_of_them, "PageDown")
        expect_focus(all_of_them, 2 + step * PAGE)
    press(all_of_them, "PageUp")
    expect_focus(all_of_them, 2 + 6 * PAGE)
    press(all_of_them, "End")
    expect_focus(all_of_them, MANY)
    press(all_of_them, "ArrowDown", "ArrowUp")
    expect_focus(all_of_them, MANY - 1)
    press(all_of_them, "Home", "ArrowUp")
    expect_focus(all_of_them, 1)
    assert max(message["count"] for message in all_of_them.sent("window")) <= 200


def test_keys_do_not_wait_for_the_kernel(all_of_them):
    """While windows are on their way the grid keeps the focus, and what was pressed meanwhile counts."""
    all_of_them.boxes.first.focus()
    all_of_them.settle()
    all_of_them.hold()
    press(all_of_them, *["PageDown"] * 8, "End", "Home", *["PageDown"] * 12)
    all_of_them.settle()
    while all_of_them.held:
        all_of_them.give()
        assert all_of_them.focused.startswith(("Select ", "the grid"))
        all_of_them.settle()
    all_of_them.release()
    expect_focus(all_of_them, 1 + 12 * PAGE)


def test_a_wheel_moves_on(all_of_them):
    """Scrolling goes where it goes, whatever row had the focus; the focus is then on a row in sight."""
    all_of_them.boxes.nth(3).click()
    all_of_them.scroller.hover()
    all_of_them.page.mouse.wheel(0, 50_000)
    expect(all_of_them.boxes.first).to_have_attribute("aria-label", re.compile(r"\(17[67]\d\)"))
    assert all_of_them.scroller.evaluate("one => one.scrollTop") == 50_000
    place = all_of_them.page.evaluate("document.activeElement.closest('tr').dataset.id")
    expect_focus(all_of_them, int(place))


@pytest.mark.parametrize("change", ["sort", "filter"])
def test_other_rows_show_from_the_top(all_of_them, change):
    """After a sort or a filter the first rows are in sight, however far it was scrolled."""
    drawn = all_of_them
    drawn.scroller.evaluate("one => { one.scrollTop = 90_000; }")
    expect(drawn.page.locator("tr[data-id='3220']")).to_be_attached()
    if change == "sort":
        drawn.page.get_by_role("columnheader", name="id", exact=True).get_by_role("button").dblclick()
        expect(drawn.page.locator(f"tr[data-id='{MANY}']")).to_be_in_viewport()
    else:
        drawn.facet("type").get_by_role("checkbox", name="backup").check()
        expect(drawn.status).to_contain_text(" of 20,000 images")
        expect(drawn.page.locator(f"tr[data-id='{drawn.picker.value.id.iloc[0]}']")).to_be_in_viewport()
    assert drawn.scroller.evaluate("one => one.scrollTop") == 0


def test_the_focus_survives(few):
    """The row in focus keeps it when rows are filtered and sorted by code, and gives it to a neighbour if it goes."""
    few.boxes.nth(8).focus()
    number = few.widget["window"]["rows"][8][0]
    few.settle()
    picking = few.picker._picking
    picking.set(sort="-id")
    few.push()
    expect_focus(few, number)
    kind = few.picker.value.set_index("id").type[number]
    picking.set(type=[kind])
    few.push()
    expect_focus(few, number)
    other = next(one for one in few.picker._picking.rows.facets["type"].words if one != kind)
    picking.set(type=[other])
    few.push()
    assert few.focused.startswith("Select ")
    picking.set(name="no image has this name")
    few.push()
    assert few.focused == "the grid"
    picking.set()
    few.push()
    assert few.focused.startswith("Select ")


def test_the_row_in_focus_is_told(few):
    """All that is known of the row in focus is under the grid."""
    few.boxes.nth(4).focus()
    number, name, *_ = few.widget["window"]["rows"][4]
    details = few.page.locator("dl div")
    expect(details.first).to_have_text(f"id{number}")
    expect(details.nth(1)).to_have_text(f"name{name}")
    # A click beside the box moves the focus, and selects nothing.
    few.rows.nth(6).locator("td").nth(2).click()
    expect(details.first).to_have_text(f"id{few.widget['window']['rows'][6][0]}")
    assert few.focused.startswith("Select ")
    assert selected(few) == []


def test_selecting_by_keys(few):
    """Space toggles, Control+A selects all that the filters leave, Escape none."""
    few.boxes.first.focus()
    press(few, "Space", "ArrowDown", "ArrowDown", "Space")
    few.settle()
    assert selected(few) == list(few.picker.selection.id) == [1, 3]
    press(few, "Space")
    few.settle()
    assert selected(few) == list(few.picker.selection.id) == [1]
    press(few, "Control+a")
    few.settle()
    assert selected(few) == list(few.picker.selection.id) == list(range(1, 31))
    expect(few.status).to_have_text("30 of 30 images · 30 selected")
    press(few, "Escape")
    few.settle()
    assert selected(few) == list(few.picker.selection.id) == []


def test_a_range(all_of_them):
    """A click with Shift selects all rows from the last one that was clicked, also those that no window has."""
    all_of_them.boxes.nth(2).click()
    all_of_them.boxes.nth(5).click(modifiers=["Shift"])
    assert selected(all_of_them) == [3, 4, 5, 6]
    press(all_of_them, "End")
    expect_focus(all_of_them, MANY)
    all_of_them.boxes.last.click(modifiers=["Shift"])
    expect(all_of_them.status).to_contain_text(f"{MANY - 2:,} selected")
    assert set(all_of_them.picker.selection.id) == set(range(3, MANY + 1))
    all_of_them.boxes.last.click(modifiers=["Shift"])
    expect(all_of_them.status).to_contain_text("· 0 selected")


def test_a_late_reply_takes_no_newer_click_back(few):
    """What was clicked shows at once, and stays while the kernel tells of what came before it."""
    few.hold()
    for place in (0, 1, 2, 1):
        few.boxes.nth(place).click()
    few.settle()
    expected = [1, 3]
    assert selected(few) == expected
    while few.held:
        few.give()
        assert selected(few) == expected
        few.settle()
    few.release()
    assert selected(few) == list(few.picker.selection.id) == expected
    expect(few.status).to_contain_text("2 selected")


def test_a_late_reply_takes_no_newer_sweep_back(few):
    """The same for all, a range and none."""
    few.hold()
    few.boxes.nth(20).click()
    few.page.get_by_role("button", name="Select all 30 filtered").click()
    assert selected(few) == list(range(1, 31))
    few.boxes.nth(4).click()
    few.boxes.nth(9).click(modifiers=["Shift"])
    expected = [one for one in range(1, 31) if not 5 <= one <= 10]
    few.settle()
    assert selected(few) == expected
    while few.held:
        few.give()
        assert selected(few) == expected
        few.settle()
    few.hold()
    press(few, "Escape", "Space")
    few.settle()
    assert selected(few) == [10]
    while few.held:
        few.give()
        assert selected(few) == [10]
        few.settle()
    few.release()
    assert list(few.picker.selection.id) == [10]


def test_one_message_at_a_time(few):
    """The kernel gets a message when it has answered the one before: it may hear two in any order."""
    few.hold()
    for place in range(6):
        few.boxes.nth(place).click()
    few.page.get_by_role("columnheader", name="name").get_by_role("button").click()
    few.settle()
    sent = []
    while few.held:
        sent.append(few.widget.sent[len(sent) :])
        assert len(sent[-1]) == 1
        few.give()
        few.settle()
    numbers = [message["seq"] for (message,) in sent]
    assert numbers == sorted(set(numbers))
    assert few.picker._view.status["ack"] == numbers[-1]
    few.release()
    assert set(few.picker.selection.id) == set(range(1, 7))
    assert few.picker.state["sort"] == "name"


def test_selected_rows_that_are_hidden_are_told(few):
    """The selection stays under a filter, and how much of it is hidden is told."""
    press_all = few.page.get_by_role("button", name="Select all 30 filtered")
    press_all.click()
    few.field("Name (text or /regex/)").fill("no image has this name")
    expect(few.status).to_have_text("0 of 30 images · 30 selected (30 hidden by filters)")
    expect(few.page.get_by_role("button", name="Select all 0 filtered")).to_be_disabled()
    few.page.get_by_role("button", name="Clear selection").click()
    expect(few.status).to_have_text("0 of 30 images · 0 selected")
    expect(few.page.get_by_role("button", name="Clear selection")).to_be_disabled()
