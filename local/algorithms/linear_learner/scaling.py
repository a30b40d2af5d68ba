"""Normalise features and label, and convert weights back to raw units."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Scaling:
    """Normalises the columns of the data: ``normalised = (raw - shift) / scale``. The label is the first column.

    Attributes:
        shift: One value per column, of shape (1 + features,).
        scale: One value per column, never zero, of shape (1 + features,). Infinite for a constant feature, which is
            then 0 in normalised units and has the weight 0 in raw units.
    """

    shift: Array
    scale: Array

    @classmethod
    def measure(cls, rows: Array, hyperparameters: Hyperparameters) -> "Scaling":
        """Compute means and standard deviations from the first rows, in whole mini-batches.

        A column that is constant in these rows is shifted but not scaled. A feature that is constant in all rows gets
        an infinite scale if the model has a bias: the bias then takes the feature's contribution. Without a bias, the
        feature can serve as one, and keeps its weight.

        Args:
            rows: The rows to train on, of shape (rows, 1 + features), with the label first.
            hyperparameters: ``normalize_*`` and ``unbias_*`` select the columns to scale and to shift.
                ``num_point_for_scaler`` and ``mini_batch_size`` determine the sample.
        """
        sample = _sample(rows, hyperparameters)
        shifted = np.full(rows.shape[1], hyperparameters.unbias_data)
        shifted[0] = hyperparameters.unbias_label
        scaled = np.full(rows.shape[1], hyperparameters.normalize_data)
        scaled[0] = hyperparameters.normalize_label
        # Compares values, because the computed deviation of a constant column can be tiny instead of 0.
        varying = sample.max(axis=0) > sample.min(axis=0)
        scaled &= varying
        mean = sample.mean(axis=0)
        centred = sample - mean
        deviation = np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(sample))
        scale = np.where(scaled, deviation, 1.0)
        if hyperparameters.use_bias:
            scale[_constant_features(rows, ~varying, len(sample))] = np.inf
        return cls(shift=np.where(shifted, mean, 0.0), scale=scale)

    @property
    def label_scale(self) -> float:
        """The number of raw label units in one normalised unit."""
        return float(self.scale[0])

    def normalise(self, rows: Array, out: Array) -> None:
        """Write rows in normalised units, followed by a column of ones for the bias.

        Args:
            rows: The raw rows, of shape (n, 1 + features), with the label first.
            out: The array to overwrite, of shape (n, 2 + features).
        """
        np.subtract(rows, self.shift, out=out[:, :-1])
        out[:, :-1] /= self.scale
        out[:, -1] = 1.0

    def fold_back(self, weights: Array) -> tuple[Array, Array]:
        """Convert weights for normalised rows into weights for raw rows.

        Args:
            weights: The weights, of shape (features + 1, models), with the bias last.

        Returns:
            Weights of shape (features, models) and biases of shape (models,), both in raw units.
        """
        # Adding 0 turns -0, the negative weight of a constant feature, into 0.
        raw = weights[:-1] * (self.label_scale / self.scale[1:, None]) + 0.0
        bias = weights[-1] * self.label_scale + self.shift[0] - self.shift[1:] @ raw
        return raw, bias


def _sample(rows: Array, hyperparameters: Hyperparameters) -> Array:
    """Return the first ``num_point_for_scaler`` rows, in whole mini-batches but at least one."""
    points = min(len(rows), hyperparameters.num_point_for_scaler)
    whole = points - points % hyperparameters.mini_batch_size
    return rows[: whole or hyperparameters.mini_batch_size]


def _constant_features(rows: Array, candidates: npt.NDArray[np.bool_], start: int) -> npt.NDArray[np.int_]:
    """Return the columns of the features that have one value in all rows.

    Args:
        rows: The rows, of shape (rows, 1 + features), with the label first.
        candidates: Whether each column is constant before the row ``start``, of shape (1 + features,).
        start: The first row to look at.
    """
    columns = 1 + np.flatnonzero(candidates[1:])
    while columns.size and start < len(rows):
        part = rows[start : start + _ROWS_AT_ONCE, columns]
        columns = columns[(part == rows[0, columns]).all(axis=0)]
        start += _ROWS_AT_ONCE
    return columns
