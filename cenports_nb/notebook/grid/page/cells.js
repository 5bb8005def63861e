// Column widths, and how a value is drawn in its cell.

const CELL_PADDING_PX = 14; // left plus right
const MAX_LETTERS = 34; // of a column without its own width
const MIN_LETTERS = 9; // of a text column in a narrow table
const UNCUT_LETTERS = 16; // a text this short is never cut: a day without its time or half a status is useless

function createCells(rows, value) {
  let largestAmounts = {};
  const columnValues = (name) => Array.from({ length: rows }, (_, row) => value(name, row));

  function letterCount(column) {
    if (column.letters) return column.letters;
    if (column.kind === "bar") return 13;
    if (column.kind === "flag") return 7;
    const titleLetters = column.title.length + 1;
    if (column.kind === "live") return Math.max(titleLetters, 20);
    return Math.min(Math.max(titleLetters, longestText(column)) + 1, MAX_LETTERS);
  }

  function longestText(column) {
    const length = (item) => (NUMERIC_KINDS.has(column.kind) ? FORMATTERS[column.kind](item).length : item.length);
    return columnValues(column.name).reduce((max, item) => (item === null ? max : Math.max(max, length(item))), 0);
  }

  // All digits are as wide as a 0; letters are narrower, and a wide text column may be cut.
  function measure(column) {
    const letters = letterCount(column);
    if (NUMERIC_KINDS.has(column.kind)) return { minLetters: letters, track: `calc(${letters}ch + ${CELL_PADDING_PX}px)` };
    const textLetters = column.kind === "text" || column.kind === "instant" ? longestText(column) : Infinity;
    const titleLetters = column.title.length <= 12 ? column.title.length + 2 : 11; // headers are bold
    const minLetters = column.kind === "live" ? letters : Math.min(letters, Math.max(titleLetters, textLetters <= UNCUT_LETTERS ? textLetters : MIN_LETTERS));
    return { minLetters, track: `minmax(calc(${minLetters}ch + ${CELL_PADDING_PX}px), ${letters}fr)` };
  }

  function largestAmount(name) {
    return (largestAmounts[name] ??= columnValues(name).reduce((max, item) => Math.max(max, Math.abs(item ?? 0)), 1));
  }

  function fill(cell, column, row) {
    const item = value(column.name, row);
    cell.textContent = item === null || item === undefined ? "" : FORMATTERS[column.kind](item);
    if (SEARCHABLE_KINDS.has(column.kind)) cell.title = cell.textContent;
    if (column.kind !== "bar") return;
    const bar = createElement("span", { className: "cn-bar", "aria-hidden": "true" });
    if (item) {
      const mark = createElement("span", { className: `cn-mark ${item < 0 ? "less" : "more"}` });
      mark.style.width = `${Math.max(2, (Math.abs(item) / largestAmount(column.name)) * 50)}%`;
      bar.append(mark);
    }
    cell.replaceChildren(bar, createElement("span", {}, cell.textContent));
  }

  const reset = () => {
    largestAmounts = {};
  };
  return { measure, fill, reset };
}
