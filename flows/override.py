"""Who publishes what the gate refused, and why."""

import getpass
from datetime import UTC, datetime

from warehouse.releases.manifest import Override

NO_REASON = "no reason was given"


def override_by_operator(reason: str | None) -> Override:
    """Return the override of the user whose process this is."""
    because = (reason or "").strip() or NO_REASON
    return Override(by=_user(), because=because, at=datetime.now(UTC))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "an unnamed user"
