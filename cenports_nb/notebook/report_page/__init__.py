"""Parts of a report notebook: headline numbers, tables with files, origin."""
