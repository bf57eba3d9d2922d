"""The flow of a backtest: every model and blend measured on one dataset, nothing published."""

import json
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.csv
from distributed import Client
from prefect import flow

from flows.cluster import Cluster
from flows.settings import Settings, worker_memory
from tasks import steps
from tasks.stages.backtest import backtest as measure
from warehouse.home import Home

STEM = "backtest"


@flow(name="crossfade-backtest", validate_parameters=False, persist_result=False)
def backtest(settings: Settings, out: Path | None) -> pa.Table:
    """Measure all models on a dataset; write backtest.csv and backtest.json into ``out``."""
    home, spec = Home(settings.home.resolve()), settings.spec()
    cluster = Cluster(settings.dask, settings.workers, worker_memory(settings.workers))
    with home.locked("run", "backtest"), cluster:
        ingested = steps.ingest(home.lake, spec, settings.ingest, settings.memory_limit)
        table = measure(
            home.lake,
            cast(Client, cluster),
            spec,
            ingested,
            settings.collaborative,
            settings.content,
            settings.hybrid,
            settings.evaluation,
            told=steps.told,
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        pa.csv.write_csv(table, out / f"{STEM}.csv")
        (out / f"{STEM}.json").write_text(json.dumps(table.to_pylist(), indent=1) + "\n")
    return table
