// The search text of a row, and the order of rows.

function createSorting(columns, rows, value) {
  const staticNames = columns.filter((column) => column.kind === "text").map((column) => column.name);
  const liveNames = columns.filter((column) => column.kind === "live").map((column) => column.name);
  let searchTexts = [];
  let ranks = {};

  const searchText = (row) => {
    const staticText = (searchTexts[row] ??= staticNames.map((name) => value(name, row) ?? "").join("\n").toLowerCase());
    return liveNames.length ? `${staticText}\n${liveNames.map((name) => value(name, row)).join("\n").toLowerCase()}` : staticText;
  };

  function createRank({ name, kind }) {
    if (NUMERIC_KINDS.has(kind) || kind === "flag") return (row) => value(name, row);
    return kind === "live" ? rankTexts(name) : (ranks[name] ??= rankTexts(name));
  }

  // Rank each distinct text once instead of comparing texts for each pair of rows.
  function rankTexts(name) {
    const texts = Array.from({ length: rows }, (_, row) => value(name, row) || null);
    const distinct = [...new Set(texts)].filter((text) => text !== null).sort(COLLATOR.compare);
    const rankByText = new Map(distinct.map((text, i) => [text, i]));
    return (row) => rankByText.get(texts[row]) ?? null;
  }

  function sort(sortedRows, { name, descending }) {
    const column = columns.find((candidate) => candidate.name === name);
    if (!column) return;
    const rank = createRank(column);
    const direction = descending ? -1 : 1;
    sortedRows.sort((a, b) => {
      const [x, y] = [rank(a), rank(b)];
      if (x === y) return a - b;
      if (x === null || x === undefined) return 1; // nulls come last in both directions
      if (y === null || y === undefined) return -1;
      return x < y ? -direction : direction;
    });
  }

  const reset = () => {
    [searchTexts, ranks] = [[], {}];
  };
  return { searchText, sort, reset };
}
