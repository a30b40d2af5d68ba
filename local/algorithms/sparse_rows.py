"""Sparse rows. Their memory grows with the values that were sent, not with the number of columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vector:
    """Holds one dense or sparse row.

    Attributes:
        keys: The columns of the values, each at least 0 and below ``width``; None if the row is dense.
        values: The numbers, of shape (values,).
        width: The number of columns.
    """

    keys: Keys | None
    values: Array
    width: int


class SparseRows:
    """Dense and sparse rows of equal width.

    Args:
        vectors: The rows: at least one, all of the same width.
    """

    def __init__(self, vectors: Sequence[Vector]) -> None:
        columns, values = zip(*map(_last_of_each, vectors), strict=True)
        self._count = len(vectors)
        self._width = vectors[0].width
        self._rows = np.repeat(np.arange(len(vectors)), [len(part) for part in values])
        self._columns = np.concatenate(columns)
        self._values = np.concatenate(values)

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        return self._count, self._width

    def all_finite(self) -> bool:
        """Return whether no value is infinite or NaN."""
        return bool(np.isfinite(self._values).all())

    def coordinates(self) -> tuple[npt.NDArray[np.int64], Keys, Array]:
        """Return each value's row, column and number, all of shape (values,)."""
        return self._rows, self._columns, self._values

    def dot(self, weights: Array) -> Array:
        """Return the weighted sum of each row.

        Args:
            weights: One weight per column, of shape (columns,).

        Returns:
            The sums, of shape (rows,).
        """
        products = self._values * weights[self._columns]
        return np.bincount(self._rows, products, minlength=self._count).astype(np.float64, copy=False)


def _last_of_each(vector: Vector) -> tuple[Keys, Array]:
    """Return a row's keys and values. If a key is repeated, its last value is used."""
    if vector.keys is None:
        return np.arange(vector.width), vector.values
    last = dict(zip(vector.keys.tolist(), vector.values.tolist(), strict=True))
    if len(last) == len(vector.keys):
        return vector.keys, vector.values
    return np.array(list(last), dtype=np.int64), np.array(list(last.values()), dtype=np.float64)
