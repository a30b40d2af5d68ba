"""Rows that are mostly zeros, in memory of the size of what was sent and not of what it stands for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vector:
    """One row.

    Attributes:
        keys: which columns the values are of, each at least 0 and below ``width``; None for all of them.
        values: numbers, of shape (values,).
        width: how many columns the row has.
    """

    keys: Keys | None
    values: Array
    width: int


class SparseRows:
    """Rows of one width, some of which give their non-zero values only.

    Args:
        vectors: at least one; all of one width.
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
        """Rows and columns."""
        return self._count, self._width

    def all_finite(self) -> bool:
        """Whether there is no infinity and no NaN."""
        return bool(np.isfinite(self._values).all())

    def dot(self, weights: Array) -> Array:
        """The weighted sum of each row, of shape (rows,)."""
        products = self._values * weights[self._columns]
        return np.bincount(self._rows, products, minlength=self._count).astype(np.float64, copy=False)


def _last_of_each(vector: Vector) -> tuple[Keys, Array]:
    """A row's keys and values; of a key that is given several times, the last value counts."""
    if vector.keys is None:
        return np.arange(vector.width), vector.values
    last = dict(zip(vector.keys.tolist(), vector.values.tolist(), strict=True))
    if len(last) == len(vector.keys):
        return vector.keys, vector.values
    return np.array(list(last), dtype=np.int64), np.array(list(last.values()), dtype=np.float64)
