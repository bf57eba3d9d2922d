"""Write the synthetic ``Music Info.csv``: 21 columns, quoted only where a field needs it."""

import csv
from pathlib import Path

import numpy as np

from tasks.sample.catalogue import Catalogue
from tasks.sample.living import ALWAYS
from tasks.sample.names import artist_names, track_names
from tasks.sample.sound import few, sound_columns
from tasks.sample.streams import stream
from tasks.sample.styles import STYLES, TAGS
from tasks.sample.timeline import START, Timeline

COLUMNS = (
    "track_id", "name", "artist", "spotify_preview_url", "spotify_id", "tags", "genre", "year",
    "duration_ms", "danceability", "energy", "key", "loudness", "mode", "speechiness",
    "acousticness", "instrumentalness", "liveness", "valence", "tempo", "time_signature",
)  # fmt: skip

_PRECISION = (0.7, 0.1, 0.2)
"""Shares of the days of release that are known to the day, the month and the year."""
_UNKNOWN_YEAR = 1900
_NO_GENRE = 0.559
_OTHER_GENRE = 0.05
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE62 = np.frombuffer(
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8
)
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def write_music_info(
    path: Path,
    catalogue: Catalogue,
    track_ids: list[str],
    seed: int,
    timeline: Timeline | None = None,
) -> None:
    """Write the catalogue under the given track ids, in their order.

    With a timeline there is one more column, `released`, and new releases have its year.
    """
    tracks = len(track_ids)
    kinds = [_kind(style) for style in range(len(STYLES))]
    artist_style = catalogue.niches.style[catalogue.artists.niche].tolist()
    artists = artist_names([kinds[s] for s in artist_style], stream(seed, "artist names"))
    titles = track_names([kinds[s] for s in catalogue.style.tolist()], stream(seed, "titles"))
    rng = stream(seed, "music info")
    spotify_ids = _texts(_BASE62, 22, tracks, rng)
    rows = rng.permutation(tracks)[: 2 * few(9, tracks)].reshape(2, -1)
    for copy, original in rows.T.tolist():
        spotify_ids[copy] = spotify_ids[original]
    previews = _texts(_HEX, 40, tracks, rng)
    sound = sound_columns(catalogue, stream(seed, "sound"))
    columns: list[list[object]] = [
        list(track_ids),
        list(titles),
        [artists[artist] for artist in catalogue.artist.tolist()],
        [f"https://p.scdn.co/mp3-preview/{preview}" for preview in previews],
        list(spotify_ids),
        [
            ", ".join(dict.fromkeys(TAGS[t] for t in row if t >= 0))
            for row in catalogue.tags.tolist()
        ],
        list(_genres(catalogue, rng)),
        *(list[object](sound[name]) for name in COLUMNS[7:]),
    ]
    header = list(COLUMNS)
    if timeline is not None:
        released = _release_days(sound["year"], timeline, stream(seed, "days of release"))
        header.append("released")
        columns[COLUMNS.index("year")] = [
            year if day == ALWAYS else int(text[:4])
            for year, day, text in zip(
                sound["year"], timeline.released.tolist(), released, strict=True
            )
        ]
        columns.append(list(released))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(zip(*columns, strict=True))


def _release_days(years: list[float], timeline: Timeline, rng: np.random.Generator) -> list[str]:
    """Write when tracks were released: a day, or a month or year where no more is known."""
    days = rng.integers(365, size=len(years))
    lengths = rng.choice([10, 7, 4], size=len(years), p=_PRECISION)
    found = []
    for year, new, day, length in zip(
        years, timeline.released.tolist(), days.tolist(), lengths.tolist(), strict=True
    ):
        if new != ALWAYS:
            found.append(str((START + np.timedelta64(new, "D")).astype("datetime64[D]")))
        elif year == _UNKNOWN_YEAR:
            found.append("")
        else:
            first = np.datetime64(f"{int(year)}-01-01", "D")
            found.append(str(first + np.timedelta64(day, "D"))[:length])
    return found


def make_track_ids(tracks: int, seed: int) -> list[str]:
    """Return distinct ids like TRABCDE128F1A2B3C4: TR, five letters, 128F and seven hex digits."""
    rng = stream(seed, "track ids")
    space = 26**5 * 16**7
    numbers = np.unique(rng.integers(space, size=tracks))
    while len(numbers) < tracks:
        numbers = np.unique(np.append(numbers, rng.integers(space, size=tracks)))
    return [_track_id(number) for number in rng.permutation(numbers)[:tracks].tolist()]


def _track_id(number: int) -> str:
    letters, digits = divmod(number, 16**7)
    text = ""
    for _ in range(5):
        letters, letter = divmod(letters, 26)
        text += _LETTERS[letter]
    return f"TR{text}128F{digits:07X}"


def _kind(style: int) -> str:
    """Return the naming convention of a style's artists."""
    return "Japanese" if "japanese" in STYLES[style].tags else STYLES[style].genre


def _texts(
    alphabet: np.ndarray[tuple[int], np.dtype[np.uint8]],
    length: int,
    count: int,
    rng: np.random.Generator,
) -> list[str]:
    """Return random words of fixed length; at the length of ids, repeats do not occur."""
    text = alphabet[rng.integers(len(alphabet), size=(count, length))].tobytes().decode("ascii")
    return [text[start : start + length] for start in range(0, len(text), length)]


def _genres(catalogue: Catalogue, rng: np.random.Generator) -> list[str]:
    """Label tracks with their style's genre; most get no label, a few a wrong one."""
    tracks = len(catalogue.artist)
    style = np.where(
        rng.random(tracks) < _OTHER_GENRE, rng.integers(len(STYLES), size=tracks), catalogue.style
    )
    known = rng.random(tracks) >= _NO_GENRE
    return [
        STYLES[s].genre if k else "" for s, k in zip(style.tolist(), known.tolist(), strict=True)
    ]
