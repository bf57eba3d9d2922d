"""A release file without Prefect and without an evaluation, for benchmarks of macros.

All parameters are the defaults, segments included. One worker runs inside this process.
"""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dask.distributed import Client

from tasks.blend.parameters import HybridParameters
from tasks.blend.stage import lists_stage
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tasks.lake.contracts.quality import DATA_QUALITY
from tasks.lake.files import write_parquet
from tasks.lake.plays import played_tracks
from tasks.release.build import _build_input, _write_music
from tasks.release.recent import recent_tables
from warehouse.build.writer import build, record_release
from warehouse.releases.home import DATABASE, Home

MEMORY_LIMIT = "2GB"


def quick_release(spec: DatasetSpec, folder: Path) -> Path:
    """Build a release of the data set under ``folder``; return its file."""
    lake, home, hybrid = folder / "lake", Home(folder / "home"), HybridParameters()
    home.building.mkdir(parents=True)
    ingested = ingest_stage(lake, spec)
    played = played_tracks(ingested)
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as client:
        by_plays = collaborative_stage(
            lake, client, ingested["interactions"], played, None, CollaborativeParameters()
        )
        by_content = content_stage(
            lake, client, ingested["tracks"], ingested["interactions"], None,
            spec.tracks.numeric, (), ContentParameters(),
        )  # fmt: skip
        lists = lists_stage(lake, client, ingested, by_plays, by_content, hybrid)
    candidate: Any = SimpleNamespace(
        ingested=ingested, lists=lists, neighbours=SimpleNamespace(content=by_content),
        impact=None, evaluation=None, temporal=None, hybrid=hybrid, dataset="quick", inputs={},
        parameters={}, experiments=[], held_out=0, measured_model=None, published_model="",
        inherited=None, numeric_features=spec.tracks.numeric,
    )  # fmt: skip
    written = {"data_quality": DATA_QUALITY.schema.empty_table(), **recent_tables(ingested)}
    files = {name: home.building / f"{name}.parquet" for name in written}
    for name, table in written.items():
        write_parquet(table, files[name])
    files |= _write_music(home.building, candidate, MEMORY_LIMIT, 1)
    judged: Any = SimpleNamespace(summary=None, override=None)
    now = datetime.now(UTC)
    given = _build_input("20260101T000000-quick", now, candidate, judged, files)
    database = build(home, given, MEMORY_LIMIT, 1).folder / DATABASE
    record_release(database, given, {}, 1)
    return database
