"""The regression losses, as functions of the residual ``prediction - label`` in normalised label units.

Source: AWS's notebook "scientific details of algorithms". There, the Huber loss has a factor 1/2, and the squared loss
has none. The epsilon-insensitive squared loss is ``max(0, residual^2 - epsilon^2)``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


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
    def metric(self) -> str:
        """The name of the objective in log lines, as in ``train mse_objective <loss>=...``."""
        return "mse_objective" if self.name == "squared_loss" else f"{self.name}_objective"

    @property
    def degree(self) -> int:
        """The power of the label's unit in the loss: 2 for squared units, else 1."""
        return 2 if self.name in ("squared_loss", "huber_loss", "eps_insensitive_squared_loss") else 1

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
