"""Whose lists stay: compared with a dictionary of everything that a listener did."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.blend.earlier import KEY
from tasks.lake.record import StageResult
from tasks.refresh.unchanged import unchanged_listeners
from tests.tasks.refresh.test_frozen import result_of

TRACKS = 4


class Listen(NamedTuple):
    plays: int
    first_at: int | None
    last_at: int | None


History = dict[int, Listen]
"""By track key."""

times = st.none() | st.integers(0, 2)
listens = st.builds(Listen, st.integers(1, 2), times, times)
histories = st.dictionaries(st.integers(0, TRACKS - 1), listens, max_size=3)
worlds = st.dictionaries(st.sampled_from("abcdef"), histories, min_size=1)
touched = st.sets(st.integers(0, TRACKS - 1), max_size=1)
dislikes = st.sets(st.sampled_from("abcdef"), max_size=2)


def ingested(folder: Path, world: dict[str, History], disliking: set[str]) -> StageResult:
    """Write what ingest makes of such a world: keys by id, played keys of the played tracks."""
    users = sorted({*world, *disliking})
    played = sorted({track for history in world.values() for track in history})
    rows = [
        (key, played.index(track), *history[track])
        for key, user in enumerate(users)
        for history in [world.get(user, {})]
        for track in sorted(history)
    ]
    names = ("user_key", "played_key", "plays", "first_at", "last_at")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    types = (pa.int32(), pa.int32(), pa.int32(), pa.uint32(), pa.uint32())
    return result_of(
        folder,
        "ingest",
        tracks=pa.table(
            {
                "track_key": np.arange(TRACKS, dtype=np.int32),
                "played_key": pa.array(
                    [played.index(x) if x in played else None for x in range(TRACKS)], pa.int32()
                ),
            }
        ),
        users=pa.table({"user_id": pa.array(users, pa.string())}),
        interactions=pa.table(
            {n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)}
        ),
        dislikes=pa.table(
            {"user_key": pa.array([users.index(one) for one in sorted(disliking)], pa.int32())}
        ),
    )


@given(worlds, worlds, dislikes, dislikes, touched, st.integers(1, 3))
@settings(max_examples=150)
def test_only_those_who_did_the_same_are_unchanged(
    before: dict[str, History],
    now: dict[str, History],
    hated: set[str],
    hating: set[str],
    others: set[int],
    longest: int,
) -> None:
    with TemporaryDirectory() as name:
        found = unchanged_listeners(
            ingested(Path(name) / "before", before, hated),
            ingested(Path(name) / "now", now, hating),
            np.arange(TRACKS, dtype=np.int32),
            np.isin(np.arange(TRACKS), list(others)),
            longest,
        )[KEY].to_pylist()
    earlier, today = sorted({*before, *hated}), sorted({*now, *hating})
    assert found == [
        earlier.index(user)
        if user in before
        and before[user] == now.get(user, {})
        and user not in hated | hating
        and not others & set(before[user])
        and len(before[user]) <= longest
        else -1
        for user in today
    ]
