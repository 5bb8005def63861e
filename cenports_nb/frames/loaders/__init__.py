"""Loaders: ask the API, decode, validate, attach the provenance."""
