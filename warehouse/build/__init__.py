"""Build a release file from Parquet, and check it against the contract."""
