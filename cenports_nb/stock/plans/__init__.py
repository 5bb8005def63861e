"""Build update frames: TRUE_UP, DIFFERENTIAL, reversal."""
