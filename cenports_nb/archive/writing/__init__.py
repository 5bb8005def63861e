"""Updates of the archive: what is due, read from the API, compared, stored masked, and forgotten."""
