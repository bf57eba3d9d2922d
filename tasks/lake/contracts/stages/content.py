"""The datasets of the content stage."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.contracts.edges import edges_contract

CONTENT = edges_contract("`track_key`", "similarity beyond what is common around the target", 1)

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

PROJECTION = Contract(
    rows="array of the fitted model",
    key=("name",),
    is_sorted=False,
    columns=(
        Column("name", pa.string(), "its name in tasks/content/projection.py"),
        Column("shape", pa.list_(pa.int32()), "its dimensions; none for a single number", 0),
        Column("values", pa.list_(pa.float64()), "its values, row after row"),
    ),
)

STAGE = StageContract(
    "content",
    {
        "content": CONTENT,
        "feature_weights": FEATURE_WEIGHTS,
        "embedding": EMBEDDING,
        "projection": PROJECTION,
    },
)
