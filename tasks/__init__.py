"""The steps of a run: pure functions over Parquet, each wrapped by a thin Prefect task."""
