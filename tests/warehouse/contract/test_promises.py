"""Every promise of the lists, over generated worlds, ids and arguments."""

import tempfile
from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.blend.parameters import DEFAULT_SEGMENTS, HybridParameters
from tests.warehouse.promises import Asked, Release, assert_listener, assert_track
from tests.warehouse.worlds import build_world

SHARES = st.floats(0, 1, allow_subnormal=False)
IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
PARAMETERS = st.builds(
    HybridParameters,
    segments=st.tuples(
        *(
            st.builds(
                lambda w, p, segment=segment: segment.model_copy(
                    update={"weight": w, "popularity": p if segment.min_tracks else 0.0}
                ),
                SHARES,
                st.sampled_from([0.0, 0.1, 2.0]),
            )
            for segment in DEFAULT_SEGMENTS
        )
    ),
    gamma=SHARES,
    artist_factor=SHARES,
    popular_candidates=st.integers(1, 40),
)
WEIGHTS = st.one_of(
    st.none(), st.sampled_from([0.0, 1.0, -0.5, 1e9]), st.floats(0, 1, allow_subnormal=False)
)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 45),
    users=st.integers(1, 5),
    ids=st.lists(IDS, max_size=5, unique=True),
    parameters=PARAMETERS,
    disliked=st.sampled_from([0.0, 0.3, 1.0]),
    data=st.data(),
)
def test_lists_keep_their_promises(
    seed: int,
    n: int,
    users: int,
    ids: list[str],
    parameters: HybridParameters,
    disliked: float,
    data: st.DataObject,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = build_world(Path(folder), seed, n, users, ids, parameters, disliked)
        with duckdb.connect(str(world.database), read_only=True) as connection:
            release = Release.of(connection)
            arguments = st.builds(
                Asked,
                WEIGHTS,
                st.lists(st.sampled_from([*world.track_ids, "no such track"]), max_size=6),
                st.booleans(),
                st.tuples(st.integers(-2, n + 2), st.sampled_from([None, 0, 10**12])),
            )
            assert_listener(release, world.user_ids[0], Asked())
            for user_id in (world.user_ids[-1], data.draw(IDS)):
                assert_listener(release, user_id, data.draw(arguments))
            for track_id in (data.draw(st.sampled_from(world.track_ids)), data.draw(IDS)):
                assert_track(release, track_id, data.draw(arguments))
