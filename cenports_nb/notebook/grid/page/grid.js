// The grid's page. Text from outside is set as textContent, never as markup.
// Only rows in view are elements. widget.py puts the other scripts of this folder before this one,
// and the `export` after it, so that other widgets can build on the grid.

const SPARE_ROWS = 6; // above and below the view, so that scrolling shows no gap

let gridCount = 0;

// Draw a grid into an element, which gets the event `cn-changed` after every change of the selection or the rows.
// Optional hooks:
//   liveValues        a function of the row for each column of kind "live"
//   onSelect          called first, with the rows whose selection changed
//   createMessage     what is sent with a selection; `traits` names the parts that are also traits
//   onKernelChange    called when the kernel sent a change
//   createTextFilter  search text -> row -> whether more than its cells matches; `alsoSearched` names what
//   createRowFilter   -> row -> whether it matches further filters, or null; `resetFilters` clears them
//   selectableRows    leaves rows out of a selection of many; `onSkipped` is called with their number
//   comesFirst        (row, value) -> whether it comes first while nothing is sorted
//   noteBelow         (row, selected, value) -> a text below the cells of the row, or nothing; longest if selected
//   noun              the name of a row; openOnClick: a click opens a row; createHeading: elements above an open row
//   omitRow           the details of a row don't repeat what its cells show
function createGrid(model, el, hooks = {}) {
  const id = `cn-grid-${++gridCount}`;
  const rows = model.get("rows");
  const columns = model.get("columns");
  const shownColumns = columns.filter((column) => !column.hidden);
  const selectable = model.get("selectable");
  const readData = () => JSON.parse(new TextDecoder().decode(model.get("data")));
  let data = readData();
  const liveValues = hooks.liveValues ?? {};
  const value = (name, row) => (name in liveValues ? liveValues[name](row) : data[name][row]);
  const nameColumns = columns.filter((column) => column.kind === "text").slice(0, 2);
  const rowName = (row) => nameColumns.map((column) => value(column.name, row) ?? "").join(" ");

  const sorting = createSorting(columns, rows, value);
  const cells = createCells(rows, value);

  const layout = createRowLayout(shownColumns, cells, { selectable, noteBelow: hooks.noteBelow });
  const selection = createSelection(model, rows, hooks);

  let shown = Uint32Array.from({ length: rows }, (_, row) => row);
  let sortOrder = { name: null, descending: false };
  let active = 0; // a position in `shown`
  let anchor = -1; // where a range selection begins
  let openRow = -1;
  let isFrozen = false;

  // ---- elements ------------------------------------------------------------------------------------------------

  const filters = createFilters(id, columns, rows, value, selectable, hooks, applyFilters);
  const status = createElement("div", { className: "cn-status", role: "status", "aria-live": "polite" });

  const toggleAll = () => selectMany(shown, filterSelectable(shown).some((row) => !selection.bits()[row]));
  const head = createHead(shownColumns, selectable, toggleSort, toggleAll);
  const body = createElement("div", { className: "cn-body", role: "rowgroup" });
  const table = createElement(
    "div",
    {
      className: "cn-table-grid", role: "grid", tabIndex: 0, id, "aria-label": model.get("label"),
      "aria-multiselectable": String(selectable), "aria-describedby": `${id}-keys`,
    },
    createElement("div", { role: "rowgroup", className: "cn-heads" }, head.root),
    body,
  );
  const keys = ["Arrows move", ...(selectable ? ["Space ticks"] : []), "Enter opens, Escape closes"];
  const keyHint = createElement("div", { className: "cn-keys", id: `${id}-keys` }, `${keys.join(", ")}.`);
  const view = createElement("div", { className: "cn-scroll" }, table);
  const empty = createElement("div", { className: "cn-empty", hidden: true }, "Nothing matches. ", createElement("span", {}, "Clear a filter."));
  const isInRow = (column) => shownColumns.includes(column) && !layout.isHidden(shownColumns.indexOf(column));
  const details = createRowDetails(model, columns, value, rowName, isInRow, hooks, closeRow);
  const foot = createElement("div", { className: "cn-foot" }, status, keyHint);
  const root = createElement(
    "div",
    { className: "cn-grid" },
    filters.root, view, empty, foot, details.root,
  );
  el.append(root);
  const restoreShortcuts = suppressShortcuts(root);

  const pool = new Map(); // position -> element
  drawTracks();

  function drawTracks() {
    const tracks = layout.tracks();
    table.style.setProperty("--cn-tracks", tracks.join(" "));
    table.setAttribute("aria-colcount", String(tracks.length));
    head.hide(layout.isHidden);
  }

  let fittedWidth = 0;
  function resize() {
    const width = view.clientWidth;
    if (width && width !== fittedWidth) {
      fittedWidth = width;
      const changed = layout.fit(width, getComputedStyle(view).font);
      if (changed) {
        drawTracks();
        details.drawFacts();
      }
      if (changed || hooks.noteBelow) redrawRows();
    }
    paint();
  }

  // Notes need the width of the page, which is not known before its first layout.
  const isArranged = () => fittedWidth > 0 || !hooks.noteBelow;

  function redrawRows() {
    for (const node of pool.values()) node.remove();
    pool.clear();
    if (isArranged()) layout.arrange(shown, fittedWidth || 800, value);
  }

  // ---- rows and their order ------------------------------------------------------------------------------------

  function applyFilters() {
    const { matches, isSet } = filters.createFilter(sorting.searchText, selection.bits());
    const matching = [];
    for (let row = 0; row < rows; row++) if (matches(row)) matching.push(row);
    if (sortOrder.name) sorting.sort(matching, sortOrder);
    else if (hooks.comesFirst) {
      const first = new Map(matching.map((row) => [row, hooks.comesFirst(row, value)]));
      matching.sort((a, b) => first.get(b) - first.get(a)); // stable
    }
    const row = shown[active];
    shown = Uint32Array.from(matching);
    active = Math.max(0, shown.indexOf(row));
    anchor = -1;
    filters.showReset(isSet);
    empty.hidden = shown.length > 0 || rows === 0;
    view.hidden = shown.length === 0;
    redrawRows();
    paint();
    updateStatus();
    el.dispatchEvent(new Event("cn-changed"));
  }

  function toggleSort(name) {
    if (sortOrder.name !== name) sortOrder = { name, descending: false };
    else if (!sortOrder.descending) sortOrder = { name, descending: true };
    else sortOrder = { name: null, descending: false };
    head.showOrder(sortOrder);
    view.scrollTop = 0;
    active = -1;
    applyFilters();
  }

  // ---- drawing -------------------------------------------------------------------------------------------------

  function createRow(position) {
    const row = shown[position];
    const node = createElement("div", { className: "cn-row", role: "row", id: `${id}-${row}`, "aria-rowindex": String(position + 2) });
    node.style.top = `${layout.top(position)}px`;
    node.style.height = `${layout.top(position + 1) - layout.top(position)}px`;
    if (selectable) {
      const box = createElement("input", { type: "checkbox", tabIndex: -1, "aria-label": `Tick ${rowName(row)}` });
      box.addEventListener("click", (event) => press(position, event.shiftKey));
      node.append(createElement("div", { className: "cn-cell cn-select", role: "gridcell" }, box));
    }
    shownColumns.forEach((column, i) => {
      const cell = createElement("div", { className: `cn-cell ${column.kind}${NUMERIC_KINDS.has(column.kind) ? " n" : ""}`, role: "gridcell", hidden: layout.isHidden(i) });
      cells.fill(cell, column, row);
      node.append(cell);
    });
    const button = createElement("button", { type: "button", tabIndex: -1, className: "cn-plain", title: "Details", "aria-label": `Details of ${rowName(row)}` }, "⋯");
    button.addEventListener("click", () => { active = position; open(row); });
    node.append(createElement("div", { className: "cn-cell cn-more", role: "gridcell" }, button));
    if (hooks.noteBelow?.(row, true, value)) node.append(createElement("div", { className: "cn-below", role: "gridcell", "aria-colspan": String(shownColumns.length) }));
    node.addEventListener("click", (event) => {
      active = position;
      if (event.target.closest("input, button")) return;
      // Selecting text is not a click.
      if (hooks.openOnClick && getSelection().isCollapsed && shown[position] !== openRow) open(shown[position]);
      else paint();
    });
    node.addEventListener("dblclick", (event) => {
      if (shown[position] !== openRow && !event.target.closest("input, button")) open(row);
    });
    return node;
  }

  function paint() {
    if (!isArranged()) return;
    body.style.height = `${layout.height()}px`;
    table.setAttribute("aria-rowcount", String(shown.length + 1));
    const height = view.clientHeight || 15 * ROW_PX;
    const first = Math.max(0, layout.find(view.scrollTop) - SPARE_ROWS);
    const last = Math.min(shown.length, layout.find(view.scrollTop + height) + 1 + SPARE_ROWS);
    for (const [position, node] of pool) {
      if (position < first || position >= last) {
        node.remove();
        pool.delete(position);
      }
    }
    for (let position = first; position < last; position++) {
      let node = pool.get(position);
      if (!node) {
        node = createRow(position);
        pool.set(position, node);
      }
      // In reading order, whatever the scroll position.
      const current = body.children[position - first];
      if (current !== node) body.insertBefore(node, current ?? null);
      const row = shown[position];
      const on = selection.bits()[row] === 1;
      node.classList.toggle("active", position === active);
      node.classList.toggle("off", selectable && !on);
      node.classList.toggle("opened", row === openRow);
      if (selectable) {
        node.setAttribute("aria-selected", String(on));
        node.querySelector("input").checked = on;
      }
      const below = node.querySelector(".cn-below");
      if (below) {
        below.textContent = hooks.noteBelow(row, on, value);
        node.classList.add("noted");
      }
    }
    if (pool.has(active)) table.setAttribute("aria-activedescendant", `${id}-${shown[active]}`);
    else table.removeAttribute("aria-activedescendant");
  }

  function refreshLiveCells(changed) {
    for (const [position, node] of pool) {
      if (changed && !changed.has(shown[position])) continue;
      shownColumns.forEach((column, i) => {
        if (column.kind === "live") cells.fill(node.children[i + (selectable ? 1 : 0)], column, shown[position]);
      });
    }
    paint();
  }

  function updateStatus() {
    const bits = selection.bits();
    const on = bits.reduce((sum, bit) => sum + bit, 0);
    const here = shown.reduce((sum, row) => sum + bits[row], 0);
    const noun = hooks.noun ?? "row";
    const text = shown.length === rows ? formatCount(rows, noun) : `${NUMBER_FORMAT.format(shown.length)} of ${formatCount(rows, noun)} shown`;
    status.textContent = selectable ? `${text}, ${NUMBER_FORMAT.format(on)} ticked` : text;
    head.showSelected(here, shown.length, isFrozen);
  }

  // ---- selection ----------------------------------------------------------------------------------------------------

  function select(changedRows, on) {
    const changed = !isFrozen ? selection.set(changedRows, on) : new Set();
    if (changed.size) refreshLiveCells(changed);
    else paint();
    updateStatus();
    if (changed.size) el.dispatchEvent(new Event("cn-changed"));
  }

  // Some rows must be selected one by one.
  const filterSelectable = (changedRows) => hooks.selectableRows?.(changedRows, value) ?? changedRows;
  function selectMany(changedRows, on) {
    const candidates = on ? filterSelectable(changedRows) : changedRows;
    select(candidates, on);
    if (candidates.length < changedRows.length) hooks.onSkipped?.(changedRows.length - candidates.length);
  }

  function press(position, range) {
    const row = shown[position];
    const on = selection.bits()[row] === 0;
    if (range && anchor >= 0) {
      const [from, to] = anchor < position ? [anchor, position] : [position, anchor];
      selectMany(shown.slice(from, to + 1), on);
    } else select([row], on);
    anchor = active = position;
    paint();
    table.focus({ preventScroll: true });
  }

  function receiveSelection() {
    if (!selection.receive()) return;
    refreshLiveCells();
    updateStatus();
    hooks.onKernelChange?.();
  }

  function receiveData() {
    data = readData();
    sorting.reset();
    cells.reset();
    layout.reset();
    filters.refreshChoices();
    applyFilters();
    hooks.onKernelChange?.();
  }

  // ---- open row --------------------------------------------------------------------------------------------------

  function open(row) {
    openRow = row;
    details.open(row);
    paint();
  }

  // The row before or after the open one, in the order shown.
  function step(offset) {
    const position = shown.indexOf(openRow) + offset;
    if (openRow < 0 || position < 0 || position >= shown.length) return;
    move(position);
    open(shown[position]);
  }

  function closeRow() {
    openRow = -1;
    details.close();
    paint();
    table.focus({ preventScroll: true });
  }

  // The connection to the kernel changed: disconnected until it answers, which after a restart it never does.
  function ping() {
    root.classList.add("cn-disconnected");
    model.send({ ping: true });
  }

  function receiveMessage(message) {
    if (message?.pong) root.classList.remove("cn-disconnected");
    details.receive(message);
  }

  // ---- keys ----------------------------------------------------------------------------------------------------

  function move(to) {
    if (!shown.length) return;
    active = Math.min(Math.max(to, 0), shown.length - 1);
    const [top, bottom] = [layout.top(active), layout.top(active + 1)];
    const space = view.clientHeight - ROW_PX; // below the header
    if (top < view.scrollTop) view.scrollTop = top;
    else if (bottom > view.scrollTop + space) view.scrollTop = bottom - space;
    paint();
  }

  handleKeys(root, table, {
    move: (offset) => move(active + offset),
    moveTo: (position) => move(Math.min(position, shown.length - 1)),
    pageRows: () => Math.max(1, Math.floor(view.clientHeight / ROW_PX) - 2),
    select: () => selectable && shown.length && press(active, false),
    open: () => shown.length && open(shown[active]),
    close: () => openRow >= 0 && closeRow(),
  });

  view.addEventListener("scroll", paint);
  const resizeObserver = new ResizeObserver(resize); // also when a cell comes back into view
  resizeObserver.observe(view);
  model.on("change:selection", receiveSelection);
  model.on("change:selection_version", receiveSelection);
  model.on("change:data", receiveData);
  model.on("msg:custom", receiveMessage);
  model.on("comm_live_update", ping);
  applyFilters();

  return {
    root,
    bits: selection.bits,
    shown: () => shown,
    columns: shownColumns,
    ranges: () => encodeRanges(selection.bits()),
    value,
    refreshLiveCells,
    send: selection.send,
    applyFilters,
    open,
    step,
    openRow: () => openRow,
    tools: filters.root,
    foot,
    empty,
    addControl: filters.addControl,
    select,
    // Rows that were sent are not selected any more.
    freeze(frozen) {
      isFrozen = frozen;
      root.classList.toggle("frozen", frozen);
      updateStatus();
    },
    close() {
      resizeObserver.disconnect();
      restoreShortcuts();
      model.off("change:selection", receiveSelection);
      model.off("change:selection_version", receiveSelection);
      model.off("change:data", receiveData);
      model.off("msg:custom", receiveMessage);
      model.off("comm_live_update", ping);
    },
  };
}
