"""Draw the listening history: a few tastes per listener, and hits that everyone plays.

A listener has one to a dozen tastes. A taste has an anchor track and follows either content (the
anchor's artist, niche and style) or the anchor's hidden scene. A play comes from a taste or from
the hits, and no listener plays a track twice. Anchors, and plays within a group, are drawn by
popularity, so the groups do not change the intended popularity of tracks.

Listeners are drawn in blocks of fixed size, each with its own random stream, so the result does not
depend on the order in which blocks are computed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.sample.catalogue import Catalogue
from tasks.sample.shapes import play_count_table, track_popularity, tracks_per_listener
from tasks.sample.streams import stream

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BLOCK = 8192
"""Listeners per block. Another size gives another sample."""

HITS, DEEP, STYLE, NICHE, ARTIST, KNOWN, SCENE, ANY = range(8)
"""Components that a play can come from: the hits; in content-led tastes any track, or the anchor's
style, niche or artist; in scene-led tastes any track, or the anchor's scene; any track at all."""
_CONTENT_LED = (0.0, 0.04, 0.04, 0.40, 0.52, 0.0, 0.0, 0.0)
_SCENE_LED = (0.0, 0.0, 0.0, 0.0, 0.0, 0.14, 0.86, 0.0)
"""Probabilities by kind of taste; the share of the hits is added later."""
_HEAD = 0.97
"""Tracks above this quantile of popularity are hits: their popularity beyond a square-root law is
played by all listeners, independent of niche and scene."""
_DEEP_SHARE, _DEEP_QUANTILE = 0.85, 0.9
"""Content-led tastes give this share of a track's other plays, and less above this quantile, again
by a square-root law: followers of an artist or niche play its obscure tracks too, whereas scenes
spread known ones. So plays are most informative about known tracks, content about obscure ones."""
_FIRST_TASTE = 1.6
"""Above 1, earlier tastes get more of the plays."""
_FAITHFUL_ATTEMPTS, _CURIOUS_ATTEMPTS = 4, 10
"""Attempts to redraw a repeated track from the tastes, then (up to) from wider groups."""


@dataclass(frozen=True)
class Audience:
    """The arrays from which every block of listeners is drawn."""

    tracks: Ints
    """Position in the catalogue of each played track; the arrays below run over these."""
    items: Ints
    """Played tracks sorted by group, once for each component, end to end."""
    reach: Floats
    """Cumulative popularity along ``items``; a draw is a binary search in it."""
    low: Floats
    """(components, played tracks): where in ``reach`` a track's group starts."""
    high: Floats
    content_led: float
    """Share of content-led tastes, derived from the remaining popularity of all tracks."""
    mixes: Floats
    """(2, components) cumulative shares of content-led and scene-led tastes."""
    play_counts: Floats
    lengths: NDArray[np.int32]
    """Tracks per listener."""
    introduces: NDArray[np.int32]
    """A track assigned to the listener, so that every played track has one; −1: none."""
    seed: int

    @property
    def blocks(self) -> int:
        """Number of blocks of listeners."""
        return -(-len(self.lengths) // BLOCK)


@dataclass(frozen=True)
class Plays:
    """The plays of one block, in random order."""

    user: Ints
    """Position of the listener within the block."""
    track: Ints
    """Position of the track in the catalogue."""
    count: Ints
    taste: Ints
    """Which of the listener's tastes it comes from; −1: none, as with the hits."""
    tastes: Ints
    """Number of tastes of each listener of the block."""


def gather_audience(catalogue: Catalogue, users: int, seed: int) -> Audience:
    """Draw the popularity of each played track and the length of each history."""
    tracks = np.flatnonzero(catalogue.played)
    rng = stream(seed, "audience")
    lengths = tracks_per_listener(users, max(1, len(tracks) // 3), rng)
    popularity = track_popularity(catalogue.appeal[tracks], float(lengths.mean()))
    taste = _dampened(popularity, _HEAD)
    deep = _DEEP_SHARE * _dampened(taste, _DEEP_QUANTILE)
    everything = np.zeros_like(tracks)
    style, niche = catalogue.style[tracks], catalogue.niche[tracks]
    scene, artist = catalogue.scene[tracks], catalogue.artist[tracks]
    groups = [everything, everything, style, niche, artist, everything, scene, everything]
    even = np.full(len(tracks), 1 / len(tracks))
    weights = [popularity - taste, *[deep] * 4, *[taste - deep] * 2, even]
    items, reach, low, high = _group_ranges(groups, weights)
    hits = float(np.sum(popularity - taste))
    mixes = np.array([_CONTENT_LED, _SCENE_LED]) * (1 - hits)
    mixes[:, HITS] = hits
    return Audience(
        tracks=tracks,
        items=items,
        reach=reach,
        low=low,
        high=high,
        content_led=float(np.sum(deep) / np.sum(taste)),
        mixes=np.cumsum(mixes, axis=1),
        play_counts=play_count_table(),
        lengths=lengths,
        introduces=_introductions(lengths, len(tracks), rng),
        seed=seed,
    )


def _dampened(popularity: Floats, quantile: float) -> Floats:
    """Replace popularity beyond a quantile by a square-root law that meets it there."""
    knee = np.quantile(popularity, quantile)
    return np.where(popularity > knee, np.sqrt(popularity * knee), popularity)


def _group_ranges(groups: list[Ints], weights: list[Floats]) -> tuple[Ints, Floats, Floats, Floats]:
    """Concatenate the groups of all components, each track with a range as wide as its weight."""
    items, reach = [], []
    low, high = np.empty((2, len(groups), len(groups[0])))
    start = 0.0
    for component, (labels, weight) in enumerate(zip(groups, weights, strict=True)):
        group, sizes = np.unique(labels, return_inverse=True, return_counts=True)[1:]
        order = np.argsort(group, kind="stable")
        line = start + np.cumsum(weight[order])
        ends = line[np.cumsum(sizes) - 1]
        low[component] = np.concatenate([[start], ends[:-1]])[group]
        high[component] = ends[group]
        items.append(order)
        reach.append(line)
        start = float(line[-1])
    return np.concatenate(items), np.concatenate(reach), low, high


def _introductions(
    lengths: NDArray[np.int32], tracks: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Assign every played track to one listener with a longer history."""
    users = len(lengths)
    eager = np.argsort(-lengths, kind="stable")[: max(tracks, users // 3)]
    chosen = rng.permutation(eager)[:tracks]
    introduces = np.full(users, -1, dtype=np.int32)
    introduces[chosen] = rng.permutation(tracks)[: len(chosen)]
    return introduces


def block_plays(audience: Audience, block: int) -> Plays:
    """Draw the plays of one block of listeners; every (listener, track) pair at most once."""
    rng = stream(audience.seed, "plays", block)
    here = slice(block * BLOCK, (block + 1) * BLOCK)
    lengths, introduces = audience.lengths[here], audience.introduces[here]
    user = np.repeat(np.arange(len(lengths)), lengths)
    track = np.full(len(user), -1, dtype=np.int64)
    bound = np.flatnonzero(introduces >= 0)
    track[(np.cumsum(lengths) - lengths)[bound]] = introduces[bound]

    tastes = np.rint(0.6 + 0.45 * np.sqrt(lengths)).astype(np.int64)
    first = np.cumsum(tastes) - tastes
    scene_led = (rng.random(tastes.sum()) >= audience.content_led).astype(np.int64)
    anchors = _draw(audience, np.where(scene_led, KNOWN, DEEP), np.zeros_like(scene_led), rng)
    anchors[(first + tastes - 1)[bound]] = introduces[bound]
    source = np.repeat(tastes - 1, lengths)  # of the tracks assigned; the others are drawn below

    todo = np.flatnonzero(track < 0)
    attempt = 0
    while len(todo):
        who = user[todo]
        taste = first[who] + (tastes[who] * rng.random(len(who)) ** _FIRST_TASTE).astype(np.int64)
        component = _components(audience, scene_led[taste], attempt, rng)
        track[todo] = _draw(audience, component, anchors[taste], rng)
        source[todo] = np.where(np.isin(component, (HITS, ANY)), -1, taste - first[who])
        todo = _repeats(user, track, who)
        attempt += 1
    order = rng.permutation(len(user))
    count = np.searchsorted(audience.play_counts[:-1], rng.random(len(user)), side="right") + 1
    return Plays(user[order], audience.tracks[track[order]], count, source[order], tastes)


def _components(
    audience: Audience, scene_led: Ints, attempt: int, rng: np.random.Generator
) -> Ints:
    """Choose the component of each play; after repeated attempts, a wider one."""
    at = rng.random(len(scene_led))
    if attempt < _FAITHFUL_ATTEMPTS:
        passed = at[:, None] >= audience.mixes[scene_led, :-1]
        chosen: Ints = np.count_nonzero(passed, axis=1)
        return chosen
    if attempt < _CURIOUS_ATTEMPTS:
        return np.where(at < 0.5, STYLE, KNOWN)
    return np.full(len(scene_led), ANY)


def _draw(audience: Audience, component: Ints, anchor: Ints, rng: np.random.Generator) -> Ints:
    """Draw played tracks by popularity from the anchors' groups of the given components."""
    low, high = audience.low[component, anchor], audience.high[component, anchor]
    at = low + rng.random(len(anchor)) * (high - low)
    place = np.searchsorted(audience.reach, at, side="right")
    return audience.items[np.minimum(place, len(audience.items) - 1)]


def _repeats(user: Ints, track: Ints, suspects: Ints) -> Ints:
    """Return the positions of plays that repeat an earlier one; only suspects have any."""
    suspect = np.zeros(BLOCK, dtype=np.bool_)
    suspect[suspects] = True
    place = np.flatnonzero(suspect[user])
    # User, track and position packed into one number: plain sorting is far faster than argsort.
    packed = np.sort((user[place] << 46) | (track[place] << 24) | place)
    repeated = packed[1:] >> 24 == packed[:-1] >> 24
    return np.sort(packed[1:][repeated] & (2**24 - 1))
