// Rows as text for the clipboard and for files.

const FORMULA_START = /^[=+\-@\t\r]/; // as in export.py

// A text can't start a formula: it gets an apostrophe in front.
function escapeFormula(item, kind) {
  const text = String(item ?? "");
  return !NUMERIC_KINDS.has(kind) && FORMULA_START.test(text) ? `'${text}` : text;
}

// Write a header and rows; `separator` is a tab or a comma.
function writeTable(columns, rows, value, separator) {
  const quote = (text) => (/["\n\r]/.test(text) || text.includes(separator) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [columns.map((column) => quote(escapeFormula(column.title, "text"))).join(separator)];
  for (const row of rows) {
    lines.push(columns.map(({ name, kind }) => quote(escapeFormula(value(name, row), kind))).join(separator));
  }
  return `${lines.join("\r\n")}\r\n`;
}

// Copy a text; where the page may not use the clipboard (plain http from another machine), through a selection.
async function copyText(text, parent) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = createElement("textarea", { value: text, readOnly: true, "aria-hidden": "true" });
    area.style.cssText = "position:fixed;opacity:0";
    parent.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

// Save a text as a file; the mark in front tells Excel that it is UTF-8.
function downloadText(text, name) {
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  const link = createElement("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
