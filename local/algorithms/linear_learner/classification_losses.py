"""The losses of the classifiers, as functions of the score: the weighted sum of the features and the bias.

Source: AWS's notebook "scientific details of algorithms" on class weights and loss functions. There, the hinge loss is
parametrised for the labels 0 and 1, so that it is symmetric about a score of 1/2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from definition_language.linear_learner import MULTICLASS, REGRESSOR
from local.algorithms.errors import ClientError
from local.algorithms.linear_learner.hyperparameters import Hyperparameters
from local.algorithms.linear_learner.losses import RowLoss, loss_of

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Logistic:
    """The cross-entropy of a label 0 or 1 and the probability ``1 / (1 + exp(-score))``.

    Attributes:
        positive_weights: Each model's factor of the loss of the label 1, of shape (models,).
    """

    positive_weights: Array

    def step(self, scores: Array, labels: Array) -> tuple[Array, Array]:
        """Implement ``RowLoss.step``."""
        signs, factors = _signs_and_factors(labels, self.positive_weights)
        scores *= signs
        small = np.exp(-np.abs(scores))
        losses = (np.maximum(scores, 0.0) + np.log1p(small)) * factors
        slopes: Array = np.where(scores >= 0, 1.0, small) / (1.0 + small) * signs * factors
        return losses.sum(axis=0), slopes

    def total(self, scores: Array, labels: Array) -> Array:
        """Implement ``RowLoss.total``."""
        signs, factors = _signs_and_factors(labels, self.positive_weights)
        scores *= signs
        losses = (np.maximum(scores, 0.0) + np.log1p(np.exp(-np.abs(scores)))) * factors
        total: Array = losses.sum(axis=0)
        return total


@dataclass(frozen=True)
class Hinge:
    """The loss of a support vector machine: 0 for scores beyond the margin about 1/2.

    Attributes:
        margin: The width of the zone about 1/2 in which a score on the right side has a loss too.
        positive_weights: As for ``Logistic``.
    """

    margin: float
    positive_weights: Array

    def step(self, scores: Array, labels: Array) -> tuple[Array, Array]:
        """Implement ``RowLoss.step``."""
        signs, factors = _signs_and_factors(labels, self.positive_weights)
        losses = self._losses(scores, signs, factors)
        slopes: Array = (losses > 0) * signs * factors
        return losses.sum(axis=0), slopes

    def total(self, scores: Array, labels: Array) -> Array:
        """Implement ``RowLoss.total``."""
        total: Array = self._losses(scores, *_signs_and_factors(labels, self.positive_weights)).sum(axis=0)
        return total

    def _losses(self, scores: Array, signs: Array, factors: Array) -> Array:
        losses: Array = np.maximum(self.margin / 2 + signs * (scores - 0.5), 0.0) * factors
        return losses


@dataclass(frozen=True)
class Softmax:
    """The cross-entropy of a class and the softmax of its row's scores.

    Attributes:
        class_weights: The factor of the loss of each class, of shape (classes,).
    """

    class_weights: Array

    def step(self, scores: Array, labels: Array) -> tuple[Array, Array]:
        """Implement ``RowLoss.step``."""
        total, powers, sums, classes = self._powers(scores, labels)
        powers /= sums[:, None]
        powers[:, classes, np.arange(len(classes))] -= 1.0
        powers *= self.class_weights[classes]
        return total, powers.reshape(-1, len(classes)).T

    def total(self, scores: Array, labels: Array) -> Array:
        """Implement ``RowLoss.total``."""
        return self._powers(scores, labels)[0]

    def _powers(self, scores: Array, labels: Array) -> tuple[Array, Array, Array, npt.NDArray[np.int_]]:
        """Return the summed losses, the powers of the scores with their sums by row, and each row's class.

        The powers have the shape (models, classes, rows): sums over a short last axis take three times as long.
        """
        powers = np.ascontiguousarray(scores.T).reshape(-1, len(self.class_weights), len(scores))
        powers -= powers.max(axis=1, keepdims=True)
        classes = labels[:, 0].astype(np.int_)
        own = powers[:, classes, np.arange(len(classes))]
        np.exp(powers, out=powers)
        sums = powers.sum(axis=1)
        total: Array = ((np.log(sums) - own) * self.class_weights[classes]).sum(axis=1)
        return total, powers, sums, classes


def row_loss(models: Sequence[Hyperparameters], labels: Array) -> RowLoss:
    """Return the loss of models that train together.

    Args:
        models: The models' hyperparameters. Only the weight of positive examples differs, of those that a loss has.
        labels: The labels to train on, of shape (rows,), from which balanced weights are computed.

    Raises:
        ClientError: ``balanced`` needs both labels, and one is missing.
    """
    shared = models[0]
    if shared.predictor_type == REGRESSOR:
        return loss_of(shared)
    if shared.predictor_type == MULTICLASS:
        return Softmax(_class_weights(shared, labels))
    weights = np.array([_positive_weight(model.positive_example_weight_mult, labels) for model in models])
    return Hinge(shared.margin, weights) if shared.loss == "hinge_loss" else Logistic(weights)


def _signs_and_factors(labels: Array, positive_weights: Array) -> tuple[Array, Array]:
    """Return the sign of each row's slope, and the factor of each row and model."""
    signs = 1.0 - 2.0 * labels
    factors = 1.0 + labels * (positive_weights - 1.0)
    return signs, factors


def _positive_weight(given: float | str, labels: Array) -> float:
    if not isinstance(given, str):
        return given
    positives = np.count_nonzero(labels)
    if positives in (0, len(labels)):
        raise ClientError(
            "positive_example_weight_mult: 'balanced' needs rows of both labels in the train channel; "
            f"all {len(labels)} rows that train have the label {int(positives > 0)}"
        )
    return (len(labels) - positives) / positives


def _class_weights(shared: Hyperparameters, labels: Array) -> Array:
    """Return 1, or weights with which every class has the same total weight and a row's mean weight is 1."""
    if not shared.balance_multiclass_weights:
        return np.ones(shared.num_classes)
    counts = np.bincount(labels.astype(np.int_), minlength=shared.num_classes)
    # A class without rows weighs as much as one with a single row, if it occurs in another channel.
    return len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
