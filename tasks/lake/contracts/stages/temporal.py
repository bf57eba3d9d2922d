"""The datasets of the temporal stage."""

from tasks.lake.contracts.contract import StageContract
from tasks.lake.contracts.quality import DATA_QUALITY
from tasks.lake.contracts.stages.evaluation import EVALUATION

STAGE = StageContract("temporal", {"evaluation": EVALUATION, "data_quality": DATA_QUALITY})
