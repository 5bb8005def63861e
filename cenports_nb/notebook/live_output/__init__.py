"""Outputs of a cell that are replaced in place, and the widgets in them."""
