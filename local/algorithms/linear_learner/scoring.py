"""Compute the final metrics of a regressor's models on a channel's rows, in raw label units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.losses import loss_of
from local.algorithms.linear_learner.models import LinearModel

Array = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 4096


class Metric(NamedTuple):
    """Holds a final metric.

    Attributes:
        name: The name in the log.
        value: The value.
        kind: ``loss`` or ``score``, as the log says it.
    """

    name: str
    value: float
    kind: str = "loss"


@dataclass(frozen=True)
class Score:
    """Holds a model's mean losses on a channel.

    Attributes:
        objective: The training loss, in the label's unit or its square.
        mse: The mean squared error.
        absolute_loss: The mean absolute error.
    """

    objective: float
    mse: float
    absolute_loss: float

    @property
    def rmse(self) -> float:
        """The square root of the mean squared error."""
        return float(np.sqrt(self.mse))

    def metrics(self) -> list[Metric]:
        """Return the metrics that are in the log beside the objective."""
        return [Metric("mse", self.mse), Metric("rmse", self.rmse), Metric("absolute_loss", self.absolute_loss)]


def score(rows: Array, models: Sequence[LinearModel]) -> list[Score]:
    """Score models with the float32 weights of their artifacts.

    Args:
        rows: The channel's rows, of shape (rows, 1 + features), with the label first.
        models: Models that were trained on one dataset with the same loss.

    Returns:
        One score per model.
    """
    weights = np.array([model.weights for model in models], dtype=np.float64).T
    biases = np.array([model.bias for model in models], dtype=np.float64)
    loss, label_scale = loss_of(models[0].hyperparameters), models[0].label_scale
    totals = np.zeros((3, len(models)))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        residual = part[:, 1:] @ weights
        residual += biases - part[:, :1]
        totals[1] += np.einsum("ij,ij->j", residual, residual)
        totals[2] += np.abs(residual).sum(axis=0)
        if loss.name != "squared_loss":
            totals[0] += loss.values(residual / label_scale).sum(axis=0) * label_scale**loss.degree
    if loss.name == "squared_loss":
        totals[0] = totals[1]
    return [Score(*map(float, means)) for means in (totals / len(rows)).T]
