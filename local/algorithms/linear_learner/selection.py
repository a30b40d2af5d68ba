"""Early stopping, and the best epoch of every model.

An epoch improves a job if its relative improvement ``(best - loss) / best`` reaches the tolerance. After ``patience``
epochs in a row without improvement, the job stops. Each model keeps the weights of its best epoch. Source: Amazon
SageMaker developer guide, ``early_stopping_patience`` and ``early_stopping_tolerance``.
"""

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


class Selection:
    """The best weights so far of models that train together. A job has one or more models.

    Models are numbered across all datasets. A job's models have consecutive numbers.

    Attributes:
        best_weights: The best weights, of shape (datasets, features + 1, models per dataset).
        best_loss: The lowest losses, of shape (models,). Infinite for a model without a finite loss.
        running: Whether each job is still running, of shape (jobs,).
    """

    def __init__(self, weights: Array, starts: npt.NDArray[np.int_], shared: Hyperparameters) -> None:
        """Watch the weights of models.

        Args:
            weights: The current weights, which training overwrites. Same shape as ``best_weights``.
            starts: The number of each job's first model, of shape (jobs,).
            shared: The hyperparameters that all jobs share.
        """
        self._weights = weights
        self._starts = starts
        self._sizes = np.diff(np.append(starts, weights[:, 0].size))
        self._tolerance = shared.early_stopping_tolerance
        self._patience = shared.early_stopping_patience
        self._best_criterion = np.full(len(starts), np.inf)
        self._epochs_without = np.zeros(len(starts), dtype=np.int_)
        self.best_weights = weights.copy()
        self.best_loss = np.full(weights[:, 0].size, np.inf)
        self.running = np.ones(len(starts), dtype=np.bool_)

    def observe(self, losses: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Update the best weights and the early stopping with an epoch's losses. Stopped jobs keep their weights.

        Args:
            losses: The models' losses, of shape (models,). A loss that is not finite is never the best.

        Returns:
            Each job's criterion (the lowest loss of its models) and whether it improved, both of shape (jobs,).
        """
        losses = np.where(np.isfinite(losses), losses, np.inf)
        better = (losses < self.best_loss) & np.repeat(self.running, self._sizes)
        np.copyto(self.best_loss, losses, where=better)
        np.copyto(self.best_weights, self._weights, where=better.reshape(len(self._weights), 1, -1))
        criterion = np.minimum.reduceat(losses, self._starts)
        first = np.isinf(self._best_criterion) & np.isfinite(criterion)
        gain = (self._best_criterion - criterion) / self._best_criterion
        improved = first | (gain >= self._tolerance)
        self._best_criterion = np.minimum(self._best_criterion, criterion)
        self._epochs_without = np.where(improved, 0, self._epochs_without + 1)
        self.running = self.running & (self._epochs_without < self._patience)
        return criterion, improved

    def winners(self) -> list[int]:
        """Return the number of each job's best model."""
        ends = (self._starts + self._sizes).tolist()
        starts = self._starts.tolist()
        return [start + int(self.best_loss[start:end].argmin()) for start, end in zip(starts, ends, strict=True)]
