// A tracker's table and the rows of its batches: our own HTML, already escaped.

// Draw parts at the end of an element; an unchanged part stays, so that what a person unfolded stays unfolded.
function drawParts(element, parts) {
  const boxes = [...element.querySelectorAll(":scope > .cn-tracker-part")];
  parts.forEach((part, i) => {
    const box = boxes[i] ?? element.appendChild(createElement("div", { className: "cn-tracker-part" }));
    if (box.dataset.part === part) return;
    box.dataset.part = part;
    box.innerHTML = part;
  });
  for (const box of boxes.slice(parts.length)) box.remove();
}
