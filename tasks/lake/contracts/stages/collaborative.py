"""The datasets of the collaborative stage."""

from tasks.lake.contracts.contract import StageContract
from tasks.lake.contracts.edges import edges_contract
from warehouse.contract.constants import WEIGHT_SCALE

WEIGHTS = edges_contract("`played_key`", "learned weight, the largest being 1", -WEIGHT_SCALE)

SIMILARITY = edges_contract("`played_key`", "cosine similarity", 1)

STAGE = StageContract(
    "collaborative",
    {"weights": WEIGHTS, "similarity": SIMILARITY},
)
