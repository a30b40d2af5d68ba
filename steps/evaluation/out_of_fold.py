"""Scores every row once, by the model that did not see it, and measures these predictions of a number."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from evaluation.label_scale import LabelScale
from evaluation.models import Model
from evaluation.rows import Block, Numbers

HEADER = "row,fold,label,prediction\n"
_KEPT = 1 << 22
"""How many absolute errors are kept for their median. Of more rows, every second, fourth, ... is kept."""

_SAMPLES, _SHARE = 5, 0.8


@dataclass
class Sums:
    """Sums over labels y and predictions p, both shifted by about the label's mean."""

    rows: int = 0
    y: float = 0.0
    p: float = 0.0
    yy: float = 0.0
    pp: float = 0.0
    yp: float = 0.0
    absolute: float = 0.0
    squared: float = 0.0
    relative: float = 0.0
    logarithmic: float = 0.0

    def add(self, labels: Numbers, predictions: Numbers, errors: Numbers, unshifted: Numbers) -> None:
        """Add rows.

        Args:
            labels: the labels, shifted.
            predictions: the predictions, shifted likewise.
            errors: the predictions without the labels.
            unshifted: the labels, not shifted.
        """
        self.rows += len(labels)
        self.y += float(labels.sum())
        self.p += float(predictions.sum())
        self.yy += float(labels @ labels)
        self.pp += float(predictions @ predictions)
        self.yp += float(labels @ predictions)
        self.absolute += float(np.abs(errors).sum())
        self.squared += float(errors @ errors)
        # Labels of 0 have no relative error, and numbers up to -1 no logarithm: the sums are then not finite.
        with np.errstate(divide="ignore", invalid="ignore"):
            self.relative += float(np.abs(errors / unshifted).sum())
            logarithms = np.log1p(unshifted + errors) - np.log1p(unshifted)
            self.logarithmic += float(logarithms @ logarithms)

    def metrics(self) -> dict[str, float | None]:
        """Return the metrics of ``METRICS``; None for one that is not finite. A constant label has an R2 of 0."""
        found = self.usual() | {
            "mape": self.relative / self.rows,
            "rmsle": math.sqrt(self.logarithmic / self.rows) if self.logarithmic >= 0 else math.nan,
        }
        return {name: value if math.isfinite(value) else None for name, value in found.items()}

    def usual(self) -> dict[str, float]:
        """Return mse, rmse, mae and r2, which every label has."""
        mse = self.squared / self.rows
        variance = self.yy / self.rows - (self.y / self.rows) ** 2
        r2 = 1 - mse / variance if variance > 0 else 0.0
        return {"mse": mse, "rmse": math.sqrt(mse), "mae": self.absolute / self.rows, "r2": r2}

    def calibration(self, shift: float) -> tuple[float, float]:
        """Return slope and intercept of the labels on the predictions; 1 and 0 if calibrated."""
        label, prediction = self.y / self.rows, self.p / self.rows
        variance = self.pp / self.rows - prediction**2
        slope = (self.yp / self.rows - label * prediction) / variance if variance > 0 else 0.0
        return slope, label + shift - slope * (prediction + shift)


@dataclass
class OutOfFold:
    """Measures predictions, and writes them to a CSV file.

    Attributes:
        file: the file.
        shift: roughly the label's mean.
        seed: the seed of the samples from which Model Monitor's standard deviations come.
        scale: the scale of the models' predictions.
    """

    file: IO[str]
    shift: float
    seed: int = 0
    scale: LabelScale = field(default_factory=LabelScale)

    def __post_init__(self) -> None:
        self.file.write(HEADER)
        self._all = Sums()
        self._shift_as_trained: float | None = None
        self._of_folds: dict[int, Sums] = {}
        self._of_folds_as_trained: dict[int, Sums] = {}
        self._of_folds_float32: dict[int, Sums] = {}
        self._samples = [Sums() for _ in range(_SAMPLES)]
        # RandomState instead of Generator: numpy guarantees that its random numbers stay the same.
        self._random = np.random.RandomState(self.seed)
        self._every = 1
        self._kept: list[Numbers] = []

    def add(self, fold: int, as_trained: Block, model: Model) -> None:
        """Score rows of a fold, whose labels are on the scale of the models' predictions."""
        predictions_as_trained = model.predict(as_trained.features)
        block = self.scale.in_units(as_trained)
        predictions = self.scale.undone(predictions_as_trained)
        errors = predictions - block.labels
        labels, shifted = block.labels - self.shift, predictions - self.shift
        own = self._of_folds.setdefault(fold, Sums())
        self._write(fold, own.rows, block, predictions)
        own.add(labels, shifted, errors, block.labels)
        if self._shift_as_trained is None:
            self._shift_as_trained = float(as_trained.labels.mean())
        labels_as_trained = as_trained.labels - self._shift_as_trained
        for sums, predicted in (
            (self._of_folds_as_trained, predictions_as_trained - self._shift_as_trained),
            (self._of_folds_float32, model.predict_float32(as_trained.features) - self._shift_as_trained),
        ):
            own_errors = predicted - labels_as_trained
            sums.setdefault(fold, Sums()).add(labels_as_trained, predicted, own_errors, as_trained.labels)
        self._all.add(labels, shifted, errors, block.labels)
        for sample in self._samples:
            chosen = self._random.random_sample(len(labels)) < _SHARE
            sample.add(labels[chosen], shifted[chosen], errors[chosen], block.labels[chosen])
        self._keep(np.abs(errors))

    @property
    def fold_metrics(self) -> dict[int, dict[str, float | None]]:
        """The metrics of each fold's predictions, in the label's unit."""
        return {fold: sums.metrics() for fold, sums in self._of_folds.items()}

    @property
    def fold_metrics_as_trained(self) -> dict[int, dict[str, float | None]]:
        """The same on the scale of the models' predictions."""
        return {fold: sums.metrics() for fold, sums in self._of_folds_as_trained.items()}

    @property
    def fold_metrics_float32(self) -> dict[int, dict[str, float | None]]:
        """The same on that scale, with the arithmetic of 32-bit numbers, which the algorithm uses."""
        return {fold: sums.metrics() for fold, sums in self._of_folds_float32.items()}

    def result(self) -> dict[str, Any]:
        """Return the metrics of all predictions, and Model Monitor's standard deviations of them.

        The standard deviation has Model Monitor's meaning: over five samples of 80 % of the rows.
        """
        metrics = self._all.usual()
        sampled = [sample.usual() for sample in self._samples if sample.rows]
        slope, intercept = self._all.calibration(self.shift)
        return {
            "rows": self._all.rows,
            **metrics,
            "median_absolute_error": float(np.median(np.concatenate(self._kept))),
            "calibration": {"slope": slope, "intercept": intercept},
            **{name: value for name, value in self._all.metrics().items() if name not in metrics},
            "standard_deviations": {
                name: statistics.stdev(values[name] for values in sampled) if len(sampled) > 1 else None
                for name in metrics
            },
        }

    def _write(self, fold: int, first: int, block: Block, predictions: Numbers) -> None:
        rows = zip(block.lines, predictions.tolist(), strict=True)
        self.file.writelines(
            f"{number},{fold},{line.partition(b',')[0].decode()},{prediction!r}\n"
            for number, (line, prediction) in enumerate(rows, start=first + 1)
        )

    def _keep(self, absolute: Numbers) -> None:
        self._kept.append(absolute[:: self._every])
        if sum(map(len, self._kept)) > _KEPT:
            self._kept = [np.concatenate(self._kept)[::2]]
            self._every *= 2
