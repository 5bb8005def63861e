"""Guards: checks of an update frame before it is sent."""
