// The header of a grid: a box that ticks all rows, and buttons that sort.

function createHead(columns, selectable, onSort, onToggleAll) {
  const root = createElement("div", { className: "cn-row cn-head", role: "row", "aria-rowindex": "1" });
  const selectAll = createElement("input", { type: "checkbox", "aria-label": "Tick all rows that are shown" });
  selectAll.addEventListener("change", onToggleAll);
  if (selectable) root.append(createElement("div", { role: "columnheader", className: "cn-cell cn-select" }, selectAll));
  const cells = columns.map((column) => {
    const button = createElement("button", { type: "button", title: column.hint }, createElement("span", {}, column.title), createElement("span", { className: "cn-sign", "aria-hidden": "true" }));
    button.addEventListener("click", () => onSort(column.name));
    return createElement("div", { role: "columnheader", "aria-sort": "none", className: `cn-cell${NUMERIC_KINDS.has(column.kind) ? " n" : ""}` }, button);
  });
  root.append(...cells);
  root.append(createElement("div", { role: "columnheader", className: "cn-cell cn-more", "aria-label": "Details" }));

  function showOrder({ name, descending }) {
    columns.forEach((column, i) => {
      const direction = column.name !== name ? "none" : descending ? "descending" : "ascending";
      cells[i].setAttribute("aria-sort", direction);
      cells[i].querySelector(".cn-sign").textContent = { none: "", ascending: " ▲", descending: " ▼" }[direction];
    });
  }

  function showSelected(selected, shown, isFrozen) {
    selectAll.checked = selected > 0 && selected === shown;
    selectAll.indeterminate = selected > 0 && selected < shown;
    selectAll.disabled = shown === 0 || isFrozen;
  }

  const hide = (isHidden) => cells.forEach((cell, i) => { cell.hidden = isHidden(i); });
  return { root, showOrder, showSelected, hide };
}
