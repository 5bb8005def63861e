"""Sources of a sandbox's records: Northwind, generated data, a folder."""
