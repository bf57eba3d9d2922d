"""The feature transformer over any subset of columns, hostile ones included."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.content.features import ContentFeatures, FeatureMatrix
from tasks.content.model import fit_content
from tasks.content.parameters import ContentParameters
from tasks.content.tables import content_table
from tests.tasks.content.catalogues import catalogue, random_catalogue

NUMERIC = ("duration_ms", "energy", "tempo", "year")
CATEGORICAL = ("key", "mode", "mood", "genre")


def encode(table: pa.Table) -> FeatureMatrix:
    return ContentFeatures(NUMERIC, CATEGORICAL).fit(table).transform(table)


def test_every_kind_of_column_is_a_feature_with_a_readable_name() -> None:
    table = random_catalogue(80, seed=1)
    assert encode(table).names == ("tags", "genre", "year", "key", "energy", "tempo", "mood")


@settings(max_examples=30, deadline=None)
@given(
    columns=st.sets(
        st.sampled_from(["tags", "genre", "year", "energy", "tempo", "key", "mode", "mood"])
    ),
    size=st.sampled_from([1, 2, 3, 60]),
    missing=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 50),
)
def test_any_subset_of_columns(columns: set[str], size: int, missing: float, seed: int) -> None:
    table = random_catalogue(size, seed, missing=missing)
    kept = [name for name in table.column_names if name in columns or name == "artist_key"]
    table = table.select([*kept, "played_key"])
    matrix = encode(table)
    for block in matrix.blocks:
        lengths = np.sqrt(np.asarray(block.multiply(block).sum(axis=1)))
        assert ((np.abs(lengths - 1) < 1e-9) | (lengths == 0)).all()
    parameters = ContentParameters(neighbours=5, played_neighbours=3, dimensions=4)
    model = fit_content(table, None, NUMERIC, CATEGORICAL, parameters)
    assert np.isfinite(model.space.vectors).all()
    assert model.weights.sum() == pytest.approx(1 if model.features else 0)
    played = table["played_key"].is_valid().to_numpy()
    edges = content_table(model.space, played, parameters)
    weights = edges["weight"].to_numpy()
    assert ((weights > 0) & (weights <= 20_000)).all()
    assert (edges["source"].to_numpy() != edges["target"].to_numpy()).all()


@pytest.mark.parametrize("column", ["energy", "year", "genre", "mood"])
def test_constant_and_missing_columns_are_no_feature(column: str) -> None:
    value = {"energy": 0.5, "year": 1999, "genre": "Rock", "mood": "calm"}[column]
    tags = [["a"], ["a", "b"], ["b"], ["c"]]
    for values in ([value] * 4, [None] * 4):
        columns: dict[str, Any] = {column: values}
        assert encode(catalogue(tags, **columns)).names == ("tags",)


def test_sentinels_are_unknown() -> None:
    table = catalogue([None] * 4, tempo=[0, 90, 100, 120], year=[1900, 1980, 1990, 2000])
    for block in encode(table).blocks:
        assert block[[0]].nnz == 0
        assert (block[[1, 2, 3]].sum(axis=1) > 0).all()


def test_an_unknown_feature_leaves_its_share_to_the_known_ones() -> None:
    table = catalogue([["a"], ["a"], ["b"], ["b"]], year=[None, 1980, 1990, None])
    rows = encode(table).weighted(np.array([0.5, 0.5])).toarray()
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(4))
    # Track 0 is its tag alone, track 1 half tag, half year.
    assert rows[0] @ rows[1] == pytest.approx(np.sqrt(0.5))


def test_a_row_of_very_many_tags_changes_little_and_costs_little() -> None:
    flood = [f"junk{i}" for i in range(1_000_000)]
    table = catalogue([["a", "b"], ["a", *flood], ["b"], ["a"]])
    matrix = encode(table)
    assert matrix.widths == [2]


def test_fit_is_the_same_every_time() -> None:
    table = random_catalogue(120, seed=3)
    parameters = ContentParameters(dimensions=8)
    one, two = (fit_content(table, None, NUMERIC, CATEGORICAL, parameters) for _ in range(2))
    assert (one.space.vectors == two.space.vectors).all()
