"""Normalisation of features and label, and the way back to raw units."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """``normalised = (raw - shift) / scale`` for every column of the data, the label first.

    Attributes:
        shift: one value a column.
        scale: one value a column, never zero.
    """

    shift: Array
    scale: Array

    @classmethod
    def measure(cls, rows: Array, hyperparameters: Hyperparameters) -> "Scaling":
        """Take means and standard deviations from a sample of the data.

        A column that is constant in the sample is shifted but not scaled.

        Args:
            rows: the sample, the label in the first column, of shape (rows, 1 + features).
            hyperparameters: of which ``normalize_*`` and ``unbias_*`` say what is scaled and shifted.
        """
        shifted = np.full(rows.shape[1], hyperparameters.unbias_data)
        shifted[0] = hyperparameters.unbias_label
        scaled = np.full(rows.shape[1], hyperparameters.normalize_data)
        scaled[0] = hyperparameters.normalize_label
        # Not by comparing the deviation with 0: rounding gives a constant column a tiny one.
        scaled &= rows.max(axis=0) > rows.min(axis=0)
        mean = rows.mean(axis=0)
        centred = rows - mean
        deviation = np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(rows))
        return cls(shift=np.where(shifted, mean, 0.0), scale=np.where(scaled, deviation, 1.0))

    @property
    def label_scale(self) -> float:
        """How many raw label units one normalised unit is."""
        return float(self.scale[0])

    def normalise(self, rows: Array, out: Array) -> None:
        """Write rows in normalised units, followed by a column of ones for the bias.

        Args:
            rows: of shape (n, 1 + features), the label first.
            out: of shape (n, 2 + features), overwritten.
        """
        np.subtract(rows, self.shift, out=out[:, :-1])
        out[:, :-1] /= self.scale
        out[:, -1] = 1.0

    def fold_back(self, weights: Array) -> tuple[Array, Array]:
        """Turn weights that take normalised rows into weights that take raw ones.

        Args:
            weights: of shape (features + 1, models), the bias last.

        Returns:
            Weights of shape (features, models) and biases of shape (models,), both in raw units.
        """
        raw = weights[:-1] * (self.label_scale / self.scale[1:, None])
        bias = weights[-1] * self.label_scale + self.shift[0] - self.shift[1:] @ raw
        return raw, bias
