"""Compile the kernels once, at installation, so that no run pays for it: `python -m flows.warm_up`.

Runs every stage on a tiny sample inside this process. The compiled code goes to NUMBA_CACHE_DIR.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from distributed import Client

from flows.compiled import note_prepared
from tasks.blend.parameters import HybridParameters
from tasks.blend.stage import lists_stage
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.stage import evaluation_stage
from tasks.holdout.stage import holdout_stage
from tasks.ingest.stage import ingest_stage
from tasks.lake.plays import played_tracks
from tasks.music.tables import music_tables
from tasks.sample import SampleParameters, generate_sample

TINY = SampleParameters(preset="small", scale=0.05, catalogue=0.1)


def warm_up(folder: Path) -> None:
    """Run the stages on a tiny sample in ``folder``."""
    sample = generate_sample(folder / "sample", TINY)
    spec, lake = DatasetSpec.kaggle(sample.tracks_path, sample.plays_path), folder / "lake"
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as client:
        ingested = ingest_stage(lake, spec)
        measuring = EvaluationParameters()
        held_out = holdout_stage(lake, ingested["users"], measuring)
        if held_out is None:
            raise RuntimeError("the sample is too small to hold anybody out")
        played = played_tracks(ingested)
        by_plays = collaborative_stage(
            lake, client, ingested["interactions"], played, held_out, CollaborativeParameters()
        )
        by_content = content_stage(
            lake,
            client,
            ingested["tracks"],
            ingested["interactions"],
            held_out,
            spec.tracks.numeric,
            spec.tracks.categorical,
            ContentParameters(),
        )
        hybrid = HybridParameters()
        evaluation_stage(lake, client, ingested, held_out, by_plays, by_content, hybrid, measuring)
        lists = lists_stage(lake, client, ingested, by_plays, by_content, hybrid)
        files = {
            **{name: ingested[name].path for name in ("tracks", "interactions")},
            **{name: by_content[name].path for name in ("content", "embedding")},
            "similarity": lists["similarity"].path,
        }
        music_tables(files, hybrid.gamma, memory_limit="1GB", threads=1)


if __name__ == "__main__":
    with TemporaryDirectory(prefix="crossfade-") as scratch:
        warm_up(Path(scratch))
    note_prepared(Path(os.environ["NUMBA_CACHE_DIR"]))
