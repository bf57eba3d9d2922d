"""Small worlds whose plays have times: the worlds of `worlds.py` with other listens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.blend.model import track_of_played
from tasks.blend.parameters import HybridParameters
from tasks.lake.contracts.stages.ingest import interactions_schema
from tasks.release.recent import NEW_TRACKS, TRENDING
from tests.warehouse.worlds import World, build_world, release_world

EPOCH = date(1970, 1, 1)
DAY = 86_400
LAST_DAY = 19_700
"""No play of these worlds is later."""


@dataclass(frozen=True)
class Listen:
    """A listener's plays of one track; days since 1970, None: not known."""

    user: int
    track: int
    """Key in the catalogue."""
    plays: int
    first: int | None
    last: int | None


@dataclass(frozen=True)
class TimedWorld:
    """A release with times and what it was made of."""

    world: World
    listens: list[Listen]
    new_tracks: dict[str, int]
    """Age in days by id."""
    trending: list[tuple[int, float, int]]
    """Track key, score and new listeners."""


def build_timed_world(
    folder: Path,
    seed: int,
    n: int = 40,
    users: int = 10,
    ids: Sequence[str] = (),
    disliked: float = 0.0,
) -> TimedWorld:
    """Generate a world with random times and build its release file."""
    rng = np.random.default_rng(seed)
    plain = build_world(folder / "plain", seed, n, users, ids, disliked=disliked)
    listens = []
    for user, history in enumerate(plain.histories):
        # a listener's last years, months or days; the draws have many ties
        width = int(rng.choice([3, 40, 400, 4000]))
        for track in history:
            last = LAST_DAY - int(rng.integers(0, width))
            listens.append(
                Listen(
                    user, track, int(rng.integers(1, 6)), last - int(rng.integers(0, width)), last
                )
                if rng.random() > 0.1
                else Listen(user, track, int(rng.integers(1, 6)), None, None)
            )
    new = sorted(rng.permutation(n)[: n // 3].tolist(), key=lambda key: (key % 60, key))
    rising = [(key, round(float(rng.integers(1, 4)) / 4, 4), int(rng.integers(5, 8)))
              for key in sorted(rng.permutation(n)[: n // 4].tolist())]  # fmt: skip
    return rebuilt(folder, plain, listens, {plain.track_ids[key]: key % 60 for key in new}, rising)


def rebuilt(
    folder: Path,
    world: World,
    listens: list[Listen],
    new_tracks: dict[str, int],
    trending: list[tuple[int, float, int]],
) -> TimedWorld:
    """Build the release of a world once more, with these times."""
    files = {name: pq.read_table(paths[0]) for name, paths in world.given.files.items()}
    columns = [
        list(new_tracks),
        [EPOCH + timedelta(LAST_DAY - age) for age in new_tracks.values()],
        list(new_tracks.values()),
    ]
    recent = {
        "new_tracks": pa.table(
            [pa.array(c, f.type) for c, f in zip(columns, NEW_TRACKS, strict=True)],
            schema=NEW_TRACKS,
        ),
        "trending": pa.Table.from_pylist(
            [
                {"track_key": key, "score": score, "new_listeners": recent, "usual_listeners": 1.5,
                 "days": 7}
                for key, score, recent in trending
            ],
            schema=TRENDING,
        ),
    }  # fmt: skip
    again = release_world(
        folder,
        files["tracks"],
        {name: files[name] for name in ("weights", "similarity", "content")},
        world.user_ids,
        world.histories,
        HybridParameters(popular_candidates=world.given.popular_candidates),
        dislikes=world.dislikes,
        listens=as_interactions(listens, files["tracks"]),
        recent=recent,
    )
    return TimedWorld(again, listens, new_tracks, trending)


def as_interactions(listens: Sequence[Listen], tracks: pa.Table) -> pa.Table:
    """Return the listens as the lake has them, at some hour of their days."""
    schema = interactions_schema(timed=True)
    played = track_of_played(tracks)
    rows = sorted(listens, key=lambda one: (one.user, one.track))
    columns = [
        [one.user for one in rows],
        np.searchsorted(played, [one.track for one in rows]),
        [one.plays for one in rows],
        [None if one.first is None else one.first * DAY + 3_600 for one in rows],
        [None if one.last is None else one.last * DAY + 80_000 for one in rows],
        [1] * len(rows),
    ]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)
