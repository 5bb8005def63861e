// The order explorer's page, around the grid of grid.js.

const SEND_DELAY_MS = 150; // after the last change of a filter

function createOrderGrid(model, el) {
  const id = `cn-orders-${++gridCount}`;
  let searchIndex = null; // {texts, starts, textNumbers}, once the kernel has sent them
  let grid = null;
  let timer = 0;
  let lastSent = null;

  const from = createElement("input", { type: "date", id: `${id}-from` });
  const to = createElement("input", { type: "date", id: `${id}-to` });

  // Find the orders that contain a text: each text is searched once, however many orders have it.
  function createTextFilter(searched) {
    if (!searchIndex) return null;
    const hits = searchIndex.texts.map((text) => text.includes(searched));
    if (!hits.includes(true)) return null;
    const { starts, textNumbers } = searchIndex;
    return (row) => {
      for (let i = starts[row]; i < starts[row + 1]; i++) if (hits[textNumbers[i]]) return true;
      return false;
    };
  }

  // Days are in the column's time zone; an order without a day is in no range.
  function createRowFilter() {
    const [first, last] = [from.value, to.value];
    if (!first && !last) return null;
    return (row) => {
      const day = grid.value("ordered", row)?.slice(0, 10);
      return day !== undefined && (!first || day >= first) && (!last || day <= last);
    };
  }

  function createHeading(row) {
    const number = grid.value("order_no", row);
    const copyButton = createElement("button", { type: "button", "aria-label": `Copy order number ${number}` }, "Copy number");
    copyButton.addEventListener("click", async () => {
      copyButton.textContent = (await copyText(number, copyButton.parentElement)) ? "Copied" : "Select and copy it";
      copyButton.focus();
    });
    const steps = [["Previous", -1], ["Next", 1]].map(([name, offset]) => {
      const button = createElement("button", { type: "button", "data-offset": String(offset) }, name);
      button.addEventListener("click", () => {
        grid.step(offset);
        grid.root.querySelector(`.cn-steps [data-offset="${offset}"]:enabled`)?.focus();
      });
      const position = grid.shown().indexOf(row) + offset;
      button.disabled = position < 0 || position >= grid.shown().length;
      return button;
    });
    return [createElement("span", { className: "cn-steps" }, copyButton, ...steps)];
  }

  grid = createGrid(model, el, {
    noun: "order", openOnClick: true, omitRow: true, alsoSearched: ["products and tracking numbers"],
    createTextFilter, createRowFilter, createHeading,
    resetFilters() {
      from.value = to.value = "";
    },
  });
  grid.root.classList.add("cn-orders");
  if (model.get("note")) grid.root.prepend(createElement("div", { className: "cn-note" }, model.get("note")));
  const search = grid.tools.querySelector("input[type=search]");
  search.placeholder = "order, SKU, product, tracking";
  const reset = grid.tools.querySelector("button");
  grid.addControl("From", from);
  grid.addControl("to", to);
  grid.tools.append(reset);
  for (const input of [from, to]) input.addEventListener("change", grid.applyFilters);
  const areNamesSearched = model.get("names_searched");
  const masked = "Names are masked and not searched.";
  const searched = `Search looks in order numbers, SKUs, products, tracking numbers and the columns below. ${areNamesSearched ? "Names are searched, too." : masked}`;
  grid.tools.after(createElement("div", { className: "cn-searched" }, searched));
  const emptyHint = createElement("span", {}, ` ${masked}`);
  if (!areNamesSearched) grid.empty.append(emptyHint);
  const searchStatus = createElement("div", { className: "cn-search-status", "aria-live": "polite" });
  grid.tools.append(searchStatus);
  const days = Array.from({ length: model.get("rows") }, (_, row) => grid.value("ordered", row)?.slice(0, 10)).filter(Boolean).sort();
  if (days.length) for (const input of [from, to]) [input.min, input.max] = [days[0], days.at(-1)];
  grid.root.querySelector(".cn-keys").textContent = `Days and times of ${model.get("time_zone")}. Arrows move, Enter opens, ← → open the order before and after, Escape closes.`;

  const label = createElement("span", {}, "What is shown:");
  const copyButton = createElement("button", { type: "button", title: "As a table to paste into a spreadsheet" }, "Copy");
  const downloadButton = createElement("button", { type: "button", title: "As a .csv file" }, "Download");
  const copyStatus = createElement("span", { "aria-live": "polite" });
  grid.foot.querySelector(".cn-status").after(createElement("div", { className: "cn-buttons cn-copy" }, label, copyButton, downloadButton, copyStatus));
  const countShown = () => formatCount(grid.shown().length, "order");
  copyButton.addEventListener("click", async () => {
    const count = countShown();
    const copied = await copyText(writeTable(grid.columns, grid.shown(), grid.value, "\t"), copyButton.parentElement);
    copyStatus.textContent = copied ? `✓ ${count} copied` : "! This page may not copy: use Download";
    copyButton.focus();
  });
  downloadButton.addEventListener("click", () => {
    downloadText(writeTable(grid.columns, grid.shown(), grid.value, ","), "orders.csv");
    copyStatus.textContent = `✓ ${countShown()} downloaded`;
  });

  grid.root.addEventListener("keydown", (event) => {
    const offset = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const isTyping = event.target.closest("input, select, [role=grid]") && event.target.closest(".cn-tools");
    if (!offset || isTyping || grid.openRow() < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    grid.step(offset);
  });

  // The kernel learns which orders are shown, not what was typed, which may be a name.
  function sendShown() {
    clearTimeout(timer);
    const bits = new Uint8Array(model.get("rows"));
    for (const row of grid.shown()) bits[row] = 1;
    const ranges = encodeRanges(bits);
    const text = ranges.join();
    if (text === lastSent) return;
    lastSent = text;
    model.send({ shown: ranges });
  }
  function onChange() {
    copyStatus.textContent = "";
    emptyHint.hidden = !search.value.trim();
    copyButton.disabled = downloadButton.disabled = !grid.shown().length;
    searchStatus.textContent = search.value.trim() && !searchIndex ? "Products are searched as soon as the kernel answers." : "";
    clearTimeout(timer);
    timer = setTimeout(sendShown, SEND_DELAY_MS);
  }
  el.addEventListener("cn-changed", onChange);
  el.addEventListener("focusout", sendShown); // for example to a cell that reads explorer.shown
  lastSent = grid.shown().length === model.get("rows") ? [0, model.get("rows")].join() : null;

  function receiveSearchIndex(message, buffers) {
    if (!message?.search_index) return;
    const [texts, starts, textNumbers] = buffers;
    const decodeInts = (part) => new Int32Array(part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength));
    searchIndex = {
      texts: JSON.parse(new TextDecoder().decode(texts)).map((text) => text.toLowerCase()),
      starts: decodeInts(starts), textNumbers: decodeInts(textNumbers),
    };
    if (search.value.trim()) grid.applyFilters();
  }
  model.on("msg:custom", receiveSearchIndex);
  model.send({ get_search_index: true });

  return () => {
    clearTimeout(timer);
    el.removeEventListener("cn-changed", onChange);
    el.removeEventListener("focusout", sendShown);
    model.off("msg:custom", receiveSearchIndex);
    grid.close();
  };
}
