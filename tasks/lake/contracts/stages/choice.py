"""The datasets of the choice stage."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract, StageContract

TRIED = Contract(
    rows="setting of the learned model that was measured in a round",
    key=("round", "setting"),
    columns=(
        Column("round", pa.int8(), "round of the search, from 0", 0),
        Column("setting", pa.int32(), "position in the round; 0 is the start", 0),
        Column("is_chosen", pa.bool_(), "it is what the run uses"),
        Column("share", pa.float64(), "share of the tracks it was measured on", 0, 1),
        Column("non_negative", pa.bool_(), "the dials from here on: see [models.md](models.md)"),
        Column("neighbours", pa.int32(), "m", 1),
        Column("ridge", pa.float64(), "λ", 0),
        Column("popularity_ridge", pa.float64(), "share of the Gram entry in Λ", 0),
        Column("user_exponent", pa.float64(), "of the length of a listener's row", 0, 1),
        Column("target_exponent", pa.float64(), "of the target's listeners", 0, 1),
        Column("source_exponent", pa.float64(), "of the source's listeners", 0, 1),
        Column("marginal_share", pa.float64(), "share of the weights by cosine", 0, 1),
        Column("two_step", pa.float64(), "share of the second step", 0),
        Column("edges", pa.float64(), "size of its table, estimated", 0, nullable=True),
        Column("recall_known", pa.float64(), "recall@20, known listeners", 0, nullable=True),
        Column("ndcg_known", pa.float64(), "NDCG@100, known listeners", 0, nullable=True),
        Column("recall_new", pa.float64(), "recall@20, new listeners", 0, nullable=True),
        Column("ndcg_new", pa.float64(), "NDCG@100, new listeners", 0, nullable=True),
    ),
)

BASIS = Contract(
    rows="play drawn by its hash, to tell how much the data has changed since",
    key=("hash",),
    columns=(
        Column("hash", pa.int64(), "hash of the listener's and the track's id", 0),
        Column("asked", pa.string(), "hash of the code and the settings of the choice"),
    ),
)

STAGE = StageContract("choice", {"tried": TRIED, "basis": BASIS})
