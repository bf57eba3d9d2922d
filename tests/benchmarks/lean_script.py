"""The leanest script: `python -m tests.benchmarks.lean_script TRACKS PLAYS OUT`.

As tests/benchmarks/plain_script.py, but nothing is blended: implicit finds the 100 tracks most
played together by the numbers of plays and makes every listener's top 20 of them; content is
reduced to 96 dimensions before scikit-learn finds the 100 that are most alike.
"""

import sys
from pathlib import Path
from typing import Any

import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler, normalize

from tests.benchmarks.plain_script import nearest
from tests.benchmarks.script_parts import AUDIO, NEIGHBOURS, Clock, keep, listening, lists_of

DIMENSIONS = 96


def content_vectors(tracks: pd.DataFrame) -> Any:
    """Tags by TF-IDF, the artist as one of many, audio features scaled; 96 dimensions."""
    tags = TfidfVectorizer(token_pattern=r"[^,\s][^,]*").fit_transform(tracks["tags"].fillna(""))
    artist = OneHotEncoder(min_frequency=2).fit_transform(tracks[["artist"]].fillna(""))
    audio = normalize(StandardScaler().fit_transform(tracks[AUDIO].fillna(0)))
    whole = sparse.hstack([tags, 0.5 * artist, 0.5 * sparse.csr_matrix(audio)]).tocsr()
    return normalize(TruncatedSVD(DIMENSIONS, random_state=0).fit_transform(whole))


def main(tracks_path: Path, plays_path: Path, out: Path) -> None:
    """Run it all; print the seconds of each step."""
    clock = Clock()
    heard = listening(tracks_path, plays_path, counts=True, clock=clock)
    cosine = CosineRecommender(K=NEIGHBOURS)
    cosine.fit(heard.matrix, show_progress=False)
    clock("collaborative")
    content = nearest(content_vectors(heard.tracks).astype("float32"))
    clock("content")
    lists = lists_of(cosine, heard.matrix)
    clock("lists")
    keep(out, heard, {"collaborative": cosine.similarity.tocsr(), "content": content}, lists)
    clock("written")


if __name__ == "__main__":
    main(*(Path(path) for path in sys.argv[1:4]))
