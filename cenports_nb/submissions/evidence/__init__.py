"""Read what Cenports has now, and settle by it, or by a person's word, rows that Cenports does not confirm."""
