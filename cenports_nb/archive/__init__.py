"""The archive: orders, shipments and stock of an account as they are and as they were, in Delta tables on disk."""
