// The page's side of a grid. Text from outside reaches the page as textContent, never as markup.
// Only the rows that can be seen are elements; widget.py puts the `export` below, so that others can build on it.

const ROW_PX = 28; // grid.css has the same
const PADDING_PX = 14; // of a cell, left and right
const SPARE_ROWS = 6; // above and below what is seen, so that scrolling shows no gap
const MOST_LETTERS = 34; // of a column that asks for no width
const LEAST_LETTERS = 9; // of a column of words, where there is little room
const SHORT = 24; // so many letters stay on one line
const MOST_CHOICES = 400; // of a list to filter by

const NUMBERS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const MONEY = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const WORDS = new Intl.Collator("en", { numeric: true });

const number = (value) => NUMBERS.format(value).replace("-", "−");
const signed = (value) => (value > 0 ? "+" : "") + number(value);

const WRITE = {
  text: (value) => value,
  live: (value) => value,
  instant: (value) => value,
  number,
  money: (value) => MONEY.format(value).replace("-", "−"),
  change: signed,
  bar: signed,
  flag: (value) => (value ? "✓ yes" : "✗ no"),
};
const RIGHT = new Set(["number", "money", "change", "bar"]);
const WORDY = new Set(["text", "live"]);

// An element with its properties and children; attributes are those with a dash, `role` and `for`.
function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
}

function many(count, what) {
  return `${NUMBERS.format(count)} ${what}${count === 1 ? "" : "s"}`;
}

function bitsOf(ranges, rows) {
  const bits = new Uint8Array(rows);
  for (let i = 0; i + 1 < ranges.length; i += 2) bits.fill(1, ranges[i], ranges[i + 1]);
  return bits;
}

function rangesOf(bits) {
  const ranges = [];
  for (let i = 0, on = 0; i <= bits.length; i++) {
    const next = i < bits.length ? bits[i] : 0;
    if (next !== on) ranges.push(i);
    on = next;
  }
  return ranges;
}

let grids = 0;

// Draw a grid into an element. Of `hooks`, `live` has a function for each column that the page keeps itself, `changed`
// hears which rows a person ticked before anybody else, `extra` and its `traits` go along with what is ticked, `heard`
// is called when the kernel said something new. The element hears `cn-changed` after every change of ticks or rows.
// Who builds on it may search more than is shown (`finds`: text -> row -> whether), filter by more (`fits`: -> row ->
// whether, or null; `reset`), name a row (`what`), open rows by a click (`click`) and head what is opened (`heading`).
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

  let bits = bitsOf(model.get("ranges"), rows);
  let version = model.get("version");
  let shown = Uint32Array.from({ length: rows }, (_, row) => row);
  let sorted = { name: null, down: false };
  let active = 0; // a place in `shown`
  let anchor = -1; // where a range of ticks begins
  let opened = -1; // a row
  let sending = true;

  // ---- what is on the page -------------------------------------------------------------------------------------

  const search = make("input", { type: "search", id: `${id}-search`, autocomplete: "off", spellcheck: false });
  const bar = make("div", { className: "cn-tools" });
  const words = columns.filter((column) => WORDY.has(column.kind));
  if (words.length) {
    search.title = `In ${[...words.map((column) => column.title), ...(hooks.searched ?? [])].join(", ")}`;
    tool("Search", search);
  }
  const choices = columns.filter((column) => column.choice).map((column) => [column.name, chooser(column)]);
  const marked = make("select", { id: `${id}-marked` });
  if (ticks) {
    for (const [key, text] of [["", "all rows"], ["1", "ticked only"], ["0", "unticked only"]]) {
      marked.append(make("option", { value: key }, text));
    }
    tool("Show", marked);
  }
  const reset = make("button", { type: "button", className: "cn-plain", hidden: true }, "Show all again");
  bar.append(reset);
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
  const told = make("section", { className: "cn-told", hidden: true, "aria-label": "Details" });
  const root = make(
    "div",
    // Lab's own keys (D D deletes a cell) must not act while a person moves in here.
    { className: "cn-grid", "data-lm-suppress-shortcuts": "true" },
    bar, view, empty, make("div", { className: "cn-foot" }, status, hint), told,
  );
  el.append(root);

  const buttons = {};
  let all = null;
  drawHead();
  const pool = new Map(); // place -> element

  function tool(text, control) {
    bar.append(make("span", {}, make("label", { for: control.id }, text), control));
  }

  function chooser(column) {
    const list = make("select", { id: `${id}-${column.name}` }, make("option", { value: "" }, "all"));
    const found = [...new Set(data[column.name])].filter((text) => text !== null && text !== "").sort(WORDS.compare);
    for (const text of found.slice(0, MOST_CHOICES)) list.append(make("option", { value: `=${text}` }, WRITE[column.kind](text)));
    tool(column.title, list);
    return list;
  }

  function widthOf(column) {
    if (column.letters) return column.letters;
    if (column.kind === "bar") return 13;
    if (column.kind === "flag") return 7;
    let most = column.title.length + 1;
    if (!(column.name in live)) {
      const write = WRITE[column.kind];
      for (const each of data[column.name]) {
        if (each === null) continue;
        const letters = RIGHT.has(column.kind) ? write(each).length : each.length;
        if (letters > most) most = letters;
      }
    } else most = 20;
    return Math.min(most + 1, MOST_LETTERS);
  }

  // Digits are all as wide as a 0; letters are less, and a column of many of them may be cut.
  function track(column) {
    const letters = widthOf(column);
    if (RIGHT.has(column.kind)) return `calc(${letters}ch + ${PADDING_PX}px)`;
    return `minmax(calc(${Math.min(letters, LEAST_LETTERS)}ch + ${PADDING_PX}px), ${letters}fr)`;
  }

  function drawHead() {
    const widths = seen.map(track);
    const tracks = [...(ticks ? ["34px"] : []), ...widths, ...(details ? ["36px"] : [])];
    // Each row is a grid of its own: nothing here may depend on what is in it.
    table.style.setProperty("--cn-tracks", tracks.join(" "));
    table.setAttribute("aria-colcount", String(tracks.length));
    if (ticks) {
      all = make("input", { type: "checkbox", "aria-label": "Tick all rows that are shown" });
      all.addEventListener("change", () => tick(shown, all.checked));
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

  let haystack = [];
  const still = columns.filter((column) => column.kind === "text").map((column) => column.name);
  const moving = columns.filter((column) => column.kind === "live").map((column) => column.name);
  const textOf = (row) => {
    const kept = (haystack[row] ??= still.map((name) => data[name][row] ?? "").join("\n").toLowerCase());
    return moving.length ? `${kept}\n${moving.map((name) => value(name, row)).join("\n").toLowerCase()}` : kept;
  };

  let ranks = {};
  function rankOf(column) {
    if (RIGHT.has(column.kind) || column.kind === "flag") return (row) => value(column.name, row);
    if (column.kind === "live") return rankWords(Array.from({ length: rows }, (_, row) => value(column.name, row) || null));
    return (ranks[column.name] ??= rankWords(data[column.name]));
  }
  function rankWords(texts) {
    // Words are compared once each, not once for each comparison of rows.
    const order = new Map([...new Set(texts)].filter((text) => text !== null).sort(WORDS.compare).map((text, i) => [text, i]));
    return (row) => order.get(texts[row]) ?? null;
  }

  function select() {
    const sought = search.value.trim().toLowerCase();
    const wanted = choices.filter(([, list]) => list.value).map(([name, list]) => [name, list.value.slice(1)]);
    const on = marked.value;
    const finds = sought ? hooks.finds?.(sought) : null;
    const fits = hooks.fits?.();
    const kept = [];
    for (let row = 0; row < rows; row++) {
      if (on && String(bits[row]) !== on) continue;
      if (wanted.some(([name, text]) => String(data[name][row]) !== text)) continue;
      if (fits && !fits(row)) continue;
      if (sought && !textOf(row).includes(sought) && !finds?.(row)) continue;
      kept.push(row);
    }
    const column = columns.find((each) => each.name === sorted.name);
    if (column) {
      const rank = rankOf(column);
      const down = sorted.down ? -1 : 1;
      kept.sort((a, b) => {
        const [x, y] = [rank(a), rank(b)];
        if (x === y) return a - b;
        if (x === null || x === undefined) return 1; // what is not known comes last, whichever way
        if (y === null || y === undefined) return -1;
        return x < y ? -down : down;
      });
    }
    const row = shown[active];
    shown = Uint32Array.from(kept);
    active = Math.max(0, shown.indexOf(row));
    anchor = -1;
    reset.hidden = !(sought || wanted.length || on || fits);
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

  let largest = null;
  function longest(name) {
    largest ??= {};
    return (largest[name] ??= data[name].reduce((most, each) => Math.max(most, Math.abs(each ?? 0)), 1));
  }

  function fill(cell, column, row) {
    const found = value(column.name, row);
    cell.textContent = found === null || found === undefined ? "" : WRITE[column.kind](found);
    if (WORDY.has(column.kind)) cell.title = cell.textContent;
    if (column.kind === "bar" && found) {
      const part = Math.max(2, (Math.abs(found) / longest(column.name)) * 50);
      const mark = make("span", { className: `cn-mark ${found < 0 ? "less" : "more"}` });
      mark.style.width = `${part}%`;
      cell.replaceChildren(make("span", { className: "cn-bar", "aria-hidden": "true" }, mark), make("span", {}, cell.textContent));
    } else if (column.kind === "bar") {
      cell.replaceChildren(make("span", { className: "cn-bar", "aria-hidden": "true" }), make("span", {}, cell.textContent));
    }
  }

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
      fill(cell, column, row);
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
      const on = bits[row] === 1;
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
        if (column.kind === "live") fill(node.children[i + (ticks ? 1 : 0)], column, shown[place]);
      });
    }
    paint();
  }

  function count() {
    let on = 0;
    for (const bit of bits) on += bit;
    let here = 0;
    for (const row of shown) here += bits[row];
    const what = hooks.what ?? "row";
    const text = shown.length === rows ? many(rows, what) : `${NUMBERS.format(shown.length)} of ${many(rows, what)} shown`;
    status.textContent = ticks ? `${text}, ${NUMBERS.format(on)} ticked` : text;
    if (all) {
      all.checked = shown.length > 0 && here === shown.length;
      all.indeterminate = here > 0 && here < shown.length;
      all.disabled = shown.length === 0 || !sending;
    }
  }

  // ---- ticks ---------------------------------------------------------------------------------------------------

  // Ticks go as a message of their own: it keeps its place before the press of a button that follows it, which a
  // trait, sent when the kernel has answered the last one, would not.
  function tick(places, on) {
    const changed = new Set();
    for (const row of places) if (bits[row] !== (on ? 1 : 0)) changed.add(row);
    if (!changed.size || !sending) {
      paint();
      return count();
    }
    for (const row of changed) bits[row] = on ? 1 : 0;
    hooks.changed?.(changed, on);
    say(hooks.extra?.() ?? {});
    refill(changed);
    count();
    el.dispatchEvent(new Event("cn-changed"));
  }

  // Tell the kernel what is ticked, and what belongs to it.
  function say(more) {
    version = Math.max(version, model.get("version")) + 1;
    const ranges = rangesOf(bits);
    model.send({ ticked: ranges, version, ...more });
    own = true;
    for (const name of hooks.traits ?? []) model.set(name, more[name]);
    model.set("ranges", ranges); // other views of the same page hear of it
    model.set("version", version);
    own = false;
  }
  let own = false;

  function press(place, range) {
    const row = shown[place];
    const on = bits[row] === 0;
    if (range && anchor >= 0) {
      const [from, to] = anchor < place ? [anchor, place] : [place, anchor];
      tick(shown.slice(from, to + 1), on);
    } else tick([row], on);
    anchor = active = place;
    paint();
    table.focus({ preventScroll: true });
  }

  function heard() {
    if (own || model.get("version") < version) return; // an answer to an older tick
    version = model.get("version");
    bits = bitsOf(model.get("ranges"), rows);
    refill();
    count();
    hooks.heard?.();
  }

  function renew() {
    data = read();
    [haystack, ranks, largest] = [[], {}, null];
    select();
    hooks.heard?.();
  }

  // ---- one row, opened -----------------------------------------------------------------------------------------

  function open(row) {
    opened = row;
    const facts = make("dl");
    for (const column of columns) {
      const found = value(column.name, row);
      if (found === null || found === undefined || found === "") continue;
      facts.append(make("dt", {}, column.title), make("dd", {}, WRITE[column.kind](found)));
    }
    const close = make("button", { type: "button", className: "cn-plain" }, "Close");
    close.addEventListener("click", shut);
    told.replaceChildren(make("div", { className: "cn-told-head" }, make("b", {}, nameOf(row)), ...(hooks.heading?.(row) ?? []), close), facts);
    if (hooks.heading) told.append(make("div", { className: "cn-part" }, "Asking the kernel …"));
    told.setAttribute("aria-label", `Details of ${nameOf(row)}`);
    told.hidden = false;
    told.tabIndex = -1;
    told.focus();
    model.send({ opened: row });
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
    told.hidden = true;
    told.replaceChildren();
    model.send({ opened: -1 });
    paint();
    table.focus({ preventScroll: true });
  }

  // The way to the kernel changed: dead until it answers, as after a restart it never will.
  function ask() {
    root.classList.add("cn-dead");
    model.send({ ask: true });
  }

  function tell(message) {
    if (message?.here) root.classList.remove("cn-dead");
    if (message?.tell === undefined || message.tell !== opened) return;
    const held = told.contains(document.activeElement) && document.activeElement.closest(".cn-part");
    for (const old of told.querySelectorAll(".cn-part")) old.remove();
    for (const part of message.parts) {
      const box = make("div", { className: "cn-part" }, make("b", {}, part.title));
      if (part.note) box.append(make("div", {}, part.note));
      if (part.facts.length) {
        box.append(make("dl", {}, ...part.facts.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])));
      }
      if (part.head.length) {
        const line = (cells, tag) => make("tr", {}, ...cells.map((text, i) => make(tag, { ...(tag === "th" ? { scope: "col" } : {}), className: part.right.includes(i) ? "n" : text.length <= SHORT ? "o" : "" }, text)));
        box.append(make("table", {}, make("thead", {}, line(part.head, "th")), make("tbody", {}, ...part.rows.map((cells) => line(cells, "td")))));
      }
      for (const [action, text] of part.actions) {
        const button = make("button", { type: "button" }, text);
        button.addEventListener("click", () => model.send({ action, row: opened }));
        box.append(button);
      }
      told.append(box);
    }
    // What was pressed is gone: keys go on from what stands for it.
    if (held) (told.querySelector(".cn-part button") ?? told).focus({ preventScroll: true });
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

  search.addEventListener("input", select);
  for (const [, list] of choices) list.addEventListener("change", select);
  marked.addEventListener("change", select);
  reset.addEventListener("click", () => {
    search.value = "";
    marked.value = "";
    for (const [, list] of choices) list.value = "";
    hooks.reset?.();
    select();
    table.focus({ preventScroll: true });
  });
  view.addEventListener("scroll", paint);
  const watch = new ResizeObserver(paint); // also when a cell that was out of sight comes back
  watch.observe(view);
  model.on("change:ranges", heard);
  model.on("change:version", heard);
  model.on("change:data", renew);
  model.on("msg:custom", tell);
  model.on("comm_live_update", ask);
  select();

  return {
    root,
    bits: () => bits,
    shown: () => shown,
    ranges: () => rangesOf(bits),
    value,
    refill,
    say,
    select,
    open,
    step,
    opened: () => opened,
    tools: bar,
    tool,
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
      model.off("msg:custom", tell);
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
