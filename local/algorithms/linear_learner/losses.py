"""The regression losses, as functions of the residual ``prediction - label`` in normalised label units.

``classification_losses.py`` has the others.

Source: AWS's notebook "scientific details of algorithms". There, the Huber loss has a factor 1/2, and the squared loss
has none. The epsilon-insensitive squared loss is ``max(0, residual^2 - epsilon^2)``.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


class RowLoss(Protocol):
    """The loss of rows, for the models that train together.

    Scores have the shape (rows, models x outputs) and belong to the caller, who does not use them afterwards. Labels
    have the shape (rows, 1).
    """

    def step(self, scores: Array, labels: Array) -> tuple[Array, Array]:
        """Return each model's loss, summed over the rows, and the derivative of every loss by every score."""

    def total(self, scores: Array, labels: Array) -> Array:
        """Return each model's loss, summed over the rows, of shape (models,)."""


@dataclass(frozen=True)
class Loss:
    """Computes one regression loss and its derivative.

    Attributes:
        name: The value of the ``loss`` hyperparameter.
        parameter: The insensitivity, quantile or delta; other losses do not use it.
    """

    name: str
    parameter: float

    @property
    def degree(self) -> int:
        """The power of the label's unit in the loss: 2 for squared units, else 1."""
        return 2 if self.name in ("squared_loss", "huber_loss", "eps_insensitive_squared_loss") else 1

    def step(self, scores: Array, labels: Array) -> tuple[Array, Array]:
        """Implement ``RowLoss.step``."""
        scores -= labels
        return self.values(scores).sum(axis=0), self.slopes(scores)

    def total(self, scores: Array, labels: Array) -> Array:
        """Implement ``RowLoss.total``."""
        total: Array = self.values(scores - labels).sum(axis=0)
        return total

    def values(self, residual: Array) -> Array:
        """Return the loss of every residual, in the same shape."""
        size = np.abs(residual)
        match self.name:
            case "squared_loss":
                return residual * residual
            case "absolute_loss":
                return size
            case "quantile_loss":
                weight: Array = np.where(residual < 0, self.parameter, 1 - self.parameter)
                return weight * size
            case "huber_loss":
                inside = np.minimum(size, self.parameter)
                return inside * (size - 0.5 * inside)
            case "eps_insensitive_squared_loss":
                beyond: Array = np.maximum(residual * residual - self.parameter**2, 0.0)
                return beyond
            case _:
                excess: Array = np.maximum(size - self.parameter, 0.0)
                return excess

    def slopes(self, residual: Array) -> Array:
        """Return the derivative of every loss with respect to the prediction, in the same shape."""
        match self.name:
            case "squared_loss":
                return 2.0 * residual
            case "absolute_loss":
                sign: Array = np.sign(residual)
                return sign
            case "quantile_loss":
                slope: Array = np.where(residual < 0, -self.parameter, 1 - self.parameter)
                slope[residual == 0] = 0.0
                return slope
            case "huber_loss":
                return np.clip(residual, -self.parameter, self.parameter)
            case "eps_insensitive_squared_loss":
                return 2.0 * residual * (np.abs(residual) > self.parameter)
            case _:
                return np.sign(residual) * (np.abs(residual) > self.parameter)


def loss_of(hyperparameters: Hyperparameters) -> Loss:
    """Return the loss that the hyperparameters select."""
    parameter = {
        "quantile_loss": hyperparameters.quantile,
        "huber_loss": hyperparameters.huber_delta,
        "eps_insensitive_squared_loss": hyperparameters.loss_insensitivity,
        "eps_insensitive_absolute_loss": hyperparameters.loss_insensitivity,
    }
    return Loss(hyperparameters.loss, parameter.get(hyperparameters.loss, 0.0))


_NAMES_IN_LOG = {
    "squared_loss": "mse",
    "logistic": "binary_classification_cross_entropy",
    "softmax_loss": "multiclass_cross_entropy",
}


def objective_name(hyperparameters: Hyperparameters) -> str:
    """Return the name of the objective in log lines, as in ``train mse_objective <loss>=...``."""
    return f"{_NAMES_IN_LOG.get(hyperparameters.loss, hyperparameters.loss)}_objective"
