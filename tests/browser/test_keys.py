"""The guard of keys in a bare page: what it keeps from the notebook, what it lets through, and when it is there."""

import pytest

from doimages.notebook.keys import Keys

BARE = ["b", "x", "d", "Enter", "Escape", "ArrowDown", " ", "Shift+B"]
THROUGH = ["Tab", "Shift+Tab", "Shift+Enter", "Control+Enter", "Control+s", "Meta+b", "Alt+x", "Control+Shift+c"]
# The page as a notebook that hears what comes to it: JupyterLab on the way up and Notebook 7 on the way down, both heed
# the mark of Lumino, and others on the way up, who know of no mark. A box to come with a button, and a way to draw.
PAGE = """app => {
    window.heard = [];
    const isMarked = part => app !== "other" && part.hasAttribute("data-lm-suppress-shortcuts");
    const hear = ({key, target}) => { if (!isMarked(target)) heard.push(key); };
    document.addEventListener("keydown", hear, app === "notebook");
    document.querySelector("main").insertAdjacentHTML("beforeend", "<section><button>A</button></section>");
    window.draw = async place => {
        const module = await import("/widget.js");
        const el = document.createElement("div");
        const end = module.default.render({model: fake.model, el});
        if (place) document.querySelector(place).append(el);
        return {el, end};
    };
}"""
WRAP = "() => { document.querySelector('main').classList.add('doimages-keys'); }"


@pytest.fixture(params=["lab", "notebook", "other"])
def widget(bare, request):
    """The widget, drawn in a page where no box is guarded yet."""
    made = bare(str(Keys()._esm))
    made.page.evaluate(PAGE, request.param)
    return made


def heard(widget, key):
    """Press a key on the button, and tell whether the notebook hears it."""
    widget.page.locator("button").first.focus()
    widget.page.evaluate("() => { heard.length = 0; }")
    # Sent as an event: a browser keeps some chords to itself.
    *held, name = key.split("+")
    widget.page.evaluate(
        "([name, held]) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: name,"
        " bubbles: true, ctrlKey: held.includes('Control'), metaKey: held.includes('Meta'),"
        " altKey: held.includes('Alt'), shiftKey: held.includes('Shift')}))",
        [name, held],
    )
    return widget.page.evaluate("heard.length") > 0


def test_bare_keys_stay(widget):
    """No bare key reaches the notebook, with Shift or without; a press of a real key neither."""
    widget.page.evaluate(WRAP)
    assert [key for key in BARE if heard(widget, key)] == []
    for key in "bxdd":
        widget.page.keyboard.press(key)
    assert widget.page.evaluate("heard") == []


def test_chords_pass(widget):
    """What runs a cell, moves the focus or has a modifier is the notebook's."""
    widget.page.evaluate(WRAP)
    assert [key for key in THROUGH if not heard(widget, key)] == []


def test_the_mark_is_for_one_key(widget):
    """What is in the box is left as it was: a chord after a bare key is the notebook's."""
    widget.page.evaluate(WRAP)
    before = widget.page.locator("section").inner_html()
    assert not heard(widget, "b")
    widget.page.wait_for_function("html => document.querySelector('section').innerHTML === html", arg=before)
    assert heard(widget, "Control+b")


def test_a_button_is_still_pressed_by_its_key(widget):
    """Enter and space do in the box what they do."""
    widget.page.evaluate(WRAP)
    widget.page.evaluate("() => { window.clicks = 0; document.querySelector('button').onclick = () => { clicks++; }; }")
    widget.page.locator("button").press("Enter")
    widget.page.locator("button").press(" ")
    assert widget.page.evaluate("clicks") == 2


def test_nothing_shows(widget):
    """It takes no room, and no place in the order of Tab."""
    assert widget.page.locator("#widget").evaluate("el => getComputedStyle(el).display") == "none"


def test_outside_of_a_box_nothing_is_kept(widget):
    """Without a box of the class, and beside one, keys are the notebook's."""
    assert heard(widget, "b")
    widget.page.evaluate(WRAP)
    assert not heard(widget, "b")
    widget.page.evaluate("() => { document.body.insertAdjacentHTML('afterbegin', '<button>B</button>'); }")
    assert heard(widget, "b")


def test_a_box_that_comes_later_is_guarded(widget):
    """The widget is drawn before it is put anywhere, in a box that is given its class only after that."""
    widget.clean_up()
    widget.page.evaluate("async () => { window.drawn = await draw(null); }")
    assert heard(widget, "b")
    widget.page.evaluate("() => { document.querySelector('section').append(drawn.el); }")
    assert heard(widget, "b")
    widget.page.evaluate("() => { document.querySelector('section').classList.add('doimages-keys'); }")
    assert not heard(widget, "b")


def test_the_end_of_a_view_takes_its_guard_away(widget):
    """The guard of another view of the same widget stays, and goes with that one."""
    widget.page.evaluate(WRAP)
    widget.page.evaluate("async () => { window.drawn = await draw('section'); }")
    widget.clean_up()
    assert not heard(widget, "b")
    widget.page.evaluate("() => drawn.end()")
    assert heard(widget, "b")


def test_a_view_that_ended_before_its_box_came_guards_nothing(widget):
    """It does not look for a box any more."""
    widget.clean_up()
    widget.page.evaluate(WRAP)
    assert heard(widget, "b")
