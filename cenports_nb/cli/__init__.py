"""The command line: arguments in, library calls, one clear line on failure."""

from cenports_nb.cli.program import app, main

__all__ = ["app", "main"]
