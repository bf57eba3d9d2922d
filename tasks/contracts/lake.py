"""The contract of every Parquet dataset that the stages write: stage → dataset → contract."""

import pyarrow as pa

from tasks.contracts import feedback
from tasks.contracts.contract import Column, Contract, Further
from tasks.contracts.inputs import INPUT_FEATURES
from tasks.errors import RunError
from tasks.hybrid.parameters import TICKS

WEIGHT_SCALE = 20_000
"""int16 = round(weight × WEIGHT_SCALE): 5e-5 is the resolution, ±1.638 the range."""

SOURCES = ("hybrid", "collaborative", "content", "popular", "same artist", "catalogue")
"""What the numbers of `source` stand for: tasks.hybrid.blend.Source."""

_YEAR = INPUT_FEATURES["year"]
_INT32 = 2**31 - 1
_KEYS = pa.list_(pa.int32())
_SCORES = pa.list_(pa.int16())
_SMALL = pa.list_(pa.int8())

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
            "tags",
            pa.list_(pa.string()),
            "tags in the order of the file, without repeats",
            nullable=True,
        ),
        Column("genre", pa.string(), "genre", nullable=True),
        Column("year", pa.int16(), "year of release", _YEAR.low, _YEAR.high, nullable=True),
        Column("spotify_preview_url", pa.string(), "link to a preview", nullable=True),
        Column("spotify_id", pa.string(), "id at Spotify", nullable=True),
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
    rows="listener with a play of a catalogue track",
    key=("user_key",),
    ascending=("user_id",),
    columns=(
        Column("user_key", pa.int32(), "position among the listeners", 0),
        Column("user_id", pa.string(), "the id, byte for byte"),
        Column("tracks_played", pa.int32(), "tracks of the catalogue played", 1),
        Column("plays", pa.int64(), "plays of them in all", 1),
    ),
)

INTERACTIONS = Contract(
    rows="listener and track",
    key=("user_key", "played_key"),
    columns=(
        Column("user_key", pa.int32(), "the listener", 0),
        Column("played_key", pa.int32(), "the track", 0),
        Column("plays", pa.int32(), "plays of the track by the listener", 1, _INT32),
    ),
)

REJECTED_ROWS = Contract(
    rows="input row that was set aside",
    key=("file", "record"),
    columns=(
        Column("file", pa.string(), "name of the file, its path where names repeat"),
        Column("record", pa.int64(), "position in the file; the header of a CSV is record 1", 1),
        Column("reason", pa.string(), "why, see [dataset.md](dataset.md#rows-that-are-set-aside)"),
        Column("raw", pa.string(), r"the row as it stands, undecodable bytes as `\xNN`"),
    ),
)

DATA_QUALITY = Contract(
    rows="check of the input",
    key=("check_name",),
    is_sorted=False,
    columns=(
        Column("check_name", pa.string(), "name of the check"),
        Column("severity", pa.string(), "what its failing does", one_of=("warn", "stop")),
        Column("status", pa.string(), "how it came out", one_of=("passed", "failed", "skipped")),
        Column("observed", pa.float64(), "what was measured", 0, nullable=True),
        Column("expected", pa.string(), "what passes, readable"),
        Column("details", pa.string(), "what was found, readable"),
    ),
)

HELD_OUT = Contract(
    rows="listener kept out of the model, to measure it on",
    key=("user_key",),
    columns=(Column("user_key", pa.int32(), "the listener", 0),),
)


def _edges(space: str, weight: str, low: float) -> Contract:
    """Return the contract of a neighbour table: source speaks for target by weight."""
    return Contract(
        rows="pair of tracks",
        key=("source", "target"),
        apart=("source", "target"),
        columns=(
            Column("source", pa.int32(), f"{space} of the track in the history", 0),
            Column("target", pa.int32(), f"{space} of the track it speaks for", 0),
            Column(
                "weight",
                pa.int16(),
                f"{weight}, in units of 1/{WEIGHT_SCALE}",
                low,
                WEIGHT_SCALE,
                never=0 if low < 0 else None,
            ),
        ),
    )


WEIGHTS = _edges("`played_key`", "learned weight, the largest being 1", -WEIGHT_SCALE)
SIMILARITY = _edges("`played_key`", "cosine similarity", 1)
CONTENT = _edges("`track_key`", "similarity beyond what is common around the target", 1)

FEATURE_WEIGHTS = Contract(
    rows="content feature",
    key=("feature",),
    is_sorted=False,
    columns=(
        Column("feature", pa.string(), "tags, artist or a column of the catalogue"),
        Column("weight", pa.float64(), "its share in the similarity", 0, 1),
    ),
)

EMBEDDING = Contract(
    rows="track of the catalogue",
    key=("track_key",),
    columns=(
        Column("track_key", pa.int32(), "the track", 0),
        Column("vector", pa.list_(pa.float32()), "what it is like; equally long for all"),
        Column("artist", pa.int32(), "its artist; -1: unknown", -1),
        Column(
            "observed",
            pa.list_(pa.float32()),
            "the part of the vector that is not learned",
            optional=True,
        ),
    ),
)

EVALUATION = Contract(
    rows="model, segment and metric",
    key=("model", "segment", "metric", "k"),
    is_sorted=False,
    columns=(
        Column("model", pa.string(), "what made the lists"),
        Column("segment", pa.string(), "whose lists, see [evaluation.md](evaluation.md)"),
        Column("metric", pa.string(), "what was measured"),
        Column("k", pa.int32(), "rows of a list that count", 1),
        Column("value", pa.float64(), "the mean over the listeners"),
        Column("ci_low", pa.float64(), "lower end of its interval", nullable=True),
        Column("ci_high", pa.float64(), "upper end of its interval", nullable=True),
        Column("users", pa.int64(), "listeners it was measured on", 1),
    ),
)

SEGMENT_CURVE = Contract(
    rows="segment and blend tried",
    key=("segment", "weight", "popularity", "metric"),
    is_sorted=False,
    columns=(
        Column("segment", pa.string(), "history length"),
        Column("weight", pa.float64(), "collaborative share tried", 0, 1),
        Column("popularity", pa.float64(), "strength of the popularity prior tried", 0),
        Column("metric", pa.string(), "what was measured"),
        Column("value", pa.float64(), "the mean over the listeners", 0, 1),
        Column("ci_low", pa.float64(), "lower end of its interval", 0, 1),
        Column("ci_high", pa.float64(), "upper end of its interval", 0, 1),
    ),
)

SEGMENTS = Contract(
    rows="history-length segment",
    key=("min_tracks",),
    columns=(
        Column("segment", pa.string(), "its name"),
        Column("min_tracks", pa.int32(), "fewest tracks in the history", 0),
        Column("max_tracks", pa.int32(), "most tracks; empty: no end", 0, nullable=True),
        Column("weight", pa.float64(), "collaborative share that measured best", 0, 1),
        Column("popularity", pa.float64(), "strength of the popularity prior", 0),
    ),
)

LISTENERS = Contract(
    rows="held-out listener and metric",
    key=("user_id", "metric"),
    is_sorted=False,
    columns=(
        Column("user_id", pa.string(), "the id, byte for byte"),
        Column("metric", pa.string(), "what was measured"),
        Column("value", pa.float64(), "what the hybrid reached", 0, 1),
    ),
)

VALUES = Contract(
    rows="list that was measured",
    key=("model", "segment", "listener"),
    columns=(
        Column("listener", pa.int32(), "position among the held-out listeners", 0),
        Column("segment", pa.int8(), "segment the history was cut to; -1: as it is", -1),
        Column("model", pa.int8(), "position among the models", 0),
    ),
    further=(Further(pa.float64(), "each metric; NaN: not measured", finite=False),),
)

CATALOGUE = Contract(
    rows="track of the catalogue",
    key=("track_key",),
    columns=(
        Column("track_key", pa.int32(), "the track", 0),
        Column("popularity", pa.float64(), "pop(j) of [scoring.md](scoring.md)", 0, 1),
        Column("listener_rank", pa.int32(), "0: the most listened; ties by key", 0),
    ),
)

_LIST = (
    Column("tracks", _KEYS, "track keys in rank order", 0),
    Column("collaborative", _SCORES, f"c', in units of 1/{TICKS}", 0, TICKS),
    Column("content", _SCORES, f"d, in units of 1/{TICKS}", 0, TICKS),
    Column("repeats", _SMALL, "exponent of the artist factor", 0),
    Column("source", _SMALL, f"which signals: {', '.join(SOURCES)}", 0, len(SOURCES) - 1),
)
_RANKED = tuple(column.name for column in _LIST)

LISTENER_LISTS = Contract(
    rows="listener, in the order of `users`",
    key=("user_id",),
    columns=(
        Column("user_id", pa.string(), "the id, byte for byte"),
        Column("segment", pa.string(), "history-length segment"),
        Column("total_plays", pa.int64(), "plays in all", 1),
        Column("history", _KEYS, "track keys, ascending", 0),
        Column("history_plays", _KEYS, "plays of each", 1),
        *_LIST,
        Column("because", _SCORES, "position in the history of the best reason; -1: none", -1),
    ),
    parallel=(("history", "history_plays"), (*_RANKED, "because")),
    in_parts=True,
)

SIMILAR_LISTS = Contract(
    rows="track of the catalogue",
    key=("track_key",),
    columns=(Column("track_key", pa.int32(), "the track", 0), *_LIST),
    parallel=(_RANKED,),
    in_parts=True,
)

CONTRACTS: dict[str, dict[str, Contract]] = {
    "ingest": {
        "tracks": TRACKS,
        "users": USERS,
        "interactions": INTERACTIONS,
        "rejected_rows": REJECTED_ROWS,
        "data_quality": DATA_QUALITY,
    },
    "holdout": {"held_out": HELD_OUT},
    "collaborative": {"weights": WEIGHTS, "similarity": SIMILARITY},
    "content": {
        "content": CONTENT,
        "feature_weights": FEATURE_WEIGHTS,
        "embedding": EMBEDDING,
    },
    "evaluation": {
        "evaluation": EVALUATION,
        "segment_curve": SEGMENT_CURVE,
        "segments": SEGMENTS,
        "listeners": LISTENERS,
        "values": VALUES,
    },
    "lists": {
        "catalogue": CATALOGUE,
        "weights": _edges("`track_key`", "learned weight, the largest being 1", -WEIGHT_SCALE),
        "similarity": _edges("`track_key`", "cosine similarity", 1),
        "listeners": LISTENER_LISTS,
        "similar": SIMILAR_LISTS,
    },
    "exposures": {"rows": feedback.EXPOSURES, "rejected_rows": REJECTED_ROWS},
    "events": {"rows": feedback.EVENTS, "rejected_rows": REJECTED_ROWS},
    "experiments": {
        "experiment_results": feedback.EXPERIMENT_RESULTS,
        "measured_weights": feedback.MEASURED_WEIGHTS,
        "click_rates": feedback.CLICK_RATES,
        "position_bias": feedback.POSITION_BIAS,
        "rejected_rows": REJECTED_ROWS,
        "data_quality": DATA_QUALITY,
    },
}


def contract_of(stage: str, dataset: str) -> Contract:
    """Return the contract of a dataset; raises RunError where none is declared."""
    try:
        return CONTRACTS[stage][dataset]
    except KeyError:
        raise RunError(
            f"the stage {stage} writes {dataset}, for which no contract is declared; declare it in "
            "tasks/contracts/lake.py"
        ) from None
