// Elements, numbers and nouns that every script of the grid uses.

const NUMBER_FORMAT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const MONEY_FORMAT = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const COLLATOR = new Intl.Collator("en", { numeric: true });

const formatNumber = (value) => NUMBER_FORMAT.format(value).replace("-", "−");
const formatSigned = (value) => (value > 0 ? "+" : "") + formatNumber(value);

const FORMATTERS = {
  text: (value) => value,
  live: (value) => value,
  instant: (value) => value,
  number: formatNumber,
  money: (value) => MONEY_FORMAT.format(value).replace("-", "−"),
  change: formatSigned,
  bar: formatSigned,
  flag: (value) => (value ? "✓ yes" : "✗ no"),
};
const NUMERIC_KINDS = new Set(["number", "money", "change", "bar"]);
const SEARCHABLE_KINDS = new Set(["text", "live"]);

// Create an element with properties and children; names with a dash, `role` and `for` are attributes.
function createElement(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

function formatCount(count, noun) {
  return `${NUMBER_FORMAT.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}
