"""Send batches: the last look, the decision, the canary, resending."""
