"""Scikit-learn transformers that turn one kind of column into rows of length 1 (or 0: unknown).

The dot product of two rows is then the similarity of two tracks by that feature: 1 the same,
0 nothing in common. An unknown value is a row of zeros, similar to nothing and no harm.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import normalize

from tasks.lake.contracts.inputs import NUMBER


class LabelCounts(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # untyped base
    """Count labels per track: a column per label that two or more tracks carry, but not all.

    Takes an Arrow array of strings (one label or null) or of string lists; gives a CSR matrix,
    float64. Columns are in byte order of the labels. With more labels than ``vocabulary`` the
    most frequent are kept, ties by label.
    """

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary

    def fit(self, column: pa.Array, _y: Any = None) -> Self:
        """Learn the vocabulary."""
        _, labels = _rows_and_labels(column)
        counts = pc.value_counts(labels)
        sizes = counts.field("counts")
        telling = pc.and_(pc.greater_equal(sizes, 2), pc.less(sizes, len(column)))
        found = pa.table({"label": counts.field("values"), "size": sizes}).filter(telling)
        order = [("size", "descending"), ("label", "ascending")]
        kept = found.sort_by(order)["label"][: self.vocabulary].combine_chunks()
        self.labels_: pa.Array = kept.take(pc.sort_indices(kept))
        return self

    def transform(self, column: pa.Array) -> sparse.csr_array:
        """Count the known labels of every track."""
        rows, labels = _rows_and_labels(column)
        found = pc.index_in(labels, self.labels_)
        known = found.is_valid().to_numpy(zero_copy_only=False)
        columns = found.drop_null().to_numpy()
        shape = (len(column), len(self.labels_))
        return sparse.csr_array(
            sparse.coo_array((np.ones(len(columns)), (rows[known], columns)), shape=shape)
        )


def unit_csr(rows: Any) -> sparse.csr_array:
    """Return rows (dense or sparse) scaled to length 1 as CSR float64; zero rows stay zero."""
    return sparse.csr_array(normalize(sparse.csr_array(rows)))


def _rows_and_labels(column: pa.Array) -> tuple[NDArray[np.int64], pa.Array]:
    """Return the labels, one after the other, and the row each belongs to."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        rows = pc.list_parent_indices(column).to_numpy().astype(np.int64)
        labels = pc.list_flatten(column)
    else:
        rows, labels = np.arange(len(column)), column
    labels = labels.cast(pa.string())
    known = labels.is_valid()
    return rows[known.to_numpy(zero_copy_only=False)], labels.filter(known)


class SoftBins(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # untyped base
    """Encode a number by its closeness to evenly spaced centres, a smooth kernel on the line.

    Two values ``d`` apart have similarity of about exp(-(d / width)² / 4). Takes (n, 1) float
    arrays with NaN for unknown. Values beyond the outermost centres count as the outermost.
    """

    def __init__(self, width: float, low: float | None = None, high: float | None = None) -> None:
        self.width = width
        self.low = low
        self.high = high

    def fit(self, values: NDArray[np.float64], _y: Any = None) -> Self:
        """Place the centres, one ``width`` apart, over all but the outermost values."""
        known = values[np.isfinite(values)]
        low = np.quantile(known, 0.002) if self.low is None else self.low
        high = np.quantile(known, 0.998) if self.high is None else self.high
        count = int(np.clip(np.ceil((high - low) / self.width) + 1, 2, 64))
        self.centres_ = np.linspace(low, high, count)
        self.sigma_ = max(self.width, self.centres_[1] - self.centres_[0], 1e-12)
        return self

    def transform(self, values: NDArray[np.float64]) -> sparse.csr_array:
        """Encode; rows of unknown values are zero."""
        clipped = np.clip(values.reshape(-1, 1), self.centres_[0], self.centres_[-1])
        closeness = np.exp(-0.5 * ((clipped - self.centres_) / self.sigma_) ** 2)
        closeness[~np.isfinite(closeness) | (closeness < 1e-3)] = 0.0
        return unit_csr(closeness)


class MusicalKey(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # untyped base
    """Encode pitch class and mode by their place on the circle of fifths.

    Takes (n, 2) floats: key 0-11 (C, C♯, …) and mode (1 major, 0 minor), NaN unknown. A minor key
    stands beside its relative major (A minor by C major); neighbours on the circle share six of
    seven notes and come out similar, keys a tritone apart dissimilar. Unknown mode counts as major
    for the place and is left out of the comparison of modes.
    """

    MODE_SHARE = 0.25

    def fit(self, _values: NDArray[np.float64], _y: Any = None) -> Self:
        """Nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, values: NDArray[np.float64]) -> sparse.csr_array:
        """Encode as three columns: the place on the circle (two) and the mode."""
        key, mode = values[:, 0], values[:, 1]
        major = np.where(mode == 0, key + 3, key)
        angle = (major * 7 % 12) * (2 * np.pi / 12)
        place = np.column_stack([np.cos(angle), np.sin(angle)]) * np.sqrt(1 - self.MODE_SHARE)
        side = np.where(mode == 0, -1.0, 1.0) * np.sqrt(self.MODE_SHARE)
        encoded = np.column_stack([place, np.where(np.isnan(mode), 0.0, side)])
        encoded[~np.isin(key, np.arange(12))] = 0.0
        return unit_csr(encoded)


def to_floats(columns: Sequence[pa.Array]) -> NDArray[np.float64]:
    """Return columns of numbers, or of text that holds numbers, side by side; NaN is unknown."""
    return np.column_stack([_floats(column) for column in columns])


def _floats(column: pa.Array) -> NDArray[np.float64]:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        is_number = pc.match_substring_regex(column, rf"^\s*{NUMBER}\s*$")
        plain = pc.if_else(is_number, column, None)
        column = pc.utf8_trim_whitespace(plain)
    values = column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)
