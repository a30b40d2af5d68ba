"""Sums over the rows of a fold. Baselines and descriptions of the columns follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evaluation.rows import Block, Numbers

WIDEST = 2000
"""The number of features up to which products of all pairs are summed: 32 MB a fold."""


@dataclass(frozen=True)
class Scale:
    """Shifts and scales the columns, so that sums of squares keep their precision.

    Attributes:
        shift: of shape (1 + features,), the label first: roughly the means.
        size: of the same shape: roughly the standard deviations.
    """

    shift: Numbers
    size: Numbers

    @classmethod
    def of(cls, block: Block) -> Scale:
        """Return the scale of some rows, which need not be typical.

        A column that is constant in them is shifted by its value and not scaled: its standard deviation may be a
        rounding error, by which other rows must not be divided.
        """
        table = block.table
        is_constant = table.min(axis=0) == table.max(axis=0)
        return cls(np.where(is_constant, table[0], table.mean(axis=0)), np.where(is_constant, 1.0, table.std(axis=0)))


@dataclass
class Moments:
    """The sums of one fold.

    Attributes:
        scale: how the columns are shifted and scaled. All folds must have the same.
        rows: the number of rows.
        products: of shape (2 + features, 2 + features): the summed products of the columns 1, label, features. With
            more than ``WIDEST`` features, of shape (2 + features, 2): the columns' sums and sums of squares.
        lowest: the columns' lowest values, the label first, not scaled.
        highest: the columns' highest values.
    """

    scale: Scale
    rows: int = 0
    products: Numbers = field(init=False)
    lowest: Numbers = field(init=False)
    highest: Numbers = field(init=False)

    def __post_init__(self) -> None:
        columns = len(self.scale.shift)
        self.products = np.zeros((columns + 1, columns + 1) if self.has_pairs else (columns + 1, 2))
        self.lowest = np.full(columns, np.inf)
        self.highest = np.full(columns, -np.inf)

    @property
    def has_pairs(self) -> bool:
        """Whether the products of all pairs of features are summed."""
        return len(self.scale.shift) <= WIDEST + 1

    def add(self, block: Block) -> None:
        """Add rows."""
        table = block.table
        self.rows += len(table)
        self.lowest = np.minimum(self.lowest, table.min(axis=0))
        self.highest = np.maximum(self.highest, table.max(axis=0))
        scaled = (table - self.scale.shift) / self.scale.size
        whole = np.column_stack([np.ones(len(table)), scaled])
        if self.has_pairs:
            self.products += whole.T @ whole
        else:
            self.products += np.column_stack([whole.sum(axis=0), (whole**2).sum(axis=0)])

    def __add__(self, other: Moments) -> Moments:
        """Return the sums over both folds."""
        total = Moments(self.scale, self.rows + other.rows)
        total.products = self.products + other.products
        total.lowest, total.highest = np.minimum(self.lowest, other.lowest), np.maximum(self.highest, other.highest)
        return total

    @property
    def means(self) -> Numbers:
        """The columns' means, the label first."""
        return self.scale.shift + self.scale.size * self.products[1:, 0] / self.rows

    @property
    def deviations(self) -> Numbers:
        """The columns' standard deviations, the label first."""
        squares = np.diagonal(self.products)[1:] if self.has_pairs else self.products[1:, 1]
        variances = squares / self.rows - (self.products[1:, 0] / self.rows) ** 2
        return np.asarray(self.scale.size * np.sqrt(np.maximum(variances, 0.0)))

    def correlations(self) -> Numbers:
        """Return the features' correlations, of shape (features, features). Constant features have none: 0."""
        sums = self.products[2:, 0]
        covariances = self.products[2:, 2:] / self.rows - np.outer(sums, sums) / self.rows**2
        sizes = np.sqrt(np.maximum(np.diagonal(covariances), 0.0))
        sizes[self.lowest[1:] == self.highest[1:]] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.nan_to_num(covariances / np.outer(sizes, sizes), nan=0.0, posinf=0.0, neginf=0.0))
