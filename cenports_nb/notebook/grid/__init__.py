"""A table widget to sort, filter and select rows."""
