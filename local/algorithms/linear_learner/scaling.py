"""Normalise features and label, and convert weights back to raw units."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """Normalises the columns of the data: ``normalised = (raw - shift) / scale``. The label is the first column.

    Attributes:
        shift: One value per column, of shape (1 + features,).
        scale: One value per column, never zero, of shape (1 + features,).
    """

    shift: Array
    scale: Array

    @classmethod
    def measure(cls, rows: Array, hyperparameters: Hyperparameters) -> "Scaling":
        """Compute means and standard deviations from a sample of the data.

        A column that is constant in the sample is shifted but not scaled.

        Args:
            rows: The sample, of shape (rows, 1 + features), with the label first.
            hyperparameters: ``normalize_*`` and ``unbias_*`` select the columns to scale and to shift.
        """
        shifted = np.full(rows.shape[1], hyperparameters.unbias_data)
        shifted[0] = hyperparameters.unbias_label
        scaled = np.full(rows.shape[1], hyperparameters.normalize_data)
        scaled[0] = hyperparameters.normalize_label
        # Compares values, because the computed deviation of a constant column can be tiny instead of 0.
        scaled &= rows.max(axis=0) > rows.min(axis=0)
        mean = rows.mean(axis=0)
        centred = rows - mean
        deviation = np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(rows))
        return cls(shift=np.where(shifted, mean, 0.0), scale=np.where(scaled, deviation, 1.0))

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
        raw = weights[:-1] * (self.label_scale / self.scale[1:, None])
        bias = weights[-1] * self.label_scale + self.shift[0] - self.shift[1:] @ raw
        return raw, bias
