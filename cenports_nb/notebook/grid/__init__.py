"""A table that a person sorts, filters and ticks."""
