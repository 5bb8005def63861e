"""Review an update frame before it is sent: select rows, dry-run, send."""
