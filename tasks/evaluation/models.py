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
