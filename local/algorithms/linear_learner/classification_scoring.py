"""Compute the final metrics of a classifier on a channel's rows, with the labels that its endpoint would predict.

Names: logs of SageMaker's linear-learner. Averages over classes are those of scikit-learn: ``macro`` metrics are
means over the classes that occur among labels or predictions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner import links
from local.algorithms.linear_learner.models import LinearModel
from local.algorithms.linear_learner.scoring import Metric

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int_]

_SCORES_AT_ONCE = 1 << 18


def score_binary(rows: Array, model: LinearModel) -> list[Metric]:
    """Return a binary classifier's metrics, without the loss. An undefined one, without both labels, is left out.

    Args:
        rows: The channel's rows, of shape (rows, 1 + features), with the label first.
        model: The model, with its threshold.
    """
    scores = np.concatenate([links.scores_of(model.output, model.sums(part)) for part in _parts(rows, 1)])
    positive = rows[:, 0] == 1
    predicted = scores >= model.threshold
    hits, found, actual = (int(np.count_nonzero(each)) for each in (predicted & positive, predicted, positive))
    beta = model.hyperparameters.f_beta
    metrics = [
        Metric("binary_classification_accuracy", float(np.mean(predicted == positive)), "score"),
        Metric(f"binary_f_{beta:.3f}", _f_beta(beta, hits, found, actual), "score"),
        Metric("precision", _ratio(hits, found), "score"),
        Metric("recall", _ratio(hits, actual), "score"),
    ]
    if positive.all() or not positive.any():
        return metrics
    return [*metrics, Metric("roc_auc_score", _roc_auc(scores[positive], scores[~positive]), "score")]


def score_multiclass(rows: Array, model: LinearModel) -> list[Metric]:
    """Return a multiclass classifier's metrics, without the loss. See ``score_binary`` for the arguments."""
    hyperparameters = model.hyperparameters
    tally = _Tally.of(hyperparameters.num_classes)
    for part in _parts(rows, hyperparameters.num_classes):
        tally.add(links.scores_of(model.output, model.sums(part)), part[:, 0].astype(np.int_))
    beta, top_k = hyperparameters.f_beta, hyperparameters.accuracy_top_k
    seen = (tally.actual + tally.predicted) > 0
    counts = list(zip(tally.hits[seen], tally.predicted[seen], tally.actual[seen], strict=True))
    values = {
        "multiclass_accuracy": tally.hits.sum() / len(rows),
        f"multiclass_top_k_accuracy_{top_k}": tally.ranks[:top_k].sum() / len(rows),
        "dcg": tally.ranks @ (1 / np.log2(np.arange(2, len(tally.ranks) + 2))) / len(rows),
        "macro_recall": np.mean([_ratio(hits, actual) for hits, _, actual in counts]),
        "macro_precision": np.mean([_ratio(hits, predicted) for hits, predicted, _ in counts]),
        f"macro_f_{beta:.3f}": np.mean([_f_beta(beta, *each) for each in counts]),
    }
    return [Metric(name, float(value), "score") for name, value in values.items()]


@dataclass(frozen=True)
class _Tally:
    """Counts rows. All arrays have the shape (classes,).

    Attributes:
        hits: The rows of each class that are predicted to be of it.
        predicted: The rows that are predicted to be of each class.
        actual: The rows of each class.
        ranks: The rows whose own class has the highest score, the second highest, and so on.
    """

    hits: Integers
    predicted: Integers
    actual: Integers
    ranks: Integers

    @classmethod
    def of(cls, classes: int) -> "_Tally":
        return cls(*(np.zeros(classes, dtype=np.int_) for _ in range(4)))

    def add(self, scores: Array, labels: Integers) -> None:
        """Count rows with the given scores, of shape (rows, classes). Of equal scores, the first counts as higher."""
        classes = len(self.hits)
        own = scores[np.arange(len(labels)), labels][:, None]
        higher = (scores > own) | ((scores == own) & (np.arange(classes) < labels[:, None]))
        ranks = np.count_nonzero(higher, axis=1)
        self.hits[:] += np.bincount(labels[ranks == 0], minlength=classes)
        self.predicted[:] += np.bincount(scores.argmax(axis=1), minlength=classes)
        self.actual[:] += np.bincount(labels, minlength=classes)
        self.ranks[:] += np.bincount(ranks, minlength=classes)


def mean_loss(rows: Array, model: LinearModel) -> float:
    """Return the mean of the loss with which the model was trained, class weights included."""
    outputs = model.hyperparameters.outputs
    total = 0.0
    for part in _parts(rows, outputs):
        sums = model.sums(part).reshape(len(part), outputs)
        total += float(model.row_loss.total(sums, part[:, :1])[0])
    return total / len(rows)


def _parts(rows: Array, outputs: int) -> list[Array]:
    at_once = max(1, _SCORES_AT_ONCE // outputs)
    return [rows[start : start + at_once] for start in range(0, len(rows), at_once)]


def _ratio(part: int, whole: int) -> float:
    return float(part / whole) if whole else 0.0


def _f_beta(beta: float, hits: int, predicted: int, actual: int) -> float:
    return float((1 + beta**2) * hits / (beta**2 * actual + predicted)) if hits else 0.0


def _roc_auc(positives: Array, negatives: Array) -> float:
    """Return the share of pairs in which the positive row has the higher score. Equal scores count half."""
    negatives = np.sort(negatives)
    below, not_above = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
    return float((below.mean() + not_above.mean()) / 2 / len(negatives))
