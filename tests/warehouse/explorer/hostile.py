"""A catalogue whose texts try to be interpreted as HTML, Markdown or code."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from tasks.blend.parameters import HybridParameters
from tasks.lake.contracts.quality import DATA_QUALITY, REJECTED_ROWS
from tasks.lake.contracts.stages.ingest import tracks_schema
from tasks.lake.files import write_parquet
from tests.tasks.blend.worlds import random_edges
from tests.warehouse.publishing import keep, publish, release_id
from tests.warehouse.worlds import NUMERIC, release_world
from warehouse.build.writer import BuildInput
from warehouse.releases.home import Home
from warehouse.releases.manifest import Comparison

HARM = "window.harmed = true"
LONG = "endless " * 1_250
TITLES = [
    f"<script>{HARM}</script>",
    f'<img src="http://127.0.0.1:9/x.png" onerror="{HARM}">',
    "![picture](http://127.0.0.1:9/y.png) **bold** :red[red] $x^2$",
    "[press](javascript:window.harmed=true)",
    "\u202eesrever ni nettirw",
    "مرحبا بالعالم",
    LONG,
    "",
    '"><svg onload="window.harmed = true">',
    "# heading | table | `code` {{x}} ${x}",
    "https://example.com/looks-like-a-link",
    "=1+1",
]
ARTIST = f"<b onmouseover='{HARM}'>O'Nasty</b>"
TAGS = ["<i>tag</i>", "**tag**", "rock"]
GENRE = "<u>Rock</u> _&_ Roll"
LISTENER = " <script>window.harmed=true</script> **u** "
COVERS = "https://covers.example"
NOTE = "<b>note</b> [x](javascript:window.harmed=true)"


def hostile_home(folder: Path) -> Home:
    """Publish two releases; the second one holds results of an experiment too."""
    given = hostile_input(folder / "world")
    home = Home(folder / "home")
    publish(home, given, 0)
    release = keep(home, given, 1)
    _add_experiments(release.database)
    whole = release.manifest.model_copy(
        update={
            "bytes": release.database.stat().st_size,
            "comparisons": (comparison(release_id(0), "recall@20", 0.371, 0.031, 0.019),),
        }
    )
    whole.write(release.folder)
    home.current.unlink()
    home.current.symlink_to(release.database)
    return home


def comparison(rival: str, metric: str, before: float, change: float, half: float) -> Comparison:
    """Return what a gate found; ``half`` is half the width of the interval."""
    return Comparison(
        role="current release",
        release_id=rival,
        metric=metric,
        listeners=200,
        rival=before,
        challenger=before * (1 + change),
        change=change,
        ci_low=change - half,
        ci_high=change + half,
        detectable=0.05,
        verdict="within the limit",
    )


def hostile_input(folder: Path) -> BuildInput:
    """Return what a release of the hostile catalogue is built from."""
    n = len(TITLES)
    rng = np.random.default_rng(0)
    columns = {
        "track_key": range(n),
        "track_id": track_ids(),
        "name": TITLES,
        "artist": [ARTIST] * n,
        "artist_key": [0] * n,
        "tags": [TAGS] * n,
        "genre": [GENRE if x % 2 else None for x in range(n)],
        "year": [1990 + x for x in range(n)],
        "spotify_preview_url": ["javascript:window.harmed=true"] * n,
        "cover_url": [f"{COVERS}/0.png", "javascript:window.harmed=true", f"{COVERS}/gone.png",
                      *([None] * (n - 3))],
        "listeners": range(n, 0, -1),
        "plays": range(n, 0, -1),
        "played_key": range(n),
        "energy": [0.5] * n,
    }  # fmt: skip
    schema = tracks_schema(NUMERIC, [], covers=True)
    tracks = pa.table(
        [pa.array(columns.get(f.name, [None] * n), f.type) for f in schema], schema=schema
    )
    every = np.arange(n, dtype=np.int32)
    edges = {
        name: random_edges(rng, every, every, 1) for name in ("weights", "similarity", "content")
    }
    given = release_world(
        folder, tracks, edges, [LISTENER], [[0, 1]], HybridParameters(), numeric=NUMERIC
    ).given
    files = dict(given.files) | {
        "rejected_rows": [_write(folder, "rejects", REJECTED_ROWS.schema,
                                 [["<b>a.csv</b>"], [7], ["too | many"], [TITLES[0]]])],
        "data_quality": [_write(folder, "checks", DATA_QUALITY.schema,
                                [["**check**"], ["warn"], ["failed"], [1.0], [TITLES[1]], [NOTE]])],
    }  # fmt: skip
    return given.model_copy(
        update={
            "files": files,
            "dataset": TITLES[2],
            "created_at": datetime(2026, 2, 3, tzinfo=UTC),
        }
    )


def track_ids() -> list[str]:
    """Return the ids: the first is markup itself."""
    return ["<em>T00</em>", *(f"T{x:02}" for x in range(1, len(TITLES)))]


def _write(folder: Path, name: str, schema: pa.Schema, columns: list[list[object]]) -> Path:
    path = folder / f"{name}.parquet"
    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
    write_parquet(pa.table(arrays, schema=schema), path)
    return path


def _add_experiments(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "INSERT INTO store.experiment_results BY NAME SELECT '<b>exp</b>' AS experiment, "
            "'**variant**' AS variant, 'all' AS segment, 'ndcg@100' AS metric, 120 AS users, "
            "2400 AS exposures, 0.21 AS value, 0.01 AS lift, -0.002 AS ci_low, 0.022 AS ci_high, "
            f"0.11 AS p_value, '{NOTE}' AS note"
        )
