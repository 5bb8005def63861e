"""The rules of writes, as tables and pure functions over frozen values: no client, no file, no clock, no pandas."""
