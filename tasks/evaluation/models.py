"""The names of the models that an evaluation measures side by side."""

POPULARITY, COSINE, COLLABORATIVE, CONTENT, FIFTY_FIFTY, HYBRID, ANY_ARTIST = MODELS = (
    "popularity",
    "cosine",
    "collaborative",
    "content",
    "fifty_fifty",
    "hybrid",
    "hybrid_any_artist",  # δ = 1: an artist may flood a list
)

RECENT = "popularity_recent"
"""Most new listeners in the last months: a baseline of the temporal split alone."""

TEMPORAL_MODELS = (*MODELS, RECENT)
"""The models of the temporal split; the positions of `MODELS` are the same."""
