// What all parts of the view are made with: elements of text, never of markup, and messages with numbers.
// The files of this folder are one ES module, in the order that view.py names them.

const LATEST = new Set(["filter", "focus", "sort", "window"]);

function makeScreen(model) {
  const ended = new AbortController();
  const { signal } = ended;
  const heard = [];
  const waiting = [];
  let underWay = 0; // the number of the message that was sent last
  let sequence = model.get("status").ack;

  const on = (target, type, act) => target.addEventListener(type, act, { signal });
  const make = (tag, options = {}, ...children) => {
    const { text, attributes = {}, ...properties } = options;
    const made = Object.assign(document.createElement(tag), properties);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    made.append(...children);
    return made;
  };
  const button = (text, act) => {
    const made = make("button", { type: "button", text });
    on(made, "click", act);
    return made;
  };
  // The last of many within a moment: one message for a word that is typed.
  const debounced = (act) => {
    let timer = null;
    const later = () => {
      later.cancel();
      timer = setTimeout(() => {
        timer = null;
        act();
      }, 150);
    };
    later.cancel = () => {
      clearTimeout(timer);
      timer = null;
    };
    later.isWaiting = () => timer !== null;
    signal.addEventListener("abort", later.cancel);
    return later;
  };
  const listen = (names, act) => {
    for (const name of names) {
      model.on(`change:${name}`, act);
      heard.push([`change:${name}`, act]);
    }
    act();
  };
  // One message at a time: JupyterLab 4.6 has the first of them heard on another thread than those that follow, and so
  // in any order. What waits is put together where the last one says it all.
  const send = (kind, rest = {}) => {
    // There may be another view of the same model.
    sequence = Math.max(sequence, model.get("status").ack) + 1;
    const message = { kind, ...rest, seq: sequence };
    const last = waiting.at(-1);
    if (last?.kind === kind && LATEST.has(kind)) waiting.pop();
    if (last?.kind === kind && kind === "toggle" && last.on === message.on) {
      message.ids = [...waiting.pop().ids, ...message.ids];
    }
    waiting.push(message);
    sendNext();
    return sequence;
  };
  const sendNext = () => {
    if (waiting.length === 0 || underWay > model.get("status").ack) return;
    underWay = waiting[0].seq;
    model.send(waiting.shift());
  };
  listen(["status"], sendNext);
  const end = () => {
    ended.abort();
    for (const [name, act] of heard) model.off(name, act);
  };
  // What is typed and not sent yet: whoever selects by the rows has it sent first.
  const unsent = [];
  return { model, on, make, button, debounced, send, listen, unsent, end };
}

const written = (number) => number.toLocaleString("en"); // as the kernel writes it
const focusedIn = (element) => element.getRootNode().activeElement;
