"""Exposures and events: read file by file, checked, stored as Parquet."""
