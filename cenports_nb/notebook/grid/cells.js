// How wide a column is, and how a value is drawn in its cell.

const PADDING_PX = 14; // of a cell, left and right
const MOST_LETTERS = 34; // of a column that asks for no width
const LEAST_LETTERS = 9; // of a column of words, where there is little room
const SHORT_LETTERS = 16; // words of so many are never cut: a day without its time, half a status say nothing

function cellsOf(rows, value) {
  let largest = {};
  const valuesOf = (name) => Array.from({ length: rows }, (_, row) => value(name, row));

  function widthOf(column) {
    if (column.letters) return column.letters;
    if (column.kind === "bar") return 13;
    if (column.kind === "flag") return 7;
    const most = column.title.length + 1;
    if (column.kind === "live") return Math.max(most, 20);
    return Math.min(Math.max(most, lettersIn(column)) + 1, MOST_LETTERS);
  }

  function lettersIn(column) {
    const length = (each) => (RIGHT.has(column.kind) ? WRITE[column.kind](each).length : each.length);
    return valuesOf(column.name).reduce((most, each) => (each === null ? most : Math.max(most, length(each))), 0);
  }

  // Digits are all as wide as a 0; letters are less, and a column of many of them may be cut.
  function track(column) {
    const letters = widthOf(column);
    if (RIGHT.has(column.kind)) return `calc(${letters}ch + ${PADDING_PX}px)`;
    const words = column.kind === "text" || column.kind === "instant" ? lettersIn(column) : Infinity;
    const head = column.title.length <= 12 ? column.title.length + 2 : 11; // headers are bold
    const least = Math.min(letters, Math.max(head, words <= SHORT_LETTERS ? words : LEAST_LETTERS));
    return `minmax(calc(${least}ch + ${PADDING_PX}px), ${letters}fr)`;
  }

  function longest(name) {
    return (largest[name] ??= valuesOf(name).reduce((most, each) => Math.max(most, Math.abs(each ?? 0)), 1));
  }

  function fill(cell, column, row) {
    const found = value(column.name, row);
    cell.textContent = found === null || found === undefined ? "" : WRITE[column.kind](found);
    if (WORDY.has(column.kind)) cell.title = cell.textContent;
    if (column.kind !== "bar") return;
    const drawn = make("span", { className: "cn-bar", "aria-hidden": "true" });
    if (found) {
      const mark = make("span", { className: `cn-mark ${found < 0 ? "less" : "more"}` });
      mark.style.width = `${Math.max(2, (Math.abs(found) / longest(column.name)) * 50)}%`;
      drawn.append(mark);
    }
    cell.replaceChildren(drawn, make("span", {}, cell.textContent));
  }

  const forget = () => {
    largest = {};
  };
  return { track, fill, forget };
}
