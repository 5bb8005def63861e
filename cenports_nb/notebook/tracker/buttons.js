// The buttons of a tracker.

const ANSWER_MS = 250; // a kernel that can answer at once answers sooner

export default {
  render({ model, el }) {
    const row = createElement("div", { className: "cn-buttons" });
    const message = createElement("span", { role: "status", "aria-live": "polite" });
    const tables = createElement("div");
    el.append(createElement("div", { className: "cn-grid cn-tracker-buttons" }, row, tables));
    const elements = new Map();
    let pressed = null;

    function press(key) {
      if (pressed) return;
      const asked = { answered: model.get("answered") };
      pressed = asked;
      model.send({ press: key });
      setTimeout(() => {
        if (pressed === asked) message.textContent = "… Waiting for the running cell";
      }, ANSWER_MS);
    }

    function draw() {
      if (pressed && model.get("answered") > pressed.answered) {
        pressed = null;
        message.textContent = "";
      }
      const buttons = model.get("buttons");
      for (const [key, element] of elements) {
        if (buttons.some((button) => button.key === key)) continue;
        element.remove();
        elements.delete(key);
      }
      for (const { key, name, hint, disabled } of buttons) {
        if (!elements.has(key)) {
          const button = createElement("button", { type: "button" });
          button.addEventListener("click", () => press(key));
          elements.set(key, row.appendChild(button));
        }
        const button = elements.get(key);
        button.textContent = name;
        button.title = hint;
        button.disabled = disabled;
      }
      row.append(message);
    }

    const drawTables = () => drawParts(tables, model.get("parts"));
    model.on("change:parts", drawTables);
    drawTables();
    model.on("change:buttons", draw);
    model.on("change:answered", draw);
    draw();
    return () => {
      model.off("change:parts", drawTables);
      model.off("change:buttons", draw);
      model.off("change:answered", draw);
    };
  },
};
