"""The Release view: quality, catalogue, input, changes and build of the current release."""

from warehouse.explorer.release.page import release

__all__ = ["release"]
