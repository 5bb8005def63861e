"""Frames -> files: CSV, Excel and Parquet."""
