"""The flow of an ingest check: has the input changed, and if so, can it be used?"""

from prefect import flow
from pydantic import BaseModel, ConfigDict

from flows import steps
from flows.artifacts.quality import show_data_quality
from flows.lines import counted, in_short
from flows.parameters import DatasetFile, HomeFolder, Plays, Tracks
from flows.runs import concluded, rename, starting_name, working_in
from flows.settings import Settings, load_settings
from tasks.release.candidate import quality_with_drift
from warehouse.releases.home import Home


class Checked(BaseModel):
    """What an ingest check found."""

    model_config = ConfigDict(frozen=True)

    changed: bool
    """False: these bytes were read before, and nothing was done."""
    plays: int
    failed_checks: int


@flow(
    name="crossfade-check",
    flow_run_name=starting_name,
    validate_parameters=True,
    persist_result=False,
)
def check(
    tracks: Tracks = None,
    plays: Plays = None,
    dataset: DatasetFile = None,
    home: HomeFolder = None,
) -> Checked:
    """Read the input if it has changed, so that a bad file is known before the next full run.

    What was read stays in the lake, and the full run does not read it again. Nothing is
    published. A parameter that is not given is taken from the environment, then crossfade.toml.
    """
    return concluded(
        lambda: _checked(load_settings(tracks=tracks, plays=plays, dataset=dataset, home=home))
    )


def _checked(settings: Settings) -> tuple[Checked, str]:
    home, spec = Home(settings.home.resolve()), settings.spec()
    with working_in(home, "check", settings.wait_seconds):
        ingested = steps.ingest(home.lake, spec, settings.ingest, settings.memory_limit)
    plays = int(ingested.counts["play_records"])
    if ingested.reused:
        rename(f"{in_short(plays)} plays", "unchanged")
        return Checked(changed=False, plays=plays, failed_checks=0), "nothing has changed"
    rename(f"{in_short(plays)} plays", "new")
    quality = quality_with_drift(home, ingested, settings.ingest, spec.name)
    show_data_quality(quality)
    failed = sum(status == "failed" for status in quality["status"].to_pylist())
    rejected = int(ingested.counts["rejected_rows"])
    said = [
        f"new input: {counted(plays, 'play')}",
        *([f"{counted(rejected, 'record')} set aside"] if rejected else []),
        f"{counted(failed, 'check')} failed" if failed else "all checks passed",
    ]
    return Checked(changed=True, plays=plays, failed_checks=failed), ", ".join(said)
