"""Ask a macro for many histories in calls of the size that it computes."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from warehouse.contract.constants import COMPUTED_AT_ONCE
from warehouse.releases.reader import Reader


def query_in_batches(
    reader: Reader, sql: str, asked: Sequence[Any], size: int = COMPUTED_AT_ONCE
) -> Iterator[pa.Table]:
    """Run a query for all ids or lists, at most ``size`` at a time; yield a table for each part.

    The query names the part ``$asked``: ``FROM recommend_users($asked, weight := 0.7)``. All parts
    are answered by the release that is current at the first, and a ``position`` counts within its
    part. Raises UnknownReleaseError if nothing is published.
    """
    connection = reader.connection()
    for start in range(0, len(asked), size):
        part = list(asked[start : start + size])
        yield connection.sql(sql, params={"asked": part}).to_arrow_table()
