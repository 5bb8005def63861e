// The page of a review, around the grid of grid.js.

// What the ticked rows do, by warehouse.
function totalsOf(model, grid) {
  const found = new Map();
  const bits = grid.bits();
  for (let row = 0; row < bits.length; row++) {
    const code = grid.value("warehouse_code", row);
    if (!found.has(code)) found.set(code, { rows: 0, more: 0, less: 0, left: 0 });
    const sum = found.get(code);
    if (!bits[row]) {
      sum.left++;
      continue;
    }
    const change = grid.value("change", row) ?? 0;
    sum.rows++;
    if (change > 0) sum.more += change;
    else sum.less -= change;
  }
  return found;
}

function reviewOf(model, el) {
  const rows = model.get("rows");
  const why = readReasons();
  const said = () => model.get("told");
  let accepted = new Set(model.get("accepted"));
  let skipped = 0;

  const title = make("div", { className: "cn-title", role: "heading", "aria-level": "3" });
  const doubts = make("div", { className: "cn-doubts" });
  const place = make("div");
  const reason = make("input", { type: "text", id: `cn-why-${++grids}`, value: said().reason, maxLength: 500 });
  const give = make("button", { type: "button" });
  const sums = make("table", { className: "cn-sums" });
  const dry = make("button", { type: "button" }, "Dry run");
  const sure = make("input", { type: "checkbox" });
  const sureText = make("span");
  const send = make("button", { type: "button", className: "cn-send" }, "Send");
  const words = make("div", { className: "cn-words", role: "status", "aria-live": "polite" });
  const root = make(
    "div",
    { className: "cn-grid cn-review", "data-lm-suppress-shortcuts": "true", role: "region", "aria-label": "Stock review" },
    title, doubts, place,
    make("div", { className: "cn-line" }, make("label", { for: reason.id }, "Reason for rows that you untick"), reason, give),
    sums,
    make("div", { className: "cn-line cn-act" }, dry, make("label", { className: "cn-sure" }, sure, sureText), send),
    words,
  );
  el.append(root);

  const grid = gridOf(model, place, {
    live: { why: (row) => why[row] ?? "" },
    changed(changed, on) {
      skipped = 0;
      for (const row of changed) why[row] = on ? "" : reason.value.trim() || said().reason;
    },
    extra: () => ({ accepted: [...accepted], reasons: pairs() }),
    traits: ["accepted", "reasons"],
    many: knowingly,
    skipped(count) {
      skipped = count;
      draw();
    },
    heard: changed,
  });

  // A tick on a row that a guard objects to accepts that: nobody shall do so by ticking all, unless these are all that
  // is shown.
  function knowingly(places, value) {
    if (!model.get("columns").some(({ name }) => name === "guard")) return places;
    const doubted = (row) => value("guard", row) !== null;
    return places.every(doubted) ? places : places.filter((row) => !doubted(row));
  }

  function readReasons() {
    const found = new Array(rows).fill("");
    for (const [text, ranges] of model.get("reasons")) {
      for (let i = 0; i + 1 < ranges.length; i += 2) found.fill(text, ranges[i], ranges[i + 1]);
    }
    return found;
  }

  function pairs() {
    const bits = new Map();
    why.forEach((text, row) => {
      if (!text) return;
      if (!bits.has(text)) bits.set(text, new Uint8Array(rows));
      bits.get(text)[row] = 1;
    });
    return [...bits].map(([text, these]) => [text, rangesOf(these)]);
  }

  // The whole decision goes with every message: what is sent is what is seen here, or nothing.
  function tell(more = {}) {
    grid.say({ accepted: [...accepted], reasons: pairs(), ...more });
  }

  const same = (a, b) => a.length === b.length && a.every((each, i) => each === b[i]);
  function isTried() {
    const tried = said().tried;
    return Boolean(tried) && same(tried.ranges, grid.ranges()) && same(tried.accepted, [...accepted].sort());
  }

  function count() {
    let on = 0;
    for (const bit of grid.bits()) on += bit;
    return on;
  }

  let last = "";
  function draw() {
    const told = said();
    const on = count();
    const busy = Boolean(told.busy);
    title.textContent = told.title;
    const tried = isTried();
    const state = JSON.stringify([grid.ranges(), [...accepted].sort(), told.tried]);
    if (state !== last) sure.checked = false; // it was of another decision
    last = state;
    dry.disabled = busy || told.over || on === 0;
    sure.disabled = busy || !tried || !told.can_send;
    sureText.textContent = `I have looked at this: send ${many(on, "row")} to ${told.where}`;
    send.disabled = sure.disabled || !sure.checked;
    send.textContent = `Send ${many(on, "row")}`;
    const hidden = [...grid.shown()].filter((row) => !grid.bits()[row]).length;
    give.textContent = `Give this reason to the ${many(hidden, "unticked row")} shown`;
    give.disabled = busy || hidden === 0;
    grid.freeze(busy);
    for (const box of doubts.querySelectorAll("input")) {
      box.disabled = busy;
      box.checked = accepted.has(box.value);
    }
    drawSums();
    drawWords(told, on, tried);
  }

  function drawSums() {
    const line = (tag, cells) =>
      make("tr", {}, ...cells.map((text, i) => make(i && tag !== "th" ? "td" : "th", { scope: tag === "th" ? "col" : "row", className: i ? "n" : "" }, text)));
    const found = [...totalsOf(model, grid)];
    const all = found.reduce(
      (sum, [, each]) => ({ rows: sum.rows + each.rows, more: sum.more + each.more, less: sum.less + each.less, left: sum.left + each.left }),
      { rows: 0, more: 0, less: 0, left: 0 },
    );
    const cells = (name, { rows: ticked, more, less, left }) => [name, number(ticked), more ? signed(more) : "0", less ? signed(-less) : "0", number(left)];
    const body = found.map(([code, each]) => line("td", cells(code, each)));
    if (found.length > 1) body.push(line("td", cells("All", all)));
    sums.replaceChildren(
      make("caption", {}, "What is ticked"),
      make("thead", {}, line("th", ["Warehouse", "Rows", "Units more", "Units less", "Left out"])),
      make("tbody", {}, ...body),
    );
  }

  function drawWords(told, on, tried) {
    const lines = [];
    if (told.busy) lines.push(["wait", `… ${told.busy}`]);
    else {
      for (const text of told.bad) lines.push(["bad", `✗ ${text}`]);
      if (tried) for (const text of told.tried.lines) lines.push(["ok", `✓ ${text}`]);
      else if (told.tried) lines.push(["warn", "! What is ticked or accepted changed since the dry run: dry-run it again."]);
      if (!on) lines.push(["", "Nothing is ticked."]);
      if (skipped) {
        lines.push(["warn", `! ${many(skipped, "row")} that guards object to stayed as before: tick them one by one, or choose a guard and tick those.`]);
      }
      if (!told.can_send) lines.push(["", told.why_not]);
    }
    const text = JSON.stringify(lines);
    if (words.dataset.said === text) return; // said once, not at every tick
    words.dataset.said = text;
    words.replaceChildren(...lines.map(([look, line]) => make("div", { className: look }, line)));
  }

  function drawDoubts() {
    const told = said();
    doubts.replaceChildren(
      ...told.of_all.map(({ guard, text }) => {
        const box = make("input", { type: "checkbox", value: guard });
        box.addEventListener("change", () => {
          for (const other of doubts.querySelectorAll("input")) if (other.value === guard) other.checked = box.checked;
          if (box.checked) accepted.add(guard);
          else accepted.delete(guard);
          tell();
          draw();
        });
        return make("div", { className: "cn-doubt" }, make("div", {}, `! ${text}`), make("label", {}, box, ` Accept ${guard}`));
      }),
    );
  }

  function changed() {
    accepted = new Set(model.get("accepted"));
    readReasons().forEach((text, row) => { why[row] = text; });
    grid.refill();
    draw();
  }

  function heard() {
    drawDoubts();
    draw();
  }

  give.addEventListener("click", () => {
    const text = reason.value.trim() || said().reason;
    for (const row of grid.shown()) if (!grid.bits()[row]) why[row] = text;
    grid.refill();
    tell();
  });
  dry.addEventListener("click", () => tell({ do: "dry" }));
  sure.addEventListener("change", draw);
  send.addEventListener("click", () => {
    tell({ do: "send", sure: sure.checked });
    sure.checked = false; // before the kernel answers: a second click finds nothing to press
    draw();
  });
  // What was sent is followed here only on a page that was loaded again: elsewhere all of this is gone by then. It is
  // the tracker's own HTML, escaped where it was made.
  function finish() {
    const parts = model.get("end");
    if (!parts.length) return;
    if (!root.classList.contains("ended")) {
      root.classList.add("ended");
      const again = "This page was loaded again since: run the cell that shows the review again, so that its end is saved.";
      root.replaceChildren(title, make("div", { className: "cn-words" }, again));
    }
    const places = [...root.querySelectorAll(".cn-end")];
    parts.forEach((part, i) => {
      const place = places[i] ?? root.appendChild(make("div", { className: "cn-end" }));
      if (place.dataset.part === part) return; // what a person unfolded stays so
      place.dataset.part = part;
      place.innerHTML = part;
    });
    for (const place of places.slice(parts.length)) place.remove();
  }

  // Ticks of this very page come back through the model too.
  place.addEventListener("cn-changed", draw);
  model.on("change:told", heard);
  model.on("change:end", finish);
  drawDoubts();
  draw();
  finish();
  return () => {
    model.off("change:told", heard);
    model.off("change:end", finish);
    grid.close();
  };
}
