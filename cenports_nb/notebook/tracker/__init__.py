"""TransactionTracker: a live table of submissions with buttons."""
