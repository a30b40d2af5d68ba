"""Reads every row of the folds once: for the baselines, the columns' descriptions, and the out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.artifact import LinearModel
from evaluation.moments import Moments, Scale
from evaluation.monitor import Sketch
from evaluation.out_of_fold import HEADER, OutOfFold
from evaluation.rows import fold_blocks

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PAYLOAD_ROWS = 10


@dataclass(frozen=True)
class Scored:
    """The results of reading all rows.

    Attributes:
        moments: the sums of each fold.
        sketch: a sample of the features.
        payload: some rows as an endpoint takes them, without labels.
        predictions: the metrics of the out-of-fold predictions; None without models.
        fold_mse: the mean squared error of each fold's predictions.
        fold_mse_float32: the same with 32-bit arithmetic.
    """

    moments: list[Moments]
    sketch: Sketch
    payload: bytes
    predictions: dict[str, Any] | None
    fold_mse: dict[int, float]
    fold_mse_float32: dict[int, float]

    @cached_property
    def total(self) -> Moments:
        """The sums over all folds."""
        return reduce(add, self.moments)


def score_folds(s3: S3Client, folds_uri: str, folds: int, models: Sequence[LinearModel], file: Path) -> Scored:
    """Read the folds, and score each row by its own fold's model.

    Args:
        s3: boto3's S3 client.
        folds_uri: the folder of the folds.
        folds: the number of folds.
        models: the model of each fold; empty to score nothing.
        file: the CSV file for the predictions. It is written only if there are models.
    """
    scale, moments, sketch, payload = None, [], Sketch(), b""
    with (file if models else Path("/dev/null")).open("w", encoding="utf-8") as out:
        out.write(HEADER)
        scores: OutOfFold | None = None
        for fold in range(1, folds + 1):
            sums: Moments | None = None
            for block in fold_blocks(s3, folds_uri, fold):
                scale = scale or Scale.of(block)
                scores = scores or OutOfFold(out, shift=float(scale.shift[0]))
                sums = sums or Moments(scale)
                sums.add(block)
                sketch.add(block)
                if not payload:
                    payload = b"".join(line.partition(b",")[2] + b"\n" for line in block.lines[:_PAYLOAD_ROWS])
                if models:
                    scores.add(fold, block, models[fold - 1])
            assert sums is not None, f"{folds_uri} has no rows of fold {fold}"
            moments.append(sums)
    if scores is None or not models:
        return Scored(moments, sketch, payload, None, {}, {})
    return Scored(moments, sketch, payload, scores.result(), scores.fold_mse, scores.fold_mse_float32)
