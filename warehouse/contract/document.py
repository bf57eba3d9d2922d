"""docs/warehouse.md, generated from the comments of a release.

``python -m warehouse.contract.document FILE`` prints the page for a release file.
"""

import sys
from importlib.resources import files

import duckdb

from warehouse.contract.constants import COMPUTED_AT_ONCE
from warehouse.contract.relations import relations
from warehouse.contract.versions import SCHEMA_VERSION
from warehouse.statements import filled

EXAMPLES = {
    "recommend_user": "'', k := 0",
    "recommend_tracks": "[], k := 0",
    "similar_to": "''",
    "user_candidates": "''",
    "track_candidates": "''",
    "candidates_for_tracks": "[]",
    "recommend_users": "[]",
    "recommend_many": "[]",
    "similar_to_many": "[]",
    "on_repeat": "''",
    "rediscover": "''",
    "new_for_user": "''",
    "trending": "'all'",
    "artist_tracks": "''",
    "similar_artists": "''",
    "recommend_artists": "'', k := 0",
    "continue_playlist": "[], k := 0",
    "radio": "[], k := 0",
    "explain": "'', ''",
    "search_tracks": "''",
}
"""The table macros of the contract, with arguments that tell what columns they return."""

SCALARS = ("variant", "variant_weight")
"""The scalar macros of the contract."""


def document(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the page that describes an open release."""
    page = files("warehouse.contract").joinpath("document.md").read_text()
    described = "\n\n".join(_relation(connection, name) for name in relations())
    macros = "\n\n".join(
        [*(_macro(connection, name) for name in EXAMPLES),
         *(_heading(connection, name) for name in SCALARS)]
    )  # fmt: skip
    values = {
        "relations": described,
        "macros": macros,
        "computed_at_once": f"{COMPUTED_AT_ONCE:,}",
        "schema_version": str(SCHEMA_VERSION),
    }
    return filled(page, values)


def _relation(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    comment = connection.execute(
        "SELECT v.comment FROM duckdb_views() v WHERE v.schema_name = 'main' AND v.view_name = ?",
        [name],
    ).fetchall()[0][0]
    columns = connection.execute(
        "SELECT c.column_name, c.data_type, c.comment FROM duckdb_columns() c "
        "WHERE c.schema_name = 'main' AND c.table_name = ? ORDER BY c.column_index",
        [name],
    ).fetchall()
    rows = [f"| `{column}` | {kind} | {text or ''} |" for column, kind, text in columns]
    return "\n".join(
        [f"### {name}", "", comment, "", "| column | type | meaning |", "|---|---|---|", *rows]
    )


def _heading(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    comment = connection.execute(
        "SELECT f.comment FROM duckdb_functions() f "
        "WHERE f.schema_name = 'main' AND f.function_name = ?",
        [name],
    ).fetchall()[0][0]
    return f"### {name}\n\n{comment}"


def _macro(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    described = connection.execute(f"DESCRIBE FROM {name}({EXAMPLES[name]})").fetchall()
    columns = ", ".join(f"`{column}`" for column, *_ in described)
    return f"{_heading(connection, name)}\n\nReturns {columns}."


def main() -> None:
    """Print the page for the release file given on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m warehouse.contract.document FILE > docs/warehouse.md")
    with duckdb.connect(sys.argv[1], read_only=True) as connection:
        print(document(connection), end="")


if __name__ == "__main__":
    main()
