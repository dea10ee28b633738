// The code of the filters and of a plan, in each language, with a button that copies it.

function makeCode({ model, on, make, button, listen }) {
  const pre = make("pre", { tabIndex: 0, attributes: { role: "region", "aria-label": "Code" } });
  const told = make("span", { attributes: { role: "status" } });
  const what = make("select", { attributes: { "aria-label": "Code of" } });
  const how = make("select", { attributes: { "aria-label": "Language" } });

  const offer = (list, names) => {
    if ([...list.options].map((one) => one.value).join("\n") === names.join("\n")) return;
    const chosen = list.value;
    list.replaceChildren(...names.map((text) => make("option", { text, value: text })));
    if (names.includes(chosen)) list.value = chosen;
  };
  const draw = () => {
    const codes = model.get("codes");
    offer(what, Object.keys(codes));
    offer(how, Object.keys(codes[what.value]));
    pre.textContent = codes[what.value][how.value];
    told.textContent = "";
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      told.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(pre);
      told.textContent = document.execCommand("copy") ? "copied" : "not copied: it is selected, press Ctrl+C";
    }
  };
  for (const list of [what, how]) on(list, "change", draw);
  listen(["codes"], draw);
  const tools = make("div", { className: "doimages-tools" }, what, how, button("Copy", copy), told);
  return make("details", { className: "doimages-code" }, make("summary", { text: "Show the code" }), tools, pre);
}
