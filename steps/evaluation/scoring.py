"""Reads every row of the folds once: for the baselines, the columns' descriptions, and the out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.label_scale import LabelScale
from evaluation.models import Model
from evaluation.moments import Moments, Scale
from evaluation.monitor import Sketch
from evaluation.out_of_fold import HEADER, OutOfFold
from evaluation.rows import Block, fold_blocks

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PAYLOAD_ROWS = 10


@dataclass(frozen=True)
class Scored:
    """The results of reading all rows.

    Attributes:
        moments: the sums of each fold, with labels in their unit.
        moments_as_trained: the same with labels on the scale of the models' predictions, as an endpoint answers.
        sketch: a sample of the rows on that scale.
        payload: some rows as an endpoint takes them, without labels.
        predictions: the metrics of the out-of-fold predictions; None without models.
        fold_mse: the mean squared error of each fold's predictions, in the label's unit squared.
        fold_mse_as_trained: the same on the scale of the models' predictions.
        fold_mse_float32: the same with 32-bit arithmetic.
    """

    moments: list[Moments]
    moments_as_trained: list[Moments]
    sketch: Sketch
    payload: bytes
    predictions: dict[str, Any] | None
    fold_mse: dict[int, float]
    fold_mse_as_trained: dict[int, float]
    fold_mse_float32: dict[int, float]

    @cached_property
    def total(self) -> Moments:
        """The sums over all folds, with labels in their unit."""
        return reduce(add, self.moments)

    @cached_property
    def served(self) -> Moments:
        """The sums over all folds, with labels as an endpoint answers."""
        return reduce(add, self.moments_as_trained)


class _Sums:
    """The sums of each fold."""

    def __init__(self) -> None:
        self._scale: Scale | None = None
        self.of_folds: list[Moments] = []

    def add(self, fold: int, block: Block) -> None:
        """Add rows of a fold; folds come in order."""
        self._scale = self._scale or Scale.of(block)
        if len(self.of_folds) < fold:
            self.of_folds.append(Moments(self._scale))
        self.of_folds[-1].add(block)


def score_folds(  # noqa: PLR0913 - what is read, what scores it, and where the predictions go
    s3: S3Client, folds_uri: str, folds: int, models: Sequence[Model], file: Path, *, scale: LabelScale
) -> Scored:
    """Read the folds, and score each row by its own fold's model.

    Args:
        s3: boto3's S3 client.
        folds_uri: the folder of the folds.
        folds: the number of folds.
        models: the model of each fold; empty to score nothing.
        file: the CSV file for the predictions. It is written only if there are models.
        scale: the scale of the folds' labels.
    """
    sketch, payload = Sketch(), b""
    in_units, as_trained = _Sums(), _Sums()
    with (file if models else Path("/dev/null")).open("w", encoding="utf-8") as out:
        out.write(HEADER)
        scores: OutOfFold | None = None
        for fold in range(1, folds + 1):
            for block in fold_blocks(s3, folds_uri, fold):
                own = scale.in_units(block)
                in_units.add(fold, own)
                if own is not block:
                    as_trained.add(fold, block)
                sketch.add(block)
                if not payload:
                    payload = b"".join(line.partition(b",")[2] + b"\n" for line in block.lines[:_PAYLOAD_ROWS])
                if models:
                    scores = scores or OutOfFold(out, shift=float(own.labels.mean()), scale=scale)
                    scores.add(fold, block, models[fold - 1])
            assert len(in_units.of_folds) == fold, f"{folds_uri} has no rows of fold {fold}"
    moments_as_trained = as_trained.of_folds or in_units.of_folds
    if scores is None:
        return Scored(in_units.of_folds, moments_as_trained, sketch, payload, None, {}, {}, {})
    return Scored(
        moments=in_units.of_folds,
        moments_as_trained=moments_as_trained,
        sketch=sketch,
        payload=payload,
        predictions=scores.result(),
        fold_mse=scores.fold_mse,
        fold_mse_as_trained=scores.fold_mse_as_trained,
        fold_mse_float32=scores.fold_mse_float32,
    )
