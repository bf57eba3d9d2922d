"""docs/lake.md is what the contracts say, and the contracts are of what a run writes."""

from pathlib import Path

import pyarrow.parquet as pq

from tasks.lake.contracts.document import lake_page, stage_contracts
from tests.conftest import Published
from tests.docs.pages import DOCS

OF_REFRESHES = "frozen"
"""What only a refresh makes."""

OF_FEEDBACK = ("exposures", "events", "experiments")
"""Stages of a run with feedback; tests/tasks/feedback/test_stage.py has one."""

OF_TIMES = ("past", "temporal")
"""Stages of a run with times; tests/tasks/evaluation/test_temporal.py has one."""


def test_the_page_is_current() -> None:
    assert lake_page() == (DOCS / "lake.md").read_text(), (
        "remake it: python -m tasks.lake.contracts.document > docs/lake.md"
    )


def test_a_run_writes_every_dataset_that_is_declared_and_no_other(published: Published) -> None:
    declared = {
        (stage.stage, name): contract
        for stage in stage_contracts()
        if stage.stage not in {*OF_FEEDBACK, *OF_TIMES, OF_REFRESHES}
        for name, contract in stage.datasets.items()
    }
    lake = published.home / "lake"
    written: dict[tuple[str, str], set[str]] = {}
    for path in lake.rglob("*.parquet"):
        stage, _, *rest = path.relative_to(lake).parts
        columns = set(pq.read_schema(path).names)
        written.setdefault((stage, Path(rest[0]).stem), set()).update(columns)
    assert written.keys() == declared.keys()
    for dataset, contract in declared.items():
        named = {column.name for column in contract.columns}
        missing = named - written[dataset]
        assert missing <= {column.name for column in contract.columns if column.optional}, dataset
        assert contract.further or written[dataset] <= named, dataset
