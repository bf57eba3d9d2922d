"""Exposures and events: read file by file, judged, kept as Parquet."""
