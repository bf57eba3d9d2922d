"""The errors of the steps; they live with the warehouse, the lowest layer, and are used by all."""

from warehouse.errors import ClusterError, CrossfadeError, InputError, RunError

__all__ = ["ClusterError", "CrossfadeError", "InputError", "RunError"]
