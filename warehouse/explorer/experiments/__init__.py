"""The Experiments view: one verdict per experiment, and what it rests on."""

from warehouse.explorer.experiments.relations import experiments_there

__all__ = ["experiments_there"]
