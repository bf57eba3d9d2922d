"""The flow of a backtest: every model and blend measured on one dataset, nothing published."""

import json
from pathlib import Path
from typing import Annotated, cast

import pyarrow as pa
from distributed import Client
from prefect import flow
from pydantic import Field

from flows import steps
from flows.artifacts.backtest import backtest_markdown
from flows.artifacts.page import show
from flows.cluster import cluster_of
from flows.interrupts import on_stop
from flows.lines import plays_in_short
from flows.parameters import DaskAddress, DatasetFile, Holdout, HomeFolder, Plays, Tracks
from flows.progress import under_way
from flows.runs import concluded, rename, starting_name, working_in
from flows.settings import Settings, load_settings
from tasks.backtest.stage import backtest as measure
from tasks.release.stage import rule_of_current
from warehouse.releases.home import Home
from warehouse.spreadsheets import csv_bytes

STEM = "backtest"


@flow(
    name="crossfade-backtest",
    flow_run_name=starting_name,
    validate_parameters=True,
    persist_result=False,
)
def backtest(
    tracks: Tracks = None,
    plays: Plays = None,
    dataset: DatasetFile = None,
    holdout: Holdout = None,
    dask: DaskAddress = None,
    home: HomeFolder = None,
    out: Annotated[str | None, Field(description="Folder for backtest.csv and .json")] = None,
) -> pa.Table:
    """Measure all models on a dataset; write backtest.csv and backtest.json into ``out``.

    A parameter that is not given is taken from the environment, then from crossfade.toml.
    """
    return concluded(
        lambda: _measured(
            load_settings(
                tracks=tracks, plays=plays, dataset=dataset, holdout=holdout, dask=dask, home=home
            ),
            None if out is None else Path(out),
        )
    )


def _measured(settings: Settings, out: Path | None) -> tuple[pa.Table, str]:
    home, spec = Home(settings.home.resolve()), settings.spec()
    cluster = cluster_of(settings)
    alone = working_in(home, "backtest", settings.wait_seconds)
    with alone, cluster, on_stop(cluster.abort):
        ingested = steps.ingest(home.lake, spec, settings.ingest, settings.memory_limit)
        plays = plays_in_short(ingested)
        rename(plays)
        table = measure(
            home.lake,
            cast(Client, cluster),
            spec,
            ingested,
            settings.collaborative,
            settings.content,
            settings.hybrid,
            settings.evaluation,
            on_stage=steps.log_counts,
            before=rule_of_current(home, spec.name),
            under_way=under_way,
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{STEM}.csv").write_bytes(csv_bytes(table))
        (out / f"{STEM}.json").write_text(json.dumps(table.to_pylist(), indent=1) + "\n")
    show("backtest", backtest_markdown(table), "Every model on held-out listeners")
    models = len(set(table["model"].to_pylist()))
    rename(plays, f"{models} models and blends")
    return table, f"{models} models and blends measured on {spec.name}; nothing was published"
