// Which text a row is found by, and which row comes before which.

function orderOf(columns, rows, value) {
  const still = columns.filter((column) => column.kind === "text").map((column) => column.name);
  const moving = columns.filter((column) => column.kind === "live").map((column) => column.name);
  let haystack = [];
  let ranks = {};

  const textOf = (row) => {
    const kept = (haystack[row] ??= still.map((name) => value(name, row) ?? "").join("\n").toLowerCase());
    return moving.length ? `${kept}\n${moving.map((name) => value(name, row)).join("\n").toLowerCase()}` : kept;
  };

  function rankOf({ name, kind }) {
    if (RIGHT.has(kind) || kind === "flag") return (row) => value(name, row);
    return kind === "live" ? rankWords(name) : (ranks[name] ??= rankWords(name));
  }

  // Words are compared once each, not once for each comparison of rows.
  function rankWords(name) {
    const texts = Array.from({ length: rows }, (_, row) => value(name, row) || null);
    const known = [...new Set(texts)].filter((text) => text !== null).sort(WORDS.compare);
    const order = new Map(known.map((text, i) => [text, i]));
    return (row) => order.get(texts[row]) ?? null;
  }

  function sort(kept, { name, down }) {
    const column = columns.find((each) => each.name === name);
    if (!column) return;
    const rank = rankOf(column);
    const way = down ? -1 : 1;
    kept.sort((a, b) => {
      const [x, y] = [rank(a), rank(b)];
      if (x === y) return a - b;
      if (x === null || x === undefined) return 1; // what is not known comes last, whichever way
      if (y === null || y === undefined) return -1;
      return x < y ? -way : way;
    });
  }

  const forget = () => {
    [haystack, ranks] = [[], {}];
  };
  return { textOf, sort, forget };
}
