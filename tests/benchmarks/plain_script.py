"""What a user would otherwise write: `python -m tests.benchmarks.plain_script TRACKS PLAYS OUT`.

One script, the libraries everybody knows, no held-out listeners, no checks, no reasons: pandas
reads, implicit finds the 100 tracks most played together, scikit-learn the 100 that are most
alike, half of each is blended, every listener gets a top 20, DuckDB keeps it all.
"""

import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from implicit._nearest_neighbours import NearestNeighboursScorer
from implicit.nearest_neighbours import CosineRecommender, ItemItemRecommender
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder, StandardScaler, normalize

NEIGHBOURS, LIST, BATCH = 100, 20, 100_000
AUDIO = [
    *("danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness"),
    *("liveness", "valence", "tempo", "duration_ms", "year"),
]


def content_vectors(tracks: pd.DataFrame) -> Any:
    """Tags by TF-IDF, genre as one of many, audio features scaled; unit length."""
    tags = TfidfVectorizer(token_pattern=r"[^,\s][^,]*").fit_transform(tracks["tags"].fillna(""))
    genre = OneHotEncoder(min_frequency=20).fit_transform(tracks[["genre"]].fillna(""))
    audio = normalize(StandardScaler().fit_transform(tracks[AUDIO].fillna(0)))
    return normalize(sparse.hstack([tags, 0.5 * genre, 0.5 * sparse.csr_matrix(audio)]).tocsr())


def content_neighbours(vectors: Any) -> sparse.csr_matrix:
    """The most similar tracks of every track, as a sparse matrix of cosines."""
    dense = np.asarray(vectors.todense(), dtype=np.float32)
    search = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, metric="cosine", algorithm="brute")
    distances, indices = search.fit(dense).kneighbors(dense)
    rows = np.repeat(np.arange(len(dense)), NEIGHBOURS + 1)
    near = sparse.coo_matrix((1 - distances.ravel(), (rows, indices.ravel()))).tocsr()
    near.setdiag(0)
    near.eliminate_zeros()
    return near


def edge_frame(matrix: sparse.csr_matrix, ids: NDArray[np.object_]) -> pd.DataFrame:
    """One row per pair of neighbours."""
    pairs = matrix.tocoo()
    return pd.DataFrame(
        {"track_id": ids[pairs.row], "similar_track_id": ids[pairs.col], "score": pairs.data}
    )


def main(tracks_path: Path, plays_path: Path, out: Path) -> None:
    """Run it all; print the seconds of each step."""
    started = time.perf_counter()

    def told(step: str) -> None:
        print(f"{step}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)

    tracks = pd.read_csv(tracks_path)
    plays = pd.read_csv(plays_path)
    told("read")
    plays = plays[plays["track_id"].isin(tracks["track_id"])]
    users = plays["user_id"].astype("category")
    track = pd.Index(tracks["track_id"]).get_indexer(pd.Index(plays["track_id"]))
    ones = np.ones(len(plays), np.float32)
    shape = (len(users.cat.categories), len(tracks))
    matrix = sparse.csr_matrix((ones, (users.cat.codes, track)), shape=shape)
    told("matrix")
    cosine = CosineRecommender(K=NEIGHBOURS)
    cosine.fit(matrix, show_progress=False)
    collaborative = cosine.similarity.tocsr()
    collaborative.setdiag(0)
    told("collaborative")
    content = content_neighbours(content_vectors(tracks))
    told("content")
    hybrid = ItemItemRecommender(K=2 * NEIGHBOURS)
    hybrid.similarity = (0.5 * collaborative + 0.5 * content).tocsr().astype(np.float64)
    hybrid.scorer = NearestNeighboursScorer(hybrid.similarity)
    lists, scores = [], []
    for start in range(0, matrix.shape[0], BATCH):
        batch = np.arange(start, min(start + BATCH, matrix.shape[0]))
        found, score = hybrid.recommend(batch, matrix[batch].astype(np.float64), N=LIST)
        lists.append(found)
        scores.append(score)
    told("lists")
    ids = tracks["track_id"].to_numpy(dtype=object)
    listed = np.concatenate(lists).ravel()
    user = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), LIST)
    recommendations = pa.table(
        {
            "user": user,
            "rank": np.tile(np.arange(1, LIST + 1, dtype=np.int8), matrix.shape[0]),
            "track": listed.astype(np.int32),
            "score": np.concatenate(scores).ravel().astype(np.float32),
        }
    )
    names = pd.DataFrame({"user": range(matrix.shape[0]), "user_id": users.cat.categories})
    frames = {
        "tracks": tracks,
        "users": names,
        "plays": plays,
        "collaborative": edge_frame(collaborative, ids),
        "content": edge_frame(content, ids),
    }
    out.unlink(missing_ok=True)
    with duckdb.connect(str(out)) as con:
        con.register("recommendations_table", recommendations)
        for name, frame in frames.items():
            con.register(f"{name}_frame", frame)
            con.execute(f"CREATE TABLE {name} AS FROM {name}_frame")
        con.execute(
            "CREATE TABLE user_recommendations AS "
            "FROM recommendations_table WHERE track >= 0 ORDER BY user, rank"
        )
    told("written")


if __name__ == "__main__":
    main(*(Path(path) for path in sys.argv[1:4]))
