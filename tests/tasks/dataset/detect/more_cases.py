"""More small inputs with the truth: exports of databases and services, folders, unusual numbers."""

import gzip
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.tasks.dataset.detect.cases import (
    CATALOGUE,
    HISTORY,
    PLAYS,
    entries,
    lined,
    played,
    plays_lines,
    put,
    trait,
)
from tests.tasks.dataset.detect.shapes import Shape

_NO_TEMPO = {"tracks.numeric": None, "tracks.year": None}
_FIRST = 1_600_000_000


def _without(folder: Path, *names: str) -> None:
    for name in names or ("plays.csv",):
        (folder / name).unlink()


def _mac_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "plays.zip", "w") as archive:
        archive.write(folder / "plays.csv", "export/plays.csv")
        archive.writestr("export/.DS_Store", b"\0\1")
        archive.writestr("__MACOSX/export/._plays.csv", b"\0\5\26\7")
    _without(folder)


def _folder_per_listener(folder: Path) -> None:
    """The listener is in the names of folders alone."""
    _without(folder)
    for user in sorted({user for user, _, _ in PLAYS}):
        part = folder / "plays" / f"user_id=U{user:03d}"
        part.mkdir(parents=True)
        mine = [f"T{track:03d},{count}" for other, track, count in PLAYS if other == user]
        put(part, "part-0.csv", ["track_id,playcount", *mine])


def _columns_in_another_order(folder: Path) -> None:
    _without(folder)
    first = plays_lines()[:401]
    header = "track_id,playcount,user_id"
    later = plays_lines(lambda u, t, n: (f"T{t:03d}", n, f"U{u:03d}"), header)
    put(folder, "plays-1.csv", first)
    put(folder, "plays-2.csv", [header, *later[401:]])


def _pandas_parquet(folder: Path) -> None:
    _without(folder, "tracks.csv")
    names = [f"Song {number}" for number in range(60)]
    ids = [f"T{number:03d}" for number in range(60)]
    table = {"track_id": ids, "name": names, "__index_level_0__": list(range(60))}
    pq.write_table(pa.table(table), folder / "tracks.parquet")


def _playlist_objects(folder: Path) -> None:
    """Slices of the Million Playlist Dataset, a playlist a line."""
    _without(folder, "plays.csv", "tracks.csv")
    lists: dict[int, list[dict[str, object]]] = {}
    for user, track, count in PLAYS:
        one = {"pos": count, "artist_name": f"Artist {track % 15}", "track_uri": f"u:t:{track:03d}"}
        lists.setdefault(user, []).append(one)
    lines = [json.dumps({"name": "x", "pid": user, "tracks": one}) for user, one in lists.items()]
    put(folder, "playlists.jsonl", lines)


def _goodreads(folder: Path) -> None:
    """Times as C writes them, in JSON; authors as objects without a name."""
    _without(folder, "plays.csv", "tracks.csv")
    with gzip.open(folder / "books.json.gz", "wt") as out:
        for number in range(60):
            authors = [{"author_id": str(number % 20), "role": ""}]
            book = {"book_id": str(number), "title": f"Song {number}", "authors": authors}
            out.write(json.dumps(book) + "\n")
    with gzip.open(folder / "interactions.json.gz", "wt") as out:
        for number, (user, track, count) in enumerate(PLAYS):
            moment = datetime.fromtimestamp(_FIRST + 9_000 * number, UTC)
            added = moment.strftime("%a %b %d %H:%M:%S -0700 %Y")
            row = {"user_id": f"U{user}", "book_id": str(track), "rating": 1 + count % 5}
            out.write(json.dumps({**row, "date_added": added}) + "\n")


def _postgres(folder: Path) -> None:
    r"""COPY writes no header, and \N for what is missing: in the first line, too."""
    _without(folder, "plays.csv", "tracks.csv")
    put(folder, "plays.tsv", plays_lines(header=None, separator="\t"))
    lines = [f"T{i:03d}\tSong {i}\t{1990 + i % 30 if i % 7 else chr(92) + 'N'}" for i in range(60)]
    put(folder, "tracks.tsv", lines)


def _mysql(folder: Path) -> None:
    r"""INTO OUTFILE: a backslash before quotes, also at the end of a value, and a bare \N."""
    _without(folder, "tracks.csv")
    lines = [f'"T{i:03d}","Song {i} \\"Live\\"","Artist {i % 15}",\\N' for i in range(60)]
    put(folder, "tracks.csv", lines)


def _ids_of_both(folder: Path) -> None:
    """MovieLens 100K: small numbers on both sides, a file of users beside the one of films."""
    _without(folder, "plays.csv", "tracks.csv")
    put(folder, "u.data", plays_lines(lambda u, t, n: (u + 1, t + 1, 1 + n % 5, _FIRST + u), None,
                                      "\t"))  # fmt: skip
    put(folder, "u.item", [f"{i + 1}|Film {i} ({1990 + i % 9})|01-Jan-1995||{i % 2}|{i % 3 % 2}"
                           for i in range(90)])  # fmt: skip
    put(folder, "u.user", [f"{u + 1}|{20 + u % 40}|M|writer|8571{u % 10}" for u in range(80)])


def _chinese(folder: Path) -> None:
    """The history has a few characters, which the catalogue's encoding reads as well."""
    head, *lines = plays_lines()
    put(folder, "plays.csv", [head + ",来源", *(line + ",网" for line in lines)], "gb18030")
    put(folder, "tracks.csv", ["track_id,name,artist", *(
        f"T{i:03d},月亮代表我的心{i},周杰伦{i % 9}" for i in range(60))], "gb18030")  # fmt: skip


MORE_CASES: tuple[Shape, ...] = (
    trait("zip of a Mac", {}, _mac_zip),
    trait("a folder for every listener", {}, _folder_per_listener),
    trait("columns in another order", {}, _columns_in_another_order),
    trait("index of pandas", {"tracks.path": "tracks.parquet", "tracks.creator": None, **_NO_TEMPO},
         _pandas_parquet),
    trait("playlists of objects", {
        "plays.user": "pid", "plays.track": {"column": "tracks", "list": "json"},
        "plays.count": None, "plays.title": None, **dict.fromkeys(CATALOGUE)}, _playlist_objects),
    trait("times of C", {
        "plays.track": "book_id", "plays.count": None,
        "plays.strength": {"column": "rating", "min": 4.0},
        "plays.at": {"column": "date_added", "format": "%a %b %d %H:%M:%S %z %Y"},
        "tracks.path": "books.json.gz", "tracks.id": "book_id", "tracks.title": "title",
        "tracks.creator": None, **_NO_TEMPO}, _goodreads),
    trait("copy of Postgres", {
        "plays.user": "user", "plays.track": "track", "plays.count": "count",
        "plays.header": False, "tracks.path": "tracks.tsv", "tracks.header": False,
        "tracks.id": "id", "tracks.title": "title", "tracks.creator": None,
        "tracks.year": "year", "tracks.numeric": None}, _postgres),
    trait("outfile of MySQL", {
        "tracks.header": False, "tracks.escape": "\\", "tracks.id": "id",
        "tracks.title": "title", "tracks.creator": None, **_NO_TEMPO}, _mysql),
    trait("ids of both sides alike", {
        "plays.user": "user", "plays.track": "track", "plays.count": None,
        "plays.strength": {"column": "rating", "min": 4.0}, "tracks.path": "u.item",
        "tracks.id": "id", "tracks.title": "title", "tracks.creator": None, "tracks.year": None,
        "tracks.numeric": ["column_5", "column_6"]}, _ids_of_both),
    trait("Chinese", {"tracks.encoding": "gb18030", "plays.encoding": "gb18030", **_NO_TEMPO},
         _chinese),
    trait("thin spaces", {"plays.thousands": "\u202f"},
         played(row=lambda u, t, n: (f"U{u:03d}", f"T{t:03d}", f"{n}\u202f000"))),
    trait("nanoseconds", {"plays.count": None, "plays.at": {"column": "ts", "unit": "ns"}},
         played(header="user_id,track_id,ts",
               row=lambda u, t, n: (f"U{u:03d}", f"T{t:03d}", (_FIRST + n) * 10**9 + u))),
    trait("seconds with fractions", {"plays.count": None,
                                    "plays.at": {"column": "ts", "unit": "s"}},
         played(header="user_id,track_id,ts",
               row=lambda u, t, n: (f"U{u:03d}", f"T{t:03d}", f"{_FIRST + 977 * n + u}.25"))),
    trait("lyrics", _NO_TEMPO,
         entries(lined("track_id,name,artist,lyrics", lambda i:
                     f'T{i:03d},Song {i},Artist {i % 15},"{"la, " * (60_000 if i == 7 else 9)}"'))),
    trait("thumbs in words", {"plays.count": None, "plays.where": "feedback = 'thumbs_up'"},
         played(header="user_id,track_id,feedback", row=lambda u, t, n: (
             f"U{u}", f"T{t:03d}", "thumbs_up" if n > 3 else "thumbs_down"))),
    trait("orders instead of listeners", {**HISTORY, "plays.user": "order_id", "plays.count": None},
         played(header="order_id,track_id", row=lambda u, t, n: (1000 + 3 * u + n % 3,
                                                                f"T{t:03d}"))),
)  # fmt: skip
