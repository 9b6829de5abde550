/** Small helpers to make elements. Text is always set as text, never as markup. */
/** @returns {any} */
export function byId(id) {
  return document.getElementById(id);
}

export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

export function replace(parent, ...children) {
  parent.replaceChildren(...children);
}

export function card(title, ...children) {
  const id = `card-${title.toLowerCase().replaceAll(/\W+/g, "-")}`;
  return element("section", { class: "card", "aria-labelledby": id }, element("h3", { id }, title), ...children);
}

export function pill(text, kind) {
  return element("span", { class: `pill ${kind}` }, text);
}

export function statusKind(status) {
  if (status < 300) return "good";
  return status < 400 ? "plain" : "bad";
}

/** Scrolls inside, so that a long line does not widen the page; reachable with the keyboard for that reason. */
export function codeBlock(text, label) {
  return element("pre", { tabindex: "0", "aria-label": label, role: "region" }, element("code", {}, text));
}

/** Tabs as in the ARIA Authoring Practices: arrow keys choose, Tab goes into the panel. */
export function tabs(label, entries) {
  const list = element("div", { role: "tablist", "aria-label": label, class: "tabs" });
  const panels = entries.map(({ id, body }) =>
    element("div", { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}` }, body),
  );
  const buttons = entries.map(({ id, title }) =>
    element("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}` }, title),
  );
  const select = (index, focus) => {
    for (const [position, button] of buttons.entries()) {
      button.setAttribute("aria-selected", String(position === index));
      button.tabIndex = position === index ? 0 : -1;
      panels[position].hidden = position !== index;
    }
    if (focus) buttons[index].focus();
  };
  for (const [index, button] of buttons.entries()) {
    button.addEventListener("click", () => select(index, false));
    button.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (step) select((index + step + buttons.length) % buttons.length, true);
    });
  }
  list.append(...buttons);
  select(0, false);
  return [list, ...panels];
}
