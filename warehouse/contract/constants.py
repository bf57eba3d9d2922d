"""Numbers and names that tables, macros, kernels and docs share: declared here and nowhere else.

SQL gets them filled in by name, see `sql_constants`.
"""

from collections.abc import Mapping
from enum import IntEnum

WEIGHT_SCALE = 20_000
"""int16 = round(weight × WEIGHT_SCALE): 5e-5 is the resolution, ±1.638 the range."""

TICKS = 10_000
"""Scores are whole ten-thousandths while they are compared: four decimals, no float ties."""

ARTIST_ALLOWANCE = 3
"""Tracks of one artist that may stand above another one before it is marked down."""

COMPUTED_AT_ONCE = 1000
"""Lists that a call of a batch macro computes at most; a larger call is an error. At Kaggle scale
1,000 take 0.9 GB, and memory grows with the number."""

ARTIST_FACTORS = 16
"""Powers of the artist factor that are tabled; further repeats use the last."""

ARTIST_TRACKS_WEIGHT = 0.8
"""Share of listeners in the order of an artist's tracks; the rest is how typical they are."""

ARTIST_POOL = 300
"""Tracks for a listener whose artists are recommended."""

SEQUENCE_POOL = 300
"""Tracks for the given ones that a playlist goes on with."""

RADIO_POOL = 300
"""Tracks for the given ones that a radio plays; below 1,000, see macros/sequences.sql."""

RADIO_SCORE, RADIO_CHANCE = 100, 60
"""Largest part of the score and of chance in what a radio plays next, in bits of likeness."""

VARIETY_POOL = 300
"""Tracks of a list whose order `diversity` and `calibrated` change; the rest follows by score."""

TURNS, TURN_DIGITS = 1_000, 100_000
"""More than the places that are changed; what is above the scores when both are in one number."""

GENRE_TRUST = 0.99
"""Share of a list's own genres in what is compared with the history's (1 − α in Steck 2018)."""

GENRE_TICKS = 1_000
"""Weight of one nat of divergence between genres, beside a largest score of `TICKS`."""

SOUND_BITS, TASTE_BITS = 128, 64
"""Bits of a track's signatures, see tasks/music/signatures.py."""


class Source(IntEnum):
    """Which signals put a row into a list; the value is what the store holds."""

    HYBRID = 0
    COLLABORATIVE = 1
    CONTENT = 2
    POPULAR = 3
    SAME_ARTIST = 4
    CATALOGUE = 5


SOURCES = tuple(source.name.lower() for source in Source)
"""What readers see for each of them."""


def sql_constants() -> Mapping[str, str]:
    """Return what stands for each constant in the SQL of this package: name → text."""
    return {
        "weight_scale": str(WEIGHT_SCALE),
        "ticks": str(TICKS),
        "computed_at_once": str(COMPUTED_AT_ONCE),
        "artist_allowance": str(ARTIST_ALLOWANCE),
        "last_artist_factor": str(ARTIST_FACTORS - 1),
        "artist_tracks_weight": str(ARTIST_TRACKS_WEIGHT),
        "artist_pool": str(ARTIST_POOL),
        "sequence_pool": str(SEQUENCE_POOL),
        "radio_pool": str(RADIO_POOL),
        "radio_score": str(RADIO_SCORE),
        "radio_chance": str(RADIO_CHANCE),
        "variety_pool": str(VARIETY_POOL),
        "turns": str(TURNS),
        "turn_digits": str(TURN_DIGITS),
        "genre_ticks": str(GENRE_TICKS),
        "genre_trust": f"{GENRE_TRUST}e0",
        "source_names": ", ".join(f"'{name}'" for name in SOURCES),
        **{f"source_{source.name.lower()}": str(source.value) for source in Source},
    }
