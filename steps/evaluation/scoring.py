"""Reads every row of the folds once: for the baselines, the columns' descriptions, and the out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from evaluation.class_scores import ClassScores
from evaluation.class_sums import ClassSums
from evaluation.label_scale import LabelScale
from evaluation.logistic_regression import TrainingTables
from evaluation.models import Model
from evaluation.moments import Moments, Scale
from evaluation.monitor import Sketch
from evaluation.number_baselines import KeptLabels
from evaluation.out_of_fold import OutOfFold
from evaluation.row_sample import RowSample
from evaluation.rows import Block, fold_blocks

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PAYLOAD_ROWS = 10

FoldMetrics = Mapping[int, Mapping[str, float | None]]
"""Metrics by fold and name."""


@dataclass(frozen=True)
class Scored:
    """The results of reading all rows.

    Attributes:
        moments: the sums of each fold, with labels in their unit.
        moments_as_trained: the same with labels on the scale of the models' predictions, as an endpoint answers.
        sketch: a sample of the rows on that scale, for Model Monitor.
        sample: a sample of the rows on that scale, by fold.
        payload: some rows as an endpoint takes them, without labels.
        predictions: the metrics of the out-of-fold predictions; None without models.
        fold_metrics: the metrics of each fold's predictions, in the label's unit; empty without models.
        fold_metrics_as_trained: the same on the scale of the models' predictions.
        fold_metrics_float32: the same on that scale, with 32-bit arithmetic; of classes only the log loss.
        training: the rows for logistic regression, if the label is a class and they are not too many.
        labels: the labels in their unit, if the label is a number and they are not too many.
        classes: the sums over all predictions of classes, and over each of Model Monitor's samples.
        tables: the content of classification.json; None for regression or without models.
    """

    moments: list[Moments]
    moments_as_trained: list[Moments]
    sketch: Sketch
    sample: RowSample
    payload: bytes
    predictions: dict[str, Any] | None = None
    fold_metrics: FoldMetrics = field(default_factory=dict)
    fold_metrics_as_trained: FoldMetrics = field(default_factory=dict)
    fold_metrics_float32: FoldMetrics = field(default_factory=dict)
    training: TrainingTables | None = None
    labels: KeptLabels = field(default_factory=KeptLabels)
    classes: list[ClassSums] = field(default_factory=list)
    tables: dict[str, Any] | None = None

    @cached_property
    def total(self) -> Moments:
        """The sums over all folds, with labels in their unit."""
        return reduce(add, self.moments)

    @cached_property
    def served(self) -> Moments:
        """The sums over all folds, with labels as an endpoint answers."""
        return reduce(add, self.moments_as_trained)


def of_folds(metrics: FoldMetrics, name: str | None) -> dict[int, float]:
    """Return a metric by fold; empty if a fold has none, or it is not computed."""
    values = {fold: of_fold.get(name or "") for fold, of_fold in metrics.items()}
    known = {fold: value for fold, value in values.items() if value is not None}
    return known if len(known) == len(values) else {}


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


@dataclass
class _Reading:
    """What is collected while the rows are read."""

    out: IO[str]
    models: Sequence[Model]
    scale: LabelScale
    classes: list[str]

    def __post_init__(self) -> None:
        outputs = len(self.classes) if len(self.classes) > 2 else 1
        self.sketch, self.sample, self.payload = Sketch(), RowSample(outputs), b""
        self.in_units, self.as_trained = _Sums(), _Sums()
        self.training = TrainingTables(len(self.classes)) if self.classes else None
        self.kept = KeptLabels()
        self.numbers: OutOfFold | None = None
        self.labels = ClassScores(self.out, self.classes) if self.models and self.classes else None

    def add(self, fold: int, block: Block) -> None:
        own = self.scale.in_units(block)
        self.in_units.add(fold, own)
        if own is not block:
            self.as_trained.add(fold, block)
        self.sketch.add(block)
        self.sample.add(fold, block)
        if self.training is not None:
            self.training.add(fold, block)
        else:
            self.kept.add(fold, own)
        if not self.payload:
            self.payload = b"".join(line.partition(b",")[2] + b"\n" for line in block.lines[:_PAYLOAD_ROWS])
        if self.labels is not None:
            self.labels.add(fold, block, self.models[fold - 1])
        elif self.models:
            self.numbers = self.numbers or OutOfFold(self.out, shift=float(own.labels.mean()), scale=self.scale)
            self.numbers.add(fold, block, self.models[fold - 1])

    def result(self) -> Scored:
        moments = self.in_units.of_folds
        read = (moments, self.as_trained.of_folds or moments, self.sketch, self.sample, self.payload)
        if self.labels is not None:
            metrics = self.labels.fold_metrics
            return Scored(
                *read,
                predictions=self.labels.result(),
                fold_metrics=metrics,
                fold_metrics_as_trained=metrics,
                fold_metrics_float32=self.labels.fold_metrics_float32,
                training=self.training,
                classes=[self.labels.total, *self.labels.sampled()],
                tables=self.labels.tables(),
            )
        if self.numbers is None:
            return Scored(*read, training=self.training, labels=self.kept)
        return Scored(
            *read,
            predictions=self.numbers.result(),
            fold_metrics=self.numbers.fold_metrics,
            fold_metrics_as_trained=self.numbers.fold_metrics_as_trained,
            fold_metrics_float32=self.numbers.fold_metrics_float32,
            labels=self.kept,
        )


def score_folds(  # noqa: PLR0913 - what is read, what scores it, and where the predictions go
    s3: S3Client,
    folds_uri: str,
    folds: int,
    models: Sequence[Model],
    file: Path,
    *,
    scale: LabelScale,
    classes: Sequence[str] = (),
) -> Scored:
    """Read the folds, and score each row by its own fold's model.

    Args:
        s3: boto3's S3 client.
        folds_uri: the folder of the folds.
        folds: the number of folds.
        models: the model of each fold; empty to score nothing.
        file: the CSV file for the predictions. It is written only if there are models.
        scale: the scale of the folds' labels.
        classes: the label's texts in the order of the classes; empty if the label is a number.

    Raises:
        SelectionError: the models do not predict what the label is.
    """
    with (file if models else Path("/dev/null")).open("w", encoding="utf-8") as out:
        reading = _Reading(out, models, scale, list(classes))
        for fold in range(1, folds + 1):
            for block in fold_blocks(s3, folds_uri, fold):
                reading.add(fold, block)
            assert len(reading.in_units.of_folds) == fold, f"{folds_uri} has no rows of fold {fold}"
        return reading.result()
