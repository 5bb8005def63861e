// What is told of one opened row: its own values at once, then what the kernel has to say.

const SHORT = 24; // so many letters stay on one line

function toldOf(model, columns, value, nameOf, hooks, shut) {
  const told = make("section", { className: "cn-told", hidden: true, "aria-label": "Details" });
  let opened = -1;

  function open(row) {
    opened = row;
    const facts = make("dl");
    for (const column of columns) {
      const found = value(column.name, row);
      if (found === null || found === undefined || found === "") continue;
      facts.append(make("dt", {}, column.title), make("dd", {}, WRITE[column.kind](found)));
    }
    const leave = make("button", { type: "button", className: "cn-plain" }, "Close");
    leave.addEventListener("click", shut);
    told.replaceChildren(make("div", { className: "cn-told-head" }, make("b", {}, nameOf(row)), ...(hooks.heading?.(row) ?? []), leave), facts);
    if (hooks.heading) told.append(make("div", { className: "cn-part" }, "Asking the kernel …"));
    told.setAttribute("aria-label", `Details of ${nameOf(row)}`);
    told.hidden = false;
    told.tabIndex = -1;
    told.focus();
    model.send({ opened: row });
  }

  function close() {
    opened = -1;
    told.hidden = true;
    told.replaceChildren();
    model.send({ opened: -1 });
  }

  function tell(message) {
    if (message?.tell === undefined || message.tell !== opened) return;
    const held = told.contains(document.activeElement) && document.activeElement.closest(".cn-part");
    for (const old of told.querySelectorAll(".cn-part")) old.remove();
    for (const part of message.parts) {
      const box = make("div", { className: "cn-part" }, make("b", {}, part.title));
      if (part.note) box.append(make("div", {}, part.note));
      if (part.facts.length) {
        box.append(make("dl", {}, ...part.facts.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])));
      }
      if (part.head.length) {
        const line = (cells, tag) => make("tr", {}, ...cells.map((text, i) => make(tag, { ...(tag === "th" ? { scope: "col" } : {}), className: part.right.includes(i) ? "n" : text.length <= SHORT ? "o" : "" }, text)));
        box.append(make("table", {}, make("thead", {}, line(part.head, "th")), make("tbody", {}, ...part.rows.map((cells) => line(cells, "td")))));
      }
      for (const [action, text] of part.actions) {
        const button = make("button", { type: "button" }, text);
        button.addEventListener("click", () => model.send({ action, row: opened }));
        box.append(button);
      }
      told.append(box);
    }
    // What was pressed is gone: keys go on from what stands for it.
    if (held) (told.querySelector(".cn-part button") ?? told).focus({ preventScroll: true });
  }

  return { root: told, open, close, tell };
}
