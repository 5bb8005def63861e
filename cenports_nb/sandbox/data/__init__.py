"""Where the records of a sandbox come from: Northwind, generated, a folder."""
