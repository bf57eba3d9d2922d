"""Versions that a release carries."""

SCHEMA_VERSION = 1
"""Version of the contract: relations, columns and macros as docs/warehouse.md lists them."""


STORAGE_VERSION = "v1.2.0"
"""DuckDB storage version: readable by DuckDB 1.3 and later."""

ROW_GROUP = 67_584
"""Rows of a row group: 33 vectors, whose targets (16 bits) and weights (14) fill a block of 256 kB.
A lookup reads about half of what it reads with DuckDB's own 122,880."""
