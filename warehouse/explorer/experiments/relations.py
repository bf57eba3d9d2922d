"""What a release says of experiments; a release of an older version may have none of it."""

from typing import Any

from warehouse.explorer.older import has_relation
from warehouse.explorer.snapshot import Snapshot


def experiments_there(snapshot: Snapshot) -> bool:
    """Return whether the release has the relation, with rows in it."""
    return has_relation(snapshot, "experiment_results") and bool(
        snapshot.rows("experiment_results")
    )


def rows_of(snapshot: Snapshot, relation: str, experiment: str) -> list[dict[str, Any]]:
    """Return an experiment's rows of a relation; none if the release has no such relation."""
    if not has_relation(snapshot, relation):
        return []
    return [row for row in snapshot.rows(relation) if row.get("experiment") == experiment]
