"""Widgets as a person sees and uses them, without a browser."""

import threading


def parts(widget):
    """Give a widget and all that is in it, from the top down."""
    yield widget
    for one in getattr(widget, "children", ()):
        yield from parts(one)


def shown(widget):
    """Give all that is on the screen, as HTML."""
    names = ("value", "description")
    return "\n".join(str(getattr(one, name)) for one in parts(widget) for name in names if hasattr(one, name))


def buttons(widget):
    """Give the buttons that are on the screen, by what is on them."""
    return {one.description: one for one in parts(widget) if hasattr(one, "on_click")}


def click(button):
    """Send what the front end sends for a click, also of a button that is off."""
    button._handle_button_msg(None, {"event": "click"}, [])


def press_enter(text):
    """Send what the front end sends for Enter."""
    text._handle_custom_msg({"event": "submit"}, [])


def settle(plan_id):
    """Wait for the threads of all clicks that are about a plan."""
    for thread in threading.enumerate():
        if thread.name == f"doimages-{plan_id}":
            thread.join(60)
            assert not thread.is_alive()
