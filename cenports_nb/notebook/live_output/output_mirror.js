// Shows nothing on the page on which it was first shown; on a reloaded page, what the kernel sends.

const PAGE = `${Date.now()}-${Math.random()}`; // a reloaded page runs this line again

const RELOADED = "This page was loaded again: run the cell again to keep what is above in the notebook.";

export default {
  render({ model, el }) {
    el.classList.add("cn-output-mirror");
    const boxes = [];

    function handleMessage(message) {
      if (!message?.parts || message.first_page === PAGE) return;
      if (!boxes.length) {
        const style = document.createElement("style");
        style.textContent = `.jp-OutputArea-child:has(.${model.get("marker")}){display:none}`;
        const note = document.createElement("div");
        note.className = "cn-reloaded";
        note.textContent = RELOADED;
        note.style.fontSize = "13px";
        el.append(style, note);
      }
      message.parts.forEach((part, i) => {
        if (!boxes[i]) {
          boxes[i] = document.createElement("div");
          // Use the styles of outputs.
          boxes[i].className = "jp-RenderedHTMLCommon jp-RenderedHTML tex2jax_ignore";
          el.lastChild.before(boxes[i]);
        }
        if (boxes[i].cn !== part) boxes[i].innerHTML = boxes[i].cn = part; // what is unfolded stays so where nothing changed
      });
      for (const box of boxes.splice(message.parts.length)) box.remove();
    }

    model.on("msg:custom", handleMessage);
    model.send({ page: PAGE });
    return () => model.off("msg:custom", handleMessage);
  },
};
