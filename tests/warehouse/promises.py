"""What a release promises of its lists, asked of any release file.

`python -m tests.warehouse.promises FILE [--listeners N] [--tracks N]` asks random listeners and
tracks of a real one.
"""

import argparse
import random
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

COLUMNS = (
    "rank, track_id, name, artist, score, collaborative_score, content_score, source, "
    "because_track_id"
)
PRECOMPUTED = "rank, track_id, score, collaborative_score, content_score, source"
SOURCES = {"hybrid", "collaborative", "content", "popular", "same_artist", "catalogue"}
WITHOUT_REASON = {"popular", "catalogue"}

Row = tuple[object, ...]


@dataclass(frozen=True)
class Asked:
    """The arguments of a question, beside who is asked for."""

    weight: float | None = None
    exclude: Sequence[str] = ()
    heard: bool = False
    ks: Sequence[int | None] = (None, 10)
    """Each is asked for in turn."""


@dataclass(frozen=True)
class Release:
    """An open release and what every question needs of it."""

    connection: duckdb.DuckDBPyConnection
    listeners: dict[str, int]
    """How many have played each track of the catalogue."""

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> "Release":
        """Read the catalogue's ids."""
        found = connection.execute("SELECT track_id, listeners FROM tracks").fetchall()
        return cls(connection, dict(found))

    @property
    def track_ids(self) -> Set[str]:
        """The ids of the catalogue."""
        return self.listeners.keys()

    def rows(self, query: str, **given: object) -> list[Row]:
        """Run a query with named parameters."""
        return self.connection.execute(query, given).fetchall()

    def history(self, user_id: str) -> list[str]:
        """Return the ids of what the listener has played; nothing for a stranger."""
        found = self.rows("SELECT track_id FROM listens WHERE user_id = $id", id=user_id)
        return [str(row[0]) for row in found]

    def dislikes(self, user_id: str) -> list[str]:
        """Return the ids of what the listener dislikes."""
        found = self.rows("SELECT track_id FROM dislikes WHERE user_id = $id", id=user_id)
        return [str(row[0]) for row in found]


def assert_listener(release: Release, user_id: str, asked: Asked) -> None:
    """Hold every macro that answers for a listener to its promises."""
    history = release.history(user_id)
    given = {"id": user_id, "w": asked.weight, "x": list(asked.exclude), "h": asked.heard}
    settings = "weight := $w, exclude := $x, heard := $h"
    whole = release.rows(f"SELECT {COLUMNS} FROM user_candidates($id, {settings})", **given)
    disliked = release.dislikes(user_id)
    left_out = {*asked.exclude, *disliked, *(() if asked.heard else history)}
    _assert_ordered(release, whole, release.track_ids - left_out, history)
    odd = [row for row in whole if release.listeners[str(row[1])] % 2]
    assert odd[:20] == release.rows(  # in order without being sorted again
        f"SELECT {COLUMNS} FROM user_candidates($id, {settings}) WHERE listeners % 2 = 1 LIMIT 20",
        **given,
    )
    if asked.weight is not None:
        clamped = {**given, "w": min(1.0, max(0.0, asked.weight))}
        assert whole == release.rows(
            f"SELECT {COLUMNS} FROM user_candidates($id, {settings})", **clamped
        )
    for k in asked.ks:
        rows = release.rows(f"FROM recommend_user($id, k := $k, {settings})", k=k, **given)
        assert rows == whole[: _rows(k, 20)]
    if not asked.heard:
        _assert_liked(release, history, whole, replace(asked, exclude=[*asked.exclude, *disliked]))
    if asked == Asked(ks=asked.ks):
        _assert_stored(release, user_id, whole)


def assert_track(release: Release, track_id: str, asked: Asked) -> None:
    """Hold every macro that answers for one track to its promises."""
    given = {"id": track_id, "w": asked.weight}
    history = [track_id] if track_id in release.track_ids else []
    whole = release.rows(f"SELECT {COLUMNS} FROM track_candidates($id, weight := $w)", **given)
    others = release.track_ids - {track_id} if history else set()
    _assert_ordered(release, whole, others, history)
    for k in asked.ks:
        rows = release.rows("FROM similar_to($id, k := $k, weight := $w)", k=k, **given)
        assert rows == whole[: _rows(k, 10)]
    some = release.rows(
        f"SELECT {COLUMNS} FROM track_candidates($id, weight := $w, exclude := $x)",
        x=list(asked.exclude),
        **given,
    )
    _assert_ordered(release, some, others - set(asked.exclude), history)
    assert some[:10] == release.rows(
        "FROM similar_to($id, weight := $w, exclude := $x)", x=list(asked.exclude), **given
    )
    if asked.weight is None:
        stored = release.rows(
            f"SELECT {PRECOMPUTED.replace('track_id', 'similar_track_id')} FROM similar_tracks "
            "WHERE track_id = $id ORDER BY rank",
            id=track_id,
        )
        assert stored == [(*row[:2], *row[4:8]) for row in whole[: len(stored)]]
        assert bool(stored) == bool(history and whole)


def _assert_liked(release: Release, history: list[str], whole: list[Row], asked: Asked) -> None:
    """Liking them gives the list of having played them; order and repeats do not count.

    What the listener dislikes is among the ids to exclude: liked tracks know nobody.
    """
    liked = [*reversed(history), *history[:1], "no such track"]
    rows = release.rows(
        "FROM recommend_tracks($liked, k := $k, weight := $w, exclude := $x)",
        liked=liked,
        k=len(whole) + 1,
        w=asked.weight,
        x=list(asked.exclude),
    )
    assert rows == whole


def _assert_stored(release: Release, user_id: str, whole: list[Row]) -> None:
    """The defaults are the precomputed list, to the last digit."""
    stored = release.rows(
        f"SELECT {PRECOMPUTED}, because_track_id FROM user_recommendations "
        "WHERE user_id = $id ORDER BY rank",
        id=user_id,
    )
    is_known = bool(release.rows("SELECT 1 FROM users WHERE user_id = $id", id=user_id))
    assert stored == [(*row[:2], *row[4:]) for row in whole[: len(stored)]]
    assert len(stored) == (min(20, len(whole)) if is_known else 0)


def _assert_ordered(
    release: Release, rows: list[Row], eligible: Set[str], history: Collection[str]
) -> None:
    """Every eligible track once, by score and then by id; what has no score stands below.

    Below, the artists of the history come first, and within both groups the most played.
    """
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    ids = [str(row[1]) for row in rows]
    assert len(set(ids)) == len(ids)
    assert set(ids) == eligible
    places: list[tuple[float, bool, int, bytes]] = []
    for row in rows:
        score, collaborative, content = (float(str(part)) for part in row[4:7])
        source, because = row[7], row[8]
        assert all(0 <= part <= 1 for part in (score, collaborative, content))
        assert source in SOURCES
        assert (because is None) == (source in WITHOUT_REASON)
        assert because is None or because in history
        if score > 0:
            places.append((-score, False, 0, str(row[1]).encode()))
        else:
            assert collaborative == content == 0
            listeners = release.listeners[str(row[1])]
            places.append((0.0, source != "same_artist", -listeners, str(row[1]).encode()))
    assert places == sorted(places)


def _rows(k: int | None, default: int) -> int:
    return default if k is None else max(0, k)


def ask_at_random(release: Release, user_ids: Sequence[str], track_ids: Sequence[str]) -> int:
    """Ask for each listener and track with arguments drawn at random; return how many."""
    draw = random.Random(0)
    everything = sorted(release.track_ids)
    for place, user_id in enumerate(["nobody", *user_ids]):
        weight = draw.choice([None, 0.0, 1.0, draw.random(), -1.0, 2.5])
        exclude = draw.sample(everything, draw.choice([0, 1, min(50, len(everything))]))
        ks = (None, 0, draw.randrange(1, 60), len(everything) + 1)
        heard = draw.random() < 0.3
        assert_listener(
            release, user_id, Asked() if place % 2 else Asked(weight, exclude, heard, ks)
        )
    for place, track_id in enumerate(["nothing", *track_ids]):
        weight = None if place % 2 else draw.random()
        assert_track(release, track_id, Asked(weight, everything[:3]))
    return len(user_ids) + len(track_ids) + 2


def main() -> None:
    """Ask a release named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--tracks", type=int, default=100)
    given = parser.parse_args()
    with duckdb.connect(str(given.file), read_only=True) as connection:
        release = Release.of(connection)
        users, tracks = (
            [
                str(row[0])
                for row in connection.execute(
                    f"SELECT {column} FROM {relation} ORDER BY md5({column}) LIMIT {limit}"
                ).fetchall()
            ]
            for column, relation, limit in (
                ("user_id", "users", given.listeners),
                ("track_id", "tracks", given.tracks),
            )
        )
        print(f"{ask_at_random(release, users, tracks)} listeners and tracks: every promise holds")


if __name__ == "__main__":
    main()
