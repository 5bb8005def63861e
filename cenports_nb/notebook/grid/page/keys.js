// The keys of a grid.

function handleKeys(root, table, actions) {
  const KEYS = {
    ArrowDown: () => actions.move(1),
    ArrowUp: () => actions.move(-1),
    PageDown: () => actions.move(actions.pageRows()),
    PageUp: () => actions.move(-actions.pageRows()),
    Home: () => actions.moveTo(0),
    End: () => actions.moveTo(Infinity),
    " ": actions.select,
    Enter: actions.open,
  };
  table.addEventListener("keydown", (event) => {
    if (event.target !== table || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  root.addEventListener("keydown", (event) => {
    if (!isSave(event)) event.stopPropagation();
    if (event.key === "Escape") actions.close();
  });
}

const isSave = (event) => (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";

// JupyterLab's shortcuts (D D deletes a cell) must not act while the focus is in an element; saving must.
// Lab listens on the document, so the attribute is set on the way to it. Return a function that ends this.
function suppressShortcuts(element) {
  const name = "data-lm-suppress-shortcuts";
  const handleKey = (event) => {
    if (isSave(event)) element.removeAttribute(name);
    else element.setAttribute(name, "true");
  };
  element.setAttribute(name, "true");
  window.addEventListener("keydown", handleKey, true);
  return () => window.removeEventListener("keydown", handleKey, true);
}
