"""Reading the archive: spans, scans of months, and SQL."""
