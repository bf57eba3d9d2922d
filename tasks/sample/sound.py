"""Year, duration and audio features of the synthetic tracks, with the real file's sentinels."""

import numpy as np
from numpy.typing import NDArray

from tasks.sample.catalogue import Catalogue
from tasks.sample.styles import STYLES

Floats = NDArray[np.float64]
Column = NDArray[np.float64] | NDArray[np.int64]

KAGGLE_TRACKS = 50_683
_KEY_SHARES = (11.0, 9.3, 11.7, 2.7, 8.6, 6.9, 6.4, 11.8, 5.9, 11.7, 5.9, 8.1)
_TIME_SIGNATURES = ((4, 3, 5, 1), (0.883, 0.092, 0.015, 0.010))
_SPREAD = (0.55, 0.45, 1.3, 1.9, 0.8)
"""Standard deviation between tracks on the logit scale: energy, danceability, acousticness,
instrumentalness, valence. The third and fourth accumulate at both ends, as in the real file."""


def sound_columns(catalogue: Catalogue, rng: np.random.Generator) -> dict[str, list[float]]:
    """Return the file's columns from ``year`` to ``time_signature``, by name."""
    tracks = len(catalogue.artist)
    features = _features(catalogue, rng)
    energy = features[:, 0]
    year = catalogue.artists.year[catalogue.artist] + rng.normal(0, 2.5, tracks)
    reissued = rng.random(tracks) < 0.1
    year = np.where(reissued, year + rng.uniform(5, 25, tracks), year)
    length = rng.normal(np.log(232_000), 0.32, tracks) + 0.25 * (features[:, 3] - 0.2)
    tempo = np.array([style.tempo for style in STYLES])[catalogue.style]
    tempo = tempo + catalogue.niches.tempo[catalogue.niche] + rng.normal(0, 22, tracks)
    speech = np.where(_is_rap(catalogue), 0.19, 0.048) * rng.lognormal(0, 0.5, tracks)
    columns: dict[str, Column] = {
        "year": np.clip(np.rint(year), 1948, 2022).astype(np.int64),
        "duration_ms": np.clip(np.exp(length), 41_000, 1_500_000).astype(np.int64),
        "danceability": features[:, 1],
        "energy": energy,
        "key": rng.choice(12, tracks, p=np.array(_KEY_SHARES) / np.sum(_KEY_SHARES)),
        "loudness": np.clip(
            -4.5 - 15 * (1 - energy) ** 1.4 + rng.normal(0, 1.9, tracks), -46, -0.3
        ),
        "mode": (rng.random(tracks) < 0.63).astype(np.int64),
        "speechiness": np.clip(speech, 0.022, 0.96),
        "acousticness": features[:, 2],
        "instrumentalness": np.where(features[:, 3] < 1e-4, 0.0, features[:, 3]),
        "liveness": np.clip(0.15 * rng.lognormal(0, 0.65, tracks), 0.012, 0.995),
        "valence": features[:, 4],
        "tempo": np.clip(tempo, 42, 235),
        "time_signature": rng.choice(_TIME_SIGNATURES[0], tracks, p=_TIME_SIGNATURES[1]),
    }
    _set_sentinels(columns, rng)
    return {name: _rounded(name, values) for name, values in columns.items()}


def few(at_kaggle: int, tracks: int) -> int:
    """Scale the number of outliers to the catalogue; at least two."""
    return max(2, round(at_kaggle * tracks / KAGGLE_TRACKS))


def _features(catalogue: Catalogue, rng: np.random.Generator) -> Floats:
    typical = np.array([style.sound for style in STYLES])[catalogue.style]
    logit = np.log(typical / (1 - typical))
    logit += catalogue.niches.sound[catalogue.niche] + catalogue.artists.sound[catalogue.artist]
    logit += rng.standard_normal(logit.shape) * _SPREAD
    features: Floats = 1 / (1 + np.exp(-logit))
    return features


def _is_rap(catalogue: Catalogue) -> NDArray[np.bool_]:
    return np.array([style.genre == "Rap" for style in STYLES])[catalogue.style]


def _set_sentinels(columns: dict[str, Column], rng: np.random.Generator) -> None:
    """Add the sentinels and outliers of the real file."""
    tracks = len(columns["year"])
    rows = iter(rng.permutation(tracks))

    def take(at_kaggle: int) -> list[int]:
        return [int(next(rows)) for _ in range(few(at_kaggle, tracks))]

    silent = take(7)
    for name in ("tempo", "time_signature", "danceability"):
        columns[name][silent] = 0
    loud = take(16)
    columns["loudness"][loud] = rng.uniform(0.05, 3.6, len(loud))
    columns["loudness"][take(2)] = -60
    columns["year"][take(5)] = 1900
    columns["duration_ms"][[int(next(rows)), int(next(rows))]] = (1_412, 3_841_600)


def _rounded(name: str, values: Column) -> list[float]:
    """Round like the real file: to three decimals or three significant digits."""
    if name in {"loudness", "tempo", "danceability", "energy"}:
        values = np.round(values, 3).astype(np.float64)
    elif values.dtype.kind == "f":
        return [float(f"{value:.3g}") for value in values.tolist()]
    numbers: list[float] = values.tolist()
    return numbers
