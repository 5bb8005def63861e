"""Writes: a batch is in the journal before it is sent, and every row has exactly one outcome at any moment."""
