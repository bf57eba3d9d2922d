"""Small worlds from lake to release file: random neighbours, awkward ids, real files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel, track_of_played
from tasks.blend.parameters import HybridParameters, artist_factors
from tasks.blend.stage import rank_listeners, rank_similar
from tasks.lake.blocks import Block
from tasks.lake.contracts.quality import DATA_QUALITY, REJECTED_ROWS
from tasks.lake.contracts.stages.content import EMBEDDING, FEATURE_WEIGHTS
from tasks.lake.contracts.stages.ingest import (
    DISLIKES,
    INTERACTIONS,
    USERS,
    interactions_schema,
    tracks_schema,
)
from tasks.lake.contracts.stages.lists import CATALOGUE
from tasks.lake.files import write_parquet
from tasks.music.tables import music_tables
from tests.tasks.blend.worlds import random_edges
from warehouse.build.writer import BuildInput, build, record_release
from warehouse.releases.home import DATABASE, Home

AWKWARD_IDS = [
    "it's",
    'say "hi"',
    "a,b",
    "naïve",
    "日本語",
    "112",
    " space ",
    "%_\\",
    "x;--",
    "Ünï",
]
NUMERIC = ["year", "energy"]


@dataclass(frozen=True)
class World:
    """A built release, and the arrays it was built from for the oracle."""

    database: Path
    track_ids: list[str]
    user_ids: list[str]
    histories: list[list[int]]
    blend: HybridModel
    """Scores a history by learned weights."""
    track_to_track: HybridModel
    """Scores one track by similarity."""
    given: BuildInput
    """What the release was built from."""
    dislikes: list[list[int]]
    """Of each listener, ascending track keys."""
    strengths: list[list[int] | None]
    """How much each track of the histories counts; None: all the same."""


def build_world(
    folder: Path,
    seed: int,
    n: int = 30,
    users: int = 12,
    track_ids: Sequence[str] = (),
    parameters: HybridParameters | None = None,
    disliked: float = 0.0,
) -> World:
    """Generate a world of ``n`` tracks and ``users`` listeners and build its release file.

    Some of the tracks may be given their ids; the blend's parameters are the defaults unless given.
    With a half-life among them, plays have times. ``disliked`` is the share of the tracks that each
    listener dislikes of those not played; with it the first listener has played nothing.
    """
    rng = np.random.default_rng(seed)
    popular = int(rng.integers(1, 8))
    parameters = parameters or HybridParameters(popular_candidates=popular)
    track_ids = _ids(n, "T", track_ids)
    histories = _histories(rng, n, users)
    if disliked:
        histories[0] = []
    tracks, played = _tracks(rng, track_ids, histories)
    everything = np.arange(n, dtype=np.int32)
    edges = {
        "weights": random_edges(rng, played, played, -4),
        "similarity": _symmetric(random_edges(rng, played, played, 1)),
        "content": random_edges(rng, everything, everything, 1),
    }
    dislikes = [
        [j for j in range(n) if j not in history and rng.random() < disliked]
        for history in histories
    ]
    listens = _timed(rng, histories, played) if parameters.half_life else None
    return release_world(
        folder,
        tracks,
        edges,
        _ids(users, "U"),
        histories,
        parameters,
        dislikes=dislikes,
        listens=listens,
    )


def release_world(
    folder: Path,
    tracks: pa.Table,
    edges: dict[str, pa.Table],
    user_ids: list[str],
    histories: list[list[int]],
    parameters: HybridParameters,
    release_id: str = "20260101T000000-test",
    numeric: Sequence[str] = NUMERIC,
    dislikes: Sequence[Sequence[int]] | None = None,
    listens: pa.Table | None = None,
    recent: Mapping[str, pa.Table] = MappingProxyType({}),
) -> World:
    """Write a given world as the lake would, rank it and build its release file.

    ``tracks`` is TRACKS with the ``numeric`` features; ``edges`` holds weights, similarity and
    content as EDGES in track keys; histories and dislikes (None: nobody has any) are ascending
    track keys. ``listens`` are the plays of these histories, with their times, in place of one each
    without (INTERACTIONS); ``recent`` are the tables of the build with times, by name.
    """
    lake = folder / "lake"
    lake.mkdir(parents=True, exist_ok=True)
    n, played = len(tracks), track_of_played(tracks)
    files = {name: _write(lake, name, table) for name, table in edges.items()}
    files["tracks"] = _write(lake, "tracks", tracks)
    dislikes = dislikes or [[] for _ in user_ids]
    files |= _people(lake, user_ids, histories, dislikes, played, listens)
    files |= {name: _write(lake, name, table) for name, table in recent.items()}
    catalogue = BlendCatalogue.from_tracks(tracks)
    prior = [tracks["track_key"], catalogue.popularity, catalogue.listener_rank]
    files["catalogue"] = _write(lake, "catalogue", pa.table(prior, schema=CATALOGUE.schema))
    parts = ("tracks", "catalogue", "content", "weights", "similarity")
    model = {name: files[name] for name in parts}
    listeners = rank_listeners(
        Block(0, len(user_ids)),
        model,
        files["users"],
        files["interactions"],
        files["dislikes"],
        parameters,
    )
    files["listeners"] = _write(lake, "listeners", listeners)
    files["similar_lists"] = _write(
        lake, "similar_lists", rank_similar(Block(0, n), model, parameters)
    )
    files |= _music(lake, files, n, parameters.gamma)
    for name, schema in (
        ("feature_weights", FEATURE_WEIGHTS.schema),
        ("data_quality", DATA_QUALITY.schema),
        ("rejected_rows", REJECTED_ROWS.schema),
    ):
        files[name] = _write(lake, name, schema.empty_table())
    given = build_input(files, parameters, release_id, numeric)
    built = build(Home(folder), given, memory_limit="1GB", threads=2).folder
    record_release(built / DATABASE, given, {"ingest": 0.1}, 1)
    content = EdgeTable.from_edges(edges["content"], n)
    return World(
        built / DATABASE,
        tracks["track_id"].to_pylist(),
        user_ids,
        histories,
        HybridModel(EdgeTable.from_edges(edges["weights"], n), content, catalogue, parameters),
        HybridModel(EdgeTable.from_edges(edges["similarity"], n), content, catalogue, parameters),
        given,
        [list(one) for one in dislikes],
        _strengths(histories, listens, parameters.half_life),
    )


def _strengths(
    histories: list[list[int]], listens: pa.Table | None, half_life: int
) -> list[list[int] | None]:
    """Work out once more, one by one, how much each play counts."""
    if listens is None or not half_life:
        return [None for _ in histories]
    first = iter(listens["first_at"].cast(pa.int64()).to_pylist())
    found: list[list[int] | None] = []
    for history in histories:
        days = [next(first) // 86_400 for _ in history]
        ages = [max(days) - day for day in days]
        found.append([max(1, math.floor(8 * 2 ** -(age / half_life) + 0.5)) for age in ages])
    return found


def build_input(
    files: dict[str, Path], parameters: HybridParameters, release_id: str, numeric: Sequence[str]
) -> BuildInput:
    """Return what a release is built from, for files in a test's lake."""
    return BuildInput(
        release_id=release_id,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        code_version="test",
        dataset="world",
        inputs={"a.csv": "00"},
        parameters={},
        files={name: [path] for name, path in files.items() if name != "interactions"},
        segments=[
            {"position": position, **segment.model_dump()}
            for position, segment in enumerate(parameters.segments)
        ],
        gamma=parameters.gamma,
        half_life=parameters.half_life,
        artist_factor=parameters.artist_factor,
        artist_factors=artist_factors(parameters.artist_factor).tolist(),
        popular_candidates=parameters.popular_candidates,
        numeric_features=list(numeric),
    )


def _symmetric(edges: pa.Table) -> pa.Table:
    """Give every pair both directions with one weight, as the collaborative stage does."""
    once = edges.filter(pc.less(edges["source"], edges["target"]))
    back = once.select(["target", "source", "weight"]).rename_columns(once.column_names)
    return pa.concat_tables([once, back]).sort_by(
        [("source", "ascending"), ("target", "ascending")]
    )


def _ids(n: int, prefix: str, given: Sequence[str] = ()) -> list[str]:
    awkward = [*given, *(prefix + text for text in AWKWARD_IDS)]
    ids = awkward[:n] + [f"{prefix}{x:04}" for x in range(max(0, n - len(awkward)))]
    return sorted(ids, key=lambda text: text.encode())


def _histories(rng: np.random.Generator, n: int, users: int) -> list[list[int]]:
    played = rng.permutation(n)[: max(1, int(n * 0.65))]
    lengths = [min(len(played), int(length)) for length in rng.integers(1, 25, users)]
    return [sorted(int(j) for j in rng.permutation(played)[:length]) for length in lengths]


def _timed(
    rng: np.random.Generator, histories: list[list[int]], played: NDArray[np.int32]
) -> pa.Table:
    """Return the listens with random times over two years; some days hold many plays."""
    schema = interactions_schema(timed=True)
    pairs = [(u, j) for u, history in enumerate(histories) for j in history]
    first = 19_000 + 50 * rng.integers(0, 15, len(pairs))
    last = first + rng.integers(0, 30, len(pairs))
    columns = {
        "user_key": [u for u, _ in pairs],
        "played_key": np.searchsorted(played, [j for _, j in pairs]),
        "plays": rng.integers(1, 5, len(pairs)),
        "records": np.ones(len(pairs), np.int64),
        "first_at": 86_400 * first + 3,
        "last_at": 86_400 * last + 4,
    }
    return pa.table([pa.array(columns[f.name]).cast(f.type) for f in schema], schema=schema)


def _tracks(
    rng: np.random.Generator, ids: list[str], histories: list[list[int]]
) -> tuple[pa.Table, NDArray[np.int32]]:
    n = len(ids)
    listeners = np.bincount([j for history in histories for j in history], minlength=n)
    played = np.flatnonzero(listeners).astype(np.int32)
    played_key = {int(j): x for x, j in enumerate(played)}
    artist = [None if rng.random() < 0.2 else int(rng.integers(0, 4)) for _ in range(n)]
    rows = {
        "track_key": range(n),
        "track_id": ids,
        "name": [f"Söng {x}" for x in range(n)],
        "artist": [None if a is None else f"Artist {a}" for a in artist],
        "artist_key": artist,
        "artists": [None if a is None else [f"Artist {a}"] for a in artist],
        "tags": [["rock", "pop"][: int(rng.integers(0, 3))] for _ in range(n)],
        "genre": [None if rng.random() < 0.5 else "Jazz" for _ in range(n)],
        "year": [None if rng.random() < 0.3 else int(rng.integers(1990, 2020)) for _ in range(n)],
        "spotify_preview_url": [None] * n,
        "spotify_id": [None] * n,
        "listeners": listeners,
        "plays": listeners,
        "played_key": [played_key.get(x) for x in range(n)],
        "energy": rng.random(n),
    }
    schema = tracks_schema(NUMERIC, [])
    return pa.table([pa.array(rows[f.name], f.type) for f in schema], schema=schema), played


def _people(
    lake: Path,
    ids: list[str],
    histories: list[list[int]],
    dislikes: Sequence[Sequence[int]],
    played: NDArray[np.int32],
    listens: pa.Table | None,
) -> dict[str, Path]:
    lengths = [len(history) for history in histories]
    pairs = [(u, j) for u, history in enumerate(histories) for j in history]
    interactions = [
        [u for u, _ in pairs],
        np.searchsorted(played, [j for _, j in pairs]),
        [1] * len(pairs),
    ]
    total = lengths
    if listens is not None:
        user, plays = listens["user_key"].to_numpy(), listens["plays"].to_numpy()
        total = np.bincount(user, plays, len(ids)).astype(int).tolist()
    users = [range(len(ids)), ids, lengths, total]
    left_out = [(u, j) for u, theirs in enumerate(dislikes) for j in theirs]
    disliked = [[u for u, _ in left_out], [j for _, j in left_out]]
    tables = {}
    for name, columns, schema in (
        ("users", users, USERS.schema),
        ("interactions", interactions, INTERACTIONS.schema),
        ("dislikes", disliked, DISLIKES.schema),
    ):
        arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
        tables[name] = _write(lake, name, pa.table(arrays, schema=schema))
    if listens is not None:
        tables["interactions"] = _write(lake, "interactions", listens)
    return tables


def _music(lake: Path, files: dict[str, Path], n: int, gamma: float) -> dict[str, Path]:
    """Give the tracks random places in an embedding; write what is known of artists."""
    vectors = np.random.default_rng(n).standard_normal((n, 8), np.float32)
    columns = [range(n), list(vectors), [-1] * n]
    schema = EMBEDDING.schema
    embedding = pa.table(
        [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
    )
    read = {**files, "embedding": _write(lake, "embedding", embedding)}
    tables = music_tables(read, gamma, memory_limit="1GB", threads=2)
    return {name: _write(lake, name, table) for name, table in tables.items()}


def _write(lake: Path, name: str, table: pa.Table) -> Path:
    path = lake / f"{name}.parquet"
    write_parquet(table, path)
    return path
