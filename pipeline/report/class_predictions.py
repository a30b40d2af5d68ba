"""The predictions of classes by models that did not see the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.report.stored import read_lines

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_FIRST_PROBABILITY = 4


@dataclass(frozen=True)
class ClassPredictions:
    """Rows with their classes and predictions.

    Attributes:
        table: of shape (rows, 4 + classes): the row's place in its fold, the fold, the class, the predicted class, a
            score for each class. NaN stands for a score that the model does not give.
        of_rows: how many rows there are in all, of which these are a sample or all.
    """

    table: npt.NDArray[np.float64]
    of_rows: int

    def worst(self, count: int) -> list[dict[str, Any]]:
        """Return the rows of which the models were most sure and wrong: with the lowest score of their own class."""
        actual, predicted = self.table[:, 2].astype(int), self.table[:, 3].astype(int)
        scores = self.table[:, _FIRST_PROBABILITY:]
        own = scores[np.arange(len(scores)), actual]
        if np.isnan(own).any():
            # Two classes and a score that is no probability: it is that of class 1.
            own = np.where(actual == 1, scores[:, 1], -scores[:, 1])
        order = np.argsort(own, kind="stable")
        wrong = order[actual[order] != predicted[order]][:count]
        return [
            {
                "fold": int(self.table[place, 1]),
                "row": int(self.table[place, 0]),
                "actual": int(actual[place]),
                "predicted": int(predicted[place]),
                "score_of_actual": float(scores[place, actual[place]]),
                "score_of_predicted": float(scores[place, predicted[place]]),
            }
            for place in wrong.tolist()
        ]


def read_class_predictions(s3: S3Client, uri: str, of_rows: int) -> ClassPredictions:
    """Read the predictions out of fold, or a sample of them if there are many.

    Args:
        s3: boto3's S3 client.
        uri: the URI of ``out_of_fold.csv``.
        of_rows: how many rows it has.

    Raises:
        MissingError: it is not there.
    """
    lines = read_lines(s3, uri)
    # Only the score of the first class can be empty.
    filled = [line.replace(b",,", b",nan,") for line in lines]
    return ClassPredictions(np.loadtxt(filled, delimiter=",", ndmin=2), of_rows)
