"""Models that score higher than the one that is served, and why they are not served."""

from typing import Any

from warehouse.explorer.wording import listed

SERVED = "hybrid"
"""The model that is published."""
ANY_ARTIST = "hybrid_any_artist"
BLENDS = (SERVED, ANY_ARTIST, "fifty_fifty")

Rows = list[dict[str, Any]]


def find(rows: Rows, model: str, segment: str, metric: str, k: int) -> dict[str, Any] | None:
    """Return one row of the evaluation, or None."""
    wanted = (model, segment, metric, k)
    return next(
        (r for r in rows if (r["model"], r["segment"], r["metric"], r["k"]) == wanted), None
    )


def why_not_served(
    evaluation: Rows, metric: str, k: int, segment: str, artist_factor: float
) -> list[str]:
    """Return a sentence for each kind of model that beats the served one by this metric."""
    served = find(evaluation, SERVED, segment, metric, k)
    if served is None:
        return []
    higher = {
        row["model"]: row["value"]
        for row in evaluation
        if (row["segment"], row["metric"], row["k"]) == (segment, metric, k)
        and row["value"] > served["value"]
    }
    said = []
    if ANY_ARTIST in higher:
        said.append(_any_artist(evaluation, higher[ANY_ARTIST], served["value"], artist_factor))
    if "fifty_fifty" in higher:
        said.append(
            f"`fifty fifty` scores {higher['fifty_fifty']:.3f} here, above the "
            f"{served['value']:.3f} of `hybrid`: a weight of 0.5 for everybody. The weights that "
            "are served were chosen on other listeners, by NDCG@100, and cannot be best in every "
            "segment and metric."
        )
    single = [model for model in higher if model not in BLENDS]
    if single:
        named = listed([f"`{m.replace('_', ' ')}` ({higher[m]:.3f})" for m in single])
        said.append(
            f"{named} scores higher here than `hybrid` ({served['value']:.3f}). The blend is "
            "chosen by NDCG@100 over whole lists; a single signal can be ahead by another metric "
            "or in one segment. The checks `hybrid_keeps_up` warn where that is beyond chance."
        )
    return said


def _any_artist(evaluation: Rows, value: float, served: float, factor: float) -> str:
    pairs = [find(evaluation, model, "all", "artist_diversity", 20)
             for model in (ANY_ARTIST, SERVED)]  # fmt: skip
    price = ""
    if all(pairs):
        theirs, ours = (100 * row["value"] for row in pairs if row)
        price = (f": of 100 pairs of tracks in its lists, {theirs:.0f} are by different artists, "
                 f"in the lists served {ours:.0f}")  # fmt: skip
    return (
        f"`hybrid any artist` scores {value:.3f} here, above the {served:.3f} of `hybrid`, but "
        f"lets one artist fill a list{price}. In the lists served, an artist's fifth track and "
        f"each further one counts {factor:g} times as much as the one before. To serve the "
        "variant, set `artist_factor = 1` under `[hybrid]`."
    )
