// The page of a review, around the grid of grid.js.

const ANSWER_MS = 250; // a kernel that is idle answers sooner
const MAX_ACCEPTED_NAMES = 5; // as in text.py

// Sum what the selected rows do, by warehouse.
function sumByWarehouse(grid) {
  const totals = new Map();
  grid.bits().forEach((bit, row) => {
    const code = grid.value("warehouse_code", row);
    if (!totals.has(code)) totals.set(code, { rows: 0, more: 0, less: 0, leftOut: 0 });
    const total = totals.get(code);
    if (!bit) {
      total.leftOut++;
      return;
    }
    const change = grid.value("change", row) ?? 0;
    total.rows++;
    if (change > 0) total.more += change;
    else total.less -= change;
  });
  return totals;
}

function createReview(model, el) {
  const rows = model.get("rows");
  const hasGuards = model.get("columns").some(({ name }) => name === "guard"); // of other columns, all is drawn again
  const reasons = readReasons();
  const state = () => model.get("state");
  let accepted = new Set(model.get("accepted"));
  let skipped = 0;
  let shownGuard = ""; // the filter
  let wasBusy = false;
  let pending = null; // a button that was pressed: how many the kernel had answered before, and whether it is late

  const title = createElement("div", { className: "cn-title", role: "heading", "aria-level": "3" });
  const objections = createElement("div", { className: "cn-objections" });
  const guardLine = createElement("div", { className: "cn-guards", role: "group", "aria-label": "Objections" });
  const gridBox = createElement("div");
  const reason = createElement("input", { type: "text", id: `cn-reason-${++gridCount}`, value: state().reason, maxLength: 500 });
  const giveReason = createElement("button", { type: "button" });
  const totalsTable = createElement("table", { className: "cn-totals" });
  const dryRun = createElement("button", { type: "button" }, "Dry run");
  const confirmBox = createElement("input", { type: "checkbox" });
  const confirmText = createElement("span");
  const send = createElement("button", { type: "button", className: "cn-send" }, "Send");
  const messages = createElement("div", { className: "cn-messages", role: "status", "aria-live": "polite" });
  const root = createElement(
    "div",
    { className: "cn-grid cn-review", role: "region", "aria-label": "Stock review" },
    title, objections, guardLine, gridBox,
    createElement("div", { className: "cn-controls" }, createElement("label", { for: reason.id }, "Reason for rows that you untick"), reason, giveReason),
    totalsTable,
    createElement("div", { className: "cn-controls cn-actions" }, dryRun, createElement("label", { className: "cn-confirm" }, confirmBox, confirmText), send),
    messages,
  );
  el.append(root);
  const restoreShortcuts = suppressShortcuts(root);

  const grid = createGrid(model, gridBox, {
    liveValues: { why: (row) => (reasons[row] ?? "").replace(/^a guard objects: .*/, "a guard objects") }, // its note names it
    onSelect(changed, on) {
      skipped = 0;
      for (const row of changed) reasons[row] = on ? "" : reason.value.trim() || state().reason;
    },
    createMessage: () => ({ accepted: [...accepted], reasons: encodeReasons() }),
    traits: ["accepted", "reasons"],
    selectableRows: withoutObjections,
    onSkipped(count) {
      skipped = count;
      draw();
    },
    onKernelChange: receiveDecision,
    openOnClick: true,
    comesFirst: (row, value) => hasObjection(row, value),
    noteBelow: (row, on, value) => hasObjection(row, value) && `${on ? "✓ accepted" : "!"} ${value("objection", row)}`,
    createRowFilter: () => (shownGuard ? (row) => guardsAt(row).includes(shownGuard) : null),
    resetFilters() {
      shownGuard = "";
      drawGuards();
    },
  });

  const warehouseCount = sumByWarehouse(grid).size;

  function guardsAt(row) {
    return hasGuards ? (grid.value("guard", row)?.split(", ") ?? []) : [];
  }

  function hasObjection(row, value) {
    return hasGuards && value("guard", row) !== null;
  }

  // Name what the selected rows and the boxes accept.
  function describeAccepted() {
    const names = [];
    const nameRow = (row) => (warehouseCount > 1 ? `${grid.value("warehouse_code", row)} ` : "") + grid.value("product_sku", row);
    if (hasGuards) grid.bits().forEach((bit, row) => bit && names.push(...guardsAt(row).map((guard) => `${nameRow(row)} ${guard}`)));
    names.push(...[...accepted].sort());
    const hidden = names.length - MAX_ACCEPTED_NAMES;
    const more = hidden > 0 ? ` and ${formatNumber(hidden)} more` : "";
    return names.length ? `${formatCount(names.length, "objection")} accepted: ${names.slice(0, MAX_ACCEPTED_NAMES).join(", ")}${more}` : "";
  }

  // One button for each guard; a row with two guards is behind both.
  function drawGuards() {
    const counts = new Map();
    for (let row = 0; row < rows; row++) for (const guard of guardsAt(row)) counts.set(guard, (counts.get(guard) ?? 0) + 1);
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const buttons = [...counts].map(([guard, count]) => {
      const button = createElement("button", { type: "button", "aria-pressed": String(guard === shownGuard) }, `${guard} ${formatNumber(count)}`);
      button.addEventListener("click", () => {
        shownGuard = guard === shownGuard ? "" : guard;
        for (const other of guardLine.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button && shownGuard !== ""));
        grid.applyFilters();
      });
      return button;
    });
    const isClear = total === 0 && !state().general_objections.length;
    const text = createElement("span", {}, total ? `! ${formatCount(total, "objection")} to single rows` : "No objections");
    guardLine.hidden = total === 0 && !isClear;
    guardLine.classList.toggle("warn", total > 0);
    guardLine.replaceChildren(text, ...buttons);
  }

  // Selecting a row that a guard objects to accepts the objection, so "select all" skips such rows, unless no others
  // are shown.
  function withoutObjections(shownRows, value) {
    const isObjected = (row) => hasObjection(row, value);
    return shownRows.every(isObjected) ? shownRows : shownRows.filter((row) => !isObjected(row));
  }

  function readReasons() {
    const texts = new Array(rows).fill("");
    for (const [text, ranges] of model.get("reasons")) {
      for (let i = 0; i + 1 < ranges.length; i += 2) texts.fill(text, ranges[i], ranges[i + 1]);
    }
    return texts;
  }

  function encodeReasons() {
    const bitsByText = new Map();
    reasons.forEach((text, row) => {
      if (!text) return;
      if (!bitsByText.has(text)) bitsByText.set(text, new Uint8Array(rows));
      bitsByText.get(text)[row] = 1;
    });
    return [...bitsByText].map(([text, bits]) => [text, encodeRanges(bits)]);
  }

  // Every message contains the whole decision: what is sent is what is shown here, or nothing.
  function sendDecision(more = {}) {
    grid.send({ accepted: [...accepted], reasons: encodeReasons(), ...more });
  }

  // Ask for something: the kernel answers at once, or after the cell that it runs.
  function request(more) {
    const asked = { answered: state().answered, isLate: false };
    pending = asked;
    sendDecision(more);
    setTimeout(() => {
      asked.isLate = true;
      if (pending === asked) draw();
    }, ANSWER_MS);
    draw();
  }

  const isEqual = (a, b) => a.length === b.length && a.every((item, i) => item === b[i]);
  function isDryRunCurrent() {
    const tried = state().dry_run;
    return Boolean(tried) && isEqual(tried.selection, grid.ranges()) && isEqual(tried.accepted, [...accepted].sort());
  }

  let lastDecision = "";
  function draw() {
    const current = state();
    const selected = grid.bits().reduce((sum, bit) => sum + bit, 0);
    const isBusy = Boolean(current.busy || pending);
    title.textContent = current.title;
    const isTried = isDryRunCurrent();
    const decision = JSON.stringify([grid.ranges(), [...accepted].sort(), current.dry_run]);
    if (decision !== lastDecision) confirmBox.checked = false; // it confirmed another decision
    lastDecision = decision;
    dryRun.disabled = isBusy || current.is_closed || selected === 0;
    confirmBox.disabled = isBusy || !isTried || !current.can_send;
    const acceptedText = describeAccepted();
    confirmText.textContent = `I have looked at this: send ${formatCount(selected, "row")} to ${current.account}${acceptedText && `, ${acceptedText}`}`;
    send.disabled = confirmBox.disabled || !confirmBox.checked;
    send.textContent = `Send ${formatCount(selected, "row")}`;
    const leftOut = [...grid.shown()].filter((row) => !grid.bits()[row]).length;
    giveReason.textContent = `Give this reason to the ${formatCount(leftOut, "unticked row")} shown`;
    giveReason.disabled = isBusy || leftOut === 0;
    grid.freeze(isBusy);
    for (const box of objections.querySelectorAll("input")) {
      box.disabled = isBusy;
      box.checked = accepted.has(box.value);
    }
    drawTotals();
    drawMessages(current, selected, isTried);
  }

  function drawTotals() {
    const line = (tag, cells) =>
      createElement("tr", {}, ...cells.map((text, i) => createElement(i && tag !== "th" ? "td" : "th", { scope: tag === "th" ? "col" : "row", className: i ? "n" : "" }, text)));
    const cells = (name, { rows: count, more, less, leftOut }) => [name, formatNumber(count), more ? formatSigned(more) : "0", less ? formatSigned(-less) : "0", formatNumber(leftOut)];
    const totals = [...sumByWarehouse(grid)];
    const body = totals.map(([code, total]) => line("td", cells(code, total)));
    if (totals.length > 1) {
      const sum = { rows: 0, more: 0, less: 0, leftOut: 0 };
      for (const [, total] of totals) for (const name of Object.keys(sum)) sum[name] += total[name];
      body.push(line("td", cells("All", sum)));
    }
    totalsTable.replaceChildren(
      createElement("caption", {}, "What is ticked"),
      createElement("thead", {}, line("th", ["Warehouse", "Rows", "Units more", "Units less", "Left out"])),
      createElement("tbody", {}, ...body),
    );
  }

  function drawMessages(current, selected, isTried) {
    const lines = [];
    if (pending?.isLate && !current.busy) lines.push(["wait", "… Waiting for the running cell"]);
    else if (current.busy) lines.push(["wait", `… ${current.busy}`]);
    else {
      for (const text of current.errors) lines.push(["bad", `✗ ${text}`]);
      if (isTried) for (const text of current.dry_run.lines) lines.push(["ok", `✓ ${text}`]);
      else if (current.dry_run) lines.push(["warn", "! What is ticked or accepted changed since the dry run: dry-run it again."]);
      if (!selected) lines.push(["", "Nothing is ticked."]);
      if (skipped) {
        lines.push(["warn", `! ${formatCount(skipped, "row")} that guards object to stayed as before: tick them one by one, or choose a guard above the table and tick those.`]);
      }
      if (!current.can_send) lines.push(["", current.cannot_send_reason]);
    }
    const text = JSON.stringify(lines);
    if (messages.dataset.lines === text) return; // announced once, not at every change of the selection
    messages.dataset.lines = text;
    messages.replaceChildren(...lines.map(([className, line]) => createElement("div", { className }, line)));
  }

  function drawObjections() {
    objections.replaceChildren(
      ...state().general_objections.map(({ guard, message }) => {
        const box = createElement("input", { type: "checkbox", value: guard });
        box.addEventListener("change", () => {
          for (const other of objections.querySelectorAll("input")) if (other.value === guard) other.checked = box.checked;
          if (box.checked) accepted.add(guard);
          else accepted.delete(guard);
          sendDecision();
          draw();
        });
        return createElement("div", { className: "cn-objection" }, createElement("div", {}, `! ${message}`), createElement("label", {}, box, ` Accept ${guard}`));
      }),
    );
  }

  function receiveDecision() {
    accepted = new Set(model.get("accepted"));
    readReasons().forEach((text, row) => { reasons[row] = text; });
    grid.refreshLiveCells();
    drawGuards();
    draw();
  }

  function receiveState() {
    const isAnswered = pending && state().answered > pending.answered;
    const isFinished = wasBusy && !state().busy;
    wasBusy = Boolean(state().busy);
    if (isAnswered) pending = null;
    drawObjections();
    drawGuards();
    draw();
    if ((isAnswered || isFinished)) messages.scrollIntoView({ block: "nearest" });
  }

  giveReason.addEventListener("click", () => {
    const text = reason.value.trim() || state().reason;
    for (const row of grid.shown()) if (!grid.bits()[row]) reasons[row] = text;
    grid.refreshLiveCells();
    sendDecision();
  });
  dryRun.addEventListener("click", () => request({ request: "dry_run" }));
  confirmBox.addEventListener("change", draw);
  send.addEventListener("click", () => {
    const confirmed = confirmBox.checked;
    confirmBox.checked = false; // before the kernel answers, so that a second click does nothing
    request({ request: "send", confirmed });
  });
  // The submission is shown here only on a reloaded page and in marimo: elsewhere this widget is gone by then.
  function showTracker() {
    const parts = model.get("tracker_html");
    if (!parts.length) return;
    if (!root.classList.contains("was-sent")) {
      root.classList.add("was-sent");
      root.replaceChildren(title, createElement("div", { className: "cn-messages" }, model.get("tracker_note")));
    }
    drawParts(root, parts);
  }

  // Changes made by this page come back through the model too.
  gridBox.addEventListener("cn-changed", draw);
  model.on("change:state", receiveState);
  model.on("change:tracker_html", showTracker);
  drawObjections();
  drawGuards();
  draw();
  showTracker();
  return () => {
    model.off("change:state", receiveState);
    model.off("change:tracker_html", showTracker);
    restoreShortcuts();
    grid.close();
  };
}
