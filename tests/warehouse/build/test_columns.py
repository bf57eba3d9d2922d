"""A catalogue's own features never meet the columns that a release adds to them."""

import duckdb

from tasks.dataset.spec import OF_THE_WAREHOUSE
from tasks.lake.contracts.stages.ingest import tracks_schema
from tests.warehouse.worlds import NUMERIC
from warehouse.releases.home import Home


def test_every_column_of_a_release_that_is_not_the_catalogues_is_reserved(
    three_published: Home,
) -> None:
    with duckdb.connect(str(three_published.current.resolve()), read_only=True) as connection:
        stored = {row[0] for row in connection.execute("DESCRIBE store.tracks").fetchall()}
    of_the_lake = {*tracks_schema(NUMERIC, []).names, "artists"}  # derived where the lake has none
    assert set(OF_THE_WAREHOUSE) == stored - of_the_lake
