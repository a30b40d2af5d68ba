"""The predictions of models that did not see the rows, and what can be said about their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.report.stored import read_lines

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Numbers = npt.NDArray[np.float64]
Rows = list[dict[str, Any]]

_QUANTILES = np.arange(0, 101) / 100


@dataclass(frozen=True)
class Predictions:
    """Rows with their labels and predictions.

    Attributes:
        table: of shape (rows, 4): the row's place in its fold, the fold, the label, the prediction.
        of_rows: how many rows there are in all, of which these are a sample or all.
    """

    table: Numbers
    of_rows: int

    @property
    def labels(self) -> Numbers:
        """The labels."""
        return self.table[:, 2]

    @property
    def predicted(self) -> Numbers:
        """The predictions."""
        return self.table[:, 3]

    @property
    def residuals(self) -> Numbers:
        """The labels minus the predictions."""
        return self.labels - self.predicted

    def rows(self, most: int) -> Rows:
        """Return at most so many rows, evenly spread."""
        return self._rows(np.unique(np.linspace(0, len(self.table) - 1, most).round().astype(int)))

    def worst(self, count: int) -> Rows:
        """Return the rows with the largest absolute residuals, the largest first."""
        return self._rows(np.argsort(-np.abs(self.residuals), kind="stable")[:count])

    def groups(self, most: int) -> Rows:
        """Return the means of rows with similar predictions, in groups of the same size."""
        order = np.argsort(self.predicted, kind="stable")
        parts = np.array_split(order, min(most, len(order)))
        return [
            {
                "rows": len(part),
                "prediction": float(self.predicted[part].mean()),
                "actual": float(self.labels[part].mean()),
                "residual": float(self.residuals[part].mean()),
            }
            for part in parts
        ]

    def quantiles(self) -> Rows:
        """Return the quantiles of the absolute residuals, for each percent of the rows."""
        values = np.quantile(np.abs(self.residuals), _QUANTILES)
        return [
            {"share": share, "residual": value}
            for share, value in zip(_QUANTILES.tolist(), values.tolist(), strict=True)
        ]

    def fold_mae(self) -> list[float]:
        """Return the mean absolute residual of each fold."""
        folds = self.table[:, 1]
        return [float(np.abs(self.residuals[folds == fold]).mean()) for fold in np.unique(folds)]

    def _rows(self, places: npt.NDArray[np.int64]) -> Rows:
        return [
            {
                "fold": int(fold),
                "row": int(row),
                "actual": actual,
                "prediction": predicted,
                "residual": actual - predicted,
            }
            for row, fold, actual, predicted in self.table[places].tolist()
        ]


def read_predictions(s3: S3Client, uri: str, of_rows: int) -> Predictions:
    """Read the predictions out of fold, or a sample of them if there are many.

    Args:
        s3: boto3's S3 client.
        uri: the URI of ``out_of_fold.csv``.
        of_rows: how many rows it has.

    Raises:
        MissingError: it is not there.
    """
    lines = read_lines(s3, uri)
    return Predictions(np.loadtxt(lines, delimiter=",", ndmin=2), of_rows)
