// The page of an explorer of orders, around the grid of grid.js.

const TELL_MS = 150; // after the last change of a filter the kernel hears what is shown

// Copy a text; where the page may not write to the clipboard (plain http from another machine), as a selection.
async function copy(text, from) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { value: text, readOnly: true, "aria-hidden": "true" });
    area.style.cssText = "position:fixed;opacity:0";
    from.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function ordersOf(model, el) {
  const id = `cn-orders-${++grids}`;
  let terms = null; // {texts, starts, numbers}, once the kernel sent them
  let grid = null;
  let timer = 0;
  let told = null;

  const from = make("input", { type: "date", id: `${id}-from` });
  const to = make("input", { type: "date", id: `${id}-to` });

  // Which orders contain the text that is sought: each text is looked through once, however many orders have it.
  function finds(sought) {
    if (!terms) return null;
    const hits = terms.texts.map((text) => text.includes(sought));
    if (!hits.includes(true)) return null;
    return (row) => {
      for (let i = terms.starts[row]; i < terms.starts[row + 1]; i++) if (hits[terms.numbers[i]]) return true;
      return false;
    };
  }

  // Days are those of the column, which are the zone's; an order without a day is in no range.
  function fits() {
    const [first, last] = [from.value, to.value];
    if (!first && !last) return null;
    return (row) => {
      const day = grid.value("ordered", row)?.slice(0, 10);
      return day !== undefined && (!first || day >= first) && (!last || day <= last);
    };
  }

  function heading(row) {
    const number = grid.value("order_no", row);
    const button = make("button", { type: "button", "aria-label": `Copy order number ${number}` }, "Copy number");
    button.addEventListener("click", async () => {
      button.textContent = (await copy(number, button.parentElement)) ? "Copied" : "Select and copy it";
      button.focus();
    });
    const [before, after] = [["Previous", -1], ["Next", 1]].map(([name, by]) => {
      const step = make("button", { type: "button", "data-by": String(by) }, name);
      step.addEventListener("click", () => {
        grid.step(by);
        grid.root.querySelector(`.cn-steps [data-by="${by}"]:enabled`)?.focus();
      });
      const place = grid.shown().indexOf(row) + by;
      step.disabled = place < 0 || place >= grid.shown().length;
      return step;
    });
    return [make("span", { className: "cn-steps" }, button, before, after)];
  }

  grid = gridOf(model, el, {
    what: "order", click: true, searched: ["products and tracking numbers"], finds, fits, heading,
    reset() {
      from.value = to.value = "";
    },
  });
  grid.root.classList.add("cn-orders");
  if (model.get("note")) grid.root.prepend(make("div", { className: "cn-note" }, model.get("note")));
  const search = grid.tools.querySelector("input[type=search]");
  search.placeholder = "order, SKU, product, tracking";
  const reset = grid.tools.querySelector("button");
  grid.tool("From", from);
  grid.tool("to", to);
  grid.tools.append(reset);
  for (const input of [from, to]) input.addEventListener("change", grid.select);
  const wait = make("div", { className: "cn-wait", "aria-live": "polite" });
  grid.tools.append(wait);
  const days = Array.from({ length: model.get("rows") }, (_, row) => grid.value("ordered", row)?.slice(0, 10)).filter(Boolean).sort();
  if (days.length) for (const input of [from, to]) [input.min, input.max] = [days[0], days.at(-1)];
  grid.root.querySelector(".cn-keys").textContent = `Days and times of ${model.get("times")}. Arrows move, Enter opens, ← → open the order before and after, Escape closes.`;

  grid.root.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const writing = event.target.closest("input, select, [role=grid]") && event.target.closest(".cn-tools");
    if (!by || writing || grid.opened() < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    grid.step(by);
  });

  // The kernel hears which orders are shown, not what was typed: that may be a name.
  function tell() {
    clearTimeout(timer);
    const bits = new Uint8Array(model.get("rows"));
    for (const row of grid.shown()) bits[row] = 1;
    const ranges = rangesOf(bits);
    const said = ranges.join();
    if (said === told) return;
    told = said;
    model.send({ shown: ranges });
  }
  function changed() {
    wait.textContent = search.value.trim() && !terms ? "Products are searched as soon as the kernel answers." : "";
    clearTimeout(timer);
    timer = setTimeout(tell, TELL_MS);
  }
  el.addEventListener("cn-changed", changed);
  el.addEventListener("focusout", tell); // such as to a cell that asks for explorer.shown
  told = grid.shown().length === model.get("rows") ? [0, model.get("rows")].join() : null;

  function heard(message, buffers) {
    if (!message?.terms) return;
    const [texts, starts, numbers] = buffers;
    const numbersOf = (part) => new Int32Array(part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength));
    terms = {
      texts: JSON.parse(new TextDecoder().decode(texts)).map((text) => text.toLowerCase()),
      starts: numbersOf(starts), numbers: numbersOf(numbers),
    };
    if (search.value.trim()) grid.select();
  }
  model.on("msg:custom", heard);
  model.send({ terms: true });

  return () => {
    clearTimeout(timer);
    el.removeEventListener("cn-changed", changed);
    el.removeEventListener("focusout", tell);
    model.off("msg:custom", heard);
    grid.close();
  };
}
