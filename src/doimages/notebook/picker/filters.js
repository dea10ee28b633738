// The filters at the side: fields, and facets whose values are counted by the kernel.

const LONG = 12; // a facet with more values than that can be searched

function makeRail({ model, on, make, button, debounced, send, listen, unsent }) {
  let spec = structuredClone(model.get("spec"));
  let told = 0; // the number of the last message that told the filters
  const inputs = []; // pairs of an input and what it shows of the filters
  const facets = new Map();

  const tell = () => {
    later.cancel();
    told = send("filter", { spec });
  };
  const later = debounced(tell);
  unsent.push(() => later.isWaiting() && tell());
  const put = (key, value, act) => {
    if (value === null) delete spec[key];
    else spec[key] = value;
    act();
  };
  const field = (type, show, take, attributes = {}) => {
    const input = make("input", { type, attributes: { autocomplete: "off", spellcheck: "false", ...attributes } });
    on(input, "input", () => take(input.validity.badInput ? "?" : input.value.trim() === "" ? null : input.value));
    inputs.push([input, show]);
    return input;
  };
  const single = ({ key, label }) => {
    const input = field("text", () => spec[key] ?? "", (value) => put(key, value, later));
    return make("label", { className: "doimages-field" }, make("span", { text: label }), input);
  };
  const double = ({ key, label, kind }) => {
    const isDays = kind === "days";
    const end = (place, word) => {
      const show = () => (spec[key] ?? [null, null])[place] ?? "";
      const take = (value) => {
        const pair = [...(spec[key] ?? [null, null])];
        pair[place] = value;
        put(key, pair.every((one) => one === null) ? null : pair, later);
      };
      const number = isDays ? {} : { min: "0", step: "any", placeholder: word };
      return field(isDays ? "date" : "number", show, take, { "aria-label": `${label}, ${word}`, ...number });
    };
    return make("fieldset", { className: "doimages-pair" }, make("legend", { text: label }), end(0, "from"), end(1, "to"));
  };

  const facet = ({ key, label }) => {
    const list = make("div", { className: "doimages-values" });
    const more = make("p", { className: "doimages-more" });
    const search = make("input", { type: "search", placeholder: "search", autocomplete: "off" });
    search.setAttribute("aria-label", `search in ${label}`);
    on(search, "input", debounced(() => send("search", { facet: key, text: search.value })));
    facets.set(key, { list, more, search, lines: new Map() });
    return make("fieldset", { className: "doimages-facet" }, make("legend", { text: label }), search, list, more);
  };
  const choose = (key, value, isOn) => {
    const others = (spec[key] ?? []).filter((one) => one !== value);
    const chosen = isOn ? [...others, value] : others;
    put(key, chosen.length ? chosen : null, tell);
  };
  const makeLine = (key, value, text) => {
    const box = make("input", { type: "checkbox" });
    on(box, "change", () => choose(key, value, box.checked));
    const number = make("span", { className: "doimages-count" });
    const word = make("span", { className: "doimages-word", text, title: text });
    return { line: make("label", {}, box, word, number), box, number };
  };
  const drawFacet = (key) => {
    const { list, more, search, lines } = facets.get(key);
    const shown = model.get("facets")[key];
    search.hidden = shown.all <= LONG;
    if (focusedIn(search) !== search) search.value = shown.search;
    const hadFocus = list.contains(focusedIn(list));
    const wanted = new Set(shown.values.map(([value]) => JSON.stringify(value)));
    for (const [name, { line }] of lines) {
      if (!wanted.has(name)) {
        line.remove();
        lines.delete(name);
      }
    }
    // In place: the focus and the scrolling of a facet outlive its counts.
    shown.values.forEach(([value, text, count], place) => {
      const name = JSON.stringify(value);
      if (!lines.has(name)) lines.set(name, makeLine(key, value, text));
      const { line, box, number } = lines.get(name);
      number.textContent = `(${written(count)})`;
      line.classList.toggle("doimages-empty", count === 0);
      box.checked = (spec[key] ?? []).includes(value);
      if (list.children[place] !== line) list.insertBefore(line, list.children[place] ?? null);
    });
    if (hadFocus && !list.contains(focusedIn(list))) search.focus();
    more.textContent = shown.more ? `${written(shown.more)} more: search` : "";
  };

  const showInputs = (isForced) => {
    for (const [input, show] of inputs) if (isForced || focusedIn(input) !== input) input.value = show();
  };
  const draw = () => {
    const { ack, refused } = model.get("status");
    if (!later.isWaiting() && told <= ack && !refused) {
      spec = structuredClone(model.get("spec"));
      showInputs(false);
    }
    for (const key of facets.keys()) drawFacet(key);
  };
  const clear = () => {
    spec = {};
    tell();
    showInputs(true);
    for (const key of facets.keys()) drawFacet(key);
  };

  const rail = make("form", { className: "doimages-rail", attributes: { role: "search", "aria-label": "Filters" } });
  on(rail, "submit", (event) => event.preventDefault());
  for (const one of model.get("filters")) {
    if (one.kind === "choice" || one.kind === "words") rail.append(facet(one));
    else rail.append(one.kind === "text" || one.kind === "age" ? single(one) : double(one));
  }
  rail.append(button("Clear filters", clear));
  listen(["status", "facets", "spec"], draw);
  showInputs(true);
  return rail;
}
