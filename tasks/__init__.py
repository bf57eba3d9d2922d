"""What a run does: one package per stage, imported in the order of a run.

A stage is a function over Parquet in the lake, `stage.py` of its package; flows/steps.py wraps it
as a Prefect task.
"""
