"""Simulate feedback on recommendations: an experiment with a known true effect.

A listener clicks an exposure with probability min(1, appeal of the track × liking of the listener ×
examination of the rank × (1 + LIFT in the variant `content`)). Liking varies between listeners and
is constant for each, so a listener's exposures are correlated, and behaviour before the experiment
explains part of the behaviour in it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from tasks.dataset.experiments import Experiment, Variant, naive
from tasks.experiments.assignment import variant_of
from tasks.sample.streams import stream

EXPERIMENT = Experiment.model_validate(
    {
        "name": "slider",
        "start": "2026-03-01",
        "end": "2026-03-29",
        "variants": (
            Variant(name="control", share=0.5),
            Variant(name="content", share=0.5, weight=0.2),
        ),
    }
)
LIFT = 0.15
"""True relative lift of the click rate in the variant `content`."""

BIAS = 0.7
"""Rank k is examined k^−0.7 times as often as rank 1."""

MOST_LISTENERS = 20_000
"""Maximum number of listeners who are shown anything."""

SESSIONS, LIST_LENGTH, DAYS = 6.0, 8, 28
"""Mean sessions of a listener in 2 × DAYS (before and within the experiment), tracks per session,
and days of the experiment."""

PLAYED, SECONDS = 0.75, 150.0
"""Share of clicks that become plays (the others are skips), and mean seconds of a play."""

SUBSCRIBED, CANCELLED = 0.05, 0.02
"""Probability that a click leads to a subscription, and a session to a cancellation."""

CONFIGURATION = f"""\
# crossfade run, in this folder, measures the experiment too.
tracks = "Music Info.csv"
plays = "User Listening History.csv"

[feedback.exposures]
path = "exposures.csv"
id = "exposure_id"
user = "user_id"
track = "track_id"
rank = "rank"
experiment = "experiment"
variant = "variant"
at = "shown_at"

[feedback.events]
path = "events.csv"
exposure = "exposure_id"
user = "user_id"
kind = "kind"
at = "at"
value = "seconds"

[[experiments]]
name = "{EXPERIMENT.name}"
start = {EXPERIMENT.start:%Y-%m-%d}
end = {EXPERIMENT.end:%Y-%m-%d}
variants = [
    {{ name = "control", share = 0.5 }},
    {{ name = "content", share = 0.5, weight = 0.2 }},
]
"""


@dataclass(frozen=True)
class Shown:
    """All exposures, one element each, sorted by listener and time."""

    user: NDArray[np.int64]
    track: NDArray[np.int64]
    rank: NDArray[np.int64]
    moment: NDArray[np.datetime64]
    inside: NDArray[np.bool_]
    """Within the experiment."""
    clicked: NDArray[np.bool_]


def write_feedback(folder: Path, user_ids: pa.Array, track_ids: list[str], seed: int) -> int:
    """Write ``exposures.csv``, ``events.csv`` and ``crossfade.toml``; return the exposures."""
    rng = stream(seed, "feedback")
    users = user_ids.slice(0, MOST_LISTENERS)
    variants = np.array([variant_of(one, EXPERIMENT) for one in users.to_pylist()], np.str_)
    shown = _shown(len(users), len(track_ids), variants == "content", rng)
    number = np.arange(len(shown.user))
    ids = pa.array([f"x{one:09}" for one in number])
    outside = ~shown.inside
    exposures = {
        "exposure_id": ids,
        "user_id": users.take(pa.array(shown.user)),
        "track_id": pa.array(track_ids).take(pa.array(shown.track)),
        "rank": shown.rank,
        "experiment": pa.array(np.full(len(number), EXPERIMENT.name), mask=outside),
        "variant": pa.array(variants[shown.user], mask=outside),
        "shown_at": pa.array(shown.moment.astype("datetime64[s]")),
    }
    _write(folder / "exposures.csv", exposures)
    _write(folder / "events.csv", _events(shown, ids, users, rng))
    (folder / "crossfade.toml").write_text(CONFIGURATION, encoding="utf-8")
    return len(number)


def _shown(users: int, tracks: int, treated: NDArray[np.bool_], rng: np.random.Generator) -> Shown:
    """Draw sessions, the lists shown in them, and the clicks."""
    liking, appeal = rng.gamma(4.0, 0.25, users), rng.beta(2.0, 10.0, tracks)
    sessions = rng.poisson(SESSIONS * liking / liking.mean())
    session_user = np.repeat(np.arange(users), sessions)
    second = rng.integers(-DAYS * 86_400, DAYS * 86_400, len(session_user))
    order = np.lexsort((second, session_user))
    user = np.repeat(session_user[order], LIST_LENGTH)
    second = np.repeat(second[order], LIST_LENGTH)
    rank = np.tile(np.arange(1, LIST_LENGTH + 1), len(session_user))
    track = rng.integers(0, tracks, len(user))
    inside = second >= 0
    chance = appeal[track] * liking[user] * rank**-BIAS
    chance *= np.where(inside & treated[user], 1.0 + LIFT, 1.0)
    moment = naive(EXPERIMENT.start) + second.astype("timedelta64[s]")
    return Shown(user, track, rank, moment, inside, rng.random(len(user)) < chance)


def _events(
    shown: Shown, ids: pa.Array, users: pa.Array, rng: np.random.Generator
) -> dict[str, pa.Array]:
    """Draw the events: clicks with a play or skip each, returns, subscriptions, cancellations."""
    clicked = np.flatnonzero(shown.clicked)
    played = rng.random(len(clicked)) < PLAYED
    seconds = np.rint(rng.exponential(SECONDS, len(clicked)))
    first_of_session = np.flatnonzero(shown.rank == 1)
    again = np.flatnonzero(np.diff(shown.user[first_of_session], prepend=-1) == 0)
    back = first_of_session[again]
    subscribed = clicked[rng.random(len(clicked)) < SUBSCRIBED * shown.inside[clicked]]
    cancelled = back[rng.random(len(back)) < CANCELLED]
    # Events of an exposure carry its id; the others carry the listener's id.
    parts = [
        ("click", clicked, True, None),
        ("play", clicked[played], True, seconds[played]),
        ("skip", clicked[~played], True, None),
        ("return", back, False, None),
        ("subscribe", subscribed, False, None),
        ("cancel", cancelled, False, None),
    ]
    tables = [
        pa.table(
            {
                "exposure_id": ids.take(pa.array(at)) if by_id else pa.nulls(len(at), pa.string()),
                "user_id": pa.nulls(len(at), pa.string()) if by_id
                else users.take(pa.array(shown.user[at])),
                "kind": pa.array([kind] * len(at), pa.string()),
                "at": pa.array(shown.moment[at].astype("datetime64[s]")),
                "seconds": pa.nulls(len(at), pa.float64()) if value is None else pa.array(value),
            }
        )
        for kind, at, by_id, value in parts
    ]  # fmt: skip
    together = pa.concat_tables(tables)
    return {name: together[name] for name in together.column_names}


def _write(path: Path, columns: dict[str, pa.Array]) -> None:
    options = pa.csv.WriteOptions(quoting_style="none", quoting_header="none")
    pa.csv.write_csv(pa.table(columns), path, write_options=options)
