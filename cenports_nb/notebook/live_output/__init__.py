"""Outputs of a cell that are replaced in place, and their widgets."""
