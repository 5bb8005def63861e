// Selected rows, on this page and in the kernel; messages hold ranges: rows 0, 1 and 4 are [0, 2, 4, 5].

function decodeRanges(ranges, rows) {
  const bits = new Uint8Array(rows);
  for (let i = 0; i + 1 < ranges.length; i += 2) bits.fill(1, ranges[i], ranges[i + 1]);
  return bits;
}

function encodeRanges(bits) {
  const ranges = [];
  for (let i = 0, on = 0; i <= bits.length; i++) {
    const next = i < bits.length ? bits[i] : 0;
    if (next !== on) ranges.push(i);
    on = next;
  }
  return ranges;
}

function createSelection(model, rows, hooks) {
  let bits = decodeRanges(model.get("selection"), rows);
  let version = model.get("selection_version");
  let isSending = false;

  // Select or deselect rows; return those that changed.
  function set(changedRows, on) {
    const changed = new Set();
    for (const row of changedRows) if (bits[row] !== (on ? 1 : 0)) changed.add(row);
    if (!changed.size) return changed;
    for (const row of changed) bits[row] = on ? 1 : 0;
    hooks.onSelect?.(changed, on);
    send(hooks.createMessage?.() ?? {});
    return changed;
  }

  // Send the selection, and what belongs to it, to the kernel as a message: it arrives before a button press that
  // follows. A trait would be sent only after the kernel's last answer.
  function send(more) {
    version = Math.max(version, model.get("selection_version")) + 1;
    const ranges = encodeRanges(bits);
    model.send({ selection: ranges, selection_version: version, ...more });
    isSending = true;
    for (const name of hooks.traits ?? []) model.set(name, more[name]);
    model.set("selection", ranges); // updates other views of the same widget
    model.set("selection_version", version);
    isSending = false;
  }

  // Accept what the kernel sends, unless it answers an older selection; return whether it was accepted.
  function receive() {
    if (isSending || model.get("selection_version") < version) return false;
    version = model.get("selection_version");
    bits = decodeRanges(model.get("selection"), rows);
    return true;
  }

  return { bits: () => bits, set, send, receive };
}
