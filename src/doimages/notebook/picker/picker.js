// The view of a picker. The kernel filters, sorts and keeps the selection; here is drawn what it tells.

function render({ model, el }) {
  const screen = makeScreen(model);
  const { make } = screen;
  const main = make("div", { className: "doimages-main" }, ...makeGrid(screen), makeCode(screen));
  const sides = make("div", { className: "doimages-sides" }, makeRail(screen), main);
  el.append(make("div", { className: "doimages-picker tex2jax_ignore" }, sides));
  return screen.end;
}

export default { render };
