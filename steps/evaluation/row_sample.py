"""A bounded sample of the rows of all folds, spread evenly over each fold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evaluation.rows import Block, Numbers

_MOST_ROWS, _MOST_NUMBERS = 5000, 1 << 22
"""Of all folds together; with many features, fewer rows."""


@dataclass
class FoldRows:
    """The sampled rows of a fold.

    Attributes:
        rows: their numbers in the fold, from 1.
        table: labels and features, of shape (rows, 1 + features).
    """

    rows: npt.NDArray[np.int64]
    table: Numbers


@dataclass
class RowSample:
    """The sample: of each fold every n-th row, where n is a power of two that all folds share.

    Attributes:
        outputs: how many numbers a model says about each feature of a row: with many, fewer rows are kept.
        of_folds: the sampled rows by fold.
    """

    outputs: int = 1
    of_folds: dict[int, FoldRows] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)
    _every: int = 1

    def add(self, fold: int, block: Block) -> None:
        """Add rows of a fold."""
        seen = self._seen.get(fold, 0)
        self._seen[fold] = seen + len(block.labels)
        numbers = np.arange(seen + 1, seen + len(block.labels) + 1)
        chosen = (numbers - 1) % self._every == 0
        own, new = self.of_folds.get(fold), block.table[chosen]
        rows = numbers[chosen] if own is None else np.concatenate([own.rows, numbers[chosen]])
        self.of_folds[fold] = FoldRows(rows, new if own is None else np.concatenate([own.table, new]))
        most = max(1, min(_MOST_ROWS, _MOST_NUMBERS // (block.table.shape[1] * self.outputs)))
        while sum(len(rows.rows) for rows in self.of_folds.values()) > most and self._every < self._largest_fold:
            self._every *= 2
            self.of_folds = {
                number: FoldRows(rows.rows[kept], rows.table[kept])
                for number, rows in self.of_folds.items()
                for kept in [(rows.rows - 1) % self._every == 0]
            }

    @property
    def _largest_fold(self) -> int:
        return max(self._seen.values())
