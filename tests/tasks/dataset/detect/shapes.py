"""Small files in the shapes of many public data sets, and what is true of them.

The files are written here, row by row; each shape carries the decisions that a person would take
who knows the data set.
"""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

LISTENERS = 60
TRACKS = 80
EACH = 12


@dataclass(frozen=True)
class Shape:
    """Files to write, and the truth about them."""

    name: str
    write: Callable[[Path], None]
    truth: Mapping[str, Any]
    """Field → value; None: left out. Fields that are not here are not judged."""


def pairs() -> list[tuple[int, int]]:
    """Return who listened to what, the same every time, popular tracks more often."""
    rng = np.random.default_rng(7)
    weights = 1 / np.arange(1, TRACKS + 1)
    return [
        (listener, int(track))
        for listener in range(LISTENERS)
        for track in np.sort(rng.choice(TRACKS, EACH, replace=False, p=weights / weights.sum()))
    ]


PAIRS = pairs()
RATINGS = np.random.default_rng(8).choice(
    [1, 2, 3, 4, 5], len(PAIRS), p=[0.05, 0.1, 0.2, 0.35, 0.3]
)
COUNTS = np.random.default_rng(9).geometric(0.4, len(PAIRS))
TIMES = np.random.default_rng(10).integers(1_100_000_000, 1_500_000_000, len(PAIRS))
WORDS = ("Silent", "River", "Golden", "Night", "Broken", "Mirror", "Paper", "Moon", "Distant",
         "Thunder", "Velvet", "Rain")  # fmt: skip


def title(track: int) -> str:
    """Return a title of two words and a number."""
    return f"{WORDS[track % 12]} {WORDS[(track * 5 + 3) % 12]} {track}"


def author(track: int) -> str:
    """Return one of twenty names."""
    return (
        ["Ana", "Ben", "Cai", "Dora", "Emil"][track % 5]
        + " "
        + ["Fox", "Gray", "Hill", "Ito"][track % 4]
    )


def text(folder: Path, name: str, lines: list[str], encoding: str = "utf-8") -> None:
    """Write lines."""
    (folder / name).write_bytes(("\n".join(lines) + "\n").encode(encoding))


def rating_rows(template: str, *, user: int = 1, item: int = 1) -> list[str]:
    """Fill a template with every pair: {u}, {i}, {r}, {n}, {t}."""
    return [
        template.format(u=u + user, i=i + item, r=r, n=n, t=t, title=title(i), author=author(i))
        for (u, i), r, n, t in zip(PAIRS, RATINGS, COUNTS, TIMES, strict=True)
    ]


def book_crossing(folder: Path) -> None:
    """Semicolons, all quoted, backslash escapes, Latin-1, 0 for not rated, users apart."""
    books = ['"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S"']
    for i in range(TRACKS):
        name = f'The \\"{title(i)}\\" Café' if i % 7 == 0 else title(i)
        books.append(
            f'"{1951530 + i:010d}";"{name}";"{author(i)}";"{1980 + i % 25}";"Verlag Müller"'
            f';"http://images.example.com/{i}.01.jpg"'
        )
    text(folder, "BX-Books.csv", books, "latin-1")
    ratings = [
        f'"{u + 276725}";"{1951530 + i:010d}";"{0 if k % 3 else min(10, 2 * r)}"'
        for k, ((u, i), r) in enumerate(zip(PAIRS, RATINGS, strict=True))
    ]
    text(folder, "BX-Book-Ratings.csv", ['"User-ID";"ISBN";"Book-Rating"', *ratings], "latin-1")
    users = [f'"{u + 276725}";"nyc, new york, usa";"{20 + u % 40}"' for u in range(LISTENERS)]
    text(folder, "BX-Users.csv", ['"User-ID";"Location";"Age"', *users], "latin-1")


def anime(folder: Path) -> None:
    """Ratings with -1 for seen, members as a count of people, several genres."""
    rows = ["anime_id,name,genre,type,episodes,rating,members"]
    for i in range(TRACKS):
        genres = ["Drama", "Action", "Comedy", "Magic"][i % 4 : i % 4 + 2]
        kind = ("TV", "Movie", "OVA")[i % 3]
        episodes = "Unknown" if i % 11 == 0 else 1 + i % 24
        rows.append(
            f'{i + 100},{title(i)},"{", ".join(genres)}",{kind},{episodes},{6 + i % 30 / 10},'
            f"{i * 977}"
        )
    text(folder, "anime.csv", rows)
    ratings = [
        f"{u + 1},{i + 100},{-1 if k % 4 == 0 else 2 * r}"
        for k, ((u, i), r) in enumerate(zip(PAIRS, RATINGS, strict=True))
    ]
    text(folder, "rating.csv", ["user_id,anime_id,rating", *ratings])


def amazon(folder: Path) -> None:
    """JSON lines, compressed, nested values, time in milliseconds."""
    reviews = [
        {
            "rating": float(r), "title": "ok", "text": "Works as expected, would buy again.",
            "images": [], "asin": f"B{i + 1000:09d}", "parent_asin": f"B{i + 1000:09d}",
            "user_id": f"AE{u:026d}", "timestamp": int(t) * 1000, "verified_purchase": True,
        }
        for (u, i), r, t in zip(PAIRS, RATINGS, TIMES, strict=True)
    ]  # fmt: skip
    meta = [
        {
            "main_category": "Digital Music", "title": title(i), "average_rating": 4.2,
            "rating_number": 10 + i, "features": [], "price": None, "store": author(i),
            "categories": ["CDs", ["Rock", "Pop", "Jazz"][i % 3]], "details": {"Label": "x"},
            "parent_asin": f"B{i + 1000:09d}",
        }
        for i in range(TRACKS)
    ]  # fmt: skip
    with gzip.open(folder / "reviews.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in reviews)
    with gzip.open(folder / "meta.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in meta)


def amazon_ratings(folder: Path) -> None:
    """No header, ratings only, no catalogue."""
    rows = rating_rows("A{u:013d},B{i:09d},{r}.0,{t}")
    text(folder, "ratings_Digital_Music.csv", rows)


def steam(folder: Path) -> None:
    """No header; the game's name is its id; purchase and play in rows of their own."""
    rows: list[str] = []
    for (u, i), n in zip(PAIRS, COUNTS, strict=True):
        rows.append(f"{u + 151603712},{title(i)},purchase,1.0,0")
        rows.append(f"{u + 151603712},{title(i)},play,{n * 3.5},0")
    text(folder, "steam-200k.csv", rows)


def lastfm_360k(folder: Path) -> None:
    """Tabs, no header, hashes, MusicBrainz ids of which some are missing."""
    rows = []
    for (u, i), n in zip(PAIRS, COUNTS, strict=True):
        mbid = f"{i:08x}-0000-4000-8000-{i * 7919:012x}" if i % 40 else ""
        rows.append(f"{u * 7919:040x}\t{mbid}\tBand {title(i)}\t{n * 11}")
    text(folder, "usersha1-artmbid-artname-plays.tsv", rows)


def lastfm_1k(folder: Path) -> None:
    """Tabs, no header, a row per listen with the time."""
    rows = []
    for (u, i), t in zip(PAIRS, TIMES, strict=True):
        stamp = str(np.datetime64(int(t), "s")) + "Z"
        rows.append(
            f"user_{u:06d}\t{stamp}\t{i % 20:08x}-1111-4000-8000-{i % 20:012x}\t{author(i % 20)}"
            f"\t{i:08x}-2222-4000-8000-{i:012x}\t{title(i)}"
        )
    text(folder, "userid-timestamp-artid-artname-traid-traname.tsv", rows)


def lfm_2b(folder: Path) -> None:
    """Tabs with headers, bz2 and xz."""
    plays = ["user_id\ttrack_id\tcount", *rating_rows("{u}\t{i}\t{n}")]
    tracks = ["track_id\tartist_name\ttrack_name"]
    tracks += [f"{i + 1}\t{author(i)}\t{title(i)}" for i in range(TRACKS)]
    (folder / "listening-counts.tsv.bz2").write_bytes(bz2.compress("\n".join(plays).encode()))
    (folder / "tracks.tsv.xz").write_bytes(lzma.compress("\n".join(tracks).encode()))


def yelp(folder: Path) -> None:
    """JSON lines, stars, categories in one text, a file of users."""
    business = [
        {"business_id": f"b{i:021d}", "name": title(i), "city": "Reno", "stars": 3.5,
         "review_count": 9 + i, "attributes": {"WiFi": "free"},
         "categories": ", ".join(["Food", "Bars", "Pizza", "Tea"][i % 4 : i % 4 + 2])}
        for i in range(TRACKS)
    ]  # fmt: skip
    reviews = [
        {"review_id": f"r{k:021d}", "user_id": f"u{u:021d}", "business_id": f"b{i:021d}",
         "stars": float(r), "useful": 0, "text": "Good place.", "date": "2018-07-07 22:09:11"}
        for k, ((u, i), r) in enumerate(zip(PAIRS, RATINGS, strict=True))
    ]  # fmt: skip
    users = [{"user_id": f"u{u:021d}", "name": "Ann", "review_count": 3} for u in range(LISTENERS)]
    for name, rows in (("business", business), ("review", reviews), ("user", users)):
        text(folder, f"yelp_academic_dataset_{name}.json", [json.dumps(row) for row in rows])


def goodbooks(folder: Path) -> None:
    """Many id columns, several authors in a text, a second history of books to read."""
    books = ["book_id,goodreads_book_id,best_book_id,work_id,isbn,authors,"
             "original_publication_year,title,language_code,average_rating,"
             "ratings_count,image_url"]  # fmt: skip
    for i in range(TRACKS):
        both = f'"{author(i)}, {author(i + 1)}"' if i % 3 == 0 else author(i)
        books.append(
            f"{i + 1},{2767052 + i * 3},{2767052 + i * 3},{2792775 + i},{439023483 + i},{both},"
            f"{1950.0 + i % 60},{title(i)},eng,4.{i % 10},{i * 53},https://images.example.com/{i}.jpg"
        )
    text(folder, "books.csv", books)
    text(folder, "ratings.csv", ["user_id,book_id,rating", *rating_rows("{u},{i},{r}")])
    text(folder, "to_read.csv", ["user_id,book_id", *rating_rows("{u},{i}")[::5]])


def goodreads_interactions(folder: Path) -> None:
    """A rating of 0 where there is none; flags beside it; no catalogue."""
    rows = ["user_id,book_id,is_read,rating,is_reviewed"]
    for k, ((u, i), r) in enumerate(zip(PAIRS, RATINGS, strict=True)):
        rows.append(f"{u},{i},{int(k % 3 > 0)},{r if k % 3 else 0},0")
    text(folder, "goodreads_interactions.csv", rows)


def spotify_playlists(folder: Path) -> None:
    """Quoted after a comma and a space in the header only; names instead of ids."""
    rows = ['"user_id", "artistname", "trackname", "playlistname"']
    rows += [f'"{u:032x}","{author(i)}","{title(i)}","Mix {u % 5}"' for u, i in PAIRS]
    text(folder, "spotify_dataset.csv", rows)


def kkbox(folder: Path) -> None:
    """Names of their own (msno), several genres by a bar, features and labels."""
    rows = ["song_id,song_length,genre_ids,artist_name,composer,language"]
    for i in range(TRACKS):
        rows.append(
            f"S{i:042d}=,{180000 + i * 997},{'465|921' if i % 3 else '465'},{author(i)},,{i % 5}.0"
        )
    text(folder, "songs.csv", rows)
    rows = ["msno,song_id,source_system_tab,target"]
    for k, (u, i) in enumerate(PAIRS):
        rows.append(
            f"M{u:042d}=,S{i:042d}=,{'explore' if k % 2 else 'my library'},{int(k % 3 > 0)}"
        )
    text(folder, "train.csv", rows)


def retail_events(folder: Path) -> None:
    """Events of which most are views, times in milliseconds, no catalogue."""
    rows = ["timestamp,visitorid,event,itemid,transactionid"]
    for k, ((u, i), t) in enumerate(zip(PAIRS, TIMES, strict=True)):
        event = "transaction" if k % 9 == 0 else "addtocart" if k % 5 == 0 else "view"
        rows.append(f"{t * 1000},{u + 2000},{event},{i + 3000},{k if k % 9 == 0 else ''}")
    text(folder, "events.csv", rows)


def streams_with_skips(folder: Path) -> None:
    """A German export: semicolons, decimal commas, a skipped flag, cp1252."""
    rows = ["Titel-ID;Titel;Künstler;Jahr;Tempo"]
    for i in range(TRACKS):
        rows.append(f"T{i:04d};{title(i)} – süß;Björk {author(i)};{1990 + i % 30};{90 + i},5")
    text(folder, "Titel.csv", rows, "cp1252")
    rows = ["Nutzer-ID;Titel-ID;skipped"]
    rows += [f"N{u:03d};T{i:04d};{'true' if (u + i) % 4 == 0 else 'false'}" for u, i in PAIRS]
    text(folder, "streams.csv", rows)


def netflix_titles_and_rows(folder: Path) -> None:
    """Headerless on both sides, small numbers as ids of both listeners and films."""
    text(folder, "movie_titles.csv",
         [f"{i + 1},{1970 + i % 30},{title(i)}" for i in range(TRACKS)], "latin-1")  # fmt: skip
    rows = [
        f"{i + 1},{u + 1488844},{r},{np.datetime64(int(t), 's').astype('datetime64[D]')}"
        for (u, i), r, t in zip(PAIRS, RATINGS, TIMES, strict=True)
    ]
    text(folder, "ratings.txt", rows)


SHAPES = (
    Shape("book_crossing", book_crossing, {
        "plays.path": "BX-Book-Ratings.csv", "tracks.path": "BX-Books.csv",
        "plays.user": "User-ID", "plays.track": "ISBN", "plays.count": None,
        "plays.strength": {"column": "Book-Rating", "min": 7.0}, "tracks.id": "ISBN",
        "tracks.title": "Book-Title", "tracks.creator": "Book-Author",
        "tracks.year": "Year-Of-Publication", "tracks.encoding": "latin-1",
        "tracks.escape": "\\", "tracks.preview_url": None,
    }),
    Shape("anime", anime, {
        "plays.path": "rating.csv", "tracks.path": "anime.csv", "plays.user": "user_id",
        "plays.track": "anime_id", "plays.strength": {"column": "rating", "min": 7.0},
        "plays.count": None, "tracks.id": "anime_id", "tracks.title": "name",
        "tracks.tags": {"column": "genre", "separator": ","}, "tracks.creator": None,
    }),
    Shape("amazon", amazon, {
        "plays.path": "reviews.jsonl.gz", "tracks.path": "meta.jsonl.gz",
        "plays.user": "user_id", "plays.track": "parent_asin",
        "plays.strength": {"column": "rating", "min": 4.0}, "tracks.id": "parent_asin",
        "tracks.title": "title", "tracks.creator": "store",
        "tracks.tags": {"column": "categories", "list": "json"},
    }),
    Shape("amazon_ratings", amazon_ratings, {
        "plays.user": "user", "plays.track": "track", "plays.header": False, "tracks.path": None,
        "plays.strength": {"column": "rating", "min": 4.0}, "plays.count": None,
    }),
    Shape("steam", steam, {
        "plays.user": "user", "plays.track": "track", "plays.header": False, "tracks.path": None,
        "plays.where": "event = 'play'", "plays.count": "count", "plays.title": "track",
    }),
    Shape("lastfm_360k", lastfm_360k, {
        "plays.user": "user", "plays.track": "track", "plays.title": "title",
        "plays.count": "count", "plays.header": False, "tracks.path": None,
    }),
    Shape("lastfm_1k", lastfm_1k, {
        "plays.user": "user", "plays.track": "track", "plays.title": "title",
        "plays.count": None, "plays.header": False, "tracks.path": None,
    }),
    Shape("lfm_2b", lfm_2b, {
        "plays.user": "user_id", "plays.track": "track_id", "plays.count": "count",
        "tracks.id": "track_id", "tracks.title": "track_name", "tracks.creator": "artist_name",
    }),
    Shape("yelp", yelp, {
        "plays.path": "yelp_academic_dataset_review.json",
        "tracks.path": "yelp_academic_dataset_business.json", "plays.user": "user_id",
        "plays.track": "business_id", "plays.strength": {"column": "stars", "min": 4.0},
        "tracks.id": "business_id", "tracks.title": "name",
        "tracks.tags": {"column": "categories", "separator": ","},
    }),
    Shape("goodbooks", goodbooks, {
        "plays.path": "ratings.csv", "tracks.path": "books.csv", "plays.user": "user_id",
        "plays.track": "book_id", "plays.strength": {"column": "rating", "min": 4.0},
        "tracks.id": "book_id", "tracks.title": "title",
        "tracks.creator": {"column": "authors", "list": ","},
        "tracks.year": "original_publication_year",
    }),
    Shape("goodreads_interactions", goodreads_interactions, {
        "plays.user": "user_id", "plays.track": "book_id", "tracks.path": None,
        "plays.strength": {"column": "rating", "min": 4.0},
    }),
    Shape("spotify_playlists", spotify_playlists, {
        "plays.user": "user_id", "plays.track": "trackname", "plays.title": "trackname",
        "plays.creator": "artistname", "tracks.path": None,
    }),
    Shape("kkbox", kkbox, {
        "plays.path": "train.csv", "tracks.path": "songs.csv", "plays.user": "msno",
        "plays.track": "song_id", "tracks.id": "song_id", "tracks.creator": "artist_name",
        "plays.where": "target", "tracks.title": None,
    }),
    Shape("retail_events", retail_events, {
        "plays.user": "visitorid", "plays.track": "itemid", "tracks.path": None,
        "plays.where": "event = 'transaction'",
    }),
    Shape("streams_with_skips", streams_with_skips, {
        "plays.path": "streams.csv", "tracks.path": "Titel.csv", "plays.user": "Nutzer-ID",
        "plays.track": "Titel-ID", "plays.where": "NOT skipped", "tracks.id": "Titel-ID",
        "tracks.title": "Titel", "tracks.creator": "Künstler", "tracks.year": "Jahr",
        "tracks.encoding": "cp1252", "tracks.decimal": ",", "tracks.numeric": ["Tempo"],
    }),
    Shape("netflix", netflix_titles_and_rows, {
        "plays.path": "ratings.txt", "tracks.path": "movie_titles.csv", "plays.user": "user",
        "plays.track": "track", "plays.strength": {"column": "rating", "min": 4.0},
        "tracks.id": "id", "tracks.title": "title", "tracks.year": "year",
    }),
)  # fmt: skip
