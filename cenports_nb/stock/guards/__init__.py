"""Guards: what looks wrong in an update frame before it is sent."""
