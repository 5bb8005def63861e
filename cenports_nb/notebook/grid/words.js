// Elements, numbers and ticks as text: what every part of a grid is made of.

const NUMBERS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const MONEY = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const WORDS = new Intl.Collator("en", { numeric: true });

const number = (value) => NUMBERS.format(value).replace("-", "−");
const signed = (value) => (value > 0 ? "+" : "") + number(value);

const WRITE = {
  text: (value) => value,
  live: (value) => value,
  instant: (value) => value,
  number,
  money: (value) => MONEY.format(value).replace("-", "−"),
  change: signed,
  bar: signed,
  flag: (value) => (value ? "✓ yes" : "✗ no"),
};
const RIGHT = new Set(["number", "money", "change", "bar"]);
const WORDY = new Set(["text", "live"]);

// An element with its properties and children; attributes are those with a dash, `role` and `for`.
function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
}

function many(count, what) {
  return `${NUMBERS.format(count)} ${what}${count === 1 ? "" : "s"}`;
}

function bitsOf(ranges, rows) {
  const bits = new Uint8Array(rows);
  for (let i = 0; i + 1 < ranges.length; i += 2) bits.fill(1, ranges[i], ranges[i + 1]);
  return bits;
}

function rangesOf(bits) {
  const ranges = [];
  for (let i = 0, on = 0; i <= bits.length; i++) {
    const next = i < bits.length ? bits[i] : 0;
    if (next !== on) ranges.push(i);
    on = next;
  }
  return ranges;
}
