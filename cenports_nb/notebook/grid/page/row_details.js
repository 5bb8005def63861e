// Details of an open row: its own values at once, then what the kernel sends.

const UNBROKEN_LETTERS = 24; // a text this short stays on one line

function createRowDetails(model, columns, value, rowName, isInRow, hooks, onClose) {
  const root = createElement("section", { className: "cn-details", hidden: true, "aria-label": "Details" });
  const facts = createElement("dl");
  let openRow = -1;

  // Show the values of the row, or those that its narrow row lacks.
  function drawFacts() {
    facts.replaceChildren();
    if (openRow < 0) return;
    for (const column of columns) {
      const item = value(column.name, openRow);
      if (item === null || item === undefined || item === "" || (hooks.omitRow && isInRow(column))) continue;
      facts.append(createElement("dt", {}, column.title), createElement("dd", {}, FORMATTERS[column.kind](item)));
    }
  }

  function open(row) {
    openRow = row;
    drawFacts();
    const closeButton = createElement("button", { type: "button", className: "cn-plain" }, "Close");
    closeButton.addEventListener("click", onClose);
    const head = [createElement("b", {}, rowName(row)), ...(hooks.createHeading?.(row) ?? []), closeButton];
    root.replaceChildren(createElement("div", { className: "cn-details-head" }, ...head), facts);
    if (hooks.createHeading) root.append(createElement("div", { className: "cn-section" }, "Asking the kernel …"));
    root.setAttribute("aria-label", `Details of ${rowName(row)}`);
    root.hidden = false;
    root.tabIndex = -1;
    root.focus();
    model.send({ open_row: row });
  }

  function close() {
    openRow = -1;
    root.hidden = true;
    root.replaceChildren();
    model.send({ open_row: -1 });
  }

  function createTable({ headers, rows, numeric_columns }) {
    const cell = (tag, text, i) =>
      createElement(tag, {
        ...(tag === "th" ? { scope: "col" } : {}),
        className: numeric_columns.includes(i) ? "n" : text.length <= UNBROKEN_LETTERS ? "o" : "",
      }, text);
    const line = (cells, tag) => createElement("tr", {}, ...cells.map((text, i) => cell(tag, text, i)));
    return createElement(
      "table", {},
      createElement("thead", {}, line(headers, "th")),
      createElement("tbody", {}, ...rows.map((cells) => line(cells, "td"))),
    );
  }

  function createSection(section) {
    const box = createElement("div", { className: "cn-section" }, createElement("b", {}, section.title));
    if (section.note) box.append(createElement("div", {}, section.note));
    if (section.facts.length) {
      const facts = section.facts.flatMap(([name, text]) => [createElement("dt", {}, name), createElement("dd", {}, text)]);
      box.append(createElement("dl", {}, ...facts));
    }
    if (section.headers.length) box.append(createTable(section));
    for (const [action, text] of section.actions) {
      const button = createElement("button", { type: "button" }, text);
      button.addEventListener("click", () => model.send({ action, row: openRow }));
      box.append(button);
    }
    return box;
  }

  function receive(message) {
    if (message?.details === undefined || message.details !== openRow) return;
    const focused = root.getRootNode().activeElement; // marimo puts a widget into a shadow root
    const hadFocus = root.contains(focused) && focused.closest(".cn-section");
    for (const old of root.querySelectorAll(".cn-section")) old.remove();
    root.append(...message.sections.map(createSection));
    // The button that was pressed is gone: move the focus to the one in its place.
    if (hadFocus) (root.querySelector(".cn-section button") ?? root).focus({ preventScroll: true });
  }

  return { root, open, close, receive, drawFacts };
}
