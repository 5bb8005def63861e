// Heights of rows, and the columns that fit into the width of the page.

const ROW_PX = 28; // as in grid.css
const LINE_PX = 19; // of a note below the cells of a row, as in grid.css
const SELECT_PX = 34;
const MORE_PX = 36;
const NOTE_PADDING_PX = 60; // beside a note, and what a line loses where its last word does not fit

function createRowLayout(columns, cells, { selectable, noteBelow }) {
  const context = document.createElement("canvas").getContext("2d");
  const sizes = columns.map(cells.measure);
  let hidden = new Set();
  let tops = new Float64Array(1);
  const notePx = new Map();
  let noteFont = "";

  // Choose the columns for this width; return whether the choice changed.
  function fit(width, font) {
    context.font = font;
    if (font !== noteFont) notePx.clear();
    noteFont = font;
    const digitPx = context.measureText("0").width;
    let missing = (selectable ? SELECT_PX : 0) + MORE_PX - width;
    const minPx = sizes.map(({ minLetters }) => minLetters * digitPx + CELL_PADDING_PX);
    for (const px of minPx) missing += px;
    const candidates = columns.map((column, i) => [column.hide_order, i]).filter(([order]) => order).sort((a, b) => a[0] - b[0]);
    const chosen = new Set();
    for (const [, i] of candidates) {
      if (missing <= 0) break;
      chosen.add(i);
      missing -= minPx[i];
    }
    const changed = chosen.size !== hidden.size || [...chosen].some((i) => !hidden.has(i));
    hidden = chosen;
    return changed;
  }

  // Each row is a CSS grid of its own, so no width may depend on the content of a row.
  const tracks = () => [
    ...(selectable ? [`${SELECT_PX}px`] : []),
    ...sizes.filter((_, i) => !hidden.has(i)).map(({ track }) => track),
    `${MORE_PX}px`,
  ];

  // Measuring is slow: do it once for each note, not for each width.
  function measureNote(row, value) {
    if (!notePx.has(row)) {
      const text = noteBelow(row, true, value);
      notePx.set(row, text ? context.measureText(text).width : 0);
    }
    return notePx.get(row);
  }

  // Compute where each of the rows begins.
  function arrange(shown, width, value) {
    tops = new Float64Array(shown.length + 1);
    for (let position = 0; position < shown.length; position++) {
      const lines = noteBelow ? Math.ceil(measureNote(shown[position], value) / Math.max(width - NOTE_PADDING_PX, 100)) : 0;
      tops[position + 1] = tops[position] + ROW_PX + (lines ? lines * LINE_PX + 4 : 0);
    }
  }

  // Return the position of the row at this height.
  function find(px) {
    let [low, high] = [0, tops.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (tops[middle] <= px) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  return { fit, tracks, arrange, find, reset: () => notePx.clear(), isHidden: (i) => hidden.has(i), top: (position) => tops[position], height: () => tops.at(-1) };
}
