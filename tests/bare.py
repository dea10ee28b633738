"""An ES module of a widget in a page of its own: no server, no kernel, and a model that only pretends.

    def test_x(bare):
        widget = bare(ESM.read_text(), CSS.read_text(), {"total": 200, "window": []})   # calls default.render
        widget.page.get_by_role("checkbox", name="a").click()
        widget.sent                     # what model.send() was given, in order
        widget.saved                    # what each save_changes() would have sent: [{"spec": {...}}, ...]
        widget["spec"]                  # a trait as the model has it
        widget.push(total=41, ack=1)    # traits from the kernel, all set before the first change:x
        widget.tell({"kind": "x"})      # a message from the kernel: msg:custom
        widget.theme("dark")            # JupyterLab's own variables; pages begin light
        widget.listeners                # how many listeners the model has
        widget.clean_up()               # calls what render returned

When the test ends, errors of the page and of its console fail it (`widget.errors.clear()` where they are meant).
"""

import json
import re
import sys
from functools import cache
from pathlib import Path

# It is never asked: the page's requests are all answered here.
HERE = "http://127.0.0.1:1/"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Widget</title>
<link rel="icon" href="data:,"><style id="theme"></style><style id="css"></style></head>
<body><main><div id="widget"></div></main></body></html>"""
# As Backbone's model does: a change is told if the value is another, and all are set before the first is told.
MODEL = """([traits]) => {
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
    const listeners = new Map();
    let unsaved = {};
    const tell = (name, ...values) => [...(listeners.get(name) ?? [])].forEach(listener => listener(...values));
    const put = given => {
        const changed = Object.keys(given).filter(name => !same(traits[name], given[name]));
        Object.assign(traits, given);
        changed.forEach(name => tell(`change:${name}`, model, traits[name], {}));
        if (changed.length) tell("change", model, {});
        return changed;
    };
    const model = {
        get: name => traits[name],
        set: (name, value) => {
            const given = typeof name === "object" ? name : {[name]: value};
            put(given).forEach(one => { unsaved[one] = given[one]; });
        },
        save_changes: () => {
            if (Object.keys(unsaved).length) fake.saved.push(structuredClone(unsaved));
            unsaved = {};
        },
        send: content => { fake.sent.push(structuredClone(content)); },
        on: (names, listener) => names.split(/\\s+/).forEach(name => {
            listeners.set(name, [...(listeners.get(name) ?? []), listener]);
        }),
        off: (names, listener) => (names?.split(/\\s+/) ?? [...listeners.keys()]).forEach(name => {
            listeners.set(name, (listeners.get(name) ?? []).filter(one => listener && one !== listener));
        }),
    };
    const count = () => [...listeners.values()].reduce((sum, each) => sum + each.length, 0);
    const fake = {model, traits, put, tell, count, sent: [], saved: []};
    window.fake = fake;
}"""
RENDER = """async () => {
    const module = await import("/widget.js");
    window.fake.clean_up = await module.default.render({model: fake.model, el: document.getElementById("widget")});
}"""


@cache
def variables(theme: str) -> str:
    """Give the variables of a theme of the JupyterLab that is installed, as one rule of CSS."""
    path = Path(sys.prefix, "share/jupyter/lab/themes/@jupyterlab", f"theme-{theme}-extension", "index.css")
    found = re.findall(r"(--jp-[\w-]+):([^;}]+)", path.read_text("utf-8"))
    assert len(found) > 100
    return f":root {{ {' '.join(f'{name}: {value};' for name, value in found if 'url(' not in value)} }}"


class Bare:
    """A page with one widget in it."""

    def __init__(self, context, esm: str, css: str, traits: dict):
        self.errors = []
        self._files = {HERE: ("text/html", PAGE), f"{HERE}widget.js": ("text/javascript", esm)}
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: line.type == "error" and self.errors.append(line.text))
        self.page.route("**/*", self._answer)
        self.page.goto(HERE)
        self.page.evaluate("css => { document.getElementById('css').textContent = css; }", css)
        self.theme("light")
        self.page.evaluate(MODEL, [traits])
        self.page.evaluate(RENDER)

    def _answer(self, route):
        if route.request.url not in self._files:
            self.errors.append(f"a request for {route.request.url}")
            route.abort()
            return
        kind, text = self._files[route.request.url]
        route.fulfill(content_type=f"{kind}; charset=utf-8", body=text)

    @property
    def sent(self) -> list:
        return self.page.evaluate("fake.sent")

    @property
    def saved(self) -> list[dict]:
        return self.page.evaluate("fake.saved")

    @property
    def listeners(self) -> int:
        return self.page.evaluate("fake.count()")

    def __getitem__(self, name: str):
        return self.page.evaluate("name => fake.traits[name]", name)

    def push(self, **traits) -> None:
        """Change traits as the kernel would."""
        self.page.evaluate("traits => { fake.put(traits); }", traits)

    def tell(self, content) -> None:
        """Send a message as the kernel would."""
        self.page.evaluate("content => fake.tell('msg:custom', content, [])", content)

    def theme(self, name: str) -> None:
        """Wear the theme "dark" or "light"."""
        self.page.evaluate(
            "([css, is_light]) => { document.getElementById('theme').textContent = css;"
            " document.body.dataset.jpThemeLight = is_light; }",
            [f"{variables(name)} body {{ background: var(--jp-layout-color0); }}", json.dumps(name == "light")],
        )

    def clean_up(self) -> None:
        """End the view, as when its cell is run again."""
        self.page.evaluate("() => fake.clean_up()")
