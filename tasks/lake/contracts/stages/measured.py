"""The datasets of the measured model that a release keeps."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.contracts.stages.collaborative import WEIGHTS
from tasks.lake.contracts.stages.content import CONTENT
from tasks.lake.contracts.stages.evaluation import CHOICES

TRACKS = Contract(
    rows="track of the catalogue, in the order of `track_key`",
    key=("track_id",),
    columns=(
        Column("track_id", pa.string(), "the id, byte for byte"),
        Column("listeners", pa.int32(), "listeners, held-out ones left out", 0),
        Column("artist_key", pa.int32(), "its artist; -1: unknown", -1),
        Column("played_key", pa.int32(), "its number in `weights`", 0, nullable=True),
    ),
)

BLEND = Contract(
    rows=CHOICES.rows,
    key=CHOICES.key,
    columns=(
        *CHOICES.columns,
        Column("artist_factor", pa.float64(), "δ", 0, 1),
        Column("popular_candidates", pa.int32(), "popular tracks in every list with a prior", 1),
    ),
)

STAGE = StageContract(
    "measured",
    {"tracks": TRACKS, "blend": BLEND, "weights": WEIGHTS, "content": CONTENT},
)
