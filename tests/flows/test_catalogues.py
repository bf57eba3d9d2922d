"""Catalogues that are not the Kaggle pair, from their TOML to a release that answers."""

import random
from pathlib import Path

import duckdb
import pytest

from tests.conftest import CommandLine

MOVIES = Path(__file__).parents[3] / "shared" / "data" / "ml-1m"

IDS_TOML = """\
[tracks]
path = "tracks.csv"
id = "id"
[plays]
path = "plays.csv"
user = "who"
track = "what"
at = "when"
dislikes = "no"
"""

BEGIN, DAY = 1_700_006_400, 86_400
"""Midnight of the first day of its plays, in seconds since 1970."""

MOVIES_TOML = """\
[tracks]
path = "{folder}/movies.csv"
id = "movie_id"
title = "title"
tags = {{ column = "genres", separator = "|" }}
numeric = ["year"]
[plays]
path = "{folder}/views.csv"
user = "viewer_id"
track = "movie_id"
"""


def run(folder: Path, environment: dict[str, str], toml: str) -> duckdb.DuckDBPyConnection:
    """Publish the dataset and return a connection to the release."""
    (folder / "dataset.toml").write_text(toml)
    crossfade = CommandLine(folder, {**environment, "CROSSFADE_HOME": str(folder / "home")})
    done = crossfade("run", "--dataset", folder / "dataset.toml", timeout=900)
    assert done.returncode == 0, done.stderr
    return duckdb.connect(str(folder / "home" / "warehouse" / "current.duckdb"), read_only=True)


def test_a_catalogue_of_nothing_but_ids(prefect_server: dict[str, str], tmp_path: Path) -> None:
    """Two circles of listeners, tracks 0 to 39 and 40 to 79; tracks 80 to 89 nobody plays.

    The first listener dislikes a track that it has played, ten others and one that nobody plays.
    Plays are spread over 100 days, but for t07, which nobody plays before the last ten, and a track
    that u002 plays again and again on the last.
    """
    drawn = random.Random(0)
    plays = [
        (f"u{user:03}", f"t{track + 40 * (user % 2):02}")
        for user in range(200)
        for track in drawn.sample(range(40), 8)
    ]
    (tmp_path / "tracks.csv").write_text("id\n" + "".join(f"t{x:02}\n" for x in range(90)))
    own = {what for who, what in plays if who == "u000"}
    others = [track for x in range(40) if (track := f"t{x:02}") not in own]
    disliked = {min(own), *others[::3][:10], "t85"}
    own -= disliked
    day = {what: 90 if what == "t07" else 0 for _, what in plays}
    rows = [f"{who},{what},false,{BEGIN + drawn.randrange(day[what], 100) * DAY}\n"
            for who, what in plays]  # fmt: skip
    rows += [f"u000,{what},true,\n" for what in sorted(disliked)]
    rows += [f"shy,t{x:02},true,\n" for x in range(0, 90, 2)]
    favourite = max(what for who, what in plays if who == "u002")
    rows += [f"u002,{favourite},false,{BEGIN + 99 * DAY + x}\n" for x in range(5)]
    (tmp_path / "plays.csv").write_text("who,what,no,when\n" + "".join(rows))
    with run(tmp_path, prefect_server, IDS_TOML) as release:
        sources = release.sql("SELECT DISTINCT source FROM user_recommendations ORDER BY 1")
        assert "hybrid" not in {name for (name,) in sources.fetchall()}
        scored = release.sql("SELECT count(*) FROM user_recommendations WHERE content_score <> 0")
        assert scored.fetchall() == [(0,)]
        listened = "SELECT track_id FROM listens WHERE user_id = 'u000'"
        assert {track for (track,) in release.sql(listened).fetchall()} == own
        refused = release.sql("SELECT track_id FROM dislikes WHERE user_id = 'u000'").fetchall()
        assert {track for (track,) in refused} == disliked
        for listener, theirs in (
            ("u000", disliked),
            ("shy", {f"t{x:02}" for x in range(0, 90, 2)}),
        ):
            for stored in ("user_recommendations WHERE user_id = $id", "recommend_user($id)"):
                query = f"SELECT track_id FROM {stored}"
                found = release.execute(query, {"id": listener}).fetchall()
                assert len(found) == 20
                assert not theirs & {track for (track,) in found}
        for call in (
            "recommend_user('u000')",
            f"recommend_tracks({sorted(own)}, exclude := {sorted(disliked)})",
        ):
            found = release.sql(f"SELECT track_id, source FROM {call} WHERE rank <= 10").fetchall()
            assert {source for _, source in found} == {"collaborative"}
            assert all(track < "t40" for track, _ in found)
            assert not own & {track for track, _ in found}
        near = release.sql("SELECT track_id FROM similar_to('t50', k := 5)").fetchall()
        assert all("t40" <= track < "t80" for (track,) in near)
        for macro in ("user_candidates('u000')", "track_candidates('t50')"):
            ids = release.sql(f"SELECT track_id FROM {macro}").fetchall()
            gone = len(own) + len(disliked) if "user" in macro else 1
            assert len({*ids}) == len(ids) == 90 - gone
        assert len(release.sql("FROM recommend_user('nobody')").fetchall()) == 20
        assert release.sql("FROM similar_to('t85', k := 5)").fetchall()
        assert release.sql("FROM explain('t50', 't51')").fetchall()
        release.sql("FROM search_tracks('t50')").fetchall()
        assert release.sql("FROM feature_weights").fetchall() == []
        repeated = release.sql("SELECT track_id, plays FROM on_repeat('u002')").fetchall()
        assert repeated == [(favourite, 6)]
        rising = release.sql("SELECT track_id, usual_listeners FROM trending('all')").fetchall()
        assert rising == [("t07", 0.0)]
        stranger = next(
            f"u{user:03}" for user in range(4, 200, 2) if (f"u{user:03}", "t07") not in plays
        )
        new = release.sql(f"SELECT track_id FROM new_for_user('{stranger}')").fetchall()
        assert new == [("t07",)]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not MOVIES.is_dir(), reason=f"{MOVIES} is not there")
def test_movies_from_a_toml_of_ten_lines(prefect_server: dict[str, str], tmp_path: Path) -> None:
    toml = MOVIES_TOML.format(folder=MOVIES)
    with run(tmp_path, prefect_server, toml) as release:

        def near(title: str, k: int) -> list[str]:
            rows = release.execute(
                "SELECT s.name FROM tracks t, similar_tracks n JOIN tracks s "
                "ON s.track_id = n.similar_track_id "
                "WHERE t.name = ? AND n.track_id = t.track_id AND n.rank <= ? ORDER BY n.rank",
                [title, k],
            ).fetchall()
            return [name for (name,) in rows]

        star_wars = [
            "Star Wars: Episode IV - A New Hope (1977)",
            "Star Wars: Episode V - The Empire Strikes Back (1980)",
            "Star Wars: Episode VI - Return of the Jedi (1983)",
        ]
        for episode in star_wars:
            assert {*star_wars} - {episode} <= {*near(episode, 3)}
        assert "Toy Story 2 (1999)" in near("Toy Story (1995)", 5)
        assert near("Godfather, The (1972)", 1) == ["Godfather: Part II, The (1974)"]
        values = dict(
            release.sql(
                "SELECT model, value FROM evaluation "
                "WHERE segment = 'all' AND metric = 'ndcg' AND k = 100"
            ).fetchall()
        )
        singles = ("popularity", "cosine", "collaborative", "content")
        assert values["hybrid"] >= max(values[model] for model in singles) - 0.005
        assert values["collaborative"] > values["cosine"] > values["popularity"]
