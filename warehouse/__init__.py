"""What readers see: schema, macros and checks as SQL files, releases and the read-only reader."""

from importlib.metadata import version

__version__ = version("crossfade")
