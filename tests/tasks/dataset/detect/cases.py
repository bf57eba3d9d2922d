"""One small input for each trait of files as the world distributes them, with the truth.

A catalogue of 60 tracks and a history of 80 listeners, of which each case changes one thing.
"""

import bz2
import gzip
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.tasks.dataset.detect.shapes import Shape

_RNG = np.random.default_rng(22)
PLAYS = [
    (user, int(track), int(1 + _RNG.integers(9)))
    for user in range(80)
    for track in _RNG.choice(60, 10, replace=False)
]

CATALOGUE = {
    "tracks.path": "tracks.csv", "tracks.id": "track_id", "tracks.title": "name",
    "tracks.creator": "artist", "tracks.year": "year", "tracks.numeric": ["tempo"],
}  # fmt: skip
HISTORY = {
    "plays.user": "user_id", "plays.track": "track_id", "plays.count": "playcount",
    "plays.strength": None, "plays.where": None,
}  # fmt: skip


def tracks_lines(separator: str = ",") -> list[str]:
    """Return the lines of the catalogue."""
    lines = [separator.join(("track_id", "name", "artist", "tags", "year", "tempo"))]
    for i in range(60):
        cells = (f"T{i:03d}", f"Song {i}", f"Artist {i % 15}", f"style{i % 4}", str(1990 + i % 30))
        lines.append(separator.join((*cells, f"{80 + i * 1.37:.2f}")))
    return lines


def plays_lines(
    row: Callable[[int, int, int], Sequence[object]] = lambda u, t, n: (
        f"U{u:03d}",
        f"T{t:03d}",
        n,
    ),
    header: str | None = "user_id,track_id,playcount",
    separator: str = ",",
) -> list[str]:
    """Return the lines of the history, each made by ``row`` of listener, track and count."""
    lines = [separator.join(map(str, row(*play))) for play in PLAYS]
    return lines if header is None else [header, *lines]


def put(folder: Path, name: str, lines: Sequence[str], encoding: str = "utf-8") -> None:
    """Write lines to a file."""
    (folder / name).write_bytes(("\n".join(lines) + "\n").encode(encoding))


def trait(name: str, truth: dict[str, Any], *writers: Callable[[Path], None]) -> Shape:
    """Return the clean input with what ``writers`` change, and what is true of it then."""

    def write(folder: Path) -> None:
        put(folder, "tracks.csv", tracks_lines())
        put(folder, "plays.csv", plays_lines())
        for writer in writers:
            writer(folder)

    return Shape(name, write, {**CATALOGUE, **HISTORY, **truth})


def played(**options: Any) -> Callable[[Path], None]:
    """Write the history, with the options of `plays_lines`."""
    return lambda folder: put(folder, "plays.csv", plays_lines(**options))


def _instead(name: str, write: Callable[[Path, bytes], None]) -> Callable[[Path], None]:
    """Replace plays.csv by a file made of its bytes."""

    def writer(folder: Path) -> None:
        plain = folder / "plays.csv"
        write(folder / name, plain.read_bytes())
        plain.unlink()

    return writer


def _bz2(path: Path, data: bytes) -> None:
    path.write_bytes(bz2.compress(data))


def _gzip(path: Path, data: bytes) -> None:
    path.write_bytes(gzip.compress(data))


def _zip(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plays.csv", data)


def entries(lines: Callable[[], Sequence[str]], encoding: str = "utf-8") -> Callable[[Path], None]:
    """Write the catalogue."""
    return lambda folder: put(folder, "tracks.csv", lines(), encoding)


def lined(header: str, row: Callable[[int], str]) -> Callable[[], list[str]]:
    """Return what makes the lines of a catalogue of 60 rows."""
    return lambda: [header, *(row(i) for i in range(60))]


def _parquet(**columns: Any) -> Callable[[Path], None]:
    def writer(folder: Path) -> None:
        (folder / "plays.csv").unlink()
        pq.write_table(pa.table(columns), folder / "plays.parquet")

    return writer


def _lines_json(folder: Path) -> None:
    (folder / "plays.csv").unlink()
    rows = [{"user_id": f"U{u}", "parent_asin": f"T{t:03d}", "rating": float(1 + n % 5),
             "timestamp": 1588687728923 + u} for u, t, n in PLAYS]  # fmt: skip
    with gzip.open(folder / "reviews.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def _array_json(folder: Path) -> None:
    (folder / "plays.csv").unlink()
    rows = [{"user_id": f"U{u}", "track_id": f"T{t:03d}", "playcount": n} for u, t, n in PLAYS]
    (folder / "plays.json").write_text(json.dumps(rows, indent=1))


def _playlists(folder: Path) -> None:
    (folder / "plays.csv").unlink()
    lists: dict[int, list[str]] = {}
    for user, track, _ in PLAYS:
        lists.setdefault(user, []).append(f"T{track:03d}")
    lines = [f'U{user:03d},"{",".join(tracks)}"' for user, tracks in lists.items()]
    put(folder, "playlists.csv", ["pid,tracks", *lines])


def _alone(folder: Path) -> None:
    (folder / "tracks.csv").unlink()
    put(folder, "plays.csv", plays_lines(header="user_id,game,hours"))


def _double_colon(folder: Path) -> None:
    (folder / "tracks.csv").unlink()
    (folder / "plays.csv").unlink()
    movies = [f"{i + 1}::Film {i} ({1990 + i % 9})::Action|Comédie" for i in range(60)]
    put(folder, "movies.dat", movies, "latin-1")
    rows = [f"{u + 1}::{t + 1}::{1 + (n * 3) % 5}::{978300760 + n}" for u, t, n in PLAYS]
    put(folder, "ratings.dat", rows)


def _parts(folder: Path) -> None:
    (folder / "plays.csv").unlink()
    lines = plays_lines()
    put(folder, "part-00000.csv", lines[:400])
    (folder / "part-00001.csv").write_bytes(b"")
    put(folder, "part-00002.csv", [lines[0], *lines[400:]])


def _tagging(folder: Path) -> None:
    """Who gave which tag is not who played what, though it pairs the same ids, and with a time."""
    rows = [(u + 2, f"T{t:03d}", n) for u, t, n in PLAYS]
    put(folder, "plays.csv", ["userID,artistID,weight", *(f"{u},{t},{n * 90}" for u, t, n in rows)])
    tags = [f"{u},{t},{n},{1238536800000 + n}" for u, t, n in rows[:500]]
    put(folder, "tagged.csv", ["userID,artistID,tagID,timestamp", *tags])


def _halves(folder: Path) -> None:
    """Two files whose names have nothing in common, and one that repeats some of the rows."""
    (folder / "plays.csv").unlink()
    header, *rows = plays_lines()
    put(folder, "train.csv", [header, *rows[:600]])
    put(folder, "test.csv", [header, *rows[600:]])
    put(folder, "again.csv", [header, *rows[600:700]])


def _parquet_folder(folder: Path) -> None:
    (folder / "plays.csv").unlink()
    parts = folder / "plays"
    parts.mkdir()
    users, tracks, counts = zip(*PLAYS, strict=True)
    table = pa.table({"user_id": users, "track_id": [f"T{t:03d}" for t in tracks],
                      "playcount": counts})  # fmt: skip
    pq.write_table(table.slice(0, 300), parts / "part-0.parquet")
    pq.write_table(table.slice(300), parts / "part-1.parquet")
    (parts / "_SUCCESS").write_bytes(b"")


def _without_files(folder: Path) -> None:
    (folder / "tracks.csv").unlink()
    (folder / "plays.csv").unlink()


_NO_TEMPO = {"tracks.numeric": None, "tracks.year": None}
_BARE = {"tracks.creator": None, **_NO_TEMPO}

CASES = (
    trait("clean", {}),
    trait("bz2", {}, _instead("plays.csv.bz2", _bz2)),
    trait("gzip", {}, _instead("plays.csv.gz", _gzip)),
    trait("zip", {}, _instead("archive.zip", _zip)),
    trait("semicolons", {"plays.delimiter": ";"},
          played(header="user_id;track_id;playcount", separator=";")),
    trait("spaces after commas", {"plays.strip": True},
          played(header="user_id, track_id, playcount", separator=", ")),
    trait("comments", {"plays.comment": "#"},
          lambda f: put(f, "plays.csv", ["# exported 2024-01-01", "# by tool", *plays_lines()])),
    trait("preamble", {"plays.skip": 3},
          lambda f: put(f, "plays.csv", ["Report of plays", "made by a tool", "", *plays_lines()])),
    trait("sep line", {"plays.skip": 1, "plays.delimiter": ";"},
          lambda f: put(f, "plays.csv", ["sep=;", *plays_lines(header="user_id;track_id;playcount",
                                                               separator=";")])),
    trait("minus one", {"plays.count": None, "plays.strength": {"column": "rating", "min": 7.0}},
          played(header="user_id,track_id,rating",
                 row=lambda u, t, n: (u + 1, f"T{t:03d}", -1 if t % 5 == 0 else n + 1))),
    trait("zero ratings", {"plays.user": "User-ID", "plays.track": "ISBN", "plays.count": None,
                           "plays.strength": {"column": "Book-Rating", "min": 7.0}},
          played(header='"User-ID";"ISBN";"Book-Rating"', separator=";",
                 row=lambda u, t, n: (f'"{u}"', f'"T{t:03d}"', f'"{0 if t % 2 else n + 1}"'))),
    trait("half stars", {"plays.user": "userId", "plays.track": "movieId", "plays.count": None,
                         "plays.strength": {"column": "rating", "min": 3.5}},
          played(header="userId,movieId,rating,timestamp",
                 row=lambda u, t, n: (u + 1, f"T{t:03d}", (n + 1) / 2, 964982703 + u))),
    trait("stars", {"plays.count": None, "plays.strength": {"column": "rating", "min": 4.0}},
          played(header="user_id,track_id,rating",
                 row=lambda u, t, n: (f"U{u}", f"T{t:03d}", 1 + n % 5))),
    trait("skips", {"plays.user": "user", "plays.track": "item", "plays.count": None,
                    "plays.where": "action = 'play'"},
          played(header="user,item,action",
                 row=lambda u, t, n: (f"U{u}", f"T{t:03d}", "skip" if n % 3 == 0 else "play"))),
    trait("skipped flag", {"plays.count": None, "plays.where": "NOT skipped"},
          played(header="user_id,track_id,skipped",
                 row=lambda u, t, n: (f"U{u}", f"T{t:03d}", n % 3 == 0))),
    trait("milliseconds", {"plays.count": None, "plays.where": "ms_played >= 30000"},
          played(header="user_id,track_id,ms_played",
                 row=lambda u, t, n: (f"U{u}", f"T{t:03d}", n * 21_300))),
    trait("no header", {"plays.user": "user", "plays.track": "track", "plays.count": "count",
                        "plays.header": False, "plays.delimiter": "\t"},
          played(header=None, separator="\t")),
    trait("latin-1", {"tracks.encoding": "latin-1", "tracks.delimiter": ";",
                      "tracks.numeric": None},
          entries(lined("track_id;name;artist;year",
                        lambda i: f"T{i:03d};Café Song {i};Björk;{1990 + i % 30}"), "latin-1")),
    trait("utf-16", {"tracks.encoding": "utf-16"}, entries(tracks_lines, "utf-16")),
    trait("cyrillic", {"tracks.encoding": "cp1251", **_NO_TEMPO},
          entries(lined("track_id,name,artist",
                        lambda i: f"T{i:03d},Песня номер {i},Группа Кино {i % 15}"), "cp1251")),
    trait("another header", {"tracks.title": "titre_français"},
          lambda f: put(f, "tracks.csv", [line.replace("name", "titre_français", 1)
                                          for line in tracks_lines()])),
    trait("objects as tags", {"tracks.tags": {"column": "genres", "list": "python"}, **_BARE},
          entries(lined("track_id,name,genres", lambda i: f"T{i:03d},Song {i},\"[{{'id': {i % 4}, "
                        f"'name': 'Style{i % 4}'}}, {{'id': 35, 'name': 'Comedy'}}]\""))),
    trait("lists of artists", {"tracks.creator": {"column": "artists", "list": "python"},
                               "tracks.tags": {"column": "genres", "list": "python"}, **_NO_TEMPO},
          entries(lined("track_id,name,artists,genres", lambda i: f"T{i:03d},Song {i},\"['Artist "
                        f"{i % 15}'{', ' + repr('Guest') if i % 2 else ''}]\",\"['style{i % 4}', "
                        "'rock']\""))),
    trait("JSON lines", {"plays.track": "parent_asin", "plays.count": None,
                         "plays.strength": {"column": "rating", "min": 4.0}}, _lines_json),
    trait("JSON array", {}, _array_json),
    trait("playlists", {"plays.user": "pid", "plays.track": {"column": "tracks", "list": ","},
                        "plays.count": None}, _playlists),
    trait("history alone", {"plays.track": "game", "plays.count": "hours", "plays.title": "game",
                            **dict.fromkeys(CATALOGUE)}, _alone),
    trait("double colon", {
        "plays.user": "user", "plays.track": "track", "plays.count": None,
        "plays.strength": {"column": "rating", "min": 4.0}, "plays.delimiter": "::",
        "plays.header": False, "tracks.path": "movies.dat", "tracks.id": "id",
        "tracks.encoding": "latin-1", "tracks.title": "title",
        "tracks.tags": {"column": "tags", "separator": "|"}, **_BARE}, _double_colon),
    trait("parts", {}, _parts),
    trait("folder of Parquet", {}, _parquet_folder),
    trait("Parquet", {}, _parquet(user_id=[f"U{u}" for u, _, _ in PLAYS],
                                  track_id=[f"T{t:03d}" for _, t, _ in PLAYS],
                                  playcount=[n for _, _, n in PLAYS])),
    trait("dates as years", {"tracks.year": "release_date", "tracks.creator": None,
                             "tracks.numeric": None},
          entries(lined("track_id,name,release_date",
                        lambda i: f"T{i:03d},Song {i},{date(1990 + i % 30, 5, 1)}"))),
    trait("booleans", {**_BARE, "tracks.numeric": ["explicit"]},
          entries(lined("track_id,name,explicit", lambda i: f"T{i:03d},Song {i},{i % 3 == 0}"))),
    trait("Unknown among numbers", {**_BARE, "tracks.nulls": ["Unknown"],
                                    "tracks.numeric": ["Episodes"]},
          entries(lined("track_id,name,Episodes",
                        lambda i: f"T{i:03d},Song {i},{'Unknown' if i % 9 == 0 else i % 26}"))),
    trait("reserved names", {"tracks.id": "id", "tracks.creator": "artists", "tracks.year": None,
                             "tracks.numeric": ["popularity", "tempo"]},
          entries(lined("id,name,artists,popularity,tempo",
                        lambda i: f"T{i:03d},Song {i},Artist {i % 15},{i},{80 + i * 1.3:.1f}"))),
    trait("one song, many ids", {**_NO_TEMPO, "tracks.duplicates": ["title", "creator"]},
          entries(lined("track_id,name,artist",
                        lambda i: f"T{i:03d},Song {i % 30},Artist {i % 30}"))),
    trait("a row per genre", {**_BARE, "tracks.merge": True, "tracks.genre": "genre"},
          entries(lambda: ["track_id,name,genre", *(f"T{i:03d},Song {i},{genre}" for i in range(60)
                                                    for genre in ("rock", f"style{i % 4}"))])),
    trait("quotes in a TSV", {"plays.user": "user", "plays.track": "track", "plays.count": None,
                              "plays.quote": None, "tracks.path": "tracks.tsv",
                              "tracks.id": "track", "tracks.title": "track", **_NO_TEMPO},
          _without_files,
          lambda f: put(f, "tracks.tsv", ["track\tartist", '"Song 0\tArtist 0',
                                          *(f"Song {i}\tArtist {i % 15}" for i in range(1, 60))]),
          lambda f: put(f, "plays.tsv", plays_lines(
              header="user\ttrack\tts", separator="\t",
              row=lambda u, t, _: (f"U{u}", f"Song {t}" if t else '"Song 0',
                                   "2009-04-08T01:57:47Z")))),
    trait("delimiters that end rows", {},
          lambda f: put(f, "plays.csv", [*plays_lines()[:1], *(f"{one}," for one in
                                                               plays_lines(header=None))])),
    trait("thumbs", {"plays.count": None, "plays.where": "opinion > 0"},
          played(header="user_id,track_id,opinion",
                 row=lambda u, t, n: (f"U{u}", f"T{t:03d}", 1 if n > 3 else -1))),
    trait("counts of nothing", {"plays.where": "playcount > 0"},
          played(row=lambda u, t, n: (f"U{u:03d}", f"T{t:03d}", n - 1))),
    trait("returns", {"plays.count": "quantity", "plays.where": "quantity > 0"},
          played(header="user_id,track_id,quantity",
                 row=lambda u, t, n: (f"U{u:03d}", f"T{t:03d}", -1 if n == 4 else n))),
    trait("rows without a listener", {"plays.where": "user_id IS NOT NULL"},
          played(row=lambda u, t, n: ("" if u % 9 == 0 else f"U{u:03d}", f"T{t:03d}", n))),
    trait("skips without a listener", {"plays.count": None,
                                       "plays.where": "NOT skipped AND user_id IS NOT NULL"},
          played(header="user_id,track_id,skipped",
                 row=lambda u, t, n: ("null" if u % 9 == 0 else f"U{u}", f"T{t:03d}", n % 3 == 0))),
    trait("kinds of products", {"tracks.title": "prod_name", **_BARE},
          entries(lined("track_id,prod_name,product_type_name",
                        lambda i: f"T{i:03d},Strap top {i // 3},Type {i % 2}"))),
    trait("tags beside a history", {"plays.path": "plays.csv", "plays.count": "weight",
                                    "plays.user": "userID", "plays.track": "artistID",
                                    "tracks.title": "name"}, _tagging),
    trait("halves of a history", {}, _halves),
    trait("links to pages", {**_BARE, "tracks.preview_url": None},
          entries(lined("track_id,name,url",
                        lambda i: f"T{i:03d},Song {i},https://songs.example/wiki/Song_{i}"))),
    trait("links to audio", {**_BARE, "tracks.preview_url": "clip"},
          entries(lined("track_id,name,clip",
                        lambda i: f"T{i:03d},Song {i},https://cdn.example/mp3-preview/{i:032x}"))),
    trait("links to pictures", {**_BARE, "tracks.cover_url": "img", "tracks.preview_url": None},
          entries(lined("track_id,name,img",
                        lambda i: f"T{i:03d},Song {i},https://cdn.example/covers/{i}.jpg"))),
    trait("links to pictures by their name", {**_BARE, "tracks.cover_url": "cover"},
          entries(lined("track_id,name,cover",
                        lambda i: f"T{i:03d},Song {i},https://cdn.example/{i:032x}"))),
    trait("links of a preview that say nothing", {**_BARE, "tracks.preview_url": "preview_url"},
          entries(lined("track_id,name,preview_url",
                        lambda i: f"T{i:03d},Song {i},https://cdn.example/{i:032x}"))),
    trait("short rows", {**_NO_TEMPO},
          entries(lined("track_id,name,artist,tags,extra",
                        lambda i: f"T{i:03d},Song {i},Artist {i % 15}"
                        + (",t,e" if i % 3 else "")))),
)  # fmt: skip
