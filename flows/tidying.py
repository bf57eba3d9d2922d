"""What every run deletes at its end."""

from flows.settings import Settings
from tasks.lake.retention import forget_unused
from warehouse.releases.home import Home
from warehouse.releases.retention import kept_models, kept_parts, prune


def tidy(settings: Settings, home: Home) -> None:
    """Delete releases and stage results beyond the numbers that the settings keep."""
    prune(home, settings.keep_releases, settings.keep_refreshes)
    in_use = kept_models(home) | kept_parts(home, settings.keep_stages)
    forget_unused(home.lake, settings.keep_stages, in_use)
