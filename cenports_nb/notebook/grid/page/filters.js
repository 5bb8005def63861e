// Filters: a search text, lists of values, selected or not.

const MAX_CHOICES = 400; // of more values there is no list: the search finds them

function createFilters(id, columns, rows, value, selectable, hooks, onChange) {
  const root = createElement("div", { className: "cn-tools" });
  const addControl = (text, control) => root.append(createElement("span", {}, createElement("label", { for: control.id }, text), control));

  const search = createElement("input", { type: "search", id: `${id}-search`, autocomplete: "off", spellcheck: false });
  const searchedTitles = columns.filter((column) => SEARCHABLE_KINDS.has(column.kind)).map((column) => column.title);
  if (searchedTitles.length) {
    search.title = `In ${[...searchedTitles, ...(hooks.alsoSearched ?? [])].join(", ")}`;
    addControl("Search", search);
  }
  const choices = columns.filter((column) => column.choice).map((column) => {
    const list = createElement("select", { id: `${id}-${column.name}` });
    addControl(column.title, list);
    return [column, list];
  });
  const selectionFilter = createElement("select", { id: `${id}-selection` });
  for (const [key, text] of [["", "all rows"], ["1", "ticked only"], ["0", "unticked only"]]) {
    selectionFilter.append(createElement("option", { value: key }, text));
  }
  if (selectable) addControl("Show", selectionFilter);
  const reset = createElement("button", { type: "button", className: "cn-plain", hidden: true }, "Show all again");
  root.append(reset);

  // Fill the lists with the values of their columns; keep a choice that is still among them.
  function refreshChoices() {
    for (const [{ name, kind }, list] of choices) {
      const previous = list.value;
      const distinct = new Set(Array.from({ length: rows }, (_, row) => value(name, row)));
      let items = [...distinct].filter((item) => item !== null && item !== "");
      list.parentElement.hidden = items.length > MAX_CHOICES;
      items = items.length > MAX_CHOICES ? [] : items.sort(COLLATOR.compare);
      const options = items.map((item) => createElement("option", { value: `=${item}` }, FORMATTERS[kind](item)));
      list.replaceChildren(createElement("option", { value: "" }, "all"), ...options);
      list.value = items.some((item) => `=${item}` === previous) ? previous : "";
    }
  }

  // Return a predicate of rows, and whether any filter is set.
  function createFilter(searchText, bits) {
    const searched = search.value.trim().toLowerCase();
    const chosen = choices.filter(([, list]) => list.value).map(([{ name }, list]) => [name, list.value.slice(1)]);
    const selected = selectionFilter.value;
    const matchText = searched ? hooks.createTextFilter?.(searched) : null;
    const matchRow = hooks.createRowFilter?.();
    const matches = (row) =>
      (!selected || String(bits[row]) === selected) &&
      chosen.every(([name, text]) => String(value(name, row)) === text) &&
      (!matchRow || matchRow(row)) &&
      (!searched || searchText(row).includes(searched) || Boolean(matchText?.(row)));
    return { matches, isSet: Boolean(searched || chosen.length || selected || matchRow) };
  }

  search.addEventListener("input", () => onChange());
  for (const control of [selectionFilter, ...choices.map(([, list]) => list)]) control.addEventListener("change", () => onChange());
  reset.addEventListener("click", () => {
    for (const control of [search, selectionFilter, ...choices.map(([, list]) => list)]) control.value = "";
    hooks.resetFilters?.();
    onChange();
    root.getRootNode().getElementById(id).focus({ preventScroll: true }); // the button that had the focus is hidden now
  });
  refreshChoices();
  const showReset = (isShown) => {
    reset.hidden = !isShown;
  };
  return { root, addControl, refreshChoices, createFilter, showReset };
}
