"""Neighbour tables: having ``source`` in the history speaks for ``target`` by ``weight``."""

import pyarrow as pa

from tasks.lake.contracts.contract import Column, Contract
from warehouse.contract.constants import WEIGHT_SCALE


def edges_contract(space: str, weight: str, low: float) -> Contract:
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


EDGES = edges_contract("key", "weight", -WEIGHT_SCALE).schema
"""The Arrow schema of every neighbour table.

Weights are whole numbers (`WEIGHT_SCALE`), so that sums are exact in any order. Sorted by source,
target; no pair twice, none with itself, no zero weights.
"""
