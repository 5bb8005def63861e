"""Send batches: the last look at the stock, the canary, resending."""
