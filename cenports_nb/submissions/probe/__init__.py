"""The write probe: a few small writes to one SKU that find out how an account's Cenports carries out writes."""
