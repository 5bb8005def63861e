"""Orders into a file for the warehouse, then acknowledged."""
