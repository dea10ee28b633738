// Keeps bare keys within the box that this widget is in: a notebook would take them for commands.

const GUARDED = ".doimages-keys";
// What JupyterLab and Notebook 7 look for on the element in focus.
const NO_COMMANDS = "data-lm-suppress-shortcuts";

function isBare(event) {
  // Notebook 7 would select all cells, before the grid could select all images.
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") return true;
  const isChord = event.ctrlKey || event.metaKey || event.altKey;
  const runsTheCell = event.shiftKey && event.key === "Enter";
  return !isChord && !runsTheCell && event.key !== "Tab";
}

function guard(box, signal) {
  box.addEventListener("keydown", (event) => isBare(event) && event.stopPropagation(), { signal });

  // Notebook 7 hears a key on its way down to the box, so it has to be told before that, and for this key alone.
  function mark(event) {
    const part = event.target;
    if (!isBare(event) || !box.contains(part) || part.hasAttribute(NO_COMMANDS)) return;
    part.setAttribute(NO_COMMANDS, "");
    setTimeout(() => part.removeAttribute(NO_COMMANDS));
  }
  window.addEventListener("keydown", mark, { capture: true, signal });
}

function render({ el }) {
  const ended = new AbortController();
  el.style.display = "none";

  // While the notebook is drawn, neither the box need be around this element yet, nor the class on the box.
  const waiting = new MutationObserver(attach);
  function attach() {
    const box = el.closest(GUARDED);
    if (box === null) return;
    waiting.disconnect();
    guard(box, ended.signal);
  }
  const changes = { attributeFilter: ["class"], childList: true, subtree: true };
  waiting.observe(document.documentElement, changes);
  attach();

  ended.signal.addEventListener("abort", () => waiting.disconnect());
  return () => ended.abort();
}

export default { render };
