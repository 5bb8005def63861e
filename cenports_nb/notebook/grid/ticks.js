// Which rows are ticked, on this page and in the kernel.

function ticksOf(model, rows, hooks) {
  let bits = bitsOf(model.get("ranges"), rows);
  let version = model.get("version");
  let own = false;

  // Tick or untick rows; return those that changed.
  function set(places, on) {
    const changed = new Set();
    for (const row of places) if (bits[row] !== (on ? 1 : 0)) changed.add(row);
    if (!changed.size) return changed;
    for (const row of changed) bits[row] = on ? 1 : 0;
    hooks.changed?.(changed, on);
    say(hooks.extra?.() ?? {});
    return changed;
  }

  // Tell the kernel what is ticked, and what belongs to it. It goes as a message of its own: that keeps its place before
  // the press of a button that follows, which a trait, sent when the kernel has answered the last one, would not.
  function say(more) {
    version = Math.max(version, model.get("version")) + 1;
    const ranges = rangesOf(bits);
    model.send({ ticked: ranges, version, ...more });
    own = true;
    for (const name of hooks.traits ?? []) model.set(name, more[name]);
    model.set("ranges", ranges); // other views of the same page hear of it
    model.set("version", version);
    own = false;
  }

  // Take over what the kernel says, unless it answers an older tick; tell whether it was taken.
  function hear() {
    if (own || model.get("version") < version) return false;
    version = model.get("version");
    bits = bitsOf(model.get("ranges"), rows);
    return true;
  }

  return { bits: () => bits, set, say, hear };
}
