// Shows nothing on the page on which it was first shown; on one that was loaded again, what the kernel says.

const HERE = `${Date.now()}-${Math.random()}`; // of this page: a page that is loaded again runs this line again

const AGAIN = "This page was loaded again: run the cell again to keep what is above in the notebook.";

export default {
  render({ model, el }) {
    el.classList.add("cn-board");
    const places = [];

    function hear(message) {
      if (!message?.parts || message.first === HERE) return;
      if (!places.length) {
        const style = document.createElement("style");
        style.textContent = `.jp-OutputArea-child:has(.${model.get("mark")}){display:none}`;
        const note = document.createElement("div");
        note.className = "cn-again";
        note.textContent = AGAIN;
        note.style.fontSize = "13px";
        el.append(style, note);
      }
      message.parts.forEach((part, i) => {
        if (!places[i]) {
          places[i] = document.createElement("div");
          // Its styles are those of outputs.
          places[i].className = "jp-RenderedHTMLCommon jp-RenderedHTML tex2jax_ignore";
          el.lastChild.before(places[i]);
        }
        if (places[i].cn !== part) places[i].innerHTML = places[i].cn = part; // what is unfolded stays so where nothing changed
      });
      for (const place of places.splice(message.parts.length)) place.remove();
    }

    model.on("msg:custom", hear);
    model.send({ here: HERE });
    return () => model.off("msg:custom", hear);
  },
};
