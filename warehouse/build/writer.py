"""Build one release file: store tables from the lake's Parquet, views, macros and comments."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from pydantic import BaseModel, ConfigDict

from warehouse.build.patch import Earlier, can_patch, start_from
from warehouse.contract.constants import sql_constants
from warehouse.contract.ranked import (
    HAS_STRENGTHS,
    Asked,
    Settings,
    batch_macros,
    ranked_macros,
    views_values,
)
from warehouse.contract.relations import relations
from warehouse.contract.sql import contract_sql, standalone_macros
from warehouse.contract.versions import ROW_GROUP, SCHEMA_VERSION, STORAGE_VERSION
from warehouse.releases.home import DATABASE, Home
from warehouse.statements import column_name, doubles, filled, statement, text_literal

POPULAR_ALL, POPULAR_SCOPE = 1000, 100
"""Rows of `popular_tracks` for the whole catalogue and for each genre or tag."""

PACKAGE = "warehouse.build"
"""Where the SQL of the store is."""

MEASURED = ("experiment_results", "measured_weights", "click_rates", "position_bias")
"""Relations that are empty where there is no feedback."""

RECENT = ("trending", "new_tracks")
"""Tables of the store that are empty where the data has no times."""

UNPACKED = ("id", "name", "artist")
"""Columns of `store.tracks` that are not compressed. To find one id, thousands would be unpacked,
which is most of what finding it costs. The file of the twin grows by 1.8 MB of 231."""

OPTIONAL = {
    "released": "Day of release, of a month or year its first; NULL: unknown",
    "cover_url": "Link to a picture of the track or its album; NULL: unknown",
}
"""Columns of `tracks` in the releases of a dataset that names them, and their comments."""

ROWS_AT_ONCE = 100
"""Rows of one INSERT: a statement for each row would take ten times as long, to be planned."""

CLOSE = 0.35
"""Standard deviations within which `explain` calls a feature of two tracks alike."""


class BuildInput(BaseModel):
    """Everything a release is built from; files are the lake's Parquet, in row order."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    release_id: str
    created_at: datetime
    code_version: str
    dataset: str
    inputs: dict[str, str]
    parameters: dict[str, Any]
    files: dict[str, list[Path]]
    """tracks, users, dislikes, catalogue, listeners, similar_lists, weights, similarity, content,
    feature_weights, artists, signatures, data_quality, rejected_rows; with feedback those of
    `MEASURED`, with times those of `RECENT`."""
    segments: list[dict[str, Any]]
    segment_curve: list[dict[str, Any]] = []
    evaluation: list[dict[str, Any]] = []
    experiments: list[dict[str, Any]] = []
    assignments: list[dict[str, Any]] = []
    held_out_listeners: int = 0
    measured_model: str | None = None
    """Digest of the neighbours that were measured; None: nothing was."""
    published_model: str = ""
    """Digest of the neighbours that the release holds."""
    gamma: float
    half_life: int = 0
    """Days after which a play of a history counts half; 0: all count the same."""
    artist_factor: float
    artist_factors: list[float]
    popular_candidates: int
    gate: str | None = None
    forced_by: str | None = None
    forced_because: str | None = None
    base_release_id: str | None = None
    """The release that this one is a refresh of."""
    numeric_features: list[str]


class Built(NamedTuple):
    """A file that was built; nothing is published."""

    folder: Path
    patch_of: str | None
    """The release whose file it was made of; None: it was written as a whole."""


def build(
    home: Home,
    given: BuildInput,
    memory_limit: str,
    threads: int,
    earlier: Earlier | None = None,
) -> Built:
    """Build the release under ``home.building``, of an earlier file if few lists are others.

    The file has no write-ahead log left when this returns.
    """
    folder = home.building / given.release_id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    scratch = folder / "scratch"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    database = folder / DATABASE
    with duckdb.connect(config=config) as connection:
        _set_variables(connection, given)
        if earlier is not None and not can_patch(connection, earlier):
            earlier = None
        if earlier is not None:
            start_from(connection, earlier, database)
        else:
            connection.execute(
                f"ATTACH {text_literal(str(database))} AS release "
                f"(STORAGE_VERSION '{STORAGE_VERSION}', ROW_GROUP_SIZE {ROW_GROUP})"
            )
        connection.execute("USE release")
        _create_store(connection, given)
        connection.execute("SET threads = 1")
        _write_lists(connection, is_patch=earlier is not None)
        connection.execute(f"SET threads = {threads}")
        connection.execute("BEGIN")
        _create_contract(connection, given)
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("CHECKPOINT release")
        connection.execute("DETACH release")
    shutil.rmtree(scratch, ignore_errors=True)
    if (leftover := database.with_name(f"{DATABASE}.wal")).exists():
        raise RuntimeError(f"{leftover} was left behind: the release was not closed properly")
    return Built(folder, earlier.release_id if earlier else None)


def record_release(
    database: Path, given: BuildInput, stage_seconds: Mapping[str, float], peak_memory: int
) -> dict[str, int]:
    """Write the one row of `release`, last of all; return the row counts it holds."""
    with duckdb.connect() as connection:
        # with another size the checkpoint would write the row groups anew
        connection.execute(
            f"ATTACH {text_literal(str(database))} AS release (ROW_GROUP_SIZE {ROW_GROUP})"
        )
        connection.execute("USE release")
        counts = {
            name: _one(connection, f"SELECT count(*) FROM {name}")
            for name in relations()
            if name != "release"
        }
        connection.execute(
            f"INSERT INTO store.release VALUES ({', '.join('?' * 21)})",
            [
                given.release_id,
                SCHEMA_VERSION,
                given.created_at.replace(tzinfo=None),
                given.code_version,
                given.dataset,
                _map(given.inputs),
                json.dumps(given.parameters, sort_keys=True),
                _map(counts),
                _map({name: float(value) for name, value in stage_seconds.items()}),
                peak_memory,
                given.gamma,
                given.artist_factor,
                given.held_out_listeners,
                given.measured_model,
                given.published_model,
                given.measured_model not in (None, given.published_model),
                given.gate,
                given.forced_by,
                given.forced_because,
                given.base_release_id,
                given.half_life or None,
            ],
        )
        connection.execute("USE memory")
        connection.execute("CHECKPOINT release")
        connection.execute("DETACH release")
    return counts


def _set_variables(connection: duckdb.DuckDBPyConnection, given: BuildInput) -> None:
    for name, paths in given.files.items():
        connection.execute(f"SET VARIABLE {name} = ?", [[str(path) for path in paths]])
    for name, value in (
        ("popular_candidates", given.popular_candidates),
        ("popular_all", POPULAR_ALL),
        ("popular_scope", POPULAR_SCOPE),
    ):
        connection.execute(f"SET VARIABLE {name} = ?", [value])


def _create_store(connection: duckdb.DuckDBPyConnection, given: BuildInput) -> None:
    shared = {"spelled": statement(PACKAGE, "spelled"), **sql_constants()}
    connection.execute(filled(statement(PACKAGE, "catalogue"), shared))
    _create_tracks(connection)
    connection.execute(statement(PACKAGE, "store"))
    connection.execute(statement(PACKAGE, "music"))
    _insert(connection, "segments", given.segments)
    _insert(connection, "segment_curve", given.segment_curve)
    _insert(connection, "evaluation", given.evaluation)
    _insert(connection, "experiments", given.experiments)
    _insert(connection, "assignments", given.assignments)
    for name in {*MEASURED, *RECENT} & set(given.files):
        connection.execute(
            f"INSERT INTO store.{name} BY NAME FROM read_parquet(getvariable('{name}'))"
        )
    connection.execute(
        "INSERT INTO store.constants VALUES (?, ?)", [given.gamma, given.artist_factors]
    )
    values = {"factors": doubles(given.artist_factors), **_of_lists(connection)}
    _in_order_of_the_lake(connection, filled(statement(PACKAGE, "lists"), values))


def _write_lists(connection: duckdb.DuckDBPyConnection, *, is_patch: bool) -> None:
    """Write the neighbours and all lists; in a patch the lists of the listeners in `compared`."""
    connection.execute(statement(PACKAGE, "track_ids"))
    if is_patch:
        connection.execute(statement(PACKAGE, "patched"))
        lists = "touched"
    else:
        connection.execute(statement(PACKAGE, "neighbours"))
        connection.execute(statement(PACKAGE, "recommendations"))
        lists = "read_parquet(getvariable('listeners'))"
    rows = filled(statement(PACKAGE, "recommendation_rows"), {"lists": lists})
    _in_order_of_the_lake(connection, rows)


def _of_lists(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return what fills the last columns of `store.listeners`: those of the lake, if any."""
    found = connection.execute("DESCRIBE FROM read_parquet(getvariable('listeners'))").fetchall()
    names = {name for name, *_ in found}
    days = "l.newest, l.last_days, l.first_days" if "newest" in names else "NULL, NULL, NULL"
    return {"listen_days": days, "strengths": "l.strengths" if "strengths" in names else "NULL"}


def _in_order_of_the_lake(connection: duckdb.DuckDBPyConnection, statements: str) -> None:
    """Create tables of the precomputed lists, in the order of the lake's rows.

    The joins probe with the lists, as written: the other way round they would be held in memory
    and come out in another order.
    """
    connection.execute("SET disabled_optimizers = 'join_order, build_side_probe_side'")
    connection.execute(statements)
    connection.execute("RESET disabled_optimizers")


def _create_tracks(connection: duckdb.DuckDBPyConnection) -> None:
    """Create `store.tracks`: a compression can only be named for columns that are spelled out."""
    columns = [
        f"{column_name(name)} {kind}"
        + (" USING COMPRESSION uncompressed" if name in UNPACKED else "")
        for name, kind, *_ in connection.execute("DESCRIBE catalogue").fetchall()
    ]
    connection.execute(f"CREATE TABLE store.tracks ({', '.join(columns)})")
    connection.execute("INSERT INTO store.tracks FROM catalogue c ORDER BY c.track_key")


def _create_contract(connection: duckdb.DuckDBPyConnection, given: BuildInput) -> None:
    settings = Settings(
        given.segments,
        given.gamma,
        given.artist_factors,
        has_dislikes=_one(connection, "SELECT count(*) > 0 FROM store.dislikes"),
        has_strengths=_one(connection, HAS_STRENGTHS),
    )
    connection.execute(contract_sql("views", views_values(settings)))
    connection.execute(contract_sql("variety"))
    for macro in (*ranked_macros(settings), *batch_macros(settings, _stored(connection))):
        connection.execute(macro)
    for name in standalone_macros():
        connection.execute(contract_sql(name))
    connection.execute(contract_sql("macros/artists", views_values(settings)))
    compared = _comparison(connection, given.numeric_features)
    connection.execute(contract_sql("macros/explain", compared))
    connection.execute(contract_sql("comments"))
    undescribed = connection.execute(
        "SELECT c.column_name FROM duckdb_columns() c WHERE c.schema_name = 'main' "
        "AND c.table_name = 'tracks' AND c.comment IS NULL"
    ).fetchall()
    for (name,) in undescribed:
        comment = OPTIONAL.get(name, "Feature of the catalogue, as given; NULL: unknown")
        connection.execute(f"COMMENT ON COLUMN tracks.{column_name(name)} IS '{comment}'")


def _stored(connection: duckdb.DuckDBPyConnection) -> dict[Asked, int]:
    """Return the length of the precomputed lists; a list may be shorter only if nothing is left."""
    return {
        "listener": _one(connection, "SELECT coalesce(max(rank), 0) FROM store.recommendations"),
        "track": _one(connection, "SELECT coalesce(max(len(tracks)), 0) FROM store.similar_lists"),
    }


def _comparison(connection: duckdb.DuckDBPyConnection, numeric: Iterable[str]) -> dict[str, str]:
    """Return the features of a track t that `explain` compares, their names, what is close.

    As lists, over which one expression goes: an expression for each would take longer to plan.
    """
    features, labels, close = [], [], []
    for name in numeric:
        column = column_name(name)
        spread = _one(connection, f"SELECT stddev_pop({column}::DOUBLE) FROM store.tracks")
        if spread:
            features.append(f"t.{column}")
            labels.append(text_literal(name.removesuffix("_ms")))
            close.append(CLOSE * float(spread))
    return {
        "features": f"[{', '.join(features)}]::DOUBLE[]",
        "labels": f"[{', '.join(labels)}]::VARCHAR[]",
        "close": doubles(close),
    }


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    marks = f"({', '.join('?' * len(names))})"
    for start in range(0, len(rows), ROWS_AT_ONCE):
        batch = rows[start : start + ROWS_AT_ONCE]
        connection.execute(
            f"INSERT INTO store.{table} ({', '.join(names)}) "
            f"VALUES {', '.join([marks] * len(batch))}",
            [row.get(name) for row in batch for name in names],
        )


def _map(values: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {"key": list(values), "value": list(values.values())}


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
