// What rows are looked for by: words, lists of values, ticked or not.

const MOST_CHOICES = 400; // of a list to filter by

function sieveOf(id, columns, rows, value, ticks, hooks, changed) {
  const root = make("div", { className: "cn-tools" });
  const tool = (text, control) => root.append(make("span", {}, make("label", { for: control.id }, text), control));

  const search = make("input", { type: "search", id: `${id}-search`, autocomplete: "off", spellcheck: false });
  const words = columns.filter((column) => WORDY.has(column.kind)).map((column) => column.title);
  if (words.length) {
    search.title = `In ${[...words, ...(hooks.searched ?? [])].join(", ")}`;
    tool("Search", search);
  }
  const choices = columns.filter((column) => column.choice).map((column) => {
    const list = make("select", { id: `${id}-${column.name}` });
    tool(column.title, list);
    return [column, list];
  });
  const marked = make("select", { id: `${id}-marked` });
  for (const [key, text] of [["", "all rows"], ["1", "ticked only"], ["0", "unticked only"]]) {
    marked.append(make("option", { value: key }, text));
  }
  if (ticks) tool("Show", marked);
  const reset = make("button", { type: "button", className: "cn-plain", hidden: true }, "Show all again");
  root.append(reset);

  // Fill the lists with the values that there are; what is chosen stays so where it still is one.
  function renew() {
    for (const [{ name, kind }, list] of choices) {
      const chosen = list.value;
      const all = new Set(Array.from({ length: rows }, (_, row) => value(name, row)));
      const found = [...all].filter((each) => each !== null && each !== "").sort(WORDS.compare).slice(0, MOST_CHOICES);
      const options = found.map((each) => make("option", { value: `=${each}` }, WRITE[kind](each)));
      list.replaceChildren(make("option", { value: "" }, "all"), ...options);
      list.value = found.some((each) => `=${each}` === chosen) ? chosen : "";
    }
  }

  // Tell whether a row is kept, and whether anything is asked for at all.
  function ask(textOf, bits) {
    const sought = search.value.trim().toLowerCase();
    const wanted = choices.filter(([, list]) => list.value).map(([{ name }, list]) => [name, list.value.slice(1)]);
    const on = marked.value;
    const finds = sought ? hooks.finds?.(sought) : null;
    const fits = hooks.fits?.();
    const keeps = (row) =>
      (!on || String(bits[row]) === on) &&
      wanted.every(([name, text]) => String(value(name, row)) === text) &&
      (!fits || fits(row)) &&
      (!sought || textOf(row).includes(sought) || Boolean(finds?.(row)));
    return { keeps, narrow: Boolean(sought || wanted.length || on || fits) };
  }

  search.addEventListener("input", () => changed());
  for (const control of [marked, ...choices.map(([, list]) => list)]) control.addEventListener("change", () => changed());
  reset.addEventListener("click", () => {
    for (const control of [search, marked, ...choices.map(([, list]) => list)]) control.value = "";
    hooks.reset?.();
    changed();
    document.getElementById(id).focus({ preventScroll: true }); // the button that had it goes
  });
  renew();
  const offerReset = (narrow) => {
    reset.hidden = !narrow;
  };
  return { root, tool, renew, ask, offerReset };
}
