"""The Release view: what is served, how good it is, what it was made from, what changed."""

from warehouse.explorer.release.page import release

__all__ = ["release"]
