"""Early stopping, and the best epoch of every model.

An epoch improves a job if its relative improvement ``(best - loss) / best`` reaches the tolerance. After ``patience``
epochs in a row without improvement, the job stops. Each model keeps the weights of its best epoch. Source: Amazon
SageMaker developer guide, ``early_stopping_patience`` and ``early_stopping_tolerance``.

A criterion, such as a binary classifier's accuracy, precedes the loss: the best epoch has the highest value, and the
lowest loss among those. Either one can improve an epoch.
"""

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


class Selection:
    """The best weights so far of models that train together. A job has one or more models.

    Models are numbered across all datasets. A job's models have consecutive numbers.

    Attributes:
        best_weights: The best weights, of shape (datasets, features + 1, models x outputs).
        best_loss: The losses of the best weights, of shape (models,). Infinite for a model without a finite loss.
        running: Whether each job is still running, of shape (jobs,).
    """

    def __init__(self, weights: Array, starts: npt.NDArray[np.int_], shared: Hyperparameters) -> None:
        """Watch the weights of models.

        Args:
            weights: The current weights, which training overwrites. Same shape as ``best_weights``.
            starts: The number of each job's first model, of shape (jobs,).
            shared: The hyperparameters that all jobs share.
        """
        models = weights[:, 0].size // shared.outputs
        self._weights = weights
        self._outputs = shared.outputs
        self._starts = starts
        self._sizes = np.diff(np.append(starts, models))
        self._tolerance = shared.early_stopping_tolerance
        self._patience = shared.early_stopping_patience
        self._lowest_loss = np.full(len(starts), np.inf)
        self._highest_value = np.full(len(starts), -np.inf)
        self._epochs_without = np.zeros(len(starts), dtype=np.int_)
        self.best_weights = weights.copy()
        self.best_loss = np.full(models, np.inf)
        self._best_value = np.full(models, -np.inf)
        self.running = np.ones(len(starts), dtype=np.bool_)

    def observe(self, losses: Array, values: Array | None = None) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Update the best weights and the early stopping with an epoch's losses. Stopped jobs keep their weights.

        Args:
            losses: The models' losses, of shape (models,). A loss that is not finite is never the best.
            values: The criterion's values, of shape (models,), which are maximised; None if there is only the loss.

        Returns:
            Each job's criterion (the highest value of its models, or their lowest loss) and whether it improved, both
            of shape (jobs,).
        """
        losses = np.where(np.isfinite(losses), losses, np.inf)
        better = losses < self.best_loss
        if values is not None:
            better &= values == self._best_value
            better |= np.isfinite(losses) & (values > self._best_value)
        better &= np.repeat(self.running, self._sizes)
        np.copyto(self.best_loss, losses, where=better)
        columns = np.repeat(better, self._outputs).reshape(len(self._weights), 1, -1)
        np.copyto(self.best_weights, self._weights, where=columns)
        criterion = np.minimum.reduceat(losses, self._starts)
        first = np.isinf(self._lowest_loss) & np.isfinite(criterion)
        gain = (self._lowest_loss - criterion) / self._lowest_loss
        improved = first | (gain >= self._tolerance)
        self._lowest_loss = np.minimum(self._lowest_loss, criterion)
        if values is not None:
            np.copyto(self._best_value, values, where=better)
            criterion, gained = self._observe_criterion(np.where(np.isfinite(losses), values, -np.inf))
            improved |= gained
        self._epochs_without = np.where(improved, 0, self._epochs_without + 1)
        self.running = self.running & (self._epochs_without < self._patience)
        return criterion, improved

    def _observe_criterion(self, values: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Return each job's highest value, and whether it exceeds the highest one so far by the tolerance."""
        highest = np.maximum.reduceat(values, self._starts)
        improved = highest > self._highest_value
        known = improved & (self._highest_value > 0)
        gain = (highest - self._highest_value)[known] / self._highest_value[known]
        improved[known] = gain >= self._tolerance
        self._highest_value = np.maximum(self._highest_value, highest)
        return highest, improved

    def winners(self) -> list[int]:
        """Return the number of each job's model with the lowest loss."""
        return [start + int(self.best_loss[start:end].argmin()) for start, end in self.jobs()]

    def jobs(self) -> list[tuple[int, int]]:
        """Return the number of each job's first model, and the one after its last."""
        starts, ends = self._starts.tolist(), (self._starts + self._sizes).tolist()
        return list(zip(starts, ends, strict=True))
