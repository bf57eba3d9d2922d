"""Read the measured model of a release from the lake, as `measured_stage` wrote it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.model import track_of_played
from tasks.blend.parameters import HybridParameters, Segment
from tasks.evaluation.choice import Choice
from tasks.holdout.rule import HoldoutRule
from tasks.lake.contracts.stages.measured import STAGE
from tasks.lake.record import StageResult, read_record
from tasks.release.kept import model_digest
from warehouse.releases.manifest import KeptModel


def find_measured(lake: Path, kept: KeptModel) -> StageResult | None:
    """Return a measured model if it is in the lake as its manifest says, else None."""
    try:
        result = read_record(lake / STAGE.stage / kept.key)
    except (OSError, ValueError):
        return None
    is_whole = all(dataset.is_whole() for dataset in result.datasets.values())
    return result if is_whole and model_digest(result) == kept.digest else None


@dataclass(frozen=True)
class MeasuredModel:
    """A measured model as read from the lake; edges are in its own track keys."""

    track_ids: pa.Array
    """In byte order; the position is the track key."""
    listeners: NDArray[np.int32]
    artist_key: NDArray[np.int32]
    weights: pa.Table
    """EDGES in played keys."""
    content: pa.Table
    """EDGES in track keys."""
    track_of_played: NDArray[np.int32]
    choices: tuple[Choice, Choice, Choice]
    """Chosen on either half of the held-out listeners, and on all of them."""
    hybrid: HybridParameters
    rule: HoldoutRule


def read_measured(result: StageResult) -> MeasuredModel:
    """Read what `measured_stage` wrote."""
    tracks, blend = result["tracks"].read(), result["blend"].read().to_pylist()
    of_half: dict[int, list[Segment]] = {0: [], 1: [], 2: []}
    for row in blend:
        segment = {name: row[name] for name in Segment.model_fields}
        of_half[row["half"]].append(Segment.model_validate(segment))
    gamma = {row["half"]: row["gamma"] for row in blend}
    first, second, both = (Choice(tuple(of_half[half]), gamma[half]) for half in (0, 1, 2))
    keys = pa.array(np.arange(len(tracks), dtype=np.int32))
    return MeasuredModel(
        tracks["track_id"].combine_chunks(),
        tracks["listeners"].to_numpy(),
        tracks["artist_key"].to_numpy(),
        result["weights"].read(),
        result["content"].read(),
        track_of_played(tracks.append_column("track_key", keys)),
        (first, second, both),
        HybridParameters(
            segments=both.segments,
            gamma=both.gamma,
            artist_factor=blend[0]["artist_factor"],
            popular_candidates=blend[0]["popular_candidates"],
        ),
        HoldoutRule(seed=int(result.counts["seed"]), share=float(result.counts["share"])),
    )
