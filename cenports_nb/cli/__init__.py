"""The command line: parses arguments, calls the library, reports an error in one line."""

from cenports_nb.cli.program import app, main

__all__ = ["app", "main"]
