"""Scores every row once, by the model that did not see it, and measures these predictions of classes."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from evaluation.class_sums import ClassSums, row_log_loss, tables_of
from evaluation.errors import SelectionError
from evaluation.models import Model, predicted_classes, threshold_of
from evaluation.rows import Block, Numbers
from evaluation.score_counts import ScoreCounter

_SAMPLES, _SHARE = 5, 0.8
_LARGEST_TABLE = 50
"""With more classes, best.json leaves out the table of confusion, which classification.json has. Then there are no
curves of each class against the others, either."""

_MOST_SCORES_OF_CLASS = 1 << 15
"""The distinct probabilities of a class that are kept for its curve."""


@dataclass
class ClassScores:
    """Measures predictions, and writes them to a CSV file.

    Attributes:
        file: the file.
        classes: the label's texts in the order of the classes.
        seed: the seed of the samples from which Model Monitor's standard deviations come.
    """

    file: IO[str]
    classes: list[str]
    seed: int = 0
    _of_folds: dict[int, ClassSums] = field(default_factory=dict)
    _losses_float32: dict[int, float] = field(default_factory=dict)
    _thresholds: dict[int, float] = field(default_factory=dict)
    _against_rest: list[ScoreCounter] = field(default_factory=list)

    def __post_init__(self) -> None:
        count = len(self.classes)
        self._samples = [ClassSums(count) for _ in range(_SAMPLES)]
        if 2 < count <= _LARGEST_TABLE:
            self._against_rest = [ScoreCounter(most=_MOST_SCORES_OF_CLASS) for _ in self.classes]
        # RandomState instead of Generator: numpy guarantees that its random numbers stay the same.
        self._random = np.random.RandomState(self.seed)
        columns = ",".join(f"p_{number}" for number in range(count))
        self.file.write(f"row,fold,label,predicted_label,{columns}\n")

    def add(self, fold: int, block: Block, model: Model) -> None:
        """Score rows of a fold.

        Raises:
            SelectionError: the model does not predict as many classes.
        """
        count, labels = len(self.classes), block.labels
        predictions = self._checked(model.predict(block.features))
        predicted = predicted_classes(model, predictions)
        own = self._of_folds.setdefault(fold, ClassSums(count))
        self._write(fold, own.rows, labels, predictions, predicted)
        own.add(labels, predictions, predicted)
        single = row_log_loss(labels, self._checked(model.predict_float32(block.features)))
        self._losses_float32[fold] = self._losses_float32.get(fold, 0.0) + float(single.sum())
        for sample in self._samples:
            chosen = self._random.random_sample(len(labels)) < _SHARE
            sample.add(labels[chosen], predictions[chosen], predicted[chosen])
        for number, counter in enumerate(self._against_rest):
            counter.add(predictions[:, number], (labels == number).astype(np.float64))
        if count == 2:
            self._thresholds[fold] = threshold_of(model)

    @property
    def total(self) -> ClassSums:
        """The sums over all folds."""
        first, *others = self._of_folds.values()
        return sum(others, first)

    @property
    def fold_metrics(self) -> dict[int, dict[str, float | None]]:
        """The metrics of each fold's predictions."""
        return {fold: sums.metrics() for fold, sums in self._of_folds.items()}

    @property
    def fold_metrics_float32(self) -> dict[int, dict[str, float | None]]:
        """The log loss of each fold's predictions, with the arithmetic of 32-bit numbers."""
        name = "logloss" if len(self.classes) == 2 else "mlogloss"
        return {
            fold: {name: self._losses_float32[fold] / sums.rows if sums.has_probabilities else None}
            for fold, sums in self._of_folds.items()
        }

    def result(self) -> dict[str, Any]:
        """Return the metrics of all predictions, and Model Monitor's standard deviations of them.

        The standard deviation has Model Monitor's meaning: over five samples of 80 % of the rows.
        """
        total = self.total
        found: dict[str, Any] = {"rows": total.rows, **total.metrics(), "probabilities": total.has_probabilities}
        if len(self.classes) <= _LARGEST_TABLE:
            found["confusion"] = total.table.tolist()
        if self._thresholds:
            found |= {"thresholds": list(self._thresholds.values()), "auc_error": total.scores.counts.auc_error}
        return found | {"standard_deviations": self._deviations()}

    def tables(self) -> dict[str, Any]:
        """Return the content of classification.json."""
        return tables_of(self.total, self.classes, [counter.counts for counter in self._against_rest])

    def sampled(self) -> list[ClassSums]:
        """Return the sums over five samples of 80 % of the rows."""
        return [sample for sample in self._samples if sample.rows]

    def _deviations(self) -> dict[str, float | None]:
        samples = [sample.metrics() for sample in self.sampled()]
        deviations: dict[str, float | None] = {}
        for name in samples[0] if samples else ():
            values = [sample[name] for sample in samples]
            known = [value for value in values if value is not None]
            deviations[name] = statistics.stdev(known) if len(known) == len(values) > 1 else None
        return deviations

    def _checked(self, predictions: Numbers) -> Numbers:
        count = len(self.classes)
        shape = predictions.shape[1:]
        if shape != (() if count == 2 else (count,)):
            found = shape[0] if shape else "one number"
            raise SelectionError(
                f"the models predict {found} for a row, and the label has {count} classes: check the algorithm's "
                "objective and number of classes"
            )
        return predictions

    def _write(self, fold: int, first: int, labels: Numbers, predictions: Numbers, predicted: Numbers) -> None:
        table = np.column_stack([1 - predictions, predictions]) if predictions.ndim == 1 else predictions
        if predictions.ndim == 1 and not ((predictions >= 0) & (predictions <= 1)).all():
            # A score that is no probability says nothing about class 0.
            table[:, 0] = np.nan
        rows = zip(labels.astype(int).tolist(), predicted.astype(int).tolist(), table.tolist(), strict=True)
        self.file.writelines(
            f"{number},{fold},{label},{guess},{','.join('' if math.isnan(p) else repr(p) for p in own)}\n"
            for number, (label, guess, own) in enumerate(rows, start=first + 1)
        )
