"""The archive: orders, shipments and stock of accounts, with their history, in Delta tables."""
