"""What a user would otherwise write: `python -m tests.benchmarks.plain_script TRACKS PLAYS OUT`.

One script, the libraries everybody knows, no held-out listeners, no checks, no reasons: pandas
reads, implicit finds the 100 tracks most played together, scikit-learn the 100 that are most
alike, half of each is blended, every listener gets a top 20, DuckDB keeps it all.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from implicit._nearest_neighbours import NearestNeighboursScorer
from implicit.nearest_neighbours import CosineRecommender, ItemItemRecommender
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder, StandardScaler, normalize

from tests.benchmarks.script_parts import AUDIO, NEIGHBOURS, Clock, keep, listening, lists_of


def content_vectors(tracks: pd.DataFrame) -> Any:
    """Tags by TF-IDF, genre as one of many, audio features scaled; unit length."""
    tags = TfidfVectorizer(token_pattern=r"[^,\s][^,]*").fit_transform(tracks["tags"].fillna(""))
    genre = OneHotEncoder(min_frequency=20).fit_transform(tracks[["genre"]].fillna(""))
    audio = normalize(StandardScaler().fit_transform(tracks[AUDIO].fillna(0)))
    return normalize(sparse.hstack([tags, 0.5 * genre, 0.5 * sparse.csr_matrix(audio)]).tocsr())


def nearest(dense: Any) -> sparse.csr_matrix:
    """The most similar tracks of every track, as a sparse matrix of cosines."""
    search = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, metric="cosine", algorithm="brute")
    distances, indices = search.fit(dense).kneighbors(dense)
    rows = np.repeat(np.arange(len(dense)), NEIGHBOURS + 1)
    near = sparse.coo_matrix((1 - distances.ravel(), (rows, indices.ravel()))).tocsr()
    near.setdiag(0)
    near.eliminate_zeros()
    return near


def main(tracks_path: Path, plays_path: Path, out: Path) -> None:
    """Run it all; print the seconds of each step."""
    clock = Clock()
    heard = listening(tracks_path, plays_path, counts=False, clock=clock)
    cosine = CosineRecommender(K=NEIGHBOURS)
    cosine.fit(heard.matrix, show_progress=False)
    collaborative = cosine.similarity.tocsr()
    collaborative.setdiag(0)
    clock("collaborative")
    dense = np.asarray(content_vectors(heard.tracks).todense(), dtype=np.float32)
    content = nearest(dense)
    clock("content")
    hybrid = ItemItemRecommender(K=2 * NEIGHBOURS)
    hybrid.similarity = (0.5 * collaborative + 0.5 * content).tocsr().astype(np.float64)
    hybrid.scorer = NearestNeighboursScorer(hybrid.similarity)
    lists = lists_of(hybrid, heard.matrix.astype(np.float64))
    clock("lists")
    keep(out, heard, {"collaborative": collaborative, "content": content}, lists)
    clock("written")


if __name__ == "__main__":
    main(*(Path(path) for path in sys.argv[1:4]))
