// The page's side of a grid. Text from outside reaches the page as textContent, never as markup.
// Only the rows that can be seen are elements. widget.py puts the other files of this folder
// before this one, and the `export` below it, so that others can build on it.

const ROW_PX = 28; // grid.css has the same
const SPARE_ROWS = 6; // above and below what is seen, so that scrolling shows no gap

let grids = 0;

// Draw a grid into an element. Of `hooks`, `live` has a function for each column that the page keeps itself, `changed`
// hears which rows a person ticked before anybody else, `extra` and its `traits` go along with what is ticked, `heard`
// is called when the kernel said something new. The element hears `cn-changed` after every change of ticks or rows.
// Who builds on it may search more than is shown (`finds`: text -> row -> whether), filter by more (`fits`: -> row ->
// whether, or null; `reset`), leave rows out of many that are ticked at once (`many`, `skipped`), name a row (`what`), open rows by a click (`click`) and head what is opened (`heading`).
function gridOf(model, el, hooks = {}) {
  const id = `cn-grid-${++grids}`;
  const rows = model.get("rows");
  const columns = model.get("columns");
  const seen = columns.filter((column) => !column.hidden);
  const ticks = model.get("ticks");
  const details = model.get("details");
  const read = () => JSON.parse(new TextDecoder().decode(model.get("data")));
  let data = read();
  const live = hooks.live ?? {};
  const value = (name, row) => (name in live ? live[name](row) : data[name][row]);
  const naming = columns.filter((column) => column.kind === "text").slice(0, 2);
  const nameOf = (row) => naming.map((column) => value(column.name, row) ?? "").join(" ");

  const order = orderOf(columns, rows, value);
  const cells = cellsOf(rows, value);

  const ticked = ticksOf(model, rows, hooks);

  let shown = Uint32Array.from({ length: rows }, (_, row) => row);
  let sorted = { name: null, down: false };
  let active = 0; // a place in `shown`
  let anchor = -1; // where a range of ticks begins
  let opened = -1; // a row
  let sending = true;

  // ---- what is on the page -------------------------------------------------------------------------------------

  const sieve = sieveOf(id, columns, rows, value, ticks, hooks, select);
  const status = make("div", { className: "cn-status", role: "status", "aria-live": "polite" });

  const head = make("div", { className: "cn-row cn-head", role: "row", "aria-rowindex": "1" });
  const body = make("div", { className: "cn-body", role: "rowgroup" });
  const table = make(
    "div",
    {
      className: "cn-table-grid", role: "grid", tabIndex: 0, id, "aria-label": model.get("label"),
      "aria-multiselectable": String(ticks), "aria-describedby": `${id}-keys`,
    },
    make("div", { role: "rowgroup", className: "cn-heads" }, head),
    body,
  );
  const keys = [
    "Arrows move", ...(ticks ? ["Space ticks"] : []), ...(details ? ["Enter opens, Escape closes"] : []),
  ];
  const hint = make("div", { className: "cn-keys", id: `${id}-keys` }, `${keys.join(", ")}.`);
  const view = make("div", { className: "cn-scroll" }, table);
  const empty = make("div", { className: "cn-empty", hidden: true }, "No row fits; ", make("span", {}, "take a filter away."));
  const told = toldOf(model, columns, value, nameOf, hooks, shut);
  const root = make(
    "div",
    // Lab's own keys (D D deletes a cell) must not act while a person moves in here.
    { className: "cn-grid", "data-lm-suppress-shortcuts": "true" },
    sieve.root, view, empty, make("div", { className: "cn-foot" }, status, hint), told.root,
  );
  el.append(root);

  const buttons = {};
  let all = null;
  drawHead();
  const pool = new Map(); // place -> element

  function drawHead() {
    const widths = seen.map(cells.track);
    const tracks = [...(ticks ? ["34px"] : []), ...widths, ...(details ? ["36px"] : [])];
    // Each row is a grid of its own: nothing here may depend on what is in it.
    table.style.setProperty("--cn-tracks", tracks.join(" "));
    table.setAttribute("aria-colcount", String(tracks.length));
    if (ticks) {
      all = make("input", { type: "checkbox", "aria-label": "Tick all rows that are shown" });
      all.addEventListener("change", () => tickMany(shown, all.checked));
      head.append(make("div", { role: "columnheader", className: "cn-cell cn-tick" }, all));
    }
    for (const column of seen) {
      const button = make("button", { type: "button", title: column.hint }, make("span", {}, column.title), make("span", { className: "cn-sign", "aria-hidden": "true" }));
      button.addEventListener("click", () => sort(column.name));
      const cell = make("div", { role: "columnheader", "aria-sort": "none", className: `cn-cell${RIGHT.has(column.kind) ? " n" : ""}` }, button);
      buttons[column.name] = cell;
      head.append(cell);
    }
    if (details) head.append(make("div", { role: "columnheader", className: "cn-cell cn-more", "aria-label": "Details" }));
  }

  // ---- which rows, in which order ------------------------------------------------------------------------------

  function select() {
    const { keeps, narrow } = sieve.ask(order.textOf, ticked.bits());
    const kept = [];
    for (let row = 0; row < rows; row++) if (keeps(row)) kept.push(row);
    order.sort(kept, sorted);
    const row = shown[active];
    shown = Uint32Array.from(kept);
    active = Math.max(0, shown.indexOf(row));
    anchor = -1;
    sieve.offerReset(narrow);
    empty.hidden = shown.length > 0 || rows === 0;
    view.hidden = shown.length === 0;
    for (const node of pool.values()) node.remove();
    pool.clear();
    paint();
    count();
    el.dispatchEvent(new Event("cn-changed"));
  }

  function sort(name) {
    if (sorted.name !== name) sorted = { name, down: false };
    else if (!sorted.down) sorted = { name, down: true };
    else sorted = { name: null, down: false };
    for (const [each, cell] of Object.entries(buttons)) {
      const way = each !== sorted.name ? "none" : sorted.down ? "descending" : "ascending";
      cell.setAttribute("aria-sort", way);
      cell.querySelector(".cn-sign").textContent = { none: "", ascending: " ▲", descending: " ▼" }[way];
    }
    view.scrollTop = 0;
    active = -1;
    select();
  }

  // ---- drawing -------------------------------------------------------------------------------------------------

  function build(place) {
    const row = shown[place];
    const node = make("div", { className: "cn-row", role: "row", id: `${id}-${row}`, "aria-rowindex": String(place + 2) });
    node.style.top = `${place * ROW_PX}px`;
    if (ticks) {
      const box = make("input", { type: "checkbox", tabIndex: -1, "aria-label": `Tick ${nameOf(row)}` });
      box.addEventListener("click", (event) => press(place, event.shiftKey));
      node.append(make("div", { className: "cn-cell cn-tick", role: "gridcell" }, box));
    }
    for (const column of seen) {
      const cell = make("div", { className: `cn-cell ${column.kind}${RIGHT.has(column.kind) ? " n" : ""}`, role: "gridcell" });
      cells.fill(cell, column, row);
      node.append(cell);
    }
    if (details) {
      const button = make("button", { type: "button", tabIndex: -1, className: "cn-plain", title: "Details", "aria-label": `Details of ${nameOf(row)}` }, "⋯");
      button.addEventListener("click", () => { active = place; open(row); });
      node.append(make("div", { className: "cn-cell cn-more", role: "gridcell" }, button));
    }
    node.addEventListener("click", (event) => {
      active = place;
      if (event.target.closest("input, button")) return;
      // A click that ends a selection of text is none.
      if (hooks.click && getSelection().isCollapsed && shown[place] !== opened) open(shown[place]);
      else paint();
    });
    node.addEventListener("dblclick", (event) => {
      if (details && shown[place] !== opened && !event.target.closest("input, button")) open(row);
    });
    return node;
  }

  function paint() {
    body.style.height = `${shown.length * ROW_PX}px`;
    table.setAttribute("aria-rowcount", String(shown.length + 1));
    const height = view.clientHeight || 15 * ROW_PX;
    const first = Math.max(0, Math.floor(view.scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(shown.length, Math.ceil((view.scrollTop + height) / ROW_PX) + SPARE_ROWS);
    for (const [place, node] of pool) {
      if (place < first || place >= last) {
        node.remove();
        pool.delete(place);
      }
    }
    for (let place = first; place < last; place++) {
      let node = pool.get(place);
      if (!node) {
        node = build(place);
        pool.set(place, node);
      }
      // In the order in which they are read, wherever a person scrolled to.
      const there = body.children[place - first];
      if (there !== node) body.insertBefore(node, there ?? null);
      const row = shown[place];
      const on = ticked.bits()[row] === 1;
      node.classList.toggle("active", place === active);
      node.classList.toggle("off", ticks && !on);
      node.classList.toggle("opened", row === opened);
      if (ticks) {
        node.setAttribute("aria-selected", String(on));
        node.querySelector("input").checked = on;
      }
    }
    if (pool.has(active)) table.setAttribute("aria-activedescendant", `${id}-${shown[active]}`);
    else table.removeAttribute("aria-activedescendant");
  }

  function refill(changed) {
    for (const [place, node] of pool) {
      if (changed && !changed.has(shown[place])) continue;
      seen.forEach((column, i) => {
        if (column.kind === "live") cells.fill(node.children[i + (ticks ? 1 : 0)], column, shown[place]);
      });
    }
    paint();
  }

  function count() {
    const bits = ticked.bits();
    const on = bits.reduce((sum, bit) => sum + bit, 0);
    const able = manyOf(shown);
    const here = able.reduce((sum, row) => sum + bits[row], 0);
    const what = hooks.what ?? "row";
    const text = shown.length === rows ? many(rows, what) : `${NUMBERS.format(shown.length)} of ${many(rows, what)} shown`;
    status.textContent = ticks ? `${text}, ${NUMBERS.format(on)} ticked` : text;
    if (all) {
      all.checked = able.length > 0 && here === able.length;
      all.indeterminate = here < able.length && shown.some((row) => bits[row] === 1);
      all.disabled = shown.length === 0 || !sending;
    }
  }

  // ---- ticks ---------------------------------------------------------------------------------------------------

  function tick(places, on) {
    const changed = sending ? ticked.set(places, on) : new Set();
    if (changed.size) refill(changed);
    else paint();
    count();
    if (changed.size) el.dispatchEvent(new Event("cn-changed"));
  }

  // Some rows may ask for a tick of their own.
  const manyOf = (places) => hooks.many?.(places, value) ?? places;
  function tickMany(places, on) {
    const able = on ? manyOf(places) : places;
    tick(able, on);
    if (able.length < places.length) hooks.skipped?.(places.length - able.length);
  }

  function press(place, range) {
    const row = shown[place];
    const on = ticked.bits()[row] === 0;
    if (range && anchor >= 0) {
      const [from, to] = anchor < place ? [anchor, place] : [place, anchor];
      tickMany(shown.slice(from, to + 1), on);
    } else tick([row], on);
    anchor = active = place;
    paint();
    table.focus({ preventScroll: true });
  }

  function heard() {
    if (!ticked.hear()) return;
    refill();
    count();
    hooks.heard?.();
  }

  function renew() {
    data = read();
    order.forget();
    cells.forget();
    sieve.renew();
    select();
    hooks.heard?.();
  }

  // ---- one row, opened -----------------------------------------------------------------------------------------

  function open(row) {
    opened = row;
    told.open(row);
    paint();
  }

  // The row before or after the opened one, as they are ordered on the page.
  function step(by) {
    const place = shown.indexOf(opened) + by;
    if (opened < 0 || place < 0 || place >= shown.length) return;
    move(place);
    open(shown[place]);
  }

  function shut() {
    opened = -1;
    told.close();
    paint();
    table.focus({ preventScroll: true });
  }

  // The way to the kernel changed: dead until it answers, as after a restart it never will.
  function ask() {
    root.classList.add("cn-dead");
    model.send({ ask: true });
  }

  function answer(message) {
    if (message?.here) root.classList.remove("cn-dead");
    told.tell(message);
  }

  // ---- keys ----------------------------------------------------------------------------------------------------

  function move(to) {
    if (!shown.length) return;
    active = Math.min(Math.max(to, 0), shown.length - 1);
    const top = active * ROW_PX;
    const space = view.clientHeight - 2 * ROW_PX;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top > view.scrollTop + space) view.scrollTop = top - space;
    paint();
  }

  const page = () => Math.max(1, Math.floor(view.clientHeight / ROW_PX) - 2);
  const KEYS = {
    ArrowDown: () => move(active + 1),
    ArrowUp: () => move(active - 1),
    PageDown: () => move(active + page()),
    PageUp: () => move(active - page()),
    Home: () => move(0),
    End: () => move(shown.length - 1),
    " ": () => ticks && shown.length && press(active, false),
    Enter: () => details && shown.length && open(shown[active]),
  };
  table.addEventListener("keydown", (event) => {
    if (event.target !== table || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape" && opened >= 0) shut();
  });

  view.addEventListener("scroll", paint);
  const watch = new ResizeObserver(paint); // also when a cell that was out of sight comes back
  watch.observe(view);
  model.on("change:ranges", heard);
  model.on("change:version", heard);
  model.on("change:data", renew);
  model.on("msg:custom", answer);
  model.on("comm_live_update", ask);
  select();

  return {
    root,
    bits: ticked.bits,
    shown: () => shown,
    ranges: () => rangesOf(ticked.bits()),
    value,
    refill,
    say: ticked.say,
    select,
    open,
    step,
    opened: () => opened,
    tools: sieve.root,
    tool: sieve.tool,
    tick,
    // What was sent is not ticked any more.
    freeze(frozen) {
      sending = !frozen;
      root.classList.toggle("frozen", frozen);
      count();
    },
    close() {
      watch.disconnect();
      model.off("change:ranges", heard);
      model.off("change:version", heard);
      model.off("change:data", renew);
      model.off("msg:custom", answer);
      model.off("comm_live_update", ask);
    },
  };
}

// Draw all of it again when its columns change; `draw` returns what takes it away.
function renewed(draw) {
  return ({ model, el }) => {
    let close = draw(model, el);
    const again = () => {
      close();
      el.replaceChildren();
      close = draw(model, el);
    };
    model.on("change:columns", again);
    return () => {
      model.off("change:columns", again);
      close();
    };
  };
}
