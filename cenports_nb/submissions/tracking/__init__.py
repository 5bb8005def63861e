"""Follow transactions to their end, and show how a submission stands."""
