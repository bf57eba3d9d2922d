"""Versions that a release carries."""

SCHEMA_VERSION = 1
"""Version of the contract: relations, columns and macros as docs/warehouse.md lists them."""


STORAGE_VERSION = "v1.2.0"
"""DuckDB storage version: readable by DuckDB 1.3 and later."""
