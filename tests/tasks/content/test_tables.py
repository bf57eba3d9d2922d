"""The neighbour table: nobody's discography fills a list."""

import numpy as np

from tasks.content.parameters import ContentParameters
from tasks.content.search import Space
from tasks.content.tables import content_table


def test_a_long_discography_leaves_room_for_others() -> None:
    rng = np.random.default_rng(1)
    vectors = np.abs(rng.normal(size=(80, 6)))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    artists = np.where(np.arange(80) < 40, 0, np.arange(80)).astype(np.int32)
    parameters = ContentParameters(neighbours=10, played_neighbours=0, other_artists=4)
    edges = content_table(Space(vectors, artists, 0.6), np.ones(80, np.bool_), parameters)
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    others = np.bincount(source[artists[source] != artists[target]], minlength=80)
    assert others.min() >= 4
    assert len(set(zip(source.tolist(), target.tolist(), strict=True))) == edges.num_rows
