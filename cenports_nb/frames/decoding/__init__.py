"""Decode JSON records into typed columns and rejects."""
