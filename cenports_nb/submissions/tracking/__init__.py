"""Follow transactions to their end, and show the state of a submission."""
