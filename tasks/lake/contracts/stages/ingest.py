"""The datasets of the ingest stage: catalogue, listeners, who played and who dislikes what."""

from collections.abc import Iterable

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, Further, StageContract
from tasks.lake.contracts.inputs import INPUT_FEATURES
from tasks.lake.contracts.quality import DATA_QUALITY, REJECTED_ROWS

_YEAR = INPUT_FEATURES["year"]

_INT32 = 2**31 - 1

TRACKS = Contract(
    rows="track of the catalogue",
    key=("track_key",),
    ascending=("track_id",),
    columns=(
        Column("track_key", pa.int32(), "position in the catalogue", 0),
        Column("track_id", pa.string(), "the id, byte for byte"),
        Column("name", pa.string(), "name to show", nullable=True),
        Column("artist", pa.string(), "artist, author, director, brand", nullable=True),
        Column("artist_key", pa.int32(), "position among the distinct artists", 0, nullable=True),
        Column(
            "artists",
            pa.list_(pa.string()),
            "all artists in the order of the file; the first is `artist`",
            nullable=True,
        ),
        Column(
            "tags",
            pa.list_(pa.string()),
            "tags in the order of the file, without repeats",
            nullable=True,
        ),
        Column("genre", pa.string(), "genre", nullable=True),
        Column("year", pa.int16(), "year of release", _YEAR.low, _YEAR.high, nullable=True),
        Column(
            "released",
            pa.date32(),
            "day of release, of a month or year its first; with `tracks.released`",
            nullable=True,
            optional=True,
        ),
        Column("spotify_preview_url", pa.string(), "link to a preview", nullable=True),
        Column("spotify_id", pa.string(), "id at Spotify", nullable=True),
        Column(
            "cover_url",
            pa.string(),
            "link to a picture; with `tracks.cover_url`",
            nullable=True,
            optional=True,
        ),
        Column("listeners", pa.int32(), "listeners who have played it", 0),
        Column("plays", pa.int64(), "plays in all", 0),
        Column(
            "played_key",
            pa.int32(),
            "position among the tracks with listeners; empty: nobody has played it",
            0,
            nullable=True,
        ),
    ),
    further=(
        Further(pa.float64(), "each column of `tracks.numeric`"),
        Further(pa.string(), "each column of `tracks.categorical`"),
    ),
)

USERS = Contract(
    rows="listener who has played or dislikes a track of the catalogue",
    key=("user_key",),
    ascending=("user_id",),
    columns=(
        Column("user_key", pa.int32(), "position among the listeners", 0),
        Column("user_id", pa.string(), "the id, byte for byte"),
        Column("tracks_played", pa.int32(), "tracks of the catalogue played", 0),
        Column("plays", pa.int64(), "plays of them in all", 0),
    ),
)

INTERACTIONS = Contract(
    rows="listener and track",
    key=("user_key", "played_key"),
    columns=(
        Column("user_key", pa.int32(), "the listener", 0),
        Column("played_key", pa.int32(), "the track", 0),
        Column("plays", pa.int32(), "plays of the track by the listener", 1, _INT32),
        Column(
            "first_at",
            pa.uint32(),
            "first play, in seconds since 1970 (UTC); empty: no play of it has a time; with "
            "`plays.at`",
            1,
            nullable=True,
            optional=True,
        ),
        Column(
            "last_at",
            pa.uint32(),
            "last play, in the same way",
            1,
            nullable=True,
            optional=True,
        ),
        Column(
            "records",
            pa.int32(),
            "rows of the history that were added up; with `plays.at`",
            1,
            optional=True,
        ),
    ),
)

TIMES = ("first_at", "last_at", "records")
"""Columns of `INTERACTIONS` where the history has times."""

DISLIKES = Contract(
    rows="listener and track that is not recommended to them, by `plays.dislikes`",
    key=("user_key", "track_key"),
    columns=(
        Column("user_key", pa.int32(), "the listener, who has no `interactions` with it", 0),
        Column("track_key", pa.int32(), "the track", 0),
        Column(
            "last_at",
            pa.uint32(),
            "last dislike, in seconds since 1970 (UTC); empty: one of them has no time; with "
            "`plays.at`",
            1,
            nullable=True,
            optional=True,
        ),
    ),
)

MERGED_TRACKS = Contract(
    rows="track that was merged into another one by `tracks.duplicates`",
    key=("track_id",),
    columns=(
        Column("track_id", pa.string(), "the id that is no longer in the catalogue"),
        Column("kept_id", pa.string(), "the id whose track has its plays"),
    ),
)

SOURCES = Contract(
    rows="input file",
    key=("kind", "file"),
    columns=(
        Column("kind", pa.string(), "what it is part of", one_of=("catalogue", "history")),
        Column("file", pa.string(), "name of the file, its path where names repeat"),
        Column("digest", pa.string(), "hash of its bytes"),
        Column("records", pa.int64(), "rows of a file of the history; 0: none were read", 0),
        Column(
            "reasons", pa.string(), "why rows of the history were set aside and how many, as JSON"
        ),
    ),
)

UNKNOWN_TRACKS = Contract(
    rows="track of the history that the catalogue lacks",
    key=("track_id",),
    is_sorted=False,
    columns=(
        Column("track_id", pa.string(), "the id, byte for byte"),
        Column("records", pa.int64(), "rows of the history that are plays of it", 1),
    ),
)

STAGE = StageContract(
    "ingest",
    {
        "tracks": TRACKS,
        "users": USERS,
        "interactions": INTERACTIONS,
        "dislikes": DISLIKES,
        "merged_tracks": MERGED_TRACKS,
        "rejected_rows": REJECTED_ROWS,
        "data_quality": DATA_QUALITY,
        "sources": SOURCES,
        "unknown_tracks": UNKNOWN_TRACKS,
    },
)


def interactions_schema(timed: bool) -> pa.Schema:
    """Return the schema of `INTERACTIONS`, with the columns of times or without."""
    return INTERACTIONS.schema_with(*TIMES) if timed else INTERACTIONS.schema


def dislikes_schema(timed: bool) -> pa.Schema:
    """Return the schema of `DISLIKES`, with the column of times or without."""
    return DISLIKES.schema_with("last_at") if timed else DISLIKES.schema


def tracks_schema(
    numeric: Iterable[str],
    categorical: Iterable[str],
    released: bool = False,
    covers: bool = False,
) -> pa.Schema:
    """Return the schema of `TRACKS`, then the declared feature columns it does not hold already.

    Numeric features are float64 and categorical ones strings; null means unknown. ``released`` and
    ``covers`` say whether there are days of release and links to pictures.
    """
    optional = {"released": released, "cover_url": covers}
    schema = TRACKS.schema_with(*(name for name, is_there in optional.items() if is_there))
    for names, kind in ((numeric, pa.float64()), (categorical, pa.string())):
        for name in names:
            if name not in schema.names:
                schema = schema.append(pa.field(name, kind))
    return schema
