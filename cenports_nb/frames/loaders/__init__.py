"""Loaders: request, decode, validate, attach the provenance."""
