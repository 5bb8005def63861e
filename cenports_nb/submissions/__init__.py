"""Writes: a batch is in the journal before it is on the wire, and every row has one outcome at any moment."""
