"""What every run deletes at its end."""

from flows.settings import Settings
from tasks.lake.retention import forget_unused
from warehouse.releases.home import Home
from warehouse.releases.retention import kept_models, prune


def tidy(settings: Settings, home: Home) -> None:
    """Delete releases and stage results beyond the numbers that the settings keep."""
    prune(home, settings.keep_releases)
    forget_unused(home.lake, settings.keep_stages, kept_models(home))
