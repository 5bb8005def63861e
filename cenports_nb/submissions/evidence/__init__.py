"""Settle rows that Cenports does not confirm, by reading from Cenports or on a person's word."""
