// Redraw everything when the columns change; `draw` returns a function that removes it.
function redrawOnColumnChange(draw) {
  return ({ model, el }) => {
    let close = draw(model, el);
    const redraw = () => {
      close();
      el.replaceChildren();
      close = draw(model, el);
    };
    model.on("change:columns", redraw);
    return () => {
      model.off("change:columns", redraw);
      close();
    };
  };
}
