// The grid: a window of the rows, and what is selected in it.

const ROW = 28; // pixels, as in picker.css
const WINDOW = 45; // rows
const PAGE = 10; // rows

function makeGrid({ model, on, make, button, send, listen, unsent }) {
  let pending = []; // what was selected here, and is not told by the kernel yet
  let active = 0; // the row that Tab comes to
  let anchor = null; // where a range with Shift begins
  let wantsFocus = false; // the active row is to have the focus, as soon as it is drawn
  let sorted = { seq: 0, by: null }; // the order that was asked for last
  let drawn = ""; // the filters and the order of the rows that are drawn
  let coming = { seq: 0, start: 0 }; // the window that was asked for last

  const select = (kind, rest, fits) => {
    pending.push({ seq: send(kind, rest), isOn: rest.on ?? kind === "all", fits });
    drawMarks();
  };
  // By rows that the screen has not got yet nobody selects: the kernel holds their version against its own.
  const version = () => {
    for (const tell of unsent) tell();
    return model.get("window").version;
  };
  const selectAll = () => select("all", { version: version() }, () => true);
  const selectNone = () => select("none", {}, () => true);
  const toggle = (id, isOn) => {
    anchor = id;
    select("toggle", { ids: [id], on: isOn }, (one) => one === id);
  };
  const range = (to, isOn) => {
    const shown = model.get("window").rows.map(([id]) => id);
    const ends = [shown.indexOf(anchor), shown.indexOf(to)].sort((one, other) => one - other);
    const between = new Set(ends[0] < 0 ? [to] : shown.slice(ends[0], ends[1] + 1));
    select("range", { from: anchor, to, on: isOn, version: version() }, (id) => between.has(id));
  };
  const isSelected = (id) => {
    const told = model.get("marks").includes(id);
    return pending.reduce((now, one) => (one.fits(id) ? one.isOn : now), told);
  };

  const status = make("p", { className: "doimages-status", attributes: { role: "status" } });
  const alert = make("p", { className: "doimages-alert", attributes: { role: "alert" } });
  const note = make("p", { className: "doimages-note" });
  const all = button("", selectAll);
  const none = button("Clear selection", selectNone);
  const refresh = button("Refresh", () => send("refresh"));
  const unseen = make("span", { className: "doimages-unseen", text: "Selected" });
  const head = make("tr", { attributes: { "aria-rowindex": "1" } });
  head.append(make("th", { className: "doimages-box", attributes: { scope: "col" } }, unseen));
  const sortBy = (name) => {
    const { ack, sort } = model.get("status");
    const now = sorted.seq > ack ? sorted.by : sort;
    const by = now === name ? `-${name}` : now === `-${name}` ? null : name;
    sorted = { by, seq: send("sort", { sort: by }) };
  };
  const heads = model.get("columns").map(({ name, label, sortable }) => {
    const title = sortable ? button(label, () => sortBy(name)) : make("span", { text: label });
    const cell = make("th", { className: `doimages-of-${name}`, attributes: { scope: "col" } }, title);
    head.append(cell);
    return { name, cell, sortable };
  });
  const gap = () => make("tbody", { attributes: { "aria-hidden": "true" } }, make("tr", {}, make("td")));
  const [above, body, below] = [gap(), make("tbody"), gap()];
  const names = { role: "grid", "aria-label": "Images", "aria-multiselectable": "true" };
  const table = make("table", { attributes: names }, make("thead", {}, head), above, body, below);
  const scroller = make("div", { className: "doimages-scroll", tabIndex: -1 }, table);
  const details = make("dl", { tabIndex: 0, attributes: { "aria-label": "The image in focus" } });

  const ask = () => {
    const { start, total, rows } = model.get("window");
    const from = Math.floor(scroller.scrollTop / ROW);
    const to = Math.min(total, from + Math.ceil(scroller.clientHeight / ROW) + 1);
    const isComing = coming.seq > model.get("status").ack && from >= coming.start && to <= coming.start + WINDOW;
    if (isComing || (from >= start && to <= start + rows.length)) return;
    const place = Math.max(0, from - PAGE);
    coming = { start: place, seq: send("window", { start: place, count: WINDOW }) };
  };
  const boxOf = (line) => line.querySelector("input");
  const placeOf = (element) => [...body.children].indexOf(element.closest("tr")) + model.get("window").start;
  const go = (place) => {
    const { total } = model.get("window");
    if (!total) return;
    active = Math.min(Math.max(place, 0), total - 1);
    wantsFocus = true;
    scrollToActive();
    ask();
    focusActive();
  };
  const scrollToActive = () => {
    const top = active * ROW;
    const room = scroller.clientHeight - 3 * ROW; // the head, and the bar that scrolls sideways
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
  };
  const nearestInSight = () => {
    const first = Math.ceil(scroller.scrollTop / ROW);
    const last = first + Math.floor(scroller.clientHeight / ROW) - 3;
    return Math.max(first, Math.min(active, last));
  };
  const focusActive = () => {
    const line = body.children[active - model.get("window").start];
    if (!wantsFocus || !line) return;
    wantsFocus = false;
    boxOf(line).focus({ preventScroll: true });
  };
  const drawTabStop = () => {
    const { start, rows } = model.get("window");
    const stop = Math.min(Math.max(active, start), start + rows.length - 1);
    [...body.children].forEach((line, place) => {
      boxOf(line).tabIndex = start + place === stop ? 0 : -1;
    });
  };
  const makeRow = ([id, ...cells], place) => {
    const name = { "aria-label": `Select ${cells[0]} (${id})` };
    const box = make("input", { type: "checkbox", tabIndex: -1, attributes: name });
    const line = make("tr", { attributes: { "aria-rowindex": place + 2, "data-id": id } });
    line.append(make("td", { className: "doimages-box" }, box));
    cells.forEach((text, at) => line.append(make("td", { text, title: text, className: heads[at].cell.className })));
    return line;
  };
  const drawWindow = () => {
    const { start, total, rows } = model.get("window");
    const nowDrawn = JSON.stringify([model.get("spec"), model.get("status").sort]);
    const isOther = drawn !== nowDrawn; // other rows, or in another order: from the top
    drawn = nowDrawn;
    const focused = focusedIn(body);
    const held = focused && body.contains(focused) ? focused.closest("tr").dataset.id : null;
    wantsFocus &&= held !== null || focused === scroller;
    // Between two windows the frame has it: what has no focus leaves its keys to the notebook.
    if (held !== null) scroller.focus({ preventScroll: true });
    body.replaceChildren(...rows.map((row, at) => makeRow(row, start + at)));
    table.setAttribute("aria-rowcount", total + 1);
    for (const [space, rest] of [[above, start], [below, Math.max(0, total - start - rows.length)]]) {
      space.hidden = rest === 0;
      space.querySelector("td").style.height = `${rest * ROW}px`;
    }
    if (isOther) scroller.scrollTop = 0;
    // Another view of the picker asked for these rows: this one follows, for asked back they would go to and fro.
    else if (coming.seq <= model.get("status").ack && coming.start !== start) {
      coming = { ...coming, start };
      scroller.scrollTop = start && (start + PAGE) * ROW;
    }
    if (held !== null && !wantsFocus) {
      const same = rows.findIndex(([id]) => String(id) === held);
      active = same < 0 ? nearestInSight() : start + same;
      if (isOther) scrollToActive();
      wantsFocus = true;
    }
    active = Math.min(active, Math.max(0, total - 1));
    drawMarks();
    drawTabStop();
    focusActive();
    ask();
  };
  const drawMarks = () => {
    for (const line of body.children) {
      const isOn = isSelected(Number(line.dataset.id));
      boxOf(line).checked = isOn;
      line.setAttribute("aria-selected", isOn);
    }
  };
  const drawStatus = () => {
    const told = model.get("status");
    pending = pending.filter((one) => one.seq > told.ack);
    if (status.textContent !== told.text) status.textContent = told.text;
    if (alert.textContent !== told.error) alert.textContent = told.error;
    note.textContent = told.note;
    all.textContent = `Select all ${written(told.filtered)} filtered`;
    refresh.hidden = !told.refreshable;
    // What is disabled loses the focus, and its keys to the notebook; pressed in vain it does no harm.
    for (const [one, isOff] of [[all, told.filtered === 0], [none, told.selected === 0], [refresh, told.busy]]) {
      one.setAttribute("aria-disabled", isOff);
    }
    for (const { name, cell, sortable } of heads) {
      const way = told.sort === name ? "ascending" : told.sort === `-${name}` ? "descending" : "none";
      if (sortable) cell.setAttribute("aria-sort", way);
    }
    const pair = ([name, text]) => make("div", {}, make("dt", { text: name }), make("dd", { text }));
    details.replaceChildren(...told.details.map(pair));
    details.hidden = told.details.length === 0;
    drawMarks();
  };

  on(scroller, "scroll", ask);
  on(body, "click", (event) => {
    const line = event.target.closest("tr");
    const box = boxOf(line);
    const id = Number(line.dataset.id);
    if (event.target !== box) go(placeOf(line));
    else if (event.shiftKey && anchor !== null) range(id, box.checked);
    else toggle(id, box.checked);
  });
  on(body, "focusin", (event) => {
    const id = Number(event.target.closest("tr").dataset.id);
    active = placeOf(event.target);
    drawTabStop();
    if (id !== model.get("status").focused) send("focus", { id });
  });
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -Infinity, End: Infinity };
  on(scroller, "keydown", (event) => {
    if (event.target !== scroller && !body.contains(event.target)) return;
    if (event.key in moves) go(active + moves[event.key]);
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") selectAll();
    else if (event.key === "Escape") selectNone();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  listen(["window"], drawWindow);
  listen(["status", "marks"], drawStatus);
  const tools = make("div", { className: "doimages-tools" }, all, none, refresh);
  return [status, alert, note, tools, scroller, details];
}
