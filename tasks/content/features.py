"""Feature columns of the catalogue as one fitted transformer: a block of columns per feature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer

from tasks.content.encoders import LabelCounts, MusicalKey, SoftBins, to_floats, unit_csr
from tasks.lake.contracts.inputs import INPUT_FEATURES

YEARS = 4.0
"""Width of the year kernel: 4 years apart are 0.78 similar, 10 years 0.21."""

RANKS = 0.15
"""Width of the kernel on numeric features, in shares of the catalogue between two values."""

READABLE = {"duration_ms": "duration"}
"""Names of features, where they are not the column's own."""


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of n tracks: CSR float64, each feature's rows of length 1, or 0 where unknown."""

    names: tuple[str, ...]
    blocks: tuple[sparse.csr_array, ...]

    @property
    def widths(self) -> list[int]:
        """Columns of each feature."""
        return [int(block.shape[1]) for block in self.blocks]

    def weighted(self, weights: NDArray[np.float64]) -> sparse.csr_array:
        """Join the blocks so that a row's dot product is Σ weight × similarity by the feature.

        Rows are then scaled to length 1: an unknown feature leaves its share to the known ones.
        There must be a feature.
        """
        scaled = [block * np.sqrt(w) for block, w in zip(self.blocks, weights, strict=True)]
        return unit_csr(sparse.hstack(scaled, format="csr"))


@dataclass(frozen=True)
class _Feature:
    """One feature: the columns it reads and the pipeline that encodes them."""

    name: str
    columns: tuple[str, ...]
    pipeline: Pipeline
    labels: bool

    def values(self, table: pa.Table) -> Any:
        columns = [table[column] for column in self.columns]
        if self.labels:
            return columns[0]
        values = to_floats(columns)
        for position, column in enumerate(self.columns):
            if column in INPUT_FEATURES:
                unknown = INPUT_FEATURES[column].stands_for_unknown(values[:, position])
                values[unknown, position] = np.nan
        return values


class ContentFeatures:
    """Encode whichever of the content columns a catalogue has; fitted once, on all tracks.

    Columns that say nothing (absent, all missing, one value throughout, labels that no two tracks
    share) give no feature. The artist is not encoded here: same or not the same is exact in
    `tasks.content.search`.
    """

    def __init__(
        self, numeric: Sequence[str], categorical: Sequence[str], tag_vocabulary: int = 5_000
    ) -> None:
        self.numeric = tuple(numeric)
        self.categorical = tuple(categorical)
        self.tag_vocabulary = tag_vocabulary
        self.features: list[_Feature] = []

    def fit(self, table: pa.Table) -> Self:
        """Fit every feature that says something about the tracks of ``table``."""
        self.features = []
        for feature in self._candidates(table):
            values = feature.values(table)
            if _says_something(values, feature.labels):
                feature.pipeline.fit(values)
                self.features.append(feature)
        return self

    def transform(self, table: pa.Table) -> FeatureMatrix:
        """Encode the tracks of ``table``, one block per fitted feature."""
        return FeatureMatrix(
            names=tuple(feature.name for feature in self.features),
            blocks=tuple(
                sparse.csr_array(feature.pipeline.transform(feature.values(table)))
                for feature in self.features
            ),
        )

    def _candidates(self, table: pa.Table) -> list[_Feature]:
        """List the features that the present columns allow, each column used once."""
        rows = table.num_rows
        found = [
            _Feature("tags", ("tags",), self._labels(idf=True), labels=True),
            _Feature("genre", ("genre",), self._labels(idf=False), labels=True),
            _Feature("year", ("year",), make_pipeline(SoftBins(YEARS)), labels=False),
        ]
        declared = set(self.numeric) | set(self.categorical)
        taken = {"tags", "genre", "year", "artist", "name"}
        if {"key", "mode"} <= declared:
            pipeline = make_pipeline(MusicalKey())
            found.append(_Feature("key", ("key", "mode"), pipeline, labels=False))
            taken |= {"key", "mode"}
        for column in self.numeric:
            if column not in taken:
                name = READABLE.get(column, column)
                found.append(_Feature(name, (column,), _ranks(rows), labels=False))
                taken.add(column)
        for column in self.categorical:
            if column not in taken:
                found.append(_Feature(column, (column,), self._labels(idf=False), labels=True))
                taken.add(column)
        return [feature for feature in found if set(feature.columns) <= set(table.column_names)]

    def _labels(self, idf: bool) -> Pipeline:
        weighting = TfidfTransformer() if idf else FunctionTransformer(unit_csr)
        return make_pipeline(LabelCounts(self.tag_vocabulary), weighting)


def _ranks(rows: int) -> Pipeline:
    # Ranks are robust to any scale, skew and outlier; all tracks are used: no random subset.
    ranks = QuantileTransformer(n_quantiles=min(rows, 1_000), subsample=None)
    return make_pipeline(ranks, SoftBins(RANKS, low=0.0, high=1.0))


def _says_something(values: Any, labels: bool) -> bool:
    """Tell whether a column has two known values to tell apart, or labels at all."""
    if labels:
        return len(LabelCounts(1).fit(values).labels_) > 0
    known = values[~np.isnan(values[:, 0]), 0]
    return bool(len(known) >= 2 and known.min() < known.max())
