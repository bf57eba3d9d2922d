"""Lists of artists and sequences beside their baselines.

`python -m tests.benchmarks.music_lists hetrec=FOLDER ml-latest-small=FOLDER sample=FOLDER`

FOLDER holds the files as distributed, or a sample with times (`crossfade sample --recency 0.7`).
The second half of every history of `LEAST` tracks or more is hidden: by time where plays have
times, else drawn. The release is made of the rest. Each list is asked for what is hidden, beside
popularity and cosine on the same listeners; intervals are of the paired differences.
`--artists N` prints what is similar to N artists, for a person to read.
"""

import argparse
import os
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tests.conftest import BIN, running_prefect_server
from warehouse.releases.home import Home
from warehouse.statements import text_literal

K = 20
LEAST = 8
"""Tracks of a history that is cut in two."""


@dataclass(frozen=True)
class Source:
    """The files of a data set, and how they are called."""

    plays: str
    user: str
    track: str
    count: str
    """Plays of a row, as SQL."""
    at: str
    """What plays are ordered by; they are drawn where that is NULL."""
    toml: str


KAGGLE = """
[tracks]
path = "{folder}/Music Info.csv"
id = "track_id"
title = "name"
creator = "artist"
tags = {{ column = "tags", separator = "," }}
numeric = {numeric}
"""
PLAYS = """
[plays]
path = "plays.csv"
user = "user_id"
track = "track_id"
count = "plays"
"""
AUDIO = '["year", "duration_ms", "energy", "valence", "tempo", "loudness", "acousticness"]'

SOURCES = {
    "hetrec": Source(
        "User Listening History.csv", "user_id", "track_id", "playcount", "NULL",
        KAGGLE.replace("{numeric}", "[]") + PLAYS,
    ),
    "sample": Source(
        "User Listening History.csv", "user_id", "track_id", "playcount", "played_at",
        KAGGLE.replace("{numeric}", AUDIO) + PLAYS,
    ),
    "ml-latest-small": Source(
        "ratings.csv", "userId", "movieId", "1", "timestamp",
        '[tracks]\npath = "{folder}/movies.csv"\nid = "movieId"\ntitle = "title"\n'
        'tags = {{ column = "genres", separator = "|" }}\n' + PLAYS,
    ),
}  # fmt: skip

SPLIT = """
CREATE TABLE plays AS
SELECT
    p.*, count(*) OVER (PARTITION BY p.user_id) AS tracks,
    row_number() OVER (
        PARTITION BY p.user_id
        ORDER BY p.at NULLS LAST, hash(p.track_id || ' ' || p.user_id || $seed)
    ) AS place,
    tracks >= {least} AND place > tracks // 2 AS hidden
FROM (
    SELECT
        {user}::VARCHAR AS user_id, {track}::VARCHAR AS track_id, sum(({count})::BIGINT) AS plays,
        min({at}) AS at
    FROM read_csv({path}, all_varchar = true) GROUP BY ALL
) p
"""


@dataclass(frozen=True)
class Case:
    """A listener whose history is cut in two."""

    user_id: str
    given: list[str]
    hidden: set[str]


@dataclass
class Table:
    """What each side found, one value for each case."""

    title: str
    metrics: dict[str, list[float]] = field(default_factory=dict)

    def add(self, side: str, value: float) -> None:
        """Note a value of a side; every side gets one for every case."""
        self.metrics.setdefault(side, []).append(value)

    def print(self) -> None:
        """Print means, and the first side's difference to each of the others."""
        values = np.array(list(self.metrics.values())).T
        ours = values[:, :1]
        counts = resample_counts(len(values), 2_000, 0)
        low, high = interval(resampled_means(counts, ours - values), 0.95)
        print(f"\n{self.title}, {len(values):,} cases\n")
        print("| side | value | ours − side (95 % interval) |\n|---|---|---|")
        for x, side in enumerate(self.metrics):
            difference = f"{low[x]:+.4f} … {high[x]:+.4f}" if x else ""
            print(f"| {side} | {np.nanmean(values[:, x]):.4f} | {difference} |", flush=True)


class Plays:
    """The plays that the release is made of, as popularity and cosine know them."""

    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        """``rows`` are pairs of listener and what was played: a track or an artist."""
        listeners = {name: x for x, name in enumerate(dict.fromkeys(user for user, _ in rows))}
        self.names = sorted({name for _, name in rows})
        self.key = {name: x for x, name in enumerate(self.names)}
        pairs = ([listeners[user] for user, _ in rows], [self.key[name] for _, name in rows])
        matrix = sparse.csr_array(
            (np.ones(len(rows)), pairs), shape=(len(listeners), len(self.names))
        )
        self.matrix = (matrix > 0).astype(np.float64)
        self.listeners: NDArray[np.float64] = np.asarray(self.matrix.sum(axis=0)).ravel()

    def popular(self, given: Sequence[str]) -> list[str]:
        """Return the most played that are not given."""
        return self._best(self.listeners, given)

    def cosine(self, given: Sequence[str]) -> list[str]:
        """Return those with the largest sum of cosines to what is given."""
        keys = [self.key[name] for name in given if name in self.key]
        scale = 1 / np.sqrt(np.maximum(self.listeners, 1))
        liked = np.zeros(len(self.names))
        liked[keys] = scale[keys]
        together = np.asarray(self.matrix.T @ (self.matrix @ liked))
        return self._best(together * scale, given)

    def _best(self, score: NDArray[np.float64], given: Sequence[str]) -> list[str]:
        score = score.copy()
        score[[self.key[name] for name in given if name in self.key]] = -1
        order = np.lexsort((-self.listeners, -score))[:K]
        return [self.names[x] for x in order]


def recall(found: Sequence[str], hidden: set[str]) -> float:
    """Return hits among the first K / min(K, hidden)."""
    return len(hidden & set(found[:K])) / min(K, len(hidden))


def ndcg(found: Sequence[str], hidden: set[str]) -> float:
    """Return the discounted gain of the first K beside the largest possible."""
    gain = 1 / np.log2(np.arange(2, K + 2))
    hits = np.array([name in hidden for name in found[:K]])
    return float(gain[: len(hits)][hits].sum() / gain[: min(K, len(hidden))].sum())


def split(source: Source, folder: Path, out: Path, seed: int) -> list[Case]:
    """Write what is left of the plays; return the listeners with something hidden."""
    with duckdb.connect() as con:
        con.execute(
            SPLIT.format(
                least=LEAST, user=f'"{source.user}"', track=f'"{source.track}"',
                count=source.count, at=source.at, path=text_literal(str(folder / source.plays)),
            ),
            {"seed": str(seed)},
        )  # fmt: skip
        con.execute(
            f"COPY (SELECT user_id, track_id, plays FROM plays WHERE NOT hidden ORDER BY ALL) "
            f"TO {text_literal(str(out / 'plays.csv'))}"
        )
        rows = con.execute(
            "SELECT user_id, list(track_id ORDER BY place) FILTER (NOT hidden), "
            "list(track_id) FILTER (hidden) FROM plays GROUP BY user_id "
            "HAVING bool_or(hidden) ORDER BY md5(user_id)"
        ).fetchall()
    (out / "dataset.toml").write_text(source.toml.format(folder=folder))
    return [Case(user, given, set(hidden)) for user, given, hidden in rows]


def published(out: Path, environment: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """Publish what is left and open the release."""
    command = [BIN / "crossfade", "run", "--home", out / "home", "--dataset", out / "dataset.toml"]
    subprocess.run(
        [str(word) for word in command],
        check=True,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    return duckdb.connect(str(Home(out / "home").current.resolve()), read_only=True)


class Release:
    """The release, and what the baselines need."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read plays by track and by artist."""
        self.connection = connection
        self.artists_of: dict[str, list[str]] = dict(
            connection.execute(
                "SELECT t.track_id, coalesce(list_distinct(list_transform("
                "t.artists, lambda a: lower(strip_accents(a)))), []) FROM tracks t"
            ).fetchall()
        )
        listens = connection.execute("SELECT user_id, track_id FROM listens").fetchall()
        self.tracks = Plays(listens)
        by_artist = [(user, a) for user, track in listens for a in self.artists_of[track]]
        self.artists = Plays(by_artist) if by_artist else None

    def ids(self, query: str, *given: object) -> list[str]:
        """Return the first column of a query's rows."""
        return [str(row[0]) for row in self.connection.execute(query, list(given)).fetchall()]

    def artists_in(self, tracks: Sequence[str] | set[str]) -> list[str]:
        """Return the artists of tracks, each once."""
        found = (artist for track in tracks for artist in self.artists_of.get(track, []))
        return list(dict.fromkeys(found))


def playlists(release: Release, cases: Sequence[Case]) -> Iterator[Table]:
    """Continue the first halves; the second halves are what should come."""
    sides: dict[str, Callable[[Case], list[str]]] = {
        "continue_playlist": lambda case: release.ids(
            "SELECT track_id FROM continue_playlist(?)", case.given
        ),
        "recommend_tracks": lambda case: release.ids(
            "SELECT track_id FROM recommend_tracks(?)", case.given
        ),
        "cosine": lambda case: release.tracks.cosine(case.given),
        "popularity": lambda case: release.tracks.popular(case.given),
    }
    by_recall, by_ndcg = (Table(f"Playlists, {name}@{K}") for name in ("recall", "NDCG"))
    repeats = Table("Playlists, rows that repeat an artist of the row before, of 1")
    for case in cases:
        for side, answer in sides.items():
            found = answer(case)
            by_recall.add(side, recall(found, case.hidden))
            by_ndcg.add(side, ndcg(found, case.hidden))
            repeats.add(side, repeated(release, [case.given[-1], *found]))
    yield from (by_recall, by_ndcg, repeats)


def repeated(release: Release, tracks: Sequence[str]) -> float:
    """Return the share of rows with an artist of the row before."""
    pairs = list(pairwise(tracks))
    same = [set(release.artists_of[a]) & set(release.artists_of[b]) for a, b in pairs]
    return sum(map(bool, same)) / max(1, len(pairs))


def radios(release: Release, cases: Sequence[Case]) -> Iterator[Table]:
    """Play radios from three tracks; the same tracks by score and shuffled are the baselines."""
    tables = {
        name: Table(f"Radio, 50 tracks: {title}")
        for name, title in {
            "close": "neighbouring rows with an edge of content or similarity",
            "alike": "content score of neighbouring rows",
            "repeats": "rows that repeat an artist of the row before",
            "hidden": "share of the rows that the listener plays later",
        }.items()
    }
    again = Table("Radio: rows that two seeds have in common, and artists for each row")
    for case in cases:
        seeds = case.given[-3:]
        found = release.ids("SELECT track_id FROM radio(?, 1)", seeds)
        shuffled = random.Random(0).sample(found, len(found))
        listed = release.ids("SELECT track_id FROM recommend_tracks(?, k := 50)", seeds)
        for side, tracks in (
            ("radio", found), ("its tracks shuffled", shuffled), ("recommend_tracks", listed),
        ):  # fmt: skip
            scores = adjacent(release, tracks)
            tables["close"].add(side, float(np.mean(scores.sum(axis=1) > 0)))
            tables["alike"].add(side, float(np.mean(scores[:, 1])))
            tables["repeats"].add(side, repeated(release, tracks))
            tables["hidden"].add(side, len(case.hidden & set(tracks)) / len(tracks))
        other = release.ids("SELECT track_id FROM radio(?, 2)", seeds)
        again.add("rows in common", len(set(found) & set(other)) / len(found))
        again.add("artists, radio", len(release.artists_in(found)) / len(found))
        again.add("artists, recommend_tracks", len(release.artists_in(listed)) / len(listed))
    yield from (*tables.values(), again)


def adjacent(release: Release, tracks: Sequence[str]) -> NDArray[np.float64]:
    """Return similarity and content score of each row and the next: pairs × 2."""
    found = release.connection.execute(
        """
        SELECT coalesce(max(e.similarity), 0) / 20000, coalesce(max(e.content), 0) / 20000
        FROM (SELECT unnest($ids[:-2]) AS a, unnest($ids[2:]) AS b,
              generate_subscripts($ids[2:], 1) AS place) p
        JOIN store.tracks a ON a.id = p.a JOIN store.tracks b ON b.id = p.b
        LEFT JOIN (
            SELECT s.source, s.target, s.weight AS similarity, 0 AS content FROM store.similarity s
            UNION ALL SELECT e.source, e.target, 0, e.weight FROM store.edges e WHERE e.is_content
        ) e ON e.source = least(a.track_key, b.track_key)
            AND e.target = greatest(a.track_key, b.track_key)
        GROUP BY p.place ORDER BY p.place
        """,
        {"ids": list(tracks)},
    ).fetchall()
    return np.array(found)


def artists(release: Release, cases: Sequence[Case]) -> Iterator[Table]:
    """Ask for artists that the second half has and the first has not."""
    plays = release.artists
    if plays is None:
        return
    for_listener = Table(f"recommend_artists, recall@{K} of new artists")
    for_artist = Table(f"similar_artists of one artist, recall@{K} of the listener's others")
    within = Table("artist_tracks, reciprocal rank of the track that is played later")
    for case in cases:
        known = release.artists_in(case.given)
        new = set(release.artists_in(case.hidden)) - set(known)
        if not new or not known:
            continue
        for side, found in (
            ("recommend_artists", release.ids(
                "SELECT lower(strip_accents(artist)) FROM recommend_artists(?)", case.user_id)),
            ("cosine", plays.cosine(known)), ("popularity", plays.popular(known)),
        ):  # fmt: skip
            for_listener.add(side, recall(found, new))
        one = random.Random(case.user_id).choice(known)
        name = "SELECT lower(strip_accents(artist)) FROM similar_artists(?, k := 20"
        for side, found in (
            ("similar_artists", release.ids(f"{name})", one)),
            ("content alone", release.ids(f"{name}, weight := 0)", one)),
            ("listeners alone", release.ids(f"{name}, weight := 1)", one)),
            ("cosine", plays.cosine([one])), ("popularity", plays.popular([one])),
        ):  # fmt: skip
            for_artist.add(side, recall(found, new))
        _within_artist(release, case, within)
    yield for_listener
    yield for_artist
    if within.metrics:
        yield within


def _within_artist(release: Release, case: Case, table: Table) -> None:
    """Rank the tracks of the artists of what is played later, those played before left out."""
    for track in sorted(case.hidden)[:5]:
        for artist in release.artists_of.get(track, [])[:1]:
            ranks = {
                f"artist_tracks{called}": release.ids(
                    f"SELECT track_id FROM artist_tracks(?, k := 1000, exclude := ?{asked})",
                    artist, case.given,
                )
                for called, asked in (
                    ("", ""), (", listeners alone", ", weight := 1"),
                    (", weight 0.6", ", weight := 0.6"), (", content alone", ", weight := 0"),
                )
            }  # fmt: skip
            if len(ranks["artist_tracks"]) > 1:
                for side, found in ranks.items():
                    table.add(side, 1 / (1 + found.index(track)))


def print_artists(release: Release, count: int) -> None:
    """Print what is similar to artists from the most to the less known."""
    chosen = release.connection.execute(
        "SELECT name FROM (SELECT a.*, row_number() OVER (ORDER BY listeners DESC, name) AS place "
        "FROM store.artists a) WHERE place IN (SELECT unnest(?)) ORDER BY place",
        [[int(1 + x**2.2) for x in range(count)]],
    ).fetchall()
    print("\n| artist | similar_artists | most listeners in common | cosine |\n|---|---|---|---|")
    plays = release.artists
    for (name,) in chosen:
        rows = release.ids("SELECT artist FROM similar_artists(?, k := 8)", name)
        both = release.ids(
            "SELECT artist FROM similar_artists(?, k := 80) ORDER BY shared_listeners DESC LIMIT 5",
            name,
        )
        spelled = release.ids("SELECT lower(strip_accents(?))", name)
        cosine = plays.cosine(spelled)[:5] if plays else []
        print(f"| {name} | {', '.join(rows)} | {', '.join(both)} | {', '.join(cosine)} |")


def main() -> None:
    """Print the tables of each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--artists", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the homes; used again if there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossfade-") as scratch:
        folder = given.keep or Path(scratch)
        with running_prefect_server(Path(scratch) / "prefect") as server:
            for named in given.datasets:
                name, _, source = named.partition("=")
                out = folder / name
                out.mkdir(parents=True, exist_ok=True)
                cases = split(SOURCES[name], Path(source).resolve(), out, given.seed)
                release = Release(published(out, server))
                print(f"\n## {name}")
                for part in (playlists, radios, artists):
                    for table in part(release, cases[: given.cases]):
                        table.print()
                if given.artists:
                    print_artists(release, given.artists)


if __name__ == "__main__":
    main()
