"""The errors of the steps; they live with the warehouse, the lowest layer, and are used by all."""

from warehouse.errors import CrossfadeError, InputError, RunError

__all__ = ["CrossfadeError", "InputError", "RunError"]
