"""Stands in for a package that takes a second to import; jsonschema goes without it, and no notebook has such formats."""

raise ImportError("left out of tests")
