"""The synthetic catalogue: artists, tracks, content and appeal.

Three factors decide who plays a track. Its *niche* (a part of a style) determines its tags, genre,
year and sound. Its *scene* is independent of content and visible only in the plays. Its
*popularity* is partly its artist's. Unplayed tracks are drawn independently of all three, so they
have the same distribution as the played ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.sample.shapes import TRACKS_PER_ARTIST, quantiles
from tasks.sample.streams import stream
from tasks.sample.styles import MOODS, STYLES, TAGS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PLAYED_SHARE = 30_459 / 50_683
SCENE_OF_ARTIST = 0.2
"""Share of tracks in their artist's scene; the others draw their own."""

_STYLE_TAG_CHANCE = (0.9, 0.65, 0.45, 0.3, 0.2, 0.12)
_NICHE_TAGS, _NICHE_TAG_CHANCE = 3, 0.85
_STRAY_TAG_CHANCE = 0.3
_TRACK_TAG_CHANCE = 0.6
"""Probability that a track has a given tag of its artist."""
_NO_TAGS = 0.022
_NICHE_SOUND = 0.6


@dataclass(frozen=True)
class Niches:
    """Parts of styles, the finest level that content can distinguish."""

    style: Ints
    share: Floats
    year: Floats
    sound: Floats
    """(niches, 5) offsets to the style's sound, on the logit scale."""
    tempo: Floats
    tags: Ints
    """(niches, 3) tags of the niche in addition to its style's, as positions in `TAGS`."""


@dataclass(frozen=True)
class Artists:
    """All artists; arrays run over artists."""

    niche: Ints
    year: Floats
    sound: Floats
    popularity: Floats
    scene: Ints
    tags: Ints
    """(artists, 10) typical tags of the artist, most typical first; −1: none."""


@dataclass(frozen=True)
class Catalogue:
    """All tracks, in the order of the file; arrays run over tracks unless said otherwise."""

    niches: Niches
    artists: Artists
    artist: Ints
    scene: Ints
    appeal: Floats
    """Popularity the track would have if played; only the order matters."""
    played: NDArray[np.bool_]
    tags: Ints
    """(tracks, 10) positions in `TAGS`; −1 for none."""

    @property
    def niche(self) -> Ints:
        """The niche of every track, which is its artist's."""
        return self.artists.niche[self.artist]

    @property
    def style(self) -> Ints:
        """The style of every track, as a position in `STYLES`."""
        return self.niches.style[self.niche]


def build_catalogue(tracks: int, seed: int) -> Catalogue:
    """Generate ``tracks`` tracks, deterministically."""
    played = round(tracks * PLAYED_SHARE)
    groups = max(
        12, round(played**0.5)
    )  # as many scenes as niches, so that both signals are equally fine
    niches = _niches(groups, stream(seed, "niches"))
    rng = stream(seed, "tracks")
    sizes = np.rint(quantiles(TRACKS_PER_ARTIST, rng.random(tracks))).astype(np.int64)
    artist = np.repeat(np.arange(tracks), sizes)[:tracks]
    artists = _artists(int(artist[-1]) + 1, niches, stream(seed, "artists"))
    artist = rng.permutation(artist)
    shares = np.cumsum(rng.lognormal(0, 0.4, groups))
    scene = np.searchsorted(shares, rng.random(tracks) * shares[-1], side="right")
    scene = np.where(rng.random(tracks) < SCENE_OF_ARTIST, artists.scene[artist], scene)
    return Catalogue(
        niches=niches,
        artists=artists,
        artist=artist,
        scene=scene,
        appeal=0.8 * artists.popularity[artist] + 0.7 * rng.standard_normal(tracks),
        played=rng.permutation(np.arange(tracks) < played),
        tags=_track_tags(artists.tags[artist], rng),
    )


def _niches(count: int, rng: np.random.Generator) -> Niches:
    """Divide the styles into niches: one per style, the rest in proportion to their shares."""
    styles = min(len(STYLES), round(0.75 * count))
    size = np.array([style.share for style in STYLES[:styles]])
    size /= size.sum()
    style = np.concatenate([np.arange(styles), rng.choice(styles, count - styles, p=size)])
    share = size[style] / np.bincount(style)[style] * rng.lognormal(0, 0.4, count)
    moods = np.array([TAGS.index(tag) for tag in MOODS])
    tags = rng.choice(moods, (count, _NICHE_TAGS))
    tags[:, 0] = rng.integers(len(TAGS), size=count)
    return Niches(
        style=style,
        share=share / share.sum(),
        year=np.array([STYLES[s].year for s in style]) + rng.normal(0, 5, count),
        sound=rng.normal(0, _NICHE_SOUND, (count, 5)),
        tempo=rng.normal(0, 7, count),
        tags=tags,
    )


def _artists(count: int, niches: Niches, rng: np.random.Generator) -> Artists:
    niche = rng.choice(len(niches.share), count, p=niches.share)
    style_tags = np.full((len(STYLES), len(_STYLE_TAG_CHANCE)), -1)
    for row, style in zip(style_tags, STYLES, strict=True):
        row[: len(style.tags)] = [TAGS.index(tag) for tag in style.tags]
    chances = (*_STYLE_TAG_CHANCE, *(_NICHE_TAG_CHANCE,) * _NICHE_TAGS, _STRAY_TAG_CHANCE)
    stray = rng.integers(len(TAGS), size=(count, 1))
    tags = np.hstack([style_tags[niches.style[niche]], niches.tags[niche], stray])
    return Artists(
        niche=niche,
        year=niches.year[niche] + rng.normal(0, 3.5, count),
        sound=rng.normal(0, 0.35, (count, 5)),
        popularity=rng.standard_normal(count),
        scene=rng.integers(len(niches.share), size=count),
        tags=np.where(rng.random(tags.shape) < chances, tags, -1),
    )


def _track_tags(known_for: Ints, rng: np.random.Generator) -> Ints:
    """Draw each track's tags from its artist's; a few tracks get none."""
    tags = np.where(rng.random(known_for.shape) < _TRACK_TAG_CHANCE, known_for, -1)
    bare = (tags < 0).all(axis=1)
    tags[bare] = known_for[bare]
    tags[rng.random(len(tags)) < _NO_TAGS] = -1
    return tags
