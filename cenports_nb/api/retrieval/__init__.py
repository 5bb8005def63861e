"""Retrieve every record of an end point, over windows and pages, or report what is missing."""
