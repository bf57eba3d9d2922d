"""The metrics of the evaluation in words: what a value says of a hundred tracks or listeners."""

NAMES = {
    "recall": "Played tracks found",
    "ndcg": "Order of the list",
    "map": "Precision",
    "hit_rate": "Listeners with a find",
    "coverage": "Coverage of the catalogue",
    "unplayed_share": "Unplayed tracks in lists",
    "gini": "Concentration (Gini)",
    "novelty": "Novelty in bits",
    "popularity_lift": "Popularity lift",
    "artist_diversity": "Artist diversity",
    "tag_diversity": "Tag diversity",
}


def label(metric: str, k: int) -> str:
    """Return a metric's name for labels: in words, and as `evaluation` has it."""
    words = NAMES.get(metric, metric.replace("_", " "))
    return f"{words} ({metric}@{k})" if k else f"{words} ({metric})"


def in_words(metric: str, k: int, value: float, digits: int = 0) -> str:
    """Return a value as a sentence without its full stop."""
    share = f"{100 * value:.{digits}f}"
    return {
        "recall": f"Of 100 tracks people went on to play, {share} were in their first {k}",
        "ndcg": f"The order of the first {k} reaches {share} % of the best possible order",
        "map": f"Reading down to each track that was played, {share} % of the tracks on the way "
        "were played too; a missed track counts as 0 %",
        "hit_rate": f"Of 100 people, {share} found at least one such track in their first {k}",
        "coverage": f"Of 100 tracks of the catalogue, {share} are in somebody's first {k}",
        "unplayed_share": f"Of 100 tracks shown, {share} have no listener yet",
        "gini": f"{value:.2f}, where 0 means that all tracks are shown equally often and 1 that "
        "only one track is shown",
        "novelty": f"A track shown is known to one listener in {2**value:,.0f}",
        "popularity_lift": f"{value:+.3f}: popularity of the list minus that of the history",
        "artist_diversity": f"Of 100 pairs of tracks in a list, {share} are by different artists",
        "tag_diversity": f"{value:.2f}, where 0 means that all tracks of a list have the same tags "
        "and 1 that they share none",
    }.get(metric, f"{value:.4f}")
