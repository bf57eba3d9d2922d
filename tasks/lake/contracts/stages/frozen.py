"""The datasets of a refresh that its base had learned, in the keys of today's catalogue."""

from tasks.lake.contracts.contract import StageContract
from tasks.lake.contracts.stages.content import CONTENT, EMBEDDING
from tasks.lake.contracts.stages.lists import STAGE as LISTS

STAGE = StageContract(
    "frozen",
    {
        **{name: LISTS.datasets[name] for name in ("catalogue", "weights", "similarity")},
        "content": CONTENT,
        "embedding": EMBEDDING,
    },
)
