"""Evaluation on Dask: who is held out, what weights suit them, and how good the lists are."""

from tasks.stages.evaluation.holdout import holdout_stage
from tasks.stages.evaluation.stage import evaluation_stage, learned_parameters

__all__ = ["evaluation_stage", "holdout_stage", "learned_parameters"]
