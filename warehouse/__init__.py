"""What readers see: the contract as SQL, the writer, the releases and the explorer."""

from importlib.metadata import version

__version__ = version("crossfade")
