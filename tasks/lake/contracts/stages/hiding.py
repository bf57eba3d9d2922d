"""The datasets of the hiding stage: a world in which some played tracks were never played."""

from tasks.lake.contracts.contract import StageContract
from tasks.lake.contracts.stages.ingest import INTERACTIONS, TRACKS

STAGE = StageContract(
    "hiding",
    {
        "tracks": TRACKS,
        "interactions": INTERACTIONS,
    },
)
