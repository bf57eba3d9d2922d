"""What a run does: one package per stage, in the order of a run (see pyproject.toml, import-linter).

A stage is a function over Parquet in the lake, `stage.py` of its package; flows/steps.py wraps it as
a Prefect task.
"""
